import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Random } from './random.ts';

export interface Call {
  key: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** What the workflow's action said of itself: which revision of it was performed. */
  shape: string;
  /** It did what it was asked for, now or earlier with the same key; false: it broke off or refused in passing. */
  answered: boolean;
}

/**
 * What http actions call: it does a thing once per key, as a well-made target does, is away now and then, and keeps every call for
 * the judge.
 */
export class Target {
  readonly calls: Call[] = [];
  readonly #close: () => Promise<void>;
  readonly port: number;

  private constructor(port: number, close: () => Promise<void>, calls: Call[]) {
    this.port = port;
    this.#close = close;
    this.calls = calls;
  }

  static async open(random: Random): Promise<Target> {
    const calls: Call[] = [];
    const server = createServer((request, response) => {
      request.resume();
      const key = String(request.headers['idempotency-key'] ?? '');
      const answered = random.chance(0.85);
      calls.push({ key, at: Date.now(), shape: String(request.headers['x-shape'] ?? ''), answered });
      setTimeout(
        () => {
          if (!answered && random.chance(0.5)) response.destroy();
          else response.writeHead(answered ? 200 : 503, { 'content-type': 'application/json' }).end('{"done":true}');
        },
        random.between(1, 60),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return new Target((server.address() as AddressInfo).port, close, calls);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/call`;
  }

  close(): Promise<void> {
    return this.#close();
  }
}
