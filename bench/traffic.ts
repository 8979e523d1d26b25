import { Socket } from 'node:net';
import pg from 'pg';

/** What this process has asked of its servers so far. */
export interface Asked {
  /** Of PostgreSQL, BullMQ's own apart. */
  statements: number;
  queueStatements: number;
  /** Times that something was sent and an answer waited for: what is sent before the answer to what went ahead is one with it. */
  exchanges: number;
  /** With the other server, Redis. */
  queueExchanges: number;
}

/**
 * Counts what leaves this process from here on, on connections that are opened after this. The floor is counted the same way, so what
 * counting costs is in both.
 */
export function countTraffic(postgresUrl: string, redisUrl: string | undefined): Readonly<Asked> {
  const asked: Asked = { statements: 0, queueStatements: 0, exchanges: 0, queueExchanges: 0 };
  const ports = new Map<number, 'exchanges' | 'queueExchanges'>([[portOf(postgresUrl), 'exchanges']]);
  if (redisUrl !== undefined) ports.set(portOf(redisUrl), 'queueExchanges');
  const connect = Reflect.get(Socket.prototype, 'connect') as (...args: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
    this.once('connect', () => {
      const counter = ports.get(this.remotePort ?? 0);
      if (counter !== undefined) countTurns(this, () => (asked[counter] += 1));
    });
    return connect.apply(this, args);
  };
  const query = Reflect.get(pg.Client.prototype, 'query') as (...args: unknown[]) => unknown;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    const { connectionParameters: settings } = this as unknown as {
      connectionParameters: { application_name?: string };
    };
    const counter = settings.application_name === 'sluice-queue' ? 'queueStatements' : 'statements';
    asked[counter] += statementsOf(args[0]);
    return query.apply(this, args);
  } as typeof pg.Client.prototype.query;
  return asked;
}

/** A turn begins with what is written first after something was read. */
function countTurns(socket: Socket, count: () => void): void {
  const { write, push } = socket as unknown as Record<'write' | 'push', (...args: unknown[]) => boolean>;
  let isAnswered = true;
  socket.write = (...args: unknown[]) => {
    if (isAnswered) count();
    isAnswered = false;
    return write.apply(socket, args);
  };
  socket.push = (...args: unknown[]) => {
    isAnswered = true;
    return push.apply(socket, args);
  };
}

/** Only a text without values may hold several. */
function statementsOf(query: unknown): number {
  return typeof query === 'string' && query.startsWith('BEGIN') ? query.split(';').length : 1;
}

const portOf = (url: string): number => Number(new URL(url).port);
