import type { Clock } from '../clock.ts';

/** What runs in this process, so that a termination decided anywhere can reach it. */
export class Aborts {
  readonly #clock: Clock;
  readonly #running = new Map<string, Set<Running>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(releaseId: string, promotion: number): Running {
    const running: Running = { releaseId, promotion, controller: new AbortController(), since: this.#clock.elapsed() };
    const all = this.#running.get(releaseId) ?? new Set();
    all.add(running);
    this.#running.set(releaseId, all);
    return running;
  }

  end(running: Running): void {
    const all = this.#running.get(running.releaseId);
    all?.delete(running);
    if (all?.size === 0) this.#running.delete(running.releaseId);
  }

  /** Without `promotion`: everything of the release. */
  abort(releaseId: string, why: AbortReason, promotion?: number): void {
    for (const each of this.#running.get(releaseId) ?? []) {
      if (promotion === undefined || each.promotion === promotion) each.controller.abort(why);
    }
  }

  abortAll(why: AbortReason): void {
    for (const releaseId of this.#running.keys()) this.abort(releaseId, why);
  }

  /** Releases with something at work here for longer than `milliseconds`. */
  olderThan(milliseconds: number): string[] {
    const before = this.#clock.elapsed() - milliseconds;
    return [...this.#running].filter(([, all]) => [...all].some((each) => each.since < before)).map(([id]) => id);
  }
}

export type AbortReason = 'stop' | 'shutdown' | 'overdue';

export interface Running {
  releaseId: string;
  promotion: number;
  controller: AbortController;
  since: number;
}
