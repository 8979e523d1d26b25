import type { Pool } from 'pg';
import type { App } from '../app.ts';
import { Rounds } from '../clock.ts';
import type { MovedTo } from '../commands/mover.ts';
import { followWork } from '../commands/follow-work.ts';
import { processDue } from '../commands/process-delivery.ts';
import { tellOrigins } from '../commands/tell-origins.ts';
import type { Stimulus } from '../core/release.ts';
import type { Log } from '../log.ts';
import { forgetOldDeliveries } from '../store/deliveries.ts';
import { unsettledRollbacks } from '../store/rollbacks.ts';
import { isForCommand } from '../store/save-decisions.ts';
import type { OutboxItem } from '../store/save-decisions.ts';
import { dueSoon, forgetOldKeys, leftInOutbox, openReleases } from '../store/unfinished.ts';
import { askId, promoteId, stepId } from './job-data.ts';
import type { PromoteData } from './job-data.ts';
import type { Queue } from './queue.ts';
import { SOON } from './timers.ts';
import type { Timers } from './timers.ts';

/**
 * The reconciler: whatever the queue lost, a crash left between commit and queue, or nobody was told of, is found here
 * from the database alone. Running it twice, or in every process, does no harm.
 */
export class Sweep {
  readonly #parts: SweepParts;
  readonly #lookedAt = new Map<string, { next: number; pause: number }>();
  readonly #every: Rounds;
  /** What a round has begun and does not wait for, by name: it may have to ask a target that does not answer. */
  readonly #beside = new Map<string, Promise<unknown>>();
  #rounds = 0;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    const round = (): Promise<void> =>
      this.round().catch((error: unknown) => parts.log.warn({ error }, 'the sweep could not finish its round'));
    this.#every = new Rounds(parts.clock, 'sweep', parts.intervalMs, round);
  }

  start(): void {
    this.#every.start();
  }

  async close(): Promise<void> {
    await this.#every.close();
    await Promise.all(this.#beside.values());
  }

  async round(): Promise<void> {
    const { pool, mover, timers, clock, limits } = this.#parts;
    const now = clock.now().getTime();
    for (const { id, wakeAt } of await dueSoon(pool, SOON, limits.wakeUps)) timers.set(id, wakeAt.getTime(), now);
    await this.#relay();
    await mover.flush();
    await this.#reconcile();
    await this.#settleRollbacks();
    this.#begin('deliveries', () => processDue(this.#parts));
    if (this.#rounds++ % 600 !== 0) return;
    await forgetOldKeys(pool);
    await forgetOldDeliveries(pool);
  }

  /** Rows that their own process should have handed over by now. */
  async #relay(): Promise<void> {
    const { pool, mover, queue, log, limits } = this.#parts;
    for (;;) {
      const items = await leftInOutbox(pool, LATE, limits.outboxRows);
      if (items.length === 0) return;
      log.info({ items: items.length }, 'handing over what was left in the outbox');
      const jobs = items.filter((each) => !isForCommand(each));
      await queue.handOver(jobs);
      mover.handedOver(jobs.map((each) => each.key));
      const begun = items.filter((each) => isForCommand(each) && this.#follow(each));
      await mover.flush();
      if (items.length < limits.outboxRows || jobs.length + begun.length === 0) return;
    }
  }

  #follow(item: OutboxItem): boolean {
    return this.#begin(item.key, () => followWork(this.#parts, item), item.releaseId);
  }

  /** False: it is under way already. */
  #begin(name: string, work: () => Promise<unknown>, releaseId?: string): boolean {
    if (this.#beside.has(name)) return false;
    const done: Promise<unknown> = work()
      .catch((error: unknown) =>
        this.#parts.log.warn({ error, releaseId }, 'what a decision or a delivery asked for could not be done yet'),
      )
      .finally(() => this.#beside.delete(name));
    this.#beside.set(name, done);
    return true;
  }

  /** Rollbacks that have ended, and somebody whom they took back may not know it. */
  async #settleRollbacks(): Promise<void> {
    const { pool, mover } = this.#parts;
    for (const id of await unsettledRollbacks(pool)) {
      const to = await mover.look(id, { fresh: true });
      if (to) await tellOrigins({ pool, mover }, to);
    }
  }

  /** Open releases that have not moved for a while: is there a job for everything that runs, a turn for all that waits? */
  async #reconcile(): Promise<void> {
    const { pool, clock, limits } = this.#parts;
    const now = clock.elapsed();
    const open = await openReleases(pool, QUIET, limits.openReleases);
    const ids = new Set(open);
    for (const id of this.#lookedAt.keys()) if (!ids.has(id)) this.#lookedAt.delete(id);
    // A release that stays as it is is looked at less and less often, the more of them there are: a thousand waiting ones cost
    // little, and when there are few whatever was lost is found soon.
    const atMost = Math.min(Math.max(open.length * SHARE, AGAIN), AGAIN_AT_MOST);
    const due = open.filter((id) => now >= (this.#lookedAt.get(id)?.next ?? 0)).slice(0, limits.releasesPerRound);
    for (const id of due) {
      const pause = Math.min((this.#lookedAt.get(id)?.pause ?? AGAIN / 2) * 2, atMost);
      this.#lookedAt.set(id, { next: now + pause, pause });
    }
    // Several at once: their decisions share transactions.
    for (let from = 0; from < due.length; from += AT_ONCE) {
      await Promise.all(due.slice(from, from + AT_ONCE).map((id) => this.#reconcileOne(id)));
    }
  }

  async #reconcileOne(id: string): Promise<void> {
    const { mover } = this.#parts;
    const to = await mover.look(id, { fresh: true });
    if (!to || to.state.endedAt !== null) return;
    await tellOrigins(this.#parts, to);
    for (const stimulus of await this.#missing(to)) await mover.move(id, stimulus);
  }

  async #missing({ release, state }: MovedTo): Promise<Stimulus[]> {
    const { queue } = this.#parts;
    // A tick admits what has its turn and starts what may start; where there is nothing to do it changes nothing.
    const stimuli: Stimulus[] = [{ kind: 'tick' }];
    for (const [promotion, { attempt, steps }] of state.promotions.entries()) {
      const dispatches = new Set(steps.filter((each) => each.status === 'RUNNING').map((each) => each.dispatch));
      for (const dispatch of dispatches) {
        const data = { releaseId: release.id, promotion, attempt, dispatch };
        const standing = await queue.standing(promoteId(data));
        const alone = standing === 'joining' && !(await this.#hasSiblings(data, steps.length));
        if (standing === 'over' || alone) stimuli.push({ kind: 'lost-dispatch', promotion, dispatch });
        if (standing !== 'missing') continue;
        const join = release.plan.promotions[promotion]?.group != null;
        const work = { kind: 'dispatch' as const, promotions: [{ promotion, attempt, dispatch }], join };
        await queue.handOver([{ key: `${promoteId(data)}-again`, releaseId: release.id, work }]);
      }
    }
    for (const [group, { status, generation }] of state.groups.entries()) {
      if (status !== 'ASKING') continue;
      const data = { releaseId: release.id, group, generation };
      const standing = await queue.standing(askId(data));
      if (standing === 'over') stimuli.push({ kind: 'lost-question', group, generation });
      if (standing !== 'missing') continue;
      const work = { kind: 'ask-group' as const, group, generation };
      await queue.handOver([{ key: askId(data), releaseId: release.id, work }]);
    }
    return stimuli;
  }

  /**
   * An environment's job that waits for siblings which nobody has any more would wait for ever. A sibling is named after the
   * step that it began with, and may be steps further by now.
   */
  async #hasSiblings(data: PromoteData, steps: number): Promise<boolean> {
    for (let step = 0; step < steps; step += 1) {
      if ((await this.#parts.queue.standing(stepId(data, step))) === 'pending') return true;
    }
    return false;
  }
}

export interface SweepParts extends Pick<App, 'dataSource' | 'definitions' | 'drivers' | 'mover' | 'clock' | 'limits'> {
  pool: Pool;
  queue: Queue;
  timers: Timers;
  log: Log;
  intervalMs: number;
}

/** In milliseconds. */
const LATE = 1_500;
const QUIET = 2_000;
const AGAIN = 4_000;
const AGAIN_AT_MOST = 30_000;
/** What one open release adds to the pause between two looks at each. */
const SHARE = 20;

/** Releases that are looked at side by side. */
const AT_ONCE = 16;
