import { onAbort } from '../../abort-listener.ts';
import { reach } from '../../faults.ts';
import type { Effect } from '../driver.ts';
import { TransientError } from '../driver.ts';
import { sleep } from '../sleep.ts';
import { isRace, isRefusal, namedError } from './errors.ts';
import type { Mirror, Refused } from './mirror.ts';
import type { Prepared, Promotion } from './promote.ts';
import { mustBeMine } from './promote.ts';

/** Promotions in one push at most: a host looks at each of their commits before it answers. */
const MOST = 32;

/** Each lost race means that another commit got in; after so many in a row the queue's backoff is kinder to the remote. */
const TRIES = 10;

/** A promotion in the line, and its caller. */
interface Waiting {
  promotion: Promotion;
  /** When it was asked for, as `Clock.elapsed` says. */
  asked: number;
  /** Pushes of it that came second. */
  lost: number;
  /** The caller has its answer. */
  settled: boolean;
  settle(answer: Answer): void;
}

type Answer = { effect: Effect } | { error: unknown };

/** What a promotion comes to on top of those before it. */
interface Decided {
  waiting: Waiting;
  answer: Answer;
  commit?: string | undefined;
}

/** How a line makes commits and gets its turns. */
export interface LineParts {
  mirror: Mirror;
  branch: string;
  prepare(head: string, promotion: Promotion): Promise<Prepared>;
  /** Does the work when nothing else is done with the repository. */
  inTurn(work: () => Promise<void>): Promise<void>;
}

/**
 * The promotions to one branch of a repository, in the order of asking. Those that wait when the line has its turn go together: each
 * has a commit of its own, on top of the one before, and one push brings all of them.
 *
 * A promotion that is decided on top of commits which are not pushed yet is answered only when they are. When the push comes second,
 * all are decided again on the new head. A push on top of a head that was seen a moment ago needs no look before: it only counts where the
 * branch still stands there. When the remote refuses it, the first half goes alone, and half of that, until the promotion that is
 * refused is alone: its caller is told, and the others go without it. When the push has no answer, it may have arrived: each caller is told
 * so and finds its commit by its key at the next try, and the next pushes carry few.
 */
export class PushLine {
  readonly #parts: LineParts;
  readonly #waiting: Waiting[] = [];
  #running = false;
  /** How many go together: few after a push that failed, twice as many after each that did not. */
  #most = MOST;
  /** So many at the head of the line were refused together. */
  #suspects = 0;
  /** At work right now. */
  #round: { all: Waiting[]; stop: AbortController } | null = null;

  constructor(parts: LineParts) {
    this.#parts = parts;
  }

  /** Answers when the commit is on the branch, or when there is nothing to commit. A caller that is aborted leaves the line. */
  promote(promotion: Promotion): Promise<Effect> {
    const { signal } = promotion.context;
    signal.throwIfAborted();
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        promotion,
        asked: this.#parts.mirror.clock.elapsed(),
        lost: 0,
        settled: false,
        settle(answer) {
          if (this.settled) return;
          this.settled = true;
          stopListening();
          if ('effect' in answer) resolve(answer.effect);
          else reject(namedError(promotion.where, answer.error));
        },
      };
      const stopListening = onAbort(signal, () => this.#leave(waiting));
      this.#waiting.push(waiting);
      if (!this.#running) this.#run().catch((error: unknown) => this.#giveUp(error));
    });
  }

  /** The others go on. The last of a push is told when git has ended, so that nothing of it arrives afterwards. */
  #leave(waiting: Waiting): void {
    const error = waiting.promotion.context.signal.reason as unknown;
    const place = this.#waiting.indexOf(waiting);
    if (place >= 0) this.#waiting.splice(place, 1);
    const round = this.#round;
    const isLast = round?.all.includes(waiting) && round.all.every((each) => each === waiting || each.settled);
    if (isLast) round?.stop.abort(error);
    else waiting.settle({ error });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) await this.#parts.inTurn(() => this.#takeTurn());
    this.#running = false;
  }

  #giveUp(error: unknown): void {
    this.#running = false;
    for (const each of this.#waiting.splice(0)) each.settle({ error });
  }

  /** Never throws. */
  async #takeTurn(): Promise<void> {
    const half = this.#suspects > 0 ? Math.ceil(this.#suspects / 2) : MOST;
    const all = this.#waiting.splice(0, Math.min(this.#most, half));
    if (all.length === 0) return;
    const stop = new AbortController();
    this.#round = { all, stop };
    try {
      const again = await this.#go(all, stop.signal);
      const left = stop.signal.aborted ? all : all.filter((each) => !again.includes(each));
      // None is left without an answer.
      for (const each of left) each.settle({ error: stop.signal.reason as unknown });
      this.#waiting.unshift(...again.filter((each) => !each.settled));
    } catch (error) {
      const [{ promotion }] = all as [Waiting];
      for (const each of all) each.settle({ error: namedError(each.promotion.where, error, promotion.where) });
    } finally {
      this.#round = null;
    }
  }

  /** @returns those that are to be decided again */
  async #go(all: Waiting[], signal: AbortSignal): Promise<Waiting[]> {
    const { mirror, branch } = this.#parts;
    const lately = mirror.lately(branch);
    const head = lately?.head ?? (await mirror.fetchHead(branch, all[0]!.promotion.where, signal));
    const decided = await this.#decide(all, head);
    const stack = decided.filter(({ commit }) => commit !== undefined);
    const tip = stack.at(-1)?.commit;
    if (tip === undefined) {
      const isOld = lately !== undefined && all.some(({ asked }) => asked > lately.began);
      return isOld ? this.#lookAgain(all) : settle(decided);
    }
    await Promise.all(stack.map(stillWanted));
    if (stack.some(({ waiting }) => waiting.settled)) return all;
    signal.throwIfAborted();
    reach('before-push');
    const came = await mirror.push(branch, { from: head, to: tip }, signal).catch((error: unknown) => ({ error }));
    reach('after-push');
    if (came !== null) {
      signal.throwIfAborted();
      const isOutdated = lately !== undefined && 'said' in came && isRace(came.said);
      return isOutdated ? this.#lookAgain(all) : this.#failed(all, stack, came, signal);
    }
    this.#most = Math.min(MOST, 2 * this.#most);
    this.#suspects = Math.max(0, this.#suspects - all.length);
    return settle(decided);
  }

  /** The head was one that was seen a moment ago, which nothing but a push on top of it can prove to be the head now. */
  #lookAgain(all: Waiting[]): Waiting[] {
    this.#parts.mirror.forget(this.#parts.branch);
    return all;
  }

  /** One after the other, each on top of the one before. */
  async #decide(all: Waiting[], head: string): Promise<Decided[]> {
    const { mirror } = this.#parts;
    const { generation } = mirror;
    const decided: Decided[] = [];
    let tip = head;
    for (const waiting of all) {
      if (waiting.settled) continue;
      try {
        const { effect, commit } = await this.#parts.prepare(tip, waiting.promotion);
        decided.push({ waiting, answer: { effect }, commit });
        tip = commit ?? tip;
      } catch (error) {
        decided.push({ waiting, answer: { error } });
        // The commits that were made so far went with the local copy.
        if (mirror.generation !== generation) throw error;
      }
    }
    return decided;
  }

  /** The push was not taken: what the remote said, or why it could not be asked. */
  async #failed(
    all: Waiting[],
    stack: Decided[],
    came: Refused | { error: unknown },
    signal: AbortSignal,
  ): Promise<Waiting[]> {
    if ('said' in came && isRace(came.said)) return this.#cameSecond(all, stack, signal);
    const isRefused = 'said' in came && isRefusal(came.said);
    if (isRefused && stack.length > 1) {
      this.#suspects = all.length;
      return all;
    }
    this.#suspects = 0;
    // A remote that refuses one after the other is asked about few at a time.
    this.#most = isRefused ? Math.ceil(this.#most / 4) : 1;
    for (const { waiting } of stack) {
      const { where } = waiting.promotion;
      const { error } = 'said' in came ? { error: this.#parts.mirror.error(where, came.said, came.retryAfter) } : came;
      waiting.settle({ error });
    }
    return all;
  }

  async #cameSecond(all: Waiting[], stack: Decided[], signal: AbortSignal): Promise<Waiting[]> {
    for (const { waiting } of stack) {
      waiting.lost += 1;
      if (waiting.lost < TRIES) continue;
      const { where } = waiting.promotion;
      waiting.settle({ error: new TransientError(`${where}: others pushed first, ${TRIES} times in a row`) });
    }
    const most = Math.max(...stack.map(({ waiting }) => waiting.lost));
    await sleep(25 * most * (0.5 + Math.random()), signal);
    return all;
  }
}

function settle(decided: Decided[]): Waiting[] {
  for (const { waiting, answer } of decided) waiting.settle(answer);
  return [];
}

/** Settles what was given up meanwhile. */
async function stillWanted({ waiting }: Decided): Promise<void> {
  const { where, context } = waiting.promotion;
  await mustBeMine(where, context).catch((error: unknown) => waiting.settle({ error }));
}
