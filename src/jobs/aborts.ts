import type { Clock } from '../clock.ts';
import type { PromoteData } from './job-data.ts';

/** What runs in this process, so that a termination decided anywhere can reach it. */
export class Aborts {
  readonly #clock: Clock;
  readonly #running = new Map<string, Set<Running>>();
  #over: AbortReason | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Before the state is looked at: what is told from then on reaches it. */
  begin(data: PromoteData): Running {
    const { releaseId, promotion } = data;
    const controller = new AbortController();
    if (this.#over !== null) controller.abort(this.#over);
    const running: Running = { releaseId, promotion, data, step: null, controller, since: this.#clock.elapsed() };
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

  /** Also whatever a job begins from now on. */
  abortAll(why: AbortReason): void {
    this.#over = why;
    for (const releaseId of this.#running.keys()) this.abort(releaseId, why);
  }

  /** What is at work here for longer than `milliseconds`, by release. */
  olderThan(milliseconds: number): [releaseId: string, running: Running[]][] {
    const before = this.#clock.elapsed() - milliseconds;
    return [...this.#running]
      .map(([id, all]): [string, Running[]] => [id, [...all].filter((each) => each.since < before)])
      .filter(([, all]) => all.length > 0);
  }
}

/** Why a running step is aborted: it must stop, its process ends, or its time is over. */
export type AbortReason = 'stop' | 'shutdown' | 'overdue';

/** A promotion that this process carries right now. */
export interface Running {
  releaseId: string;
  promotion: number;
  /** Of the job that carries it. */
  data: PromoteData;
  /** The step that is done now; null between two. */
  step: number | null;
  controller: AbortController;
  since: number;
}
