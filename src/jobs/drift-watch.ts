import type { App } from '../app.ts';
import { lookAtLive } from '../commands/look-at-live.ts';
import { takeDueLooks } from '../store/looks.ts';

/**
 * Asks every target from time to time whether it still holds what was promoted to it, so that a change by hand is seen before
 * somebody needs to know. When each was asked last stands in the database: many workers ask no more often than one.
 */
export class DriftWatch {
  readonly #app: Pick<App, 'pool' | 'drivers' | 'clock' | 'definitions' | 'config' | 'log'>;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(app: Pick<App, 'pool' | 'drivers' | 'clock' | 'definitions' | 'config' | 'log'>) {
    this.#app = app;
  }

  start(): void {
    const next = (): void => {
      if (this.#closed) return;
      this.#running = this.round().catch((error: unknown) =>
        this.#app.log.warn({ error }, 'targets could not be looked at this time'),
      );
      void this.#running.finally(() => {
        if (!this.#closed) this.#timer = setTimeout(next, Math.min(PAUSE, this.#app.config.driftIntervalMs));
      });
    };
    next();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  async round(): Promise<void> {
    const { pool, definitions, config } = this.#app;
    const snapshot = await definitions.current();
    const places = [...snapshot.products.keys()].flatMap((product) =>
      snapshot.applicationsOf(product).map(({ metadata, spec }) => ({
        product,
        environment: spec.environment,
        application: metadata.name,
      })),
    );
    const due = await takeDueLooks(pool, places, config.driftIntervalMs, MOST);
    // A target that does not answer holds up its own lane alone.
    const lane = async (): Promise<void> => {
      for (let next = due.shift(); next && !this.#closed; next = due.shift())
        await lookAtLive(this.#app, next.product, [next.environment]);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
}

/** In milliseconds. */
const PAUSE = 10_000;
/** Applications of one round. */
const MOST = 200;
/** Environments that are looked at side by side. */
const LANES = 4;
