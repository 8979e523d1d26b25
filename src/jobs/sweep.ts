import { Rounds } from '../clock.ts';
import type { MovedTo } from '../commands/mover.ts';
import { makeRoomEverywhere } from '../commands/make-room.ts';
import { processDue } from '../commands/process-delivery.ts';
import { tellOrigins } from '../commands/tell-origins.ts';
import type { Stimulus } from '../core/release.ts';
import type { Parts } from '../parts.ts';
import { forgetOldDeliveries } from '../store/deliveries.ts';
import { unsettledRollbacks } from '../store/rollbacks.ts';
import { isForCommand } from '../store/save-decisions.ts';
import type { OutboxItem } from '../store/save-decisions.ts';
import { pages } from '../store/pages.ts';
import { dueSoon, forgetOldKeys, leftInOutbox, openReleases } from '../store/unfinished.ts';
import type { Due, Left } from '../store/unfinished.ts';
import { followWork } from './follow-work.ts';
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
  readonly #lookedAt = new Map<string, { number: number; next: number; pause: number }>();
  /** The release after which the next round goes on, and the rollback. */
  #releasesFrom = 0;
  #rollbacksFrom: string | undefined;
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
    for await (const page of pages<Due>(limits.wakeUps, (after) => dueSoon(pool, SOON, limits.wakeUps, after)))
      for (const { id, wakeAt } of page) timers.set(id, wakeAt.getTime(), now);
    await this.#relay();
    await mover.flush();
    await this.#reconcile();
    await this.#settleRollbacks();
    await makeRoomEverywhere(this.#parts);
    this.#begin('deliveries', () => processDue(this.#parts));
    if (this.#rounds++ % 600 !== 0) return;
    await forgetOldKeys(pool);
    await forgetOldDeliveries(pool);
  }

  /** Rows that their own process should have handed over by now. One that fails holds up none of those behind it. */
  async #relay(): Promise<void> {
    const { pool, mover, log, limits } = this.#parts;
    const read = (after: Left | undefined): Promise<Left[]> => leftInOutbox(pool, LATE, limits.outboxRows, after);
    for await (const items of pages(limits.outboxRows, read)) {
      log.info({ items: items.length }, 'handing over what was left in the outbox');
      const jobs = items.filter((each) => !isForCommand(each));
      mover.handedOver((await this.#handOver(jobs)).map((each) => each.key));
      for (const each of items) if (isForCommand(each)) this.#follow(each);
      await mover.flush();
    }
  }

  /** Those that the queue took. */
  async #handOver(jobs: OutboxItem[]): Promise<OutboxItem[]> {
    const { queue, log } = this.#parts;
    try {
      await queue.handOver(jobs);
      return jobs;
    } catch {
      // Where the queue is away, that is what is wrong; otherwise it is there, and does not take one of them.
      await queue.ping();
      const taken: OutboxItem[] = [];
      for (const job of jobs) {
        await queue.handOver([job]).then(
          () => taken.push(job),
          (refused: unknown) => log.warn({ error: refused, key: job.key }, 'the queue does not take this work'),
        );
      }
      return taken;
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

  /** Rollbacks that have ended, and somebody whom they took back may not know it: a page, the next one in the next round. */
  async #settleRollbacks(): Promise<void> {
    const { pool, mover, log, limits } = this.#parts;
    const ids = await unsettledRollbacks(pool, limits.rollbacksSettled, this.#rollbacksFrom);
    this.#rollbacksFrom = ids.length < limits.rollbacksSettled ? undefined : ids.at(-1);
    for (const id of ids) {
      try {
        const to = await mover.look(id, { fresh: true });
        if (to) await tellOrigins({ pool, mover }, to);
      } catch (error) {
        log.warn({ error, releaseId: id }, 'those whom a rollback took back could not be told yet');
      }
    }
  }

  /**
   * Open releases that have not moved for a while: is there a job for everything that runs, a turn for all that waits? A round takes
   * a page of them and looks at those of it that were longest not looked at; the next round goes on with the next page.
   */
  async #reconcile(): Promise<void> {
    const { pool, clock, log, limits } = this.#parts;
    const now = clock.elapsed();
    const from = this.#releasesFrom;
    const open = await openReleases(pool, QUIET, limits.openReleases, from);
    const to = open.length < limits.openReleases ? Infinity : open.at(-1)!.number;
    this.#releasesFrom = to === Infinity ? 0 : to;
    const ids = new Set(open.map(({ id }) => id));
    for (const [id, { number }] of this.#lookedAt)
      if (number > from && number <= to && !ids.has(id)) this.#lookedAt.delete(id);
    // A release that stays as it is is looked at less and less often, the more of them there are: a thousand waiting ones cost
    // little, and when there are few whatever was lost is found soon.
    const atMost = Math.min(Math.max(open.length * SHARE, AGAIN), AGAIN_AT_MOST);
    const nextOf = (id: string): number => this.#lookedAt.get(id)?.next ?? 0;
    const due = open
      .filter(({ id }) => now >= nextOf(id))
      .sort((one, other) => nextOf(one.id) - nextOf(other.id))
      .slice(0, limits.releasesPerRound);
    for (const { id, number } of due) {
      const pause = Math.min((this.#lookedAt.get(id)?.pause ?? AGAIN / 2) * 2, atMost);
      this.#lookedAt.set(id, { number, next: now + pause, pause });
    }
    // Several at once: their decisions share transactions. What is wrong with one of them is not wrong with the others.
    for (let first = 0; first < due.length; first += AT_ONCE) {
      const looks = due.slice(first, first + AT_ONCE).map(({ id }) => ({ id, done: this.#reconcileOne(id) }));
      const done = await Promise.allSettled(looks.map((each) => each.done));
      done.forEach((each, index) => {
        const releaseId = looks[index]?.id;
        if (each.status === 'rejected')
          log.warn({ error: each.reason as unknown, releaseId }, 'a release could not be looked at this time');
      });
      if (done.every((each) => each.status === 'rejected')) throw (done[0] as PromiseRejectedResult).reason;
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
        if (standing === 'delayed') await queue.hurry(promoteId(data));
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
      if (standing === 'delayed') await queue.hurry(askId(data));
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
      const id = stepId(data, step);
      const standing = await this.#parts.queue.standing(id);
      if (standing === 'delayed') await this.#parts.queue.hurry(id);
      if (standing === 'pending' || standing === 'delayed') return true;
    }
    return false;
  }
}

export interface SweepParts extends Parts {
  queue: Queue;
  timers: Timers;
  /** Between the end of a round and the next one. */
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
