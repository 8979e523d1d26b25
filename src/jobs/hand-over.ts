import type { Timer } from '../clock.ts';
import { boundedText } from '../core/bounded.ts';
import type { Decision } from '../core/decision.ts';
import { ThrottledError } from '../drivers/driver.ts';
import { reach } from '../faults.ts';
import { openedSecrets } from '../opened-secrets.ts';
import { claimDue, deleteRows, isAnyDue, keepFailure, laneOf, outboxOf } from '../store/outbox.ts';
import type { ClaimedItem, KeptLane, OutboxItem } from '../store/outbox.ts';
import { runEffect } from './effects.ts';
import type { EffectParts } from './effects.ts';
import type { Queue } from './queue.ts';

/**
 * From a decision to the hands: the life of a row of the outbox.
 *
 * 1. It is *written* in the statement that saves its decision (`saveDecisions`), so it is there if and only if the decision is.
 *    Its key is the same however often the decision is made again, and a row that is there already stays. It is due 1.5 s later; an errand at once.
 * 2. The process that committed knows it without reading it, and *hands it over* right away (`committed`): work of the lane
 *    `queue` becomes jobs, work of the lane `command` is done. Errands are left to the sweep, notices have no row.
 * 3. It is *deleted*: that of a job with the next save of this process (`HandedOver`), which costs no transaction of its own, or after
 *    a second without one; that
 *    of a command in the command's own transaction; that of an errand when it is done.
 * 4. A row that is still there when it is due was left over: its process died, or the queue was away. The sweep of any process
 *    *claims* it (`relay`), which counts an attempt and makes it due again later, and goes on with 2. Two processes never claim a row
 *    at the same time, one that dies leaves a row that is due again, and a row that fails holds up no other one.
 * 5. A row that *fails* keeps why, and its pauses double from 2 s: up to a minute, those of an errand up to an hour. While the queue
 *    is away rows of its lane are not claimed: they lose no time when it is back.
 *
 * So everything may be handed over twice, and nothing is lost. Twice is once: the queue knows the job's id, a job looks at the state
 * first, a command finds what it made, and an errand carries its key.
 */
export class HandOver {
  readonly #parts: HandOverParts;
  /** What was begun and is not waited for, by key: it may have to ask a target that does not answer. */
  readonly #beside = new Map<string, Promise<unknown>>();
  #errands = 0;
  #flushing: Timer | null = null;

  constructor(parts: HandOverParts) {
    this.#parts = parts;
  }

  /** Hands over what these decisions ask for, right after their commit. Never rejects, and the caller need not wait for it. */
  async committed(decisions: Decision[]): Promise<void> {
    const jobs: OutboxItem[] = [];
    for (const decision of decisions) {
      for (const work of decision.work) if (laneOf(work) === 'notice') this.#tell(decision.state.id, work);
      for (const item of outboxOf(decision)) {
        const lane = laneOf(item.work);
        if (lane === 'queue') jobs.push(item);
        else if (lane === 'command') this.#begin(item, false);
      }
    }
    if (jobs.length === 0) return;
    try {
      await this.#parts.queue.handOver(jobs);
    } catch (error) {
      return this.#parts.log.warn({ error }, 'the queue did not take the work, the sweep will hand it over');
    }
    reach('after-hand-over');
    this.#parts.releaseEngine.handedOver.add(jobs.map((each) => each.key));
    this.#flushSoon();
  }

  /** A process that saves nothing more for now, as an API without a worker, deletes the rows itself before any sweep finds them due. */
  #flushSoon(): void {
    if (this.#flushing) return;
    const { clock, releaseEngine, pool, log } = this.#parts;
    this.#flushing = clock.after('hand-over', FLUSH_AFTER, () => {
      this.#flushing = null;
      releaseEngine.handedOver
        .flush(pool)
        .catch((error: unknown) => log.debug({ error }, 'rows that were handed over are left to the next save'));
    });
  }

  /** Without another flush: the process that closes flushes once more. */
  close(): void {
    this.#flushing?.cancel();
  }

  /** What was left over. Resolves when all of it was handed over or begun; a row that fails is due again later. */
  async relay(): Promise<void> {
    const { pool, log, limits } = this.#parts;
    if (!(await isAnyDue(pool))) return;
    const lanes: KeptLane[] = (await this.#queueAnswers()) ? ['queue', 'command'] : ['command'];
    for (let items: ClaimedItem[]; (items = await claimDue(pool, lanes, limits.outboxRows)).length > 0;) {
      log.info({ items: items.length }, 'handing over what was left in the outbox');
      await this.#handOver(items.filter(({ work }) => laneOf(work) !== 'command'));
      for (const each of items) if (laneOf(each.work) === 'command') this.#begin(each, true);
      if (items.length < limits.outboxRows) break;
    }
    const free = limits.errands - this.#errands;
    if (free > 0) for (const each of await claimDue(pool, ['errand'], free)) this.#begin(each, true);
  }

  /** Resolves when nothing that was begun is under way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#beside.values());
  }

  async #queueAnswers(): Promise<boolean> {
    const { queue, log } = this.#parts;
    try {
      await queue.ping();
      return true;
    } catch (error) {
      log.debug({ error }, 'the queue is away, its work stays in the outbox');
      return false;
    }
  }

  /** All at once; where that fails one by one, and those that the queue does not take keep why. */
  async #handOver(items: ClaimedItem[]): Promise<void> {
    const { queue, releaseEngine, pool } = this.#parts;
    if (items.length === 0) return;
    const taken = await queue.handOver(items).then(
      () => items,
      () => this.#handOverEach(items),
    );
    releaseEngine.handedOver.add(taken.map((each) => each.key));
    await releaseEngine.handedOver.flush(pool);
  }

  async #handOverEach(items: ClaimedItem[]): Promise<ClaimedItem[]> {
    const taken: ClaimedItem[] = [];
    for (const item of items) {
      await this.#parts.queue.handOver([item]).then(
        () => taken.push(item),
        (error: unknown) => this.#failed(item, error, true),
      );
    }
    return taken;
  }

  #begin(item: OutboxItem, claimed: boolean): void {
    if (this.#beside.has(item.key)) return;
    const isErrand = laneOf(item.work) === 'errand';
    if (isErrand) this.#errands += 1;
    const done = runEffect(this.#parts, item)
      .then(() => (isErrand ? deleteRows(this.#parts.pool, [item.key]) : undefined))
      .catch((error: unknown) => this.#failed(item, error, claimed))
      .finally(() => {
        if (isErrand) this.#errands -= 1;
        this.#beside.delete(item.key);
      });
    this.#beside.set(item.key, done);
  }

  #tell(releaseId: string, work: OutboxItem['work']): void {
    runEffect(this.#parts, { key: '', releaseId, work }).catch((error: unknown) =>
      this.#parts.log.warn({ error, releaseId }, 'other processes were not told, they see it by themselves in seconds'),
    );
  }

  async #failed(item: OutboxItem, error: unknown, claimed: boolean): Promise<void> {
    const { pool, log } = this.#parts;
    const { key, releaseId, work } = item;
    log.warn({ error, key, releaseId, kind: work.kind }, 'work of a decision could not be done yet, it is tried again');
    const reason = boundedText(openedSecrets.hide(error instanceof Error ? error.message : String(error)));
    const throttledFor = error instanceof ThrottledError ? spread(error.retryAfter) : undefined;
    await keepFailure(pool, item, { reason, counted: claimed, throttledFor }).catch((failure: unknown) =>
      log.warn({ error: failure, key }, 'why work could not be done was not kept'),
    );
  }
}

/** Up to a quarter later: there is not room for all of them at that moment. */
const spread = (ms: number): number => Math.ceil(ms * (1 + Math.random() / 4));

/** In milliseconds: less than it takes until a row is due. */
const FLUSH_AFTER = 1_000;

/** What handing work over takes: where effects run, and the queue. */
export interface HandOverParts extends EffectParts {
  queue: Queue;
}
