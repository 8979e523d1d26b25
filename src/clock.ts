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
  /** Aborted after `ms`. Keeps no process alive. */
  limit(name: string, ms: number): AbortSignal;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => performance.now(),
  after(_, ms, work) {
    const timer = setTimeout(work, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  async sleep(_, ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
  limit: (_, ms) => AbortSignal.timeout(ms),
};

/** Calls `work` again and again, `pause` after it has ended, until it is closed; the first time at once. */
export class Rounds {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #pause: number;
  readonly #work: () => Promise<void>;
  #timer: Timer | null = null;
  #running: Promise<void> | null = null;
  #closed = false;

  /** `work` may not fail. */
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
    this.#running = this.#work();
    void this.#running.then(() => {
      if (!this.#closed) this.#timer = this.#clock.after(this.#name, this.#pause, () => this.start());
    });
  }

  /** Resolves when the round that is under way has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }
}
