import { WaitingChildrenError } from 'bullmq';
import type { ReleaseEngine } from '../commands/release-engine.ts';
import type { ReleaseNow } from '../commands/release-engine.ts';
import { nextSteps, ownedSteps } from '../core/advance.ts';
import { isGivenUp, mayWork } from '../core/steps.ts';
import type { Outcome } from '../core/release.ts';
import { reach } from '../faults.ts';
import type { Log } from '../log.ts';
import type { Aborts, Running } from './aborts.ts';
import type { PromoteData, StepData } from './job-data.ts';
import { performStep } from './perform-step.ts';
import type { Hands } from './runners/runner.ts';
import type { Queue, QueuedJob } from './queue.ts';
import { withPatience } from './patience.ts';

/**
 * Carries an environment through its steps: look at the state, do the step, record what came of it, go on with what that made
 * ready. After a crash another worker is given the same job and resumes at the first step that is not recorded.
 */
export class PromoteJob {
  readonly #releaseEngine: ReleaseEngine;
  readonly #queue: Queue;
  readonly #hands: Hands;
  readonly #aborts: Aborts;
  readonly #log: Log;

  constructor(parts: { releaseEngine: ReleaseEngine; queue: Queue; hands: Hands; aborts: Aborts; log: Log }) {
    this.#releaseEngine = parts.releaseEngine;
    this.#queue = parts.queue;
    this.#hands = parts.hands;
    this.#aborts = parts.aborts;
    this.#log = parts.log;
  }

  async run(job: QueuedJob<PromoteData>, token: string | undefined): Promise<void> {
    const { data } = job;
    const jobId = job.id as string;
    const again = job.attemptsStarted > 1;
    const holds = holding(job, token);
    const spawned = await this.#carry({ data, parent: jobId, again, holds }, (owned) => owned);
    // An earlier run of this job, cut off by a crash, may have left siblings that are still on their way.
    const mayHaveSiblings = spawned || again;
    if (mayHaveSiblings && token !== undefined && (await job.moveToWaitingChildren(token)))
      throw new WaitingChildrenError();
  }

  async runStep(job: QueuedJob<StepData>, token: string | undefined): Promise<void> {
    const { data } = job;
    const carried = { data, parent: data.parent, again: job.attemptsStarted > 1, holds: holding(job, token) };
    await this.#carry(carried, (owned) => owned.filter((each) => each === data.step));
  }

  /** The steps that are this job's now, each after the other; whether siblings were spawned on the way. */
  async #carry(carried: Carried, which: (owned: number[]) => number[]): Promise<boolean> {
    const { data } = carried;
    // Begun before the look: a stop that comes between the look and the effect is heard.
    const running = this.#aborts.begin(data);
    try {
      const to = await this.#look(data);
      const [first, ...others] = to ? which(ownedSteps(to.state, data.promotion, data.dispatch)) : [];
      return to && first !== undefined ? await this.#lane(carried, running, to, first, others) : false;
    } finally {
      this.#aborts.end(running);
    }
  }

  /** The state that the job was made from, or a newer one. */
  async #look(data: PromoteData): Promise<ReleaseNow | null> {
    const known = await this.#releaseEngine.look(data.releaseId, { fresh: false });
    const promotion = known?.state.promotions[data.promotion];
    const old = promotion !== undefined && promotion.dispatch < data.dispatch;
    const nothing =
      promotion === undefined || ownedSteps((known as ReleaseNow).state, data.promotion, data.dispatch).length === 0;
    return old || nothing ? this.#releaseEngine.look(data.releaseId, { fresh: true }) : known;
  }

  /** Step after step; whether siblings were spawned on the way. */
  async #lane(
    { data, parent, again, holds }: Carried,
    running: Running,
    from: ReleaseNow,
    first: number,
    beside: number[],
  ): Promise<boolean> {
    let spawned = false;
    const queue = [first];
    const share = async (steps: number[]): Promise<void> => {
      if (steps.length === 0) return;
      try {
        await this.#queue.spawn(data, steps, parent);
        spawned = true;
      } catch (error) {
        // The environment's job is gone from the queue: this one does the work, one step after the other.
        this.#log.warn({ error, releaseId: data.releaseId }, 'steps beside this one could not be queued');
        queue.push(...steps);
      }
    };
    await share(beside);
    let at = from;
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      running.step = step;
      const outcome = await this.#perform({ data, holds }, at, step, running.controller, again && step === first);
      const to = await this.#record(data, step, outcome);
      running.step = null;
      reach('after-record', to.release.plan.promotions[data.promotion]?.steps[step]?.work.kind);
      at = to;
      const [next, ...others] = nextSteps(to.state, data.promotion, step, data.dispatch);
      if (next !== undefined) queue.push(next);
      await share(others);
    }
    return spawned;
  }

  async #perform(
    { data, holds }: Pick<Carried, 'data' | 'holds'>,
    { release, state }: ReleaseNow,
    step: number,
    controller: AbortController,
    again: boolean,
  ): Promise<Outcome> {
    const { promotion } = data;
    if (!mayWork(release.plan, state, data, step)) return { kind: 'aborted' };
    const stillMine = (): Promise<boolean> => this.#owns(data, step);
    const givenUp = (): Promise<boolean> => this.#isGivenUp(data, step);
    const place = { release, state, promotion, step, controller, stillMine, givenUp, holdsLock: holds, again };
    const outcome = await performStep(this.#hands, place);
    // A shutdown is no failure: the job goes back to the queue and another worker takes it.
    if (outcome.kind === 'aborted' && controller.signal.reason === 'shutdown')
      throw new Error('the worker is shutting down');
    return outcome;
  }

  /** As the database says now: a notice that was lost on its way here stops nothing. */
  async #owns(data: PromoteData, step: number): Promise<boolean> {
    const to = await this.#releaseEngine.look(data.releaseId, { fresh: true });
    return to !== null && mayWork(to.release.plan, to.state, data, step);
  }

  async #isGivenUp(data: PromoteData, step: number): Promise<boolean> {
    const to = await this.#releaseEngine.look(data.releaseId, { fresh: true });
    return to === null || isGivenUp(to.release.plan, to.state, data, step);
  }

  /** What was done must not be forgotten because the database is away for a moment. */
  #record(data: PromoteData, step: number, outcome: Outcome): Promise<ReleaseNow> {
    const { releaseId, promotion, attempt, dispatch } = data;
    return withPatience(
      this.#hands.clock,
      () => this.#releaseEngine.tellKnown(releaseId, { kind: 'outcome', promotion, attempt, step, dispatch, outcome }),
      (error) => this.#log.warn({ error, releaseId }, 'an outcome could not be recorded yet'),
    );
  }
}

/** `again`: another worker had this job before, and may have begun its first step. */
interface Carried {
  data: PromoteData;
  parent: string;
  again: boolean;
  holds: () => Promise<boolean>;
}

/** Whether the job is still this worker's: a lock that ran out says that another one may be at it. */
function holding(job: QueuedJob, token: string | undefined): () => Promise<boolean> {
  return () => (token === undefined ? Promise.resolve(true) : job.holds(token));
}
