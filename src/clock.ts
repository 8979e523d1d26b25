import { setTimeout as delay } from 'node:timers/promises';

/** Where the shell gets its time from, and who wakes it. The core never asks: it is told. */
export interface Clock {
  now(): Date;
  /** Milliseconds since some moment in the past; never goes back, whatever is done to the time of day. */
  elapsed(): number;
  /** Calls `work` once, after `ms`. `name` says whose timer it is. */
  after(name: string, ms: number, work: () => void): Timer;
  /** Rejects with the signal's reason when it is aborted. */
  sleep(name: string, ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborted after `ms`, or after 24 days where that is longer. Keeps no process alive. */
  limit(name: string, ms: number): AbortSignal;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => performance.now(),
  after(_, ms, work) {
    let timer: NodeJS.Timeout;
    const wait = (left: number): void => {
      const more = left - LONGEST_TIMER;
      timer = more > 0 ? setTimeout(() => wait(more), LONGEST_TIMER) : setTimeout(work, left);
    };
    wait(ms);
    return { cancel: () => clearTimeout(timer) };
  },
  async sleep(_, ms, signal) {
    try {
      let left = ms;
      for (; left > LONGEST_TIMER; left -= LONGEST_TIMER) await delay(LONGEST_TIMER, undefined, { signal });
      await delay(left, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  limit: (_, ms) => AbortSignal.timeout(Math.min(ms, LONGEST_TIMER)),
};

/** In milliseconds, nearly 25 days. Node takes a longer timer for one of a millisecond. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** The clocks of two machines may differ by so much, in milliseconds, before anybody is told. */
export const CLOCK_TOLERANCE = 5_000;

/**
 * One time of day for all processes: PostgreSQL's. Every process asks for it now and then; between two answers it counts on by
 * itself, with the clock that is never set. So a machine whose time of day is wrong, or is set while it runs, decides as all
 * others do. An answer proves that it was this time at some moment while the question was under way: only where the own
 * idea lies outside of that it is changed, so that slow answers make it no worse.
 */
export class SharedClock implements Clock {
  readonly #local: Clock;
  /** PostgreSQL's time of day, when `elapsed` is 0. */
  #origin: number;

  constructor(local: Clock) {
    this.#local = local;
    this.#origin = local.now().getTime() - local.elapsed();
  }

  now(): Date {
    return new Date(Math.floor(this.#origin + this.#local.elapsed()));
  }

  /** How far this machine's own time of day is ahead, in milliseconds; behind when negative. */
  ahead(): number {
    return Math.round(this.#local.now().getTime() - this.now().getTime());
  }

  /** `ask` answers PostgreSQL's time of day, in milliseconds since the epoch. */
  async ask(ask: () => Promise<number>): Promise<void> {
    const asked = this.#local.elapsed();
    const told = await ask();
    const answered = this.#local.elapsed();
    // It was `told` between the two.
    this.#origin = Math.min(Math.max(this.#origin, told - answered), told - asked);
  }

  elapsed(): number {
    return this.#local.elapsed();
  }

  after(name: string, ms: number, work: () => void): Timer {
    return this.#local.after(name, ms, work);
  }

  sleep(name: string, ms: number, signal?: AbortSignal): Promise<void> {
    return this.#local.sleep(name, ms, signal);
  }

  limit(name: string, ms: number): AbortSignal {
    return this.#local.limit(name, ms);
  }
}

/** Resolves in the next turn of the event loop: others are served between two pieces of long work. */
export const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

/** Waits for `work`, but no longer than `ms`; what does not end by then goes on by itself. @returns whether it has ended. */
export async function within(clock: Clock, name: string, ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: Timer | undefined;
  const impatience = new Promise<false>((resolve) => {
    timer = clock.after(name, ms, () => resolve(false));
  });
  const ended = await Promise.race([work.then(() => true).catch(() => true), impatience]);
  timer?.cancel();
  return ended;
}

/**
 * Calls `work` again and again, `pause` after it has ended, until it is closed; the first time at once. News does not wait for the pause:
 * see `hurry`.
 */
export class Rounds {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #pause: number;
  readonly #work: () => Promise<void>;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #again = false;
  #closed = false;

  /** `work` tells of its own failures. */
  constructor(clock: Clock, name: string, pause: number, work: () => Promise<void>) {
    this.#clock = clock;
    this.#name = name;
    this.#pause = pause;
    this.#work = work;
  }

  get closed(): boolean {
    return this.#closed;
  }

  start(): void {
    this.#timer = null;
    this.#again = false;
    // Whatever became of this round: the next one makes up for it.
    this.#running = this.#work()
      .catch(() => undefined)
      .then(() => {
        if (this.#closed) return;
        if (this.#again) this.start();
        else this.#timer = this.#clock.after(this.#name, this.#pause, () => this.start());
      });
  }

  /** A round begins now; while one is under way, another one follows it at once, however often it is asked for. */
  hurry(): void {
    this.#again = true;
    if (this.#timer === null || this.#closed) return;
    this.#timer.cancel();
    this.start();
  }

  /** Resolves when the round that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
