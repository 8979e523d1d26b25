import type { Moved } from '../commands/mover.ts';
import { tellOrigins } from '../commands/tell-origins.ts';
import { reach } from '../faults.ts';
import type { Parts } from '../parts.ts';
import { isForCommand, outboxOf } from '../store/save-decisions.ts';
import type { OutboxItem } from '../store/save-decisions.ts';
import { nextInLine } from '../store/unfinished.ts';
import type { Aborts } from './aborts.ts';
import { followWork } from './follow-work.ts';
import type { Queue } from './queue.ts';
import { SOON } from './timers.ts';
import type { Timers } from './timers.ts';

/** The parts of a command, and what brings its consequences on their way. */
export interface Hints extends Parts {
  queue: Queue;
  timers: Timers;
  aborts: Aborts;
}

/**
 * What follows a saved decision: its work goes to the queue, its wake-up to a timer, its end to those who waited for it. All
 * of it is a short cut. Whatever is lost here (a crash, a queue that is away) stands in the database, and the sweep of any
 * process makes up for it.
 */
export class AfterMove {
  readonly #parts: Hints;

  constructor(parts: Hints) {
    this.#parts = parts;
  }

  readonly onMoved = (moved: Moved[]): void => {
    reach('after-commit');
    const { timers, clock } = this.#parts;
    this.#shortCut(this.#handOver(moved), 'the queue did not take the work, the relay will hand it over');
    const now = clock.now().getTime();
    for (const { release, decision } of moved) {
      const { wakeAt, id } = decision.state;
      if (wakeAt !== null && wakeAt - now < SOON) timers.set(id, wakeAt, now);
      for (const work of decision.work) if (work.kind === 'abort') this.#abort(id, work.promotions);
      if (release.kind === 'ROLLBACK') {
        const told = tellOrigins(this.#parts, { release, state: decision.state });
        this.#shortCut(told, 'those whom a rollback takes back were not told, the sweep will tell them');
      }
    }
    const freed = moved.filter(freesOthers);
    const waiting = moved.filter(leavesToRollback);
    if (freed.length === 0 && waiting.length === 0) return;
    const woken = this.#wakeWaiting(freed, waiting);
    this.#shortCut(woken, 'those who waited were not told, the sweep will tell them');
  };

  #shortCut(work: Promise<unknown>, otherwise: string): void {
    work.catch((error: unknown) => this.#parts.log.warn({ error }, otherwise));
  }

  async #handOver(moved: Moved[]): Promise<void> {
    const all = moved.flatMap(({ decision }) => outboxOf(decision));
    for (const item of all) if (isForCommand(item)) this.#follow(item);
    const items = all.filter((each) => !isForCommand(each));
    if (items.length === 0) return;
    await this.#parts.queue.handOver(items);
    reach('after-hand-over');
    this.#parts.mover.handedOver(items.map((each) => each.key));
  }

  /** No job: it is done right here, and its row in the outbox goes in the same transaction. */
  #follow(item: OutboxItem): void {
    this.#shortCut(
      followWork(this.#parts, item),
      'what a decision asked for could not be done yet, the sweep will do it',
    );
  }

  /** Here at once, elsewhere by a notice; `lookForStops` finds whoever misses it. */
  #abort(releaseId: string, promotions: number[]): void {
    const { aborts, pool } = this.#parts;
    for (const promotion of promotions) aborts.abort(releaseId, 'stop', promotion);
    const notices: string[] = [];
    for (let from = 0; from < promotions.length; from += PER_NOTICE)
      notices.push(JSON.stringify({ releaseId, promotions: promotions.slice(from, from + PER_NOTICE) }));
    const told = pool.query(`SELECT pg_notify('sluice_abort', notice) FROM unnest($1::text[]) AS notice`, [notices]);
    this.#shortCut(told, 'other processes were not told to stop, they see it by themselves within seconds');
  }

  /** The one after each that left, and the first in line: nobody else's turn can have come. Rollbacks stand in no line. */
  async #wakeWaiting(freed: Moved[], left: Moved[]): Promise<void> {
    const { mover, pool } = this.#parts;
    const releases = freed.map(({ release }) => release);
    const next = new Set(releases.length === 0 ? [] : await nextInLine(pool, releases));
    for (const { decision } of left) for (const id of Object.keys(decision.state.rollbacks)) next.add(id);
    await Promise.all([...next].map((id) => mover.move(id, { kind: 'tick' })));
  }
}

/** One at a time: its end lets the next one go. Overlapping: each environment that it leaves does. */
function freesOthers({ release, decision: { state, events } }: Moved): boolean {
  if (events.length === 0) return false;
  if (state.endedAt !== null) return true;
  const { kind, concurrency } = release;
  const overlapping = kind === 'ROLLBACK' || concurrency === 'PIPELINE' || concurrency === 'TERMINATE';
  return overlapping && events.some(({ event }) => LEAVES.has(event.type));
}

/** A release that is taken back has left an environment: its rollback may work there now. */
function leavesToRollback({ decision: { state, events } }: Moved): boolean {
  return Object.keys(state.rollbacks).length > 0 && events.some(({ event }) => LEAVES.has(event.type));
}

/** PostgreSQL takes 8,000 bytes in one. */
const PER_NOTICE = 100;

const LEAVES: ReadonlySet<string> = new Set([
  'PromotionSucceeded',
  'PromotionFailed',
  'PromotionTerminated',
  'PromotionSkipped',
]);
