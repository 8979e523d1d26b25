import { LRUCache } from 'lru-cache';
import { advanceCandidate } from '../commands/trigger/advance-candidate.ts';
import type { CandidateHands } from '../commands/trigger/advance-candidate.ts';
import { triggerApplications } from '../core/trigger/sources.ts';
import type { Parts } from '../parts.ts';
import { claimDue } from '../store/candidates.ts';
import { keepCursors } from '../store/triggers.ts';
import { standingsOf } from './candidate-standing.ts';
import { Watch } from './watch.ts';

/**
 * Takes up candidates that are due. When each is looked at next stands in the database: what a process leaves behind that dies in the
 * middle is due again when its lease is over, and a candidate becomes one release however many processes look at it.
 */
export class CandidateWatch extends Watch {
  readonly #hands: CandidateHands = {
    pinned: new LRUCache({ max: 100 }),
    standings: (...about) => standingsOf(this.app, ...about),
  };
  #rounds = 0;

  constructor(app: Parts) {
    super(app, 'candidates', app.limits.candidatesEvery, 'candidates could not be looked at this time');
  }

  async round(): Promise<void> {
    const { pool, clock, limits, log, definitions } = this.app;
    if (this.#rounds++ % 120 === 0) {
      const looked = triggerApplications(await definitions.current());
      await keepCursors(
        pool,
        looked.map(({ application }) => application),
      );
    }
    for (let full = true; full && !this.rounds.closed;) {
      const now = clock.now();
      const due = await claimDue(pool, now, new Date(now.getTime() + LEASE), limits.candidates);
      full = due.length === limits.candidates;
      const done = due.map((each) =>
        advanceCandidate(this.app, each, this.#hands).catch((error: unknown) =>
          log.warn({ error, candidate: each.id }, 'a candidate could not be taken up, and is looked at again'),
        ),
      );
      await Promise.all(done);
    }
  }
}

/**
 * In milliseconds: so long a candidate stands still whose process has died. A look that takes longer is made by two, and counts once.
 */
const LEASE = 15_000;
