import { LRUCache } from 'lru-cache';
import type { Timer } from '../clock.ts';
import { advanceCandidate } from '../commands/trigger/advance-candidate.ts';
import type { CandidateHands } from '../commands/trigger/advance-candidate.ts';
import { triggerApplications } from '../core/trigger/sources.ts';
import type { Parts } from '../parts.ts';
import { claimDue } from '../store/candidates.ts';
import type { KeptCandidate } from '../store/candidates.ts';
import { keepCursors } from '../store/triggers.ts';
import { standingsOf } from './candidate-standing.ts';
import { Watch } from './watch.ts';

/**
 * Takes up candidates that are due. When each is looked at next stands in the database: what a process leaves behind that dies in the
 * middle is due again when its lease is over, and a candidate becomes one release however many processes look at it. Rounds are the
 * guarantee; a round comes early by `hurry`, and at the moment at which the next candidate is due.
 */
export class CandidateWatch extends Watch {
  readonly #hands: CandidateHands = {
    pinned: new LRUCache({ max: 100 }),
    standings: (...about) => standingsOf(this.app, ...about),
  };
  /** Those that this process looks at, by id. */
  readonly #running = new Map<string, Promise<void>>();
  #early: Timer | null = null;
  #rounds = 0;

  constructor(app: Parts) {
    super(app, 'candidates', app.limits.candidatesEvery, 'candidates could not be looked at this time');
  }

  /** A candidate is new, or due by now. */
  hurry(): void {
    this.rounds.hurry();
  }

  async round(): Promise<void> {
    const { pool, clock, limits, definitions } = this.app;
    if (this.#rounds++ % 120 === 0) {
      const snapshot = await definitions.current();
      const looked = triggerApplications(snapshot).map(({ application }) => application);
      await keepCursors(pool, looked, snapshot.revision);
    }
    for (let full = true; full && !this.rounds.closed;) {
      if (this.#running.size >= limits.candidates) await Promise.race(this.#running.values());
      const now = clock.now();
      const free = limits.candidates - this.#running.size;
      const but = [...this.#running.keys()];
      const { due, next } = await claimDue(pool, now, new Date(now.getTime() + LEASE), { limit: free, but });
      full = due.length === free;
      for (const each of due) this.#begin(each);
      this.#expect(next);
    }
  }

  override async close(): Promise<void> {
    await super.close();
    this.#early?.cancel();
    await Promise.all(this.#running.values());
  }

  /** What is due after the next round waits for that one. */
  #expect(next: Date | null): void {
    const { clock, limits } = this.app;
    this.#early?.cancel();
    const ms = next === null ? Infinity : next.getTime() - clock.now().getTime();
    this.#early = ms < limits.candidatesEvery ? clock.after('candidates', Math.max(ms, 0), () => this.hurry()) : null;
  }

  /** No round waits for it: a source that does not answer holds up its own candidates alone. */
  #begin(candidate: KeptCandidate): void {
    const { id } = candidate;
    const done = advanceCandidate(this.app, candidate, this.#hands)
      .catch((error: unknown) =>
        this.app.log.warn({ error, candidate: id }, 'a candidate could not be taken up, and is looked at again'),
      )
      .finally(() => {
        this.#running.delete(id);
        // It may have been woken meanwhile, or be due again in a moment.
        this.hurry();
      });
    this.#running.set(id, done);
  }
}

/**
 * In milliseconds: so long a candidate stands still whose process has died. A look that takes longer is made by two, and counts once.
 */
const LEASE = 15_000;
