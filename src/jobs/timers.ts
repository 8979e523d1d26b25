/**
 * Wakes releases at their exact time. The times themselves are in the database: every process reads those that are due
 * soon, so a process that was not there when a time was set wakes its release just the same.
 */
export class Timers {
  readonly #wake: (releaseId: string) => void;
  readonly #timers = new Map<string, { at: number; timer: NodeJS.Timeout }>();

  constructor(wake: (releaseId: string) => void) {
    this.#wake = wake;
  }

  /** An earlier time for the same release replaces a later one. */
  set(releaseId: string, at: number, now: number): void {
    const known = this.#timers.get(releaseId);
    if (known && known.at <= at) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(
      () => {
        this.#timers.delete(releaseId);
        this.#wake(releaseId);
      },
      Math.max(0, at - now),
    );
    this.#timers.set(releaseId, { at, timer });
  }

  close(): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** Times that are further away are left to the sweep, in milliseconds. */
export const SOON = 3_000;
