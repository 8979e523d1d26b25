import type { Dispatched } from '../../../src/core/effects.ts';
import { CONTEXT_OUTPUT } from '../../../src/core/context.ts';
import type { HealthStatus } from '../../../src/core/definitions.ts';
import type { EndingData } from '../../../src/core/end-action.ts';
import type { Observation } from '../../../src/core/health-clock.ts';
import { MANNERS } from '../../../src/core/kinds/actions.ts';
import { isChange, isHook, proposalOf } from '../../../src/core/plan.ts';
import type { PlannedApplication, PlannedPromotion, PlannedStep, ReleasePlan } from '../../../src/core/plan.ts';
import { OPENED } from '../../../src/core/pull-request.ts';
import type { ClosingData } from '../../../src/core/pull-request.ts';
import type { Outcome, Progress, PromotionState, ReleaseState, Stimulus } from '../../../src/core/release.ts';
import type { VersionRef } from '../../../src/core/rollback/rollback.ts';
import { isGivenUp, mayWork } from '../../../src/core/steps.ts';
import { madeBy } from '../../../src/core/sync.ts';
import { SECOND } from './builders.ts';
import { claim } from './claim.ts';
import { randomApproval } from './random-plan.ts';
import type { Reached } from './reached.ts';
import type { Tape } from './tape.ts';

const REQUEST = { number: 7, url: 'https://forge.example.com/7', branch: 'sluice/billing' };

/** What people do with a pull request when they come to it. */
type Habit = 'MERGES_GREEN' | 'MERGES_ANY' | 'CLOSES' | 'ENDS' | 'ENDS_LATE';

/** What stands outside of all releases of a product. */
export interface OutsideWorld {
  readonly tape: Tape;
  now: number;
  /** No more faults: everything that is waited for happens. */
  readonly calm: boolean;
  /** What a release and its environments do after all went well fails. */
  readonly failsAtTheEnd: boolean;
  /** What the health source of an application says when it is asked. */
  healthOf(application: string): Observation;
  /** What was reported of it the last time; null: nothing yet. */
  told(application: string): HealthStatus | null;
  /** The digest of what the target runs when it is asked: it may take up a change right then. */
  runs(application: string): string | undefined;
  /** What was reported last that it runs. */
  reportedRunning(application: string): { digest: string; at: number } | undefined;
}

/** The release that asks it. */
export interface AskingRelease {
  readonly plan: ReleasePlan;
  readonly state: ReleaseState;
  readonly reached: Reached;
  tell(told: Stimulus): boolean;
  /** What it is to bring there. */
  wantedIn(promotion: number): VersionRef;
  /** A step changed what is live. */
  applied(promotion: number, application: number): void;
}

/** What stands outside of one release: targets, workflows, and people at the host of its pull requests. */
export class Outside {
  readonly #release: AskingRelease;
  readonly #world: OutsideWorld;
  /** `promotion/attempt/step` of what opened them. */
  readonly #requests = new Map<
    string,
    { state: 'OPEN' | 'MERGED' | 'CLOSED'; at: number; habit: Habit; late: boolean }
  >();
  /** `promotion/attempt/step/run` of workflows that actions began outside; `end`: what a look at one that is over says. */
  readonly #workflows = new Map<string, { goesOn: boolean; end: Outcome }>();
  /** What people do with pull requests that are opened once the faults have stopped; after that they wait for green. */
  readonly #habits: Habit[];

  constructor(release: AskingRelease, world: OutsideWorld) {
    this.#release = release;
    this.#world = world;
    const { tape } = world;
    this.#habits = [...Array(tape.next(6)).keys()].map(() =>
      tape.weighted<Habit>({ MERGES_GREEN: 5, MERGES_ANY: 3, CLOSES: 1, ENDS: 1, ENDS_LATE: 1 }),
    );
  }

  get open(): string[] {
    return [...this.#requests].flatMap(([key, { state }]) => (state === 'OPEN' ? [key] : []));
  }

  /** All has ended, and all that was asked for is done. */
  claimNothingForgotten(): void {
    const forgotten = this.open.filter((each) => this.#requests.get(each)?.late === false);
    claim(forgotten.length === 0, `forgotten pull requests, of promotion/attempt/step: ${forgotten.join(', ')}`);
    const running = [...this.#workflows].flatMap(([key, { goesOn }]) => (goesOn ? [key] : []));
    claim(running.length === 0, `workflows that go on, of promotion/attempt/step/run: ${running.join(', ')}`);
  }

  /** People merge, whatever the status says, or close; the telling may be lost, come twice, or long before. */
  onForge(): void {
    const key = this.#world.tape.pick(this.open);
    const [promotion, attempt] = key.split('/').map(Number) as [number, number];
    const green = this.#release.state.promotions[promotion]?.merge?.level?.state === 'SUCCESS';
    const act = this.#world.tape.weighted({ merge: green ? 10 : 2, close: 1, tell: 4 });
    const request = this.#requests.get(key);
    if (request && act !== 'tell')
      Object.assign(request, { state: act === 'merge' ? 'MERGED' : 'CLOSED', at: this.#world.now });
    this.#release.reached.count(`forge ${act}${act === 'merge' ? (green ? ' green' : ' red') : ''}`);
    if (this.#world.tape.chance(70))
      this.#release.tell({ kind: 'pull-request-told', promotion, attempt, via: 'WEBHOOK' });
  }

  /** A worker has submitted a workflow, and has not said so. */
  get isUnrecorded(): boolean {
    return [...this.#workflows].some(([key, { goesOn }]) => {
      const [promotion, attempt, step] = key.split('/').map(Number) as [number, number, number];
      const seen = this.#release.state.promotions[promotion];
      return goesOn && seen?.attempt === attempt && (seen.steps[step]?.progress ?? null) === null;
    });
  }

  /** What the outside world says to one step. */
  carry(job: Dispatched, step: number): Outcome {
    const { promotion } = job;
    // Not every driver notices in time that it should stop.
    const stops = !mayWork(this.#release.plan, this.#release.state, job, step);
    if (stops && (this.#world.calm || this.#world.tape.chance(60))) return { kind: 'aborted' };
    const { work, application, phase } = this.#planned(promotion).steps[step] as PlannedStep;
    const applies = (): void => {
      if (!isChange(work)) return;
      // A worker that was cut off between its look and its effect may write late. The drivers' keys keep that from being done
      // twice; that it comes after somebody else's is a limit of the whole, and not looked at here.
      const status = this.#release.state.promotions[promotion]?.steps[step]?.status;
      if (status !== 'RUNNING' && status !== 'WAITING') return this.#release.reached.count('effect too late');
      this.#release.applied(promotion, application as number);
    };
    const health = (): Outcome => {
      const { name, spec } = this.#planned(promotion).applications[application as number] as PlannedApplication;
      return {
        kind: 'observed',
        health: spec.health.type === 'none' ? { status: 'HEALTHY' } : this.#world.healthOf(name),
        ...(spec.health.type === 'http' && { recheckAfter: 5 * SECOND }),
      };
    };
    if (work.kind === 'action' && MANNERS[work.action.type].outlives) return this.#follow(job, step);
    if (work.kind === 'merge' && (this.#world.calm || this.#world.tape.chance(85)))
      return this.#lookAtMerge(promotion, step, applies);
    if (work.kind === 'sync' && (this.#world.calm || this.#world.tape.chance(90)))
      return this.#lookAtSync(promotion, application as number);
    if (work.kind === 'health' && (this.#world.calm || this.#world.tape.chance(50))) {
      const { name, spec } = this.#planned(promotion).applications[application as number] as PlannedApplication;
      if (spec.health.type === 'report') return this.#lookAtReport(name);
    }
    if (this.#world.calm) {
      // All goes well by then, so that the end is reached: this is where it can still fail.
      if (phase === 'ON_SUCCESS' && this.#world.failsAtTheEnd) return { kind: 'failed', message: 'broken' };
      applies();
      if (work.kind === 'propose') return this.#propose(promotion, step, stops);
      return work.kind === 'soak' ? health() : { kind: 'succeeded' };
    }
    if (work.kind === 'soak' && !this.#world.tape.chance(6)) return health();
    if (work.kind === 'health' && this.#world.tape.chance(50)) return health();
    switch (
      this.#world.tape.weighted({
        succeeded: 80,
        recheck: 6,
        outside: 2,
        transient: 8,
        // Rollbacks and hooks are few: their failures need a bias.
        failed: phase === 'ON_SUCCESS' ? 20 : this.#release.plan.rollback || this.#planned(promotion).own ? 8 : 2,
        aborted: 2,
        ...(work.kind === 'action' && { asked: 4 }),
      })
    ) {
      case 'succeeded':
        if (work.kind === 'sync') return this.#lookAtSync(promotion, application as number);
        if (work.kind === 'propose') return this.#propose(promotion, step, stops);
        if (work.kind === 'merge') return this.#lookAtMerge(promotion, step, applies);
        applies();
        if (isHook({ phase }) && this.#world.tape.chance(40))
          return { kind: 'succeeded', outputs: this.#handedOn(promotion, step) };
        return work.kind === 'apply' ? { kind: 'succeeded', commit: 'c0ffee', changed: true } : { kind: 'succeeded' };
      case 'failed':
        return { kind: 'failed', message: 'broken' };
      case 'transient':
        if (this.#world.tape.chance(25)) {
          this.#release.reached.count('step throttled');
          return { kind: 'transient', message: 'no room', retryAfter: 10 * SECOND, throttled: true };
        }
        return {
          kind: 'transient',
          message: 'no route',
          retryAfter: this.#world.tape.chance(30) ? 30 * SECOND : undefined,
        };
      case 'recheck':
        return {
          kind: 'pending',
          reason: 'not yet',
          recheckAfter: this.#world.tape.next(4) * SECOND,
          ...(this.#world.tape.chance(30) ? { waitsFor: this.#world.tape.pick(['PERSON', 'SYSTEM'] as const) } : {}),
          ...(this.#world.tape.chance(50) ? { progress: { number: this.#world.tape.next(9) } } : {}),
        };
      case 'outside':
        return { kind: 'pending', reason: 'somebody will tell' };
      case 'asked':
        this.#release.reached.count('a step asks people');
        return { kind: 'asked', question: null, approval: randomApproval(this.#world.tape) };
      case 'aborted':
        return { kind: 'aborted' };
    }
  }

  /** A workflow outside, which is begun at the first look; its worker may die before that is recorded. */
  #follow({ promotion, attempt }: Dispatched, step: number): Outcome {
    const now = this.#release.state.promotions[promotion] as PromotionState;
    const run = runOf((now.attempt === attempt && now.steps[step]?.progress) || null);
    const key = `${promotion}/${attempt}/${step}/${run}`;
    const known = this.#workflows.get(key);
    if (known && !known.goesOn) return known.end;
    const goesOn = { reason: 'the workflow runs', recheckAfter: 5 * SECOND, progress: { run } };
    if (!known) {
      if (!this.#world.calm && this.#world.tape.chance(5))
        return { kind: 'failed', message: 'no such template', over: true };
      // Given up while it was submitted: its worker stops it again.
      const late = isGivenUp(this.#release.plan, this.#release.state, { promotion, attempt }, step);
      this.#release.reached.count(late ? 'a workflow is begun too late' : 'a workflow is begun');
      this.#workflows.set(key, { goesOn: !late, end: { kind: 'failed', message: 'stopped', over: true } });
      return { kind: 'pending', ...goesOn };
    }
    const ends: Record<'succeeded' | 'failed' | 'error', Outcome> = {
      succeeded: { kind: 'succeeded' },
      failed: { kind: 'failed', message: 'the workflow ended as Failed', over: true },
      error: { kind: 'transient', message: 'the workflow ended as Error', progress: { run: run + 1 } },
    };
    const comes = this.#world.tape.weighted({ succeeded: 8, runs: 6, suspended: 2, failed: 1, error: 2 });
    const found = this.#world.calm ? 'succeeded' : comes;
    this.#release.reached.count(`a workflow ${found}`);
    if (found === 'runs') return { kind: 'pending', ...goesOn };
    if (found === 'suspended') return { kind: 'pending', ...goesOn, waitsFor: 'PERSON' };
    Object.assign(known, { goesOn: false, end: ends[found] });
    return ends[found];
  }

  /** What a hook hands on: values under few names, now and then what is none, or too much of it. */
  #handedOn(promotion: number, step: number): Record<string, string> {
    const name = this.#world.tape.pick(['TICKET', 'ROOM', 'OWNER']);
    const text = this.#world.tape.weighted({ value: 12, odd: 1, large: 1 });
    if (text === 'odd') return { [CONTEXT_OUTPUT]: this.#world.tape.pick(['[1]', 'none', '{"a b": 1}']) };
    const value = text === 'large' ? name.repeat(12_000) : `${promotion}/${step}/${this.#world.now}`;
    return { [CONTEXT_OUTPUT]: JSON.stringify({ [name]: value }) };
  }

  /** `late`: nothing wants it any more, and its worker has not noticed: the sweep closes it, which is not looked at here. */
  #propose(promotion: number, step: number, late: boolean): Outcome {
    const { attempt } = this.#release.state.promotions[promotion] as PromotionState;
    const key = `${promotion}/${attempt}/${step}`;
    if (!this.#requests.has(key))
      this.#requests.set(key, {
        state: 'OPEN',
        at: this.#world.now,
        habit: this.#habits.shift() ?? 'MERGES_GREEN',
        late,
      });
    const outputs = { [OPENED.number]: String(REQUEST.number), [OPENED.url]: REQUEST.url };
    return { kind: 'succeeded', outputs, pullRequest: { ...REQUEST, state: 'OPEN' } };
  }

  /** As the worker finds the pull request. In the end people merge what is green. */
  #lookAtMerge(promotion: number, step: number, applies: () => void): Outcome {
    const { attempt, merge } = this.#release.state.promotions[promotion] as PromotionState;
    const proposal = proposalOf(this.#planned(promotion), step) as number;
    const request = this.#requests.get(`${promotion}/${attempt}/${proposal}`);
    if (request && this.#isThere(promotion, step, proposal)) {
      this.#release.reached.count(`one that shares a pull request has its content before that is ${request.state}`);
      applies();
      return { kind: 'succeeded', commit: '01d', changed: false, pullRequest: { ...REQUEST, ...ended(request) } };
    }
    if (this.#world.calm && request?.state === 'OPEN') this.#comeTo(request, merge?.level?.state === 'SUCCESS');
    // What an earlier attempt had opened is none of this one's.
    if (request === undefined || request.state === 'MERGED') {
      applies();
      const at = request?.at ?? this.#world.now;
      return { kind: 'succeeded', commit: 'c0ffee', changed: true, pullRequest: { ...REQUEST, state: 'MERGED', at } };
    }
    const news = { ...REQUEST, state: 'CLOSED' as const, by: 'grace' };
    if (request.state === 'CLOSED') return { kind: 'failed', message: 'closed by grace', pullRequest: news };
    // Some gates hold for weeks: in the end nothing comes between two looks, and looks are few.
    const recheckAfter = (this.#world.calm ? 6 * 60 : 5) * 60 * SECOND;
    return { kind: 'pending', reason: 'awaits its merge', recheckAfter, waitsFor: 'PERSON' };
  }

  /** At every other attempt the first one of those that share a pull request has its content already. */
  #isThere(promotion: number, step: number, proposal: number): boolean {
    const { steps } = this.#planned(promotion);
    const { attempt } = this.#release.state.promotions[promotion] as PromotionState;
    const work = steps[proposal]?.work;
    if (work?.kind !== 'propose' || work.applications.length < 2) return false;
    return steps[step]?.application === work.applications[0] && attempt % 2 === 1;
  }

  /** A person comes to an open pull request. Whoever ends its release may find it merged by somebody else. */
  #comeTo(request: { state: string; at: number; habit: Habit }, green: boolean): void {
    const { habit } = request;
    if (habit === 'MERGES_GREEN' && !green) return;
    this.#release.reached.count(`forge ${habit}${green ? ' green' : ' red'}`);
    const ends = habit === 'ENDS' || habit === 'ENDS_LATE';
    if (ends) this.#release.tell({ kind: 'terminate', reason: 'not this one', by: 'ada' });
    if (habit === 'ENDS') request.habit = 'MERGES_GREEN';
    else Object.assign(request, { state: habit === 'CLOSES' ? 'CLOSED' : 'MERGED', at: this.#world.now });
  }

  #lookAtSync(promotion: number, application: number): Outcome {
    const planned = this.#planned(promotion);
    const { name, spec } = planned.applications[application] as PlannedApplication;
    const { digest } = this.#release.wantedIn(promotion);
    const made = madeBy(planned, this.#release.state.promotions[promotion] as PromotionState, application);
    const waits = (recheckAfter?: number): Outcome => {
      this.#release.reached.count('sync waits');
      return { kind: 'pending', reason: `${name} does not run ${digest}`, recheckAfter, waitsFor: 'SYSTEM' };
    };
    if (!this.#world.calm && this.#world.tape.chance(10)) return waits(5 * SECOND);
    if (planned.environment === this.#release.plan.triggerEnvironment) {
      // The change came from there.
      this.#release.reached.count('synced by a look');
      return { kind: 'succeeded' };
    }
    if (spec.sync?.type === 'report') {
      const told = this.#world.reportedRunning(name);
      if (told?.digest !== digest || (!made.already && told.at < made.at)) return waits();
      this.#release.reached.count('synced by a report');
      return { kind: 'succeeded' };
    }
    if (this.#world.runs(name) !== digest) return waits(5 * SECOND);
    this.#release.reached.count('synced by a look');
    return { kind: 'succeeded' };
  }

  /** As the worker finds it in the table: what is told from now on it does not know, and it has not recorded yet. */
  #lookAtReport(application: string): Outcome {
    const told = this.#world.told(application);
    if (told === 'HEALTHY') return { kind: 'succeeded' };
    if (told === 'DEGRADED' && !this.#world.calm) return { kind: 'failed', message: `${application} is DEGRADED` };
    return { kind: 'pending', reason: 'waiting for a health report' };
  }

  /** A pull request of something that is over; somebody may have merged it meanwhile. */
  close({ promotion, attempt, step }: ClosingData): void {
    const key = `${promotion}/${attempt}/${step}`;
    const request = this.#requests.get(key);
    if (request === undefined) return;
    this.#release.reached.count(`errand finds it ${request.state}`);
    if (request.state === 'OPEN') request.state = 'CLOSED';
    const pullRequest = { ...REQUEST, state: request.state, at: request.at };
    const { work } = this.#planned(promotion).steps[step] as PlannedStep;
    const applications = request.state === 'MERGED' && work.kind === 'propose' ? work.applications : [];
    for (const application of applications) this.#release.applied(promotion, application);
    const landed = applications.map((application) => ({ application, commit: 'c0ffee' }));
    this.#release.tell({
      kind: 'pull-request-closed',
      key: `closed ${key}`,
      promotion,
      attempt,
      step,
      pullRequest,
      landed,
    });
  }

  /** Of a workflow that nothing follows any more. */
  endAction({ promotion, attempt, step, progress }: EndingData): void {
    const found = this.#workflows.get(`${promotion}/${attempt}/${step}/${runOf(progress)}`);
    const how = found === undefined ? 'none' : found.goesOn ? 'one that goes on' : 'one that is over';
    this.#release.reached.count(`errand finds ${how}`);
    if (found?.goesOn && progress === null) this.#release.reached.count('errand finds what no look has recorded');
    if (found) found.goesOn = false;
  }

  #planned(position: number): PlannedPromotion {
    return this.#release.plan.promotions[position] as PlannedPromotion;
  }
}

/** When it was merged, where it was. */
const ended = ({ state, at }: { state: 'OPEN' | 'MERGED' | 'CLOSED'; at: number }) =>
  state === 'MERGED' ? { state, at } : { state, ...(state === 'CLOSED' && { by: 'grace' }) };

/** Which workflow of its attempt an action follows, as its looks keep it. */
const runOf = (progress: Progress | null): number => Number(progress?.['run'] ?? 1);
