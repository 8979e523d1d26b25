import { WaitingChildrenError } from 'bullmq';
import type { ReleaseEngine } from '../commands/release-engine.ts';
import type { ReleaseNow } from '../commands/release-engine.ts';
import { carriedBy, nextSteps, ownedSteps, siblingSteps } from '../core/advance.ts';
import { isGivenUp, mayWork } from '../core/steps.ts';
import type { Outcome } from '../core/release.ts';
import { reach } from '../faults.ts';
import type { Log } from '../log.ts';
import type { Aborts, Running } from './aborts.ts';
import { askGroup, askingGroups } from './ask-group.ts';
import { nameOf } from './job-data.ts';
import type { AskData, JobData, PromoteData, StepData } from './job-data.ts';
import { nameOfWork, performStep } from './perform-step.ts';
import type { Hands } from './runners/runner.ts';
import type { Queue, QueuedJob } from './queue.ts';
import { withPatience } from './patience.ts';

/**
 * What a job of the queue does: look at the state, do a step, record what came of it, go on with what that made ready.
 *
 * A job begins with an environment, with one step of it, or with the question to a group. When its report leads to one thing, the
 * state names the job as its *carrier*, and the job goes on with that: the next environment, or a group that is to be asked. So a
 * job ends when nothing is left that it carries. After a crash another worker is given the same job, and finds in the state
 * everything that the job has to carry.
 *
 * A run whose lock is over begins nothing more: another worker has the job, or the queue does not know it any more.
 */
export class CarryJob {
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

  async run(job: QueuedJob, token: string | undefined): Promise<void> {
    const run = runOf(job, token);
    const to = await this.#begin(run, job);
    await this.#goOn(run, to);
    // An earlier run of this job, cut off by a crash, may have left siblings that are still on their way.
    if ((run.spawned || run.again) && token !== undefined && (await job.moveToWaitingChildren(token)))
      throw new WaitingChildrenError();
  }

  /** What the job was made for. Answers the state after it; null: the release is not there. */
  async #begin(run: Run, { name, data }: QueuedJob): Promise<ReleaseNow | null> {
    switch (name) {
      case 'promote': {
        const own = data as PromoteData;
        return this.#dispatch({ run, data: own, parent: run.jobId }, () => this.#look(run, own));
      }
      case 'step': {
        const own = data as StepData;
        return this.#dispatch({ run, data: own, parent: own.parent, only: own.step }, () => this.#look(run, own));
      }
      case 'join':
        return this.#askAll(run, data);
      case 'ask':
        return this.#askOne(run, data as AskData);
    }
  }

  /** What the state says that this job carries, each once: siblings are at the other steps of what it has begun with. */
  async #goOn(run: Run, from: ReleaseNow | null): Promise<void> {
    const done = new Set<string>();
    for (let to = from; to !== null && run.name !== null;) {
      const { dispatches, groups } = carriedBy(to.state, run.name);
      const at: ReleaseNow = to;
      const next = dispatches.find((each) => !done.has(`${each.promotion} ${each.dispatch}`));
      const group = groups.find((each) => !done.has(`group ${each} ${at.state.groups[each]?.generation}`));
      if (next) {
        done.add(`${next.promotion} ${next.dispatch}`);
        const data = { releaseId: run.releaseId, ...next };
        to = await this.#dispatch({ run, data, parent: run.jobId }, async () => ((await run.holds()) ? at : null));
      } else if (group !== undefined) {
        done.add(`group ${group} ${at.state.groups[group]?.generation}`);
        to = (await run.holds()) ? await this.#ask(at, group, run.name) : null;
      } else return;
    }
  }

  /** The steps of a dispatch that are this job's now, each after the other. Answers the state after them. */
  async #dispatch(lane: Lane, look: () => Promise<ReleaseNow | null>): Promise<ReleaseNow | null> {
    const { data } = lane;
    // Begun before the look: a stop that comes between the look and the effect is heard.
    const running = this.#aborts.begin(data);
    try {
      const to = await look();
      const [first, ...others] = to ? stepsOf(lane, to) : [];
      return to && first !== undefined ? await this.#lane(lane, running, to, first, others) : to;
    } finally {
      this.#aborts.end(running);
    }
  }

  /** The state that the job was made from, or a newer one; the newest for a job that comes again: it may carry more by now. */
  async #look({ again }: Run, data: PromoteData): Promise<ReleaseNow | null> {
    const known = again ? null : await this.#releaseEngine.look(data.releaseId, { fresh: false });
    const promotion = known?.state.promotions[data.promotion];
    const old = promotion !== undefined && promotion.dispatch < data.dispatch;
    const nothing =
      promotion === undefined || ownedSteps((known as ReleaseNow).state, data.promotion, data.dispatch).length === 0;
    return old || nothing ? this.#releaseEngine.look(data.releaseId, { fresh: true }) : known;
  }

  /** Step after step. Answers the state after the last one. */
  async #lane(lane: Lane, running: Running, from: ReleaseNow, first: number, beside: number[]): Promise<ReleaseNow> {
    const { run, data, parent } = lane;
    const queue = [first];
    const share = async (steps: number[]): Promise<void> => {
      if (steps.length === 0) return;
      try {
        await this.#queue.spawn(data, steps, parent);
        run.spawned ||= parent === run.jobId;
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
      const outcome = await this.#perform(lane, at, step, running.controller, run.again && step === first);
      // Another run has this step by now. What it does may be what failed here: it answers for both.
      if (outcome.kind === 'failed' && (await isOvertaken(run))) return at;
      // With other steps in hand the job is not free to go on with anything else.
      const to = await this.#record(data, step, outcome, queue.length === 0 ? run.name : null);
      running.step = null;
      const planned = to.release.plan.promotions[data.promotion]?.steps[step];
      reach('after-record', planned && nameOfWork(planned.work));
      at = to;
      const [next, ...others] = nextSteps(to.state, data.promotion, step, data.dispatch);
      if (next !== undefined) queue.push(next);
      await share(others);
    }
    return at;
  }

  async #perform(
    { data, run }: Lane,
    { release, state }: ReleaseNow,
    step: number,
    controller: AbortController,
    again: boolean,
  ): Promise<Outcome> {
    const { promotion } = data;
    if (!mayWork(release.plan, state, data, step)) return { kind: 'aborted' };
    const stillMine = (): Promise<boolean> => this.#owns(data, step);
    const givenUp = (): Promise<boolean> => this.#isGivenUp(data, step);
    const place = { release, state, promotion, step, controller, stillMine, givenUp, holdsLock: run.holds, again };
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

  /** What was done must not be forgotten because the database is away for a moment. `job`: the one that goes on; null: none. */
  #record(data: PromoteData, step: number, outcome: Outcome, job: string | null): Promise<ReleaseNow> {
    const { releaseId, promotion, attempt, dispatch } = data;
    const report = {
      kind: 'outcome',
      promotion,
      attempt,
      step,
      dispatch,
      outcome,
      ...(job !== null && { job }),
    } as const;
    return withPatience(
      this.#hands.clock,
      () => this.#releaseEngine.tellKnown(releaseId, report),
      (error) => this.#log.warn({ error, releaseId }, 'an outcome could not be recorded yet'),
    );
  }

  /** The end of a flow of environments: every group that now has enough members is asked. */
  async #askAll(run: Run, { releaseId }: JobData): Promise<ReleaseNow | null> {
    const known = run.again ? null : await this.#releaseEngine.look(releaseId, { fresh: false });
    let to = askingGroups(known).length > 0 ? known : await this.#releaseEngine.look(releaseId, { fresh: true });
    const groups = askingGroups(to);
    for (const group of groups) {
      if (!askingGroups(to).includes(group)) continue;
      to = await this.#ask(to as ReleaseNow, group, group === groups.at(-1) ? run.name : null);
    }
    return to;
  }

  /** Asks a gate once more, if this question is still the newest one. */
  async #askOne(run: Run, { releaseId, group, generation }: AskData): Promise<ReleaseNow | null> {
    const to = await this.#releaseEngine.look(releaseId, { fresh: true });
    const seen = to?.state.groups[group];
    if (!to || seen?.status !== 'ASKING' || seen.generation !== generation) return to;
    return this.#ask(to, group, run.name);
  }

  async #ask(to: ReleaseNow, group: number, job: string | null): Promise<ReleaseNow> {
    const generation = to.state.groups[group]?.generation as number;
    const health = await askGroup(this.#hands, to, group);
    const answer = { kind: 'group-answer', group, generation, health, ...(job !== null && { job }) } as const;
    return this.#releaseEngine.tellKnown(to.release.id, answer);
  }
}

/** One run of a job by one worker. */
interface Run {
  jobId: string;
  releaseId: string;
  /** By which the state knows the job; null: it goes on with nothing, for a join waits for it. */
  name: string | null;
  /** Another worker had this job before, and may have begun the first step of what it carried. */
  again: boolean;
  /** Whether the job is still this worker's: a lock that ran out says that another one may be at it. */
  holds: () => Promise<boolean>;
  /** There are jobs below it. */
  spawned: boolean;
}

function runOf(job: QueuedJob, token: string | undefined): Run {
  const jobId = job.id as string;
  const { releaseId } = job.data;
  const joined = 'joined' in job.data && job.data.joined === true;
  return {
    jobId,
    releaseId,
    name: joined ? null : nameOf(releaseId, jobId),
    again: job.attemptsStarted > 1,
    holds: () => (token === undefined ? Promise.resolve(true) : job.holds(token)),
    spawned: false,
  };
}

/** Whether another run has this job now. While the queue cannot say so, nothing of what was done is kept back. */
const isOvertaken = (run: Run): Promise<boolean> =>
  run.holds().then(
    (holds) => !holds,
    () => false,
  );

/** A dispatch that a job carries. */
/** The steps that a lane has to do now. */
function stepsOf({ data: { promotion, dispatch }, only }: Lane, { state }: ReleaseNow): number[] {
  return only === undefined ? ownedSteps(state, promotion, dispatch) : siblingSteps(state, promotion, dispatch, only);
}

interface Lane {
  run: Run;
  data: PromoteData;
  /** The job below which steps beside it are done. */
  parent: string;
  /** Of a sibling: the step that it begins with. */
  only?: number;
}
