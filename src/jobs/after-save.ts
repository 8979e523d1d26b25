import type { Pool } from 'pg';
import type { Saved } from '../commands/release-engine.ts';
import { tellOrigins } from '../commands/tell-origins.ts';
import { reach } from '../faults.ts';
import type { Parts } from '../parts.ts';
import { nextInLine } from '../store/unfinished.ts';
import type { HandOver } from './hand-over.ts';
import { SOON } from './timers.ts';
import type { Timers } from './timers.ts';

/**
 * What follows a saved decision: its work goes to the hands, its wake-up to a timer, its end to those who waited for it. All
 * of it is a short cut. Whatever is lost here (a crash, a queue that is away) stands in the database, and the sweep of any
 * process makes up for it.
 */
export class AfterSave {
  readonly #parts: AfterMoveParts;

  constructor(parts: AfterMoveParts) {
    this.#parts = parts;
  }

  readonly onSaved = (moved: Saved[]): void => {
    reach('after-commit');
    const { handOver, timers, clock } = this.#parts;
    this.#shortCut(
      handOver.committed(moved.map((each) => each.decision)),
      'work was not handed over, the sweep will do it',
    );
    const now = clock.now().getTime();
    for (const { release, decision } of moved) {
      const { wakeAt, id } = decision.state;
      if (wakeAt !== null && wakeAt - now < SOON) timers.set(id, wakeAt, now);
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

  /** Wakes the first release in line, the first one after each that left, and all rollbacks: no other turn can have come. */
  async #wakeWaiting(freed: Saved[], left: Saved[]): Promise<void> {
    const { releaseEngine, enginePool } = this.#parts;
    const releases = freed.map(({ release }) => release);
    const next = new Set(releases.length === 0 ? [] : await nextInLine(enginePool, releases));
    for (const { decision } of left) for (const id of Object.keys(decision.state.rollbacks)) next.add(id);
    await Promise.all([...next].map((id) => releaseEngine.tell(id, { kind: 'tick' })));
  }
}

/** What following a saved decision takes besides what a command may touch. */
export interface AfterMoveParts extends Parts {
  enginePool: Pool;
  handOver: HandOver;
  timers: Timers;
}

/** One at a time: its end lets the next one go. Overlapping: each environment that it leaves does. */
function freesOthers({ release, decision: { state, events } }: Saved): boolean {
  if (events.length === 0) return false;
  if (state.endedAt !== null) return true;
  const { kind, concurrency } = release;
  const overlapping = kind === 'ROLLBACK' || concurrency === 'PIPELINE' || concurrency === 'TERMINATE';
  return overlapping && events.some(({ event }) => LEAVES.has(event.type));
}

/** A release that is taken back has left an environment: its rollback may work there now. */
function leavesToRollback({ decision: { state, events } }: Saved): boolean {
  return Object.keys(state.rollbacks).length > 0 && events.some(({ event }) => LEAVES.has(event.type));
}

const LEAVES: ReadonlySet<string> = new Set([
  'PromotionSucceeded',
  'PromotionFailed',
  'PromotionTerminated',
  'PromotionSkipped',
]);
