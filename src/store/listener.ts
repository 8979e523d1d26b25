import { Availability } from '../availability.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { clientConfig, DEFAULT_STATEMENT_MS, SturdyClient, timesOf } from '../connections.ts';
import type { ConnectionTimes } from '../connections.ts';
import type { Log } from '../log.ts';
import type { Seams } from '../seams.ts';

/** To what a listener listens, and whom it tells. */
export interface ListenerParts {
  url: string;
  channels: string[];
  onNotice: (channel: string, payload: string) => void;
  onConnected: () => void;
  log: Log;
  clock?: Clock;
  seams?: Seams | null;
  times?: ConnectionTimes;
  /** How often it asks whether the other side still answers, in milliseconds: who only listens hears nothing of a dead network. */
  pingMs?: number;
}

/**
 * One connection that listens. What is told while it is broken is lost, so after every (re)connection `onConnected` runs:
 * it must look up for itself what was missed.
 */
export class Listener {
  readonly #parts: ListenerParts;
  readonly #clock: Clock;
  readonly #seams: Seams | null;
  readonly #availability: Availability;
  readonly #stopped = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
    this.#seams = parts.seams ?? null;
    const meanwhile = 'what others tell is looked up instead, up to a second later; it connects again by itself';
    this.#availability = new Availability({
      log: parts.log,
      name: `the listener (${parts.channels.join(', ')})`,
      meanwhile,
    });
  }

  /** Resolves when it listens for the first time, or is closed before; keeps listening until `close`. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped.signal.addEventListener('abort', () => resolve(), { once: true });
      this.#loop = this.#run(resolve);
    });
  }

  async #run(onFirst: () => void): Promise<void> {
    const { signal } = this.#stopped;
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the listener is closed')), { once: true });
    });
    stopped.catch(() => undefined);
    let pause = FIRST_PAUSE;
    while (!signal.aborted) {
      const client = this.#client();
      const ended = new Promise<never>((_, reject) => {
        client.on('error', reject);
        client.on('end', () => reject(new Error('the connection was ended')));
      });
      ended.catch(() => undefined);
      try {
        // None of these waits outlives `close`: a server that restarts may take any time to answer.
        await Promise.race([this.#listen(client), ended, stopped]);
        pause = FIRST_PAUSE;
        this.#availability.back();
        onFirst();
        this.#parts.onConnected();
        await Promise.race([this.#ping(client), ended, stopped]);
      } catch (error) {
        if (!signal.aborted) this.#availability.away(error);
      } finally {
        await client.hangUp(this.#clock);
      }
      await this.#clock.sleep('listener', pause, signal).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  #client(): SturdyClient {
    const { url, times = timesOf(DEFAULT_STATEMENT_MS) } = this.#parts;
    // It says nothing but LISTEN and a ping, which take no time.
    const own = {
      ...times,
      statementMs: Math.min(times.statementMs, PATIENCE),
      silenceMs: Math.min(times.silenceMs, PATIENCE),
    };
    const client = new SturdyClient({
      connectionString: url,
      application_name: 'sluice-listener',
      seams: this.#seams,
      ...clientConfig(own),
    });
    client.on('notification', ({ channel, payload }) => this.#hear(channel, payload ?? ''));
    return client;
  }

  async #listen(client: SturdyClient): Promise<void> {
    await client.connect();
    for (const channel of this.#parts.channels) await client.query(`LISTEN ${channel}`);
  }

  /** Until the connection does not answer, or is closed. */
  async #ping(client: SturdyClient): Promise<never> {
    for (;;) {
      await this.#clock.sleep('listener', this.#parts.pingMs ?? PING, this.#stopped.signal);
      await client.query('SELECT 1');
    }
  }

  #hear(channel: string, payload: string): void {
    const { onNotice } = this.#parts;
    if (this.#seams === null) return onNotice(channel, payload);
    const told = async (): Promise<void> => onNotice(channel, payload);
    this.#seams.pass({ kind: 'notice', name: channel }, told).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
  }
}

/** In milliseconds. */
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2_000;
const PING = 10_000;
const PATIENCE = 5_000;
