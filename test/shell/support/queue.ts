import { WaitingChildrenError } from 'bullmq';
import type { Clock } from '../../../src/clock.ts';
import { jobsOf } from '../../../src/jobs/effects.ts';
import { stepId } from '../../../src/jobs/job-data.ts';
import type { JobData, JobName, PromoteData } from '../../../src/jobs/job-data.ts';
import { parentIsGone } from '../../../src/jobs/queue.ts';
import type { JobProcessor, JobStanding, Queue, QueuedJob, QueueWorker } from '../../../src/jobs/queue.ts';
import type { OutboxItem } from '../../../src/store/outbox.ts';

interface Stored {
  id: string;
  name: JobName;
  data: JobData;
  state: 'waiting' | 'delayed' | 'active' | 'waiting-children' | 'failed';
  failures: number;
  started: number;
  parent: string | null;
  /** Ids of children that have not ended. */
  children: Set<string>;
  /** Who has its lock: the last one that took it up. Another one may carry it still, and is no longer asked. */
  holder: Hand | null;
}

interface Hand {
  clock: Clock;
  process: JobProcessor;
  free: number;
  /** Jobs that it carries. */
  busy: number;
  closing: boolean;
  idle: (() => void) | null;
  onFailed: (job: { id?: string }, error: Error) => void;
}

/** As for BullMQ: how long the lock of a job lasts when its worker is gone, how often and how soon a job is tried again. */
const STALLED = 3_000;
const ATTEMPTS = 5;
const BACKOFF = 200;
const FAILED_STAYS = 3_600_000;

/**
 * What a queue promises, and no more: a job is given away at least once, in any order; one that is there already is not added again;
 * what failed for good stays for an hour; a parent runs when its children are through. It can lose, repeat and forget. Each
 * process asks through a `face` of its own; test/shell/queue-contract.test.ts tells it the same story as the real ones.
 */
export class SimulatedQueue {
  readonly #jobs = new Map<string, Stored>();
  readonly #hands = new Set<Hand>();
  readonly #clock: Clock;
  readonly #pick: (count: number) => number;

  /** `clock`: the queue's own, which outlives every process. `pick`: one of so many. */
  constructor(clock: Clock, pick: (count: number) => number) {
    this.#clock = clock;
    this.#pick = pick;
  }

  face(concurrency: number, clock: Clock): Queue & { vanish(): void } {
    const own = new Set<Hand>();
    return {
      backend: 'simulated',
      handOver: async (items) => this.#handOver(items),
      spawn: async (data, steps, parent) => this.#spawn(data, steps, parent),
      standing: async (id) => this.#standing(id),
      hurry: async (id) => this.#hurry(this.#jobs.get(id)),
      ping: async () => undefined,
      close: async () => undefined,
      work: (processor) => {
        const hand: Hand = {
          clock,
          process: processor,
          free: 0,
          busy: 0,
          closing: false,
          idle: null,
          onFailed: () => undefined,
        };
        own.add(hand);
        return this.#worker(hand, concurrency);
      },
      vanish: () => {
        for (const hand of own) this.#vanish(hand);
      },
    };
  }

  get ids(): string[] {
    return [...this.#jobs.keys()];
  }

  get jobs(): string {
    return [...this.#jobs.values()].map(({ id, state }) => `${id} ${state}`).join(', ') || 'none';
  }

  /** Everything is gone, as after FLUSHALL: what runs goes on, and nobody knows of it. */
  flush(): void {
    this.#jobs.clear();
  }

  lose(id: string): void {
    this.#jobs.delete(id);
  }

  /** Its lock runs out although its worker lives: from now on two carry it. */
  stall(id: string): void {
    const job = this.#jobs.get(id);
    if (job?.state !== 'active') return;
    job.state = 'waiting';
    this.#serve();
  }

  #worker(hand: Hand, concurrency: number): QueueWorker {
    let stopped: () => void = () => undefined;
    const until = new Promise<void>((resolve) => (stopped = resolve));
    return {
      on: (event: 'error' | 'failed', listener: unknown) => {
        if (event === 'failed') hand.onFailed = listener as Hand['onFailed'];
      },
      run: () => {
        hand.free = concurrency;
        this.#hands.add(hand);
        this.#serve();
        return until;
      },
      close: async (force = false) => {
        hand.closing = true;
        this.#hands.delete(hand);
        if (force) this.#vanish(hand);
        else if (hand.busy > 0) await new Promise<void>((resolve) => (hand.idle = resolve));
        stopped();
      },
    };
  }

  #add(name: JobName, data: JobData, id: string, parent: string | null): boolean {
    if (this.#jobs.has(id)) return false;
    this.#jobs.set(id, {
      id,
      name,
      data,
      state: 'waiting',
      failures: 0,
      started: 0,
      parent,
      children: new Set(),
      holder: null,
    });
    return true;
  }

  #handOver(items: OutboxItem[]): void {
    for (const { id, name, data, children = [] } of items.flatMap(jobsOf)) {
      const isNew = this.#add(name, data, id, null);
      const parent = this.#jobs.get(id);
      for (const child of children) {
        this.#add(child.name, child.data, child.id, id);
        if (isNew) parent?.children.add(child.id);
      }
      if (isNew && parent && children.length > 0) parent.state = 'waiting-children';
    }
    this.#serve();
  }

  #spawn(data: PromoteData, steps: number[], parent: string): void {
    const above = this.#jobs.get(parent);
    if (!above) throw parentIsGone(parent);
    for (const step of steps) {
      if (this.#add('step', { ...data, step, parent }, stepId(data, step), parent))
        above.children.add(stepId(data, step));
    }
    this.#serve();
  }

  #standing(id: string): JobStanding {
    const state = this.#jobs.get(id)?.state;
    if (state === undefined) return 'missing';
    if (state === 'delayed') return 'delayed';
    return state === 'waiting-children' ? 'joining' : state === 'failed' ? 'over' : 'pending';
  }

  #serve(): void {
    for (;;) {
      const waiting = [...this.#jobs.values()].filter((each) => each.state === 'waiting');
      const free = [...this.#hands].filter((each) => each.free > 0 && !each.closing);
      if (waiting.length === 0 || free.length === 0) return;
      const job = waiting[this.#pick(waiting.length)] as Stored;
      const hand = free[this.#pick(free.length)] as Hand;
      hand.free -= 1;
      hand.busy += 1;
      job.state = 'active';
      job.started += 1;
      job.holder = hand;
      void this.#carry(hand, job);
    }
  }

  async #carry(hand: Hand, job: Stored): Promise<void> {
    const { id, name, data, started: attemptsStarted } = job;
    const token = `${id} ${attemptsStarted}`;
    const isHeld = (own: string): boolean =>
      own === token && this.#jobs.get(id) === job && job.state === 'active' && job.started === attemptsStarted;
    const holds = async (own: string): Promise<boolean> => isHeld(own) && job.holder === hand;
    const moveToWaitingChildren = async (own: string): Promise<boolean> => {
      if (!isHeld(own)) throw new Error(`job ${id} is not this worker's any more`);
      if (job.children.size === 0) return false;
      job.state = 'waiting-children';
      return true;
    };
    const given: QueuedJob = { id, name, data, attemptsStarted, moveToWaitingChildren, holds };
    let failure: Error | null = null;
    let waits = false;
    try {
      await hand.process(given, token);
    } catch (error) {
      waits = error instanceof WaitingChildrenError;
      failure = error as Error;
    }
    hand.free += 1;
    hand.busy -= 1;
    // Taken up once more meanwhile: what the first one says of it no longer counts.
    if (this.#jobs.get(id) === job && job.state === 'active' && job.started === attemptsStarted && !waits) {
      if (failure) this.#fail(job, failure, hand);
      else this.#end(job);
    }
    if (hand.busy === 0) hand.idle?.();
    this.#serve();
  }

  #fail(job: Stored, error: Error, hand: Hand): void {
    hand.onFailed(job, error);
    job.failures += 1;
    if (job.failures >= ATTEMPTS) {
      job.state = 'failed';
      this.#clock.after('queue', FAILED_STAYS, () => this.#jobs.get(job.id) === job && this.#jobs.delete(job.id));
      return this.#release(job);
    }
    job.state = 'delayed';
    this.#clock.after('queue', BACKOFF * 2 ** (job.failures - 1), () => this.#hurry(job));
  }

  #hurry(job: Stored | undefined): void {
    if (job?.state === 'delayed') job.state = 'waiting';
    this.#serve();
  }

  #end(job: Stored): void {
    this.#jobs.delete(job.id);
    this.#release(job);
  }

  #release(job: Stored): void {
    const parent = job.parent === null ? undefined : this.#jobs.get(job.parent);
    if (!parent?.children.delete(job.id) || parent.children.size > 0) return;
    if (parent.state === 'waiting-children') parent.state = 'waiting';
  }

  /** Its process is gone: what it carried is taken up again when the lock has run out. */
  #vanish(hand: Hand): void {
    this.#hands.delete(hand);
    for (const job of this.#jobs.values()) {
      if (job.holder !== hand || job.state !== 'active') continue;
      job.holder = null;
      this.#clock.after('queue', STALLED, () => {
        if (job.state === 'active' && job.holder === null) job.state = 'waiting';
        this.#serve();
      });
    }
  }
}
