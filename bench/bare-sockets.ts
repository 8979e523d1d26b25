import pg from 'pg';
import { WebSocketServer } from 'ws';

// The floor of subscriptions, in a process of its own: what PostgreSQL announces is sent as it is to each subscription that follows it, in
// frames of graphql-transport-ws. No schema, no log, no cursors, no filters but one, and whoever does not read is buffered for without end.

/** @see bench/subscriptions.ts, which writes it */
export interface Announced {
  releaseId: string;
  /** The payload of a `next`. */
  payload: unknown;
}

process.once('message', (databaseUrl: string) => void serve(databaseUrl));
process.once('disconnect', () => process.exit(0));

async function serve(databaseUrl: string): Promise<void> {
  const followers = new Map<string, Set<(payload: string) => void>>();
  const of = (releaseId: string): Set<(payload: string) => void> => {
    const known = followers.get(releaseId) ?? new Set();
    followers.set(releaseId, known);
    return known;
  };
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'graphql-transport-ws' });
  server.on('connection', (socket) => {
    socket.setMaxListeners(0);
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; id: string; payload: { variables: Variables } };
      if (message.type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (message.type !== 'subscribe') return;
      const send = (payload: string): void => socket.send(`{"id":"${message.id}","type":"next","payload":${payload}}`);
      of(message.payload.variables.filter?.releaseId ?? EVERY).add(send);
      socket.on('close', () => of(message.payload.variables.filter?.releaseId ?? EVERY).delete(send));
    });
  });
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  client.on('notification', ({ payload }) => {
    const announced = JSON.parse(payload!) as Announced;
    const text = JSON.stringify(announced.payload);
    for (const send of [...of(announced.releaseId), ...of(EVERY)]) send(text);
  });
  await client.query('LISTEN bench_announced');
  process.send?.((server.address() as { port: number }).port);
}

interface Variables {
  filter?: { releaseId?: string };
}

const EVERY = '';
