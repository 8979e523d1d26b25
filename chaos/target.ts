import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Random } from './random.ts';

/** What it answers an action of a release: what later ones are given. */
export const imageOf = (release: string): string => `image-of-${release}`;
export const ticketOf = (release: string): string => `ticket-of-${release}`;

/** How often it refuses for good, by what is called. */
const REFUSED: Partial<Record<string, number>> = {
  'hook-open': 0.12,
  'hook-tell': 0.09,
  'hook-success': 0.08,
  // Seldom reached: all of a release has to go well before.
  'hook-end': 0.3,
  'hook-fail': 0.2,
  build: 0.16,
};

export interface Call {
  key: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** What the workflow's action said of itself: which revision of it was performed. */
  shape: string;
  /** It did what it was asked for, now or earlier with the same key; false: it broke off, or refused. */
  answered: boolean;
  /** It refused for good. */
  refused: boolean;
  /** What it was told; null: nothing. */
  body: Record<string, string> | null;
}

/**
 * What http actions call: it does a thing once per key, as a well-made target does, is away now and then, refuses what some hooks
 * want for good, and keeps every call for the judge.
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
    /** By key: whoever asks again is refused again. */
    const refusals = new Map<string, boolean>();
    const server = createServer((request, response) => {
      const at = Date.now();
      const key = String(request.headers['idempotency-key'] ?? '');
      const shape = String(request.headers['x-shape'] ?? '');
      const refused = refusals.get(key) ?? random.chance(REFUSED[shape] ?? 0);
      refusals.set(key, refused);
      const available = random.chance(0.85);
      const breaksOff = random.chance(0.5);
      const pause = random.between(1, 60);
      const answer = (body: unknown): void => {
        calls.push({
          key,
          at,
          shape,
          answered: available && !refused,
          refused: available && refused,
          body: body as Call['body'],
        });
        setTimeout(() => {
          if (!available && breaksOff) return void response.destroy();
          const [release = ''] = key.split('.');
          const text = JSON.stringify({ image: imageOf(release), context: { TICKET: ticketOf(release) } });
          response.writeHead(available ? (refused ? 422 : 200) : 503, { 'content-type': 'application/json' }).end(text);
        }, pause);
      };
      // A worker that is killed breaks off while it sends.
      json(request).then(answer, () => answer(null));
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
