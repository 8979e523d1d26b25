import type { Dispatched } from '../../../src/core/effects.ts';

/** Jobs as the queue has them: a child per promotion, a parent that joins them, a question to a group. `name`: as a state names them. */
export type Job = { name: string } & (PromotionJob | JoinJob | QuestionJob);

/** `above`: the job that waits for this one, which does one step beside it. */
export type PromotionJob = {
  kind: 'promotion';
  step: number | null;
  parent: Parent | null;
  above: string | null;
} & Dispatched;
type JoinJob = { kind: 'join'; groups: number[] };
type QuestionJob = { kind: 'question'; group: number; generation: number };

export interface Parent {
  name: string;
  groups: number[];
  children: Set<Job>;
}

/**
 * The queue of one release, in memory. A job that ends while siblings of its own are on their way waits for them, and comes again after
 * the last one. The queue can forget: what waits for a forgotten sibling does not wait for it.
 */
export class JobQueue {
  readonly #ready: Job[] = [];
  /** Ended but for their siblings. */
  readonly #waiting: Job[] = [];
  readonly #lost: Job[] = [];
  readonly #workers: () => readonly { job: Job; holds: boolean }[];

  /** `workers`: those that are at a job, with and without its lock. */
  constructor(workers: () => readonly { job: Job; holds: boolean }[]) {
    this.#workers = workers;
  }

  get length(): number {
    return this.#ready.length;
  }

  /** Ready, and waiting for siblings. */
  get known(): readonly Job[] {
    return [...this.#ready, ...this.#waiting];
  }

  /** Whether a job of this name is on its way, or at a worker that holds its lock. */
  has(name: string): boolean {
    return this.#going.some((job) => job.name === name);
  }

  push(job: Job): void {
    this.#ready.push(job);
  }

  at(place: number): Job | undefined {
    return this.#ready[place];
  }

  take(place: number): Job | undefined {
    return this.#ready.splice(place, 1)[0];
  }

  lose(place: number): void {
    const [job] = this.#ready.splice(place, 1);
    if (!job) return;
    this.#lost.push(job);
    this.#release(job);
  }

  loseAll(): void {
    this.#lost.push(...this.#ready.splice(0), ...this.#waiting.splice(0));
  }

  /** Whether one that does a step of this dispatch beside its carrier is on its way, or was until it was lost. */
  hadSibling(of: Dispatched): boolean {
    const living = this.#workers().map(({ job }) => job);
    return [...this.#ready, ...living, ...this.#lost].some((job) => isSibling(job, of));
  }

  /** The run of a job is over. Answers whether the job is: with siblings of its own on their way it waits for them. */
  end(job: Job): boolean {
    if (this.#isAwaited(job.name)) {
      if (!this.#waiting.some(({ name }) => name === job.name)) this.#waiting.push(job);
      return false;
    }
    this.#release(job);
    return true;
  }

  /** The last child that ends releases its parent. */
  endChild(job: Job): void {
    if (job.kind !== 'promotion' || job.parent === null) return;
    const { name, children, groups } = job.parent;
    if (children.delete(job) && children.size === 0) this.push({ kind: 'join', name, groups });
  }

  get #going(): readonly Job[] {
    return [...this.#ready, ...this.#workers().flatMap(({ job, holds }) => (holds ? [job] : []))];
  }

  #isAwaited(name: string): boolean {
    return this.#going.some((job) => job.kind === 'promotion' && job.above === name);
  }

  #release(job: Job): void {
    if (job.kind !== 'promotion' || job.above === null || this.#isAwaited(job.above)) return;
    const place = this.#waiting.findIndex(({ name }) => name === job.above);
    if (place >= 0) this.#ready.push(...this.#waiting.splice(place, 1));
  }
}

/** Whether it does a step beside the job that carries this dispatch. */
export function isSibling(job: Job, { promotion, dispatch }: Dispatched): boolean {
  return job.kind === 'promotion' && job.step !== null && job.promotion === promotion && job.dispatch === dispatch;
}
