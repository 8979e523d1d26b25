import { connect } from 'node:net';
import { WebSocket } from 'ws';

export interface Answer {
  status: number;
  type: string | null;
  headers: Headers;
  body: { data?: Record<string, unknown> | null; errors?: { message: string; extensions?: Record<string, unknown> }[] };
}

export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return answerOf(response);
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  let body: Answer['body'] = {};
  try {
    body = JSON.parse(text) as Answer['body'];
  } catch {
    body = { errors: [{ message: text }] };
  }
  return { status: response.status, type: response.headers.get('content-type'), headers: response.headers, body };
}

export interface Edge {
  cursor: string;
  node: { __typename: string; sequence: number; releaseId: string; releaseStatus: string };
}

export const EVENTS = `subscription ($after: String, $filter: ReleaseEventFilterInput) {
  releaseEvents(after: $after, filter: $filter) { cursor node { __typename sequence releaseId releaseStatus } }
}`;

export interface Result {
  data?: { releaseEvents: Edge } | null;
  errors?: { message: string; extensions?: Record<string, unknown> }[];
}

/** A subscription that somebody watches: what came, and how it ended. */
export interface Watcher {
  results: Result[];
  edges(): Edge[];
  /** Resolves when `count` results have come. */
  has(count: number): Promise<void>;
  /** Resolves when the connection is gone, with the WebSocket's close code. */
  gone: Promise<number>;
  /** Whether the server said that nothing more comes. */
  completed: boolean;
  /** Cuts the TCP connection without a word. */
  destroy(): void;
  /** Stops reading from the network, as a client does that has frozen. */
  pause(): void;
  resume(): void;
}

type Variables = { after?: string | null; filter?: Record<string, unknown>; id?: string };
export type Transport = (url: string, variables?: Variables, query?: string) => Promise<Watcher>;

/** graphql-transport-ws by hand: a client library would reconnect where the test wants to see the cut. */
export const overWebSocket: Transport = async (url, variables = {}, query = EVENTS) => {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const { watcher, push, end } = newWatcher({
    destroy: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  });
  socket.on('error', () => undefined);
  socket.on('close', (code) => end(code));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  const acknowledged = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; payload?: unknown };
      if (message.type === 'connection_ack') resolve();
      if (message.type === 'next') push(message.payload as Result);
      if (message.type === 'error') push({ errors: message.payload as Result['errors'] });
      if (message.type === 'complete') watcher.completed = true;
    });
  });
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await acknowledged;
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables } }));
  // Messages are handled in order: the pong tells that the subscription stands, or nearly so.
  await new Promise<void>((resolve) => {
    socket.once('pong', () => resolve());
    socket.once('close', () => resolve());
    socket.ping();
  });
  return watcher;
};

/** Over a plain TCP socket, so that it can be cut. */
export const overEventStream: Transport = async (url, variables = {}, query = EVENTS) => {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const { watcher, push, end } = newWatcher({
    destroy: () => socket.destroy(),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  });
  socket.on('error', () => undefined);
  socket.on('close', () => end(0));
  const body = JSON.stringify({ query, variables });
  socket.write(
    `POST /graphql/stream HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAccept: text/event-stream\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  let text = '';
  await new Promise<void>((resolve) => {
    socket.on('close', () => resolve());
    socket.on('data', (data) => {
      text += data.toString();
      resolve();
      for (let at = text.indexOf('\n\n'); at >= 0; at = text.indexOf('\n\n')) {
        const block = text.slice(0, at);
        text = text.slice(at + 2);
        const json = /data: (.*)/.exec(block)?.[1];
        if (/event: next/.test(block) && json) push(JSON.parse(json) as Result);
        if (/event: complete/.test(block)) watcher.completed = true;
      }
    });
  });
  return watcher;
};

function newWatcher(controls: Pick<Watcher, 'destroy' | 'pause' | 'resume'>): {
  watcher: Watcher;
  push: (result: Result) => void;
  end: (code: number) => void;
} {
  const results: Result[] = [];
  const waiting: { count: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  let end: (code: number) => void = () => undefined;
  const gone = new Promise<number>((resolve) => (end = resolve));
  const watcher: Watcher = {
    results,
    completed: false,
    gone,
    ...controls,
    edges: () => results.flatMap((each) => (each.data ? [each.data.releaseEvents] : [])),
    has: (count) =>
      results.length >= count
        ? Promise.resolve()
        : new Promise((resolve, reject) => {
            waiting.push({ count, resolve, reject });
            void gone.then(() => reject(new Error(`the connection ended after ${results.length} of ${count} results`)));
          }),
  };
  const push = (result: Result): void => {
    results.push(result);
    for (const each of waiting) if (results.length >= each.count) each.resolve();
  };
  return { watcher, push, end };
}
