import type { Parts } from '../parts.ts';
import { checkLive } from '../commands/check-live.ts';
import { claimDueChecks } from '../store/live-checks.ts';
import { Watch } from './watch.ts';

/**
 * Asks every target from time to time whether it still holds what was promoted to it, so that a change by hand is seen before
 * a release needs to know. When each was asked last stands in the database: many workers ask no more often than one.
 */
export class DriftWatch extends Watch {
  constructor(app: Parts) {
    const every = Math.min(PAUSE, app.config.driftIntervalMs);
    super(app, 'drift', every, 'targets could not be looked at this time');
  }

  async round(): Promise<void> {
    const { pool, definitions, config, limits } = this.app;
    const snapshot = await definitions.current();
    const places = [...snapshot.products.keys()].flatMap((product) =>
      snapshot.applicationsOf(product).map(({ metadata, spec }) => ({
        product,
        environment: spec.environment,
        application: metadata.name,
      })),
    );
    const due = await claimDueChecks(pool, places, config.driftIntervalMs, limits.looks);
    // A target that does not answer holds up its own lane alone.
    const lane = async (): Promise<void> => {
      for (let next = due.shift(); next && !this.rounds.closed; next = due.shift())
        await checkLive(this.app, next.product, [next.environment]);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
}

/** In milliseconds. */
const PAUSE = 10_000;
/** Environments that are looked at side by side. */
const LANES = 4;
