import type { Clock, Timer } from '../clock.ts';

/**
 * Wakes releases at their exact time. The times themselves are in the database: every process reads those that are due
 * soon, so a process that was not there when a time was set wakes its release just the same.
 */
export class Timers {
  readonly #clock: Clock;
  readonly #wake: (releaseId: string) => void;
  readonly #timers = new Map<string, { at: number; timer: Timer }>();

  constructor(clock: Clock, wake: (releaseId: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
  }

  /** An earlier time for the same release replaces a later one. */
  set(releaseId: string, at: number, now: number): void {
    const known = this.#timers.get(releaseId);
    if (known && known.at <= at) return;
    known?.timer.cancel();
    const timer = this.#clock.after('wake-up', Math.max(0, at - now), () => {
      this.#timers.delete(releaseId);
      this.#wake(releaseId);
    });
    this.#timers.set(releaseId, { at, timer });
  }

  close(): void {
    for (const { timer } of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}

/** Times that are further away are left to the sweep, in milliseconds. */
export const SOON = 3_000;
