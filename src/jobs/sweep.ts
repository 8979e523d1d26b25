import { Rounds } from '../clock.ts';
import type { ReleaseNow } from '../commands/release-engine.ts';
import { makeRoomEverywhere } from '../commands/make-room.ts';
import { closeAbandoned, replacePullRequests } from '../commands/tidy-pull-requests.ts';
import { processDue } from '../commands/process-delivery.ts';
import { tellOrigins } from '../commands/tell-origins.ts';
import type { Stimulus } from '../core/release.ts';
import type { Parts } from '../parts.ts';
import { forgetOldLogs } from '../store/action-logs.ts';
import { forgetOldDeliveries } from '../store/deliveries.ts';
import { unsettledRollbacks } from '../store/rollbacks.ts';
import { pages } from '../store/pages.ts';
import { dueSoon, forgetOldKeys, openReleases } from '../store/unfinished.ts';
import type { Due } from '../store/unfinished.ts';
import { underWay } from './effects.ts';
import type { UnderWay } from './effects.ts';
import type { HandOver } from './hand-over.ts';
import type { Queue } from './queue.ts';
import { SOON } from './timers.ts';
import type { Timers } from './timers.ts';

/**
 * The reconciler finds what the queue lost, what a crash left between commit and queue, and what a lost notice did not tell,
 * from the database alone. Running it twice, or in every process, does no harm.
 */
export class Sweep {
  readonly #parts: SweepParts;
  readonly #lookedAt = new Map<string, { number: number; next: number; pause: number }>();
  /** The release after which the next round goes on, the rollback, and the pull request. */
  #releasesFrom = 0;
  #rollbacksFrom: string | undefined;
  #replacedFrom: string | undefined;
  readonly #every: Rounds;
  /** Deliveries that a round has begun with, and does not wait for. */
  #deliveries: Promise<unknown> | null = null;
  #abandoned: Promise<unknown> | null = null;
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
    await Promise.all([this.#deliveries, this.#abandoned, this.#parts.handOver.settled()]);
  }

  async round(): Promise<void> {
    const { pool, releaseEngine, timers, clock, limits, handOver, config } = this.#parts;
    const now = clock.now().getTime();
    for await (const page of pages<Due>(limits.wakeUps, (after) => dueSoon(pool, SOON, limits.wakeUps, after)))
      for (const { id, wakeAt } of page) timers.set(id, wakeAt.getTime(), now);
    await handOver.relay();
    await releaseEngine.handedOver.flush(pool);
    await this.#reconcile();
    await this.#settleRollbacks();
    await makeRoomEverywhere(this.#parts);
    this.#replacedFrom = await replacePullRequests(this.#parts, this.#replacedFrom);
    this.#processDeliveries();
    if (this.#rounds % 30 === 0) this.#closeAbandoned();
    if (this.#rounds++ % 600 !== 0) return;
    await forgetOldKeys(pool);
    await forgetOldDeliveries(pool);
    if (config.actionLogDays > 0) await forgetOldLogs(pool, config.actionLogDays);
  }

  #closeAbandoned(): void {
    this.#abandoned ??= closeAbandoned(this.#parts)
      .catch((error: unknown) => this.#parts.log.warn({ error }, 'pull requests could not be looked through yet'))
      .finally(() => (this.#abandoned = null));
  }

  #processDeliveries(): void {
    this.#deliveries ??= processDue(this.#parts)
      .catch((error: unknown) => this.#parts.log.warn({ error }, 'deliveries could not be processed yet'))
      .finally(() => (this.#deliveries = null));
  }

  /** Tells the end of rollbacks to the releases that they took back, where one may not know it: a page in each round. */
  async #settleRollbacks(): Promise<void> {
    const { pool, releaseEngine, log, limits } = this.#parts;
    const ids = await unsettledRollbacks(pool, limits.rollbacksSettled, this.#rollbacksFrom);
    this.#rollbacksFrom = ids.length < limits.rollbacksSettled ? undefined : ids.at(-1);
    for (const id of ids) {
      try {
        const to = await releaseEngine.look(id, { fresh: true });
        if (to) await tellOrigins({ pool, releaseEngine }, to);
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
    const { releaseEngine } = this.#parts;
    const to = await releaseEngine.look(id, { fresh: true });
    if (!to || to.state.endedAt !== null) return;
    await tellOrigins(this.#parts, to);
    for (const stimulus of await this.#missing(to)) await releaseEngine.tell(id, stimulus);
  }

  async #missing(to: ReleaseNow): Promise<Stimulus[]> {
    const { queue } = this.#parts;
    // A tick admits what has its turn and starts what may start; where there is nothing to do it changes nothing.
    const stimuli: Stimulus[] = [{ kind: 'tick' }];
    for (const each of underWay(to)) {
      const standing = await queue.standing(each.jobId);
      if (standing === 'delayed') await queue.hurry(each.jobId);
      const alone = standing === 'joining' && !(await this.#hasSiblings(each));
      // What a job carried that is gone gets a job of its own.
      const gone = standing === 'missing' && each.work === null;
      if (standing === 'over' || alone || gone) stimuli.push(each.lost);
      if (standing !== 'missing' || each.work === null) continue;
      await queue.handOver([{ key: `${each.jobId}-again`, releaseId: to.release.id, work: each.work }]);
    }
    return stimuli;
  }

  /** Whether a sibling is still in the queue: a job whose siblings are all gone would wait for them for ever. */
  async #hasSiblings({ siblings }: UnderWay): Promise<boolean> {
    const { queue } = this.#parts;
    for (const each of siblings) {
      const standing = await queue.standing(each);
      if (standing === 'delayed') await queue.hurry(each);
      if (standing === 'pending' || standing === 'delayed') return true;
    }
    return false;
  }
}

/** What the sweep needs besides what a command may touch. */
export interface SweepParts extends Parts {
  queue: Queue;
  handOver: HandOver;
  timers: Timers;
  /** Between the end of a round and the next one. */
  intervalMs: number;
}

/** In milliseconds. */
const QUIET = 2_000;
const AGAIN = 4_000;
const AGAIN_AT_MOST = 30_000;
/** What one open release adds to the pause between two looks at each. */
const SHARE = 20;

/** Releases that are looked at side by side. */
const AT_ONCE = 16;
