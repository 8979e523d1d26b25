import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { SturdyClient } from '../connections.ts';
import type { Seams } from '../seams.ts';
import type { Log } from '../log.ts';

/**
 * One connection that listens. What is told while it is broken is lost, so after every (re)connection `onConnected` runs:
 * whoever listens must look for itself then.
 */
export class Listener {
  readonly #url: string;
  readonly #channels: string[];
  readonly #onNotice: (channel: string, payload: string) => void;
  readonly #onConnected: () => void;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #seams: Seams | null;
  #client: SturdyClient | null = null;
  #closed = false;
  #loop: Promise<void> | null = null;

  constructor(parts: {
    url: string;
    channels: string[];
    onNotice: (channel: string, payload: string) => void;
    onConnected: () => void;
    log: Log;
    clock?: Clock;
    seams?: Seams | null;
  }) {
    this.#url = parts.url;
    this.#channels = parts.channels;
    this.#onNotice = parts.onNotice;
    this.#onConnected = parts.onConnected;
    this.#log = parts.log;
    this.#clock = parts.clock ?? systemClock;
    this.#seams = parts.seams ?? null;
  }

  /** Resolves when it listens for the first time; keeps listening until `close`. */
  open(): Promise<void> {
    return new Promise((resolve) => {
      this.#loop = this.#run(resolve);
    });
  }

  async #run(onFirst: () => void): Promise<void> {
    for (let pause = 50; !this.#closed; pause = Math.min(pause * 2, 2_000)) {
      const client = new SturdyClient({
        connectionString: this.#url,
        keepAlive: true,
        application_name: 'sluice-listener',
        seams: this.#seams,
      });
      const ended = new Promise<void>((resolve) => {
        client.on('end', resolve);
        client.on('error', (error) => {
          this.#log.debug({ error: error.message }, 'listener');
          resolve();
        });
      });
      client.on('notification', ({ channel, payload }) => this.#hear(channel, payload ?? ''));
      try {
        await client.connect();
        for (const channel of this.#channels) await client.query(`LISTEN ${channel}`);
        this.#client = client;
        pause = 50;
        onFirst();
        this.#onConnected();
        await ended;
      } catch (error) {
        this.#log.debug({ error }, 'the listener cannot connect yet');
      }
      this.#client = null;
      await client.end().catch(() => undefined);
      if (!this.#closed) await this.#clock.sleep('listener', pause);
    }
  }

  #hear(channel: string, payload: string): void {
    if (this.#seams === null) return this.#onNotice(channel, payload);
    const told = async (): Promise<void> => this.#onNotice(channel, payload);
    void this.#seams.pass({ kind: 'notice', name: channel }, told).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client?.end().catch(() => undefined);
    await this.#loop;
  }
}
