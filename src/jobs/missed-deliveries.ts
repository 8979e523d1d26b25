import { ASK_EVERY, askForMissed } from '../commands/ask-for-missed.ts';
import type { Parts } from '../parts.ts';
import { claimMissed } from '../store/news.ts';
import { usesOfScheme } from '../store/secrets.ts';
import { Watch } from './watch.ts';

/**
 * Fetches what did not arrive while the receivers were away: GitHub sends a delivery once and never again by itself. It begins when a process
 * that receives comes up. Looks at the repositories find the same changes; this only makes it faster, so it is left where it fails.
 */
export class MissedDeliveries extends Watch {
  readonly #closing = new AbortController();

  constructor(app: Parts) {
    super(app, 'missed-deliveries', PAUSE, 'deliveries that did not arrive could not be asked for this time');
  }

  override async round(): Promise<void> {
    const { pool, clock, config } = this.app;
    // Webhooks are told apart by where they go, and nobody else knows where Sluice is reached.
    if (config.publicUrl === undefined) return;
    const uses = await usesOfScheme(pool, 'GITHUB');
    if (uses.length === 0) return;
    const asking = { uses, receiver: `${config.publicUrl}/hooks/git/`, asked: new Set<string>() };
    for (const claimed of await claimMissed(pool, ASK_EVERY)) {
      if (this.rounds.closed) return;
      const signal = AbortSignal.any([this.#closing.signal, clock.limit('missed-deliveries', LIMIT)]);
      await askForMissed(this.app, claimed, { ...asking, signal });
    }
  }

  override async close(): Promise<void> {
    this.#closing.abort(new Error('this process ends'));
    await super.close();
  }
}

/** In milliseconds: between two looks for repositories that are due, and for what is asked about one. */
const PAUSE = 15_000;
const LIMIT = 30_000;
