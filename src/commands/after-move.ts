import type { Pool } from 'pg';
import { ENDED_RELEASE } from '../core/release.ts';
import { reach } from '../faults.ts';
import type { Aborts } from '../jobs/aborts.ts';
import type { JobQueue } from '../jobs/queue.ts';
import { SOON } from '../jobs/timers.ts';
import type { Timers } from '../jobs/timers.ts';
import type { Log } from '../log.ts';
import { outboxOf } from '../store/save-decisions.ts';
import { nextInLine } from '../store/unfinished.ts';
import type { Moved, Mover } from './mover.ts';

/**
 * What follows a saved decision: its work goes to the queue, its wake-up to a timer, its end to those who waited for it. All
 * of it is a short cut. Whatever is lost here (a crash, a queue that is away) stands in the database, and the sweep of any
 * process makes up for it.
 */
export class AfterMove {
  readonly #parts: { pool: Pool; queue: JobQueue; timers: Timers; aborts: Aborts; log: Log };
  #mover: Mover | null = null;

  constructor(parts: { pool: Pool; queue: JobQueue; timers: Timers; aborts: Aborts; log: Log }) {
    this.#parts = parts;
  }

  follow(mover: Mover): void {
    this.#mover = mover;
  }

  readonly onMoved = (moved: Moved[]): void => {
    reach('after-commit');
    const { timers, log } = this.#parts;
    void this.#handOver(moved).catch((error: unknown) =>
      log.warn({ error }, 'the queue did not take the work, the relay will hand it over'),
    );
    const now = Date.now();
    for (const { decision } of moved) {
      const { wakeAt, id } = decision.state;
      if (wakeAt !== null && wakeAt - now < SOON) timers.set(id, wakeAt, now);
      for (const work of decision.work) if (work.kind === 'abort') void this.#abort(id, work.promotions);
    }
    const freed = moved.filter(({ release, decision }) =>
      freesOthers(release.concurrency, decision.state.status, decision.events),
    );
    if (freed.length > 0) {
      void this.#wakeWaiting(freed).catch((error: unknown) =>
        log.warn({ error }, 'those who waited were not told, the sweep will tell them'),
      );
    }
  };

  async #handOver(moved: Moved[]): Promise<void> {
    const items = moved.flatMap(({ decision }) => outboxOf(decision));
    if (items.length === 0) return;
    await this.#parts.queue.handOver(items);
    reach('after-hand-over');
    this.#mover?.handedOver(items.map((each) => each.key));
  }

  /** Here at once, elsewhere by a notice; a worker that misses it asks for itself every second. */
  async #abort(releaseId: string, promotions: number[]): Promise<void> {
    const { aborts, pool, log } = this.#parts;
    for (const promotion of promotions) aborts.abort(releaseId, 'stop', promotion);
    await pool
      .query(`SELECT pg_notify('sluice_abort', $1)`, [
        JSON.stringify({ releaseId, promotions: promotions.slice(0, 100) }),
      ])
      .catch((error: unknown) => log.debug({ error }, 'abort notice'));
  }

  /** The one after each that left, and the first in line: nobody else's turn can have come. */
  async #wakeWaiting(freed: Moved[]): Promise<void> {
    const mover = this.#mover;
    if (!mover) return;
    const next = await nextInLine(
      this.#parts.pool,
      freed.map(({ release }) => release),
    );
    await Promise.all(next.map((id) => mover.move(id, { kind: 'tick' })));
  }
}

/** One at a time: its end lets the next one go. Overlapping: each environment that it leaves does. */
function freesOthers(
  concurrency: string,
  status: Moved['decision']['state']['status'],
  events: Moved['decision']['events'],
): boolean {
  if (events.length === 0) return false;
  if (ENDED_RELEASE.has(status)) return true;
  const overlapping = concurrency === 'PIPELINE' || concurrency === 'TERMINATE';
  return overlapping && events.some(({ event }) => LEAVES.has(event.type));
}

const LEAVES: ReadonlySet<string> = new Set([
  'PromotionSucceeded',
  'PromotionFailed',
  'PromotionTerminated',
  'PromotionSkipped',
]);
