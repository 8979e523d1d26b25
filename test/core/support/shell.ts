import { KEYED } from '../../../src/core/actor.ts';
import type { GateAnswer } from '../../../src/core/gates/answer.ts';
import { carriedBy, nextSteps, ownedSteps, siblingSteps } from '../../../src/core/advance.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { Dispatched, Work } from '../../../src/core/effects.ts';
import { missingOf } from '../../../src/core/approvals/approval.ts';
import type { Caller } from '../../../src/core/caller.ts';
import { decisionTime } from '../../../src/core/clock.ts';
import type { VersionRef } from '../../../src/core/rollback/rollback.ts';
import { askGates } from '../../../src/core/gates/index.ts';
import { DEFAULT_FLOW_TIMEOUT } from '../../../src/core/definitions.ts';
import type { HealthStatus } from '../../../src/core/definitions.ts';
import { CLOSE_PULL_REQUEST } from '../../../src/core/pull-request.ts';
import type { ClosingData } from '../../../src/core/pull-request.ts';
import type { EndingData } from '../../../src/core/end-action.ts';
import { MANNERS } from '../../../src/core/kinds/actions.ts';
import type {
  PlannedApplication,
  PlannedGroup,
  PlannedPromotion,
  PlannedStep,
  ReleasePlan,
} from '../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../src/core/release.ts';
import type {
  Facts,
  GroupState,
  MemberHealth,
  PromotionState,
  ReleaseState,
  RolloutStatus,
  Stimulus,
} from '../../../src/core/release.ts';
import { windowState } from '../../../src/core/windows/index.ts';
import { PEOPLE } from './random-plan.ts';
import type { Tape } from './tape.ts';
import { claim } from './claim.ts';
import { JobQueue, isSibling } from './queue.ts';
import type { Job, Parent, PromotionJob } from './queue.ts';
import { Outside } from './outside.ts';
import type { OutsideWorld } from './outside.ts';
import type { Reached } from './reached.ts';
import { claimGates } from './watch/gates.ts';
import { Watcher } from './watcher.ts';
import { advance } from './advance.ts';

/** A job at a worker, which holds its lock or not: then another worker may have it, or the queue forgot it. */
interface AtWork {
  job: Job;
  holds: boolean;
  /** What it had to record was not: it fails, and is tried again. */
  failed: boolean;
  /** The dispatch that it is at. */
  at: Dispatched | null;
  /** It is about to go on with something else. */
  asks: boolean;
  run: Generator<void, void>;
}

const nameOf = ({ promotion, attempt, dispatch }: Dispatched): string => `p${promotion}-a${attempt}-d${dispatch}`;

/** What a release shares with the others of its product. */
export interface Surroundings extends OutsideWorld {
  readonly reached: Reached;
  readonly thorough: boolean;
  /** As they are read in the transaction of a decision. */
  factsFor(shell: Shell): Facts;
  /** A decision was saved, which was made from `before`. */
  saved(shell: Shell, stimulus: Stimulus, decision: Decision, facts: Facts | null, before: ReleaseState): void;
  /** Somebody reports it: it is known from now on, and all releases are told. */
  report(environment: string, application: string, status: HealthStatus): void;
  /** What this release is to bring there. */
  wantedIn(shell: Shell, promotion: number): VersionRef;
  /** The target takes up what was applied, and somebody reports it. */
  reportRunning(environment: string, application: string): void;
  /** The row of the outbox that asks for a rollback was handed over. */
  rollBack(shell: Shell, work: Extract<Work, { kind: 'roll-back' }>): void;
  /** A step changed what is live. */
  applied(shell: Shell, promotion: number, application: number): void;
}

export interface ShellParts {
  world: Surroundings;
  plan: ReleasePlan;
  state: ReleaseState;
}

/**
 * The shell around the state machine, in memory: a database that keeps a state only if nobody saved before, an outbox, a
 * queue that loses, repeats and reorders, workers that die between any two actions, and people. Everything that happens is
 * on the tape.
 */
export class Shell {
  readonly plan: ReleasePlan;
  readonly reached: Reached;
  /** Environment → where in the plan it is promoted to. */
  readonly at = new Map<string, number[]>();
  state: ReleaseState;
  revision = 1;
  retries = 0;
  readonly #world: Surroundings;
  readonly #tape: Tape;
  readonly #watcher: Watcher;
  readonly #outside: Outside;
  readonly #outbox: Work[] = [];
  readonly #workers: (AtWork | null)[] = [null, null, null];
  readonly #queue = new JobQueue(() => this.#workers.filter((each) => each !== null));
  readonly #told: Stimulus[] = [];
  #keys = 0;

  constructor({ world, plan, state }: ShellParts) {
    this.#world = world;
    this.#tape = world.tape;
    this.reached = world.reached;
    this.plan = plan;
    this.state = state;
    plan.promotions.forEach(({ environment }, position) => {
      if (environment !== null) this.at.set(environment, [...(this.at.get(environment) ?? []), position]);
    });
    this.#watcher = new Watcher(plan, state, world.reached);
    this.#outside = new Outside(this, world);
  }

  /** Nothing is left to do for it; a rollback may still tell it what becomes of its environments. */
  get ended(): boolean {
    return this.state.endedAt !== null;
  }

  get #calm(): boolean {
    return this.#world.calm;
  }

  /** One transaction: load, decide, save. The facts are read only when they are asked for, as the commands will. False: it was lost. */
  tell(told: Stimulus): boolean {
    const keyless = KEYED.has(told.kind) && told.key === undefined;
    const stimulus = keyless ? { ...told, key: `k-${(this.#keys += 1)}` } : told;
    const old = this.state;
    const { now } = this.#world;
    let facts: Facts | null = null;
    let decision = advance(this.plan, old, [stimulus], facts, now);
    if (decision === 'NEEDS_FACTS') {
      facts = this.#world.factsFor(this);
      decision = advance(this.plan, old, [stimulus], facts, now);
      claim(decision !== 'NEEDS_FACTS', 'facts were given');
    }
    // The process dies before the commit: nothing has happened.
    if (!this.#calm && this.#tape.chance(2)) {
      this.reached.count('fault decision lost');
      return false;
    }
    this.#watcher.see(old, stimulus, facts, now, decision, this.#world.thorough);
    this.state = decision.state;
    this.revision += 1;
    this.reached.count('decisions');
    this.#outbox.push(...decision.work);
    this.#told.push(stimulus);
    const { events, changed, work } = decision;
    const accepted = events.length + changed.length + work.length > 0 ? 'moves' : 'changes nothing';
    this.reached.count(`stimulus ${stimulus.kind} ${accepted}`);
    if (stimulus.kind === 'group-answer') {
      for (const { status } of stimulus.health) this.reached.count(`group answer ${status}`);
    }
    if (stimulus.kind === 'retry' && accepted === 'moves') this.retries += 1;
    if (stimulus.kind === 'retry' && stimulus.promotion !== undefined)
      this.reached.count(`retry of one ${old.endedAt === null ? 'on its way' : 'after the end'} ${accepted}`);
    if (stimulus.kind === 'skip') {
      const { status } = old.promotions[stimulus.promotion] as PromotionState;
      this.reached.count(`skip of ${status} ${old.endedAt === null ? 'on its way' : 'after the end'} ${accepted}`);
    }
    for (const [position, answers] of waiting(this.plan, decision.state, facts, now)) {
      for (const { verdict, gate } of answers) this.reached.count(`gate ${gate} ${verdict}`);
      claimGates(
        this.#watcher,
        decision.state,
        position,
        facts as Facts,
        decisionTime(now, decision.state.lastEventAt),
        answers,
      );
    }
    this.#world.saved(this, stimulus, decision, facts, old);
    return true;
  }

  act(): void {
    const tape = this.#tape;
    const act = tape.weighted({
      work: 70,
      // A question stands for a moment only, as does what was told to stop: without a bias nobody would ever find one lost.
      sweep: this.#isBrief ? 20 : 5,
      // A look stands for a moment only, too.
      health: this.#lookedAt.length > 0 ? 6 : 2,
      again: 3,
      people: this.#asks ? 6 : 1,
      one: this.state.halted ? 12 : 3,
      forge: this.#outside.open.length > 0 ? 8 : 0,
      // So does a worker between two environments.
      crash: this.#isBetween || this.#outside.isUnrecorded ? 15 : 3,
      repeat: 2,
      stall: this.#isBetween ? 15 : this.#isBrief ? 6 : 2,
      lose: 1,
      flush: this.#isBetween ? 5 : 1,
    });
    switch (act) {
      case 'work':
        // Mostly it goes well: a run that breaks at every second action never gets deep.
        for (let turns = 1 + tape.next(5); turns > 0; turns -= 1) this.work();
        return;
      case 'sweep':
        return this.#sweep(tape.chance(this.#isBrief ? 70 : 40));
      case 'health': {
        if (this.plan.promotions.length === 0) return;
        const looked = this.#lookedAt;
        const { environment, applications } = tape.pick(
          looked.length > 0 && tape.chance(70) ? looked : this.plan.promotions,
        );
        if (environment === null) return;
        if (tape.chance(this.ended ? 60 : 12)) return this.#tellRollout(environment);
        const application = tape.pick(applications).name;
        if (tape.chance(25)) return this.#world.reportRunning(environment, application);
        const status = tape.pick<HealthStatus>(['HEALTHY', 'UNKNOWN', 'HEALTHY', 'PROGRESSING', 'HEALTHY', 'DEGRADED']);
        return this.#world.report(environment, application, status);
      }
      case 'again':
        // A report that comes twice, late, out of order.
        if (this.#told.length === 0) return;
        this.tell(this.#told[this.#told.length - 1 - tape.next(Math.min(this.#told.length, 30))] as Stimulus);
        return;
      case 'people':
        if (this.#asks && tape.chance(85)) return this.#decide();
        if (tape.chance(20)) this.tell({ kind: 'retry', by: 'ada' });
        else if (tape.chance(35)) this.tell({ kind: 'terminate', reason: 'changed my mind', by: 'ada' });
        return;
      case 'one':
        return this.wantOne();
      case 'forge':
        return this.#outside.onForge();
      default:
        this.#break(act);
    }
  }

  /** Somebody wants something of one environment alone: mostly of one that did not succeed. */
  wantOne(): void {
    const { promotions } = this.state;
    const all = [...promotions.keys()];
    if (all.length === 0) return;
    const bad = all.filter((each) => {
      const { status } = promotions[each] as PromotionState;
      return ENDED_PROMOTION.has(status) && status !== 'SUCCEEDED';
    });
    const failed = bad.filter((each) => promotions[each]?.status === 'FAILED');
    const from = failed.length > 0 && this.#tape.chance(60) ? failed : bad;
    const skips = this.#tape.chance(50);
    const promotion = this.#tape.pick(from.length > 0 && this.#tape.chance(skips ? 60 : 90) ? from : all);
    if (skips) this.tell({ kind: 'skip', promotion, reason: 'not there', by: 'grace' });
    else this.tell({ kind: 'retry', promotion, by: 'ada' });
  }

  /** What this release is to bring there. */
  wantedIn(promotion: number): VersionRef {
    return this.#world.wantedIn(this, promotion);
  }

  /** A step changed what is live. */
  applied(promotion: number, application: number): void {
    this.#world.applied(this, promotion, application);
  }

  /** All has ended, and all that was asked for is done. */
  claimNothingForgotten(): void {
    this.#outside.claimNothingForgotten();
  }

  /** A group is asked, or something was told to stop. */
  get #isBrief(): boolean {
    const { groups, promotions } = this.state;
    return (
      groups.some((each) => each.status === 'ASKING') ||
      promotions.some((each) => each.steps.some((step) => step.stop !== null))
    );
  }

  get #isBetween(): boolean {
    return this.#workers.some((each) => each?.asks);
  }

  /** Promotions whose health is looked at now. */
  get #lookedAt(): PlannedPromotion[] {
    return this.plan.promotions.filter(({ steps }, position) =>
      steps.some(
        ({ work }, index) =>
          (work.kind === 'health' || work.kind === 'sync') &&
          this.state.promotions[position]?.steps[index]?.status === 'RUNNING',
      ),
    );
  }

  /** An outside system says how a rollout went, whatever of it is on its way. */
  #tellRollout(environment: string): void {
    const position = this.plan.promotions.findIndex((each) => each.environment === environment);
    const { attempt } = this.state.promotions[position] as PromotionState;
    const status = this.#tape.pick<RolloutStatus>(['FAILED', 'ROLLED_BACK', 'UNKNOWN', 'SUCCEEDED', 'FAILED']);
    this.tell({ kind: 'rollout-reported', environment, attempt, status, message: 'pods crash', by: 'argo' });
  }

  #break(act: 'crash' | 'repeat' | 'stall' | 'lose' | 'flush'): void {
    const slot = this.#tape.next(this.#workers.length);
    const busy = this.#workers[slot];
    const place = this.#tape.next(Math.max(1, this.#queue.length));
    const queued = this.#queue.at(place);
    if (act === 'crash' && busy) {
      this.#workers[slot] = null;
      this.#queue.push(busy.job);
    } else if (act === 'stall' && busy) {
      // Its lock expired although it lives: from now on two carry the same job.
      busy.holds = false;
      this.#queue.push(busy.job);
    } else if (act === 'repeat' && queued) this.#queue.push(queued);
    else if (act === 'lose' && queued) this.#queue.lose(place);
    else if (act === 'flush') {
      this.#queue.loseAll();
      for (const each of this.#workers) if (each) each.holds = false;
    } else return;
    this.reached.count(`fault ${act}`);
  }

  get busy(): boolean {
    return this.#outbox.length > 0 || this.#queue.length > 0 || this.#workers.some((each) => each !== null);
  }

  /** One action of one worker, or a row of the outbox that becomes jobs. */
  work(): void {
    const choices: (() => void)[] = [];
    if (this.#outbox.length > 0) choices.push(() => this.#relay());
    this.#workers.forEach((worker, slot) => {
      if (worker) choices.push(() => this.#turn(slot));
      else if (this.#queue.length > 0) choices.push(() => this.#takeJob(slot));
    });
    if (choices.length > 0) this.#tape.pick(choices)();
  }

  #turn(slot: number): void {
    const worker = this.#workers[slot];
    if (!worker?.run.next().done) return;
    if (this.#workers[slot] !== worker) return;
    this.#workers[slot] = null;
    if (worker.failed && worker.holds) this.#queue.push(worker.job);
    else this.#finish(worker);
  }

  #takeJob(slot: number): void {
    const job = this.#queue.take(this.#calm ? 0 : this.#tape.next(Math.min(3, this.#queue.length)));
    if (!job) return;
    const worker: AtWork = { job, holds: true, failed: false, at: null, asks: false, run: [].values() as never };
    worker.run = this.#runJob(worker);
    this.#workers[slot] = worker;
  }

  #relay(): void {
    const row = this.#outbox.shift();
    if (row === undefined) return;
    // The relay dies after it added the jobs and before it said so.
    if (!this.#calm && this.#tape.chance(3)) this.#outbox.push(row);
    if (row.kind === 'ask-group')
      return this.#queue.push({ ...row, kind: 'question', name: `g${row.group}-q${row.generation}` });
    if (row.kind === 'errand')
      return row.name === CLOSE_PULL_REQUEST
        ? this.#outside.close(row.data as ClosingData)
        : this.#outside.endAction(row.data as EndingData);
    if (row.kind === 'roll-back') return this.#world.rollBack(this, row);
    if (row.kind !== 'dispatch') return;
    const groups = [...new Set(row.promotions.map((each) => this.#planned(each.promotion).group))].filter(
      (each) => each !== null,
    );
    const name = `${nameOf(row.promotions[0] as Dispatched)}-join`;
    const parent: Parent | null = row.join ? { name, groups, children: new Set() } : null;
    for (const each of row.promotions) {
      const job: Job = { kind: 'promotion', name: nameOf(each), ...each, step: null, parent, above: null };
      parent?.children.add(job);
      this.#queue.push(job);
    }
  }

  /** The queue's own bookkeeping: the last child that ends releases its parent. */
  #finish({ job, holds }: AtWork): void {
    // Another run of the job may have reported since this one looked, and goes on itself; or it has lost its lock, and the sweep goes on.
    const isAlone = !this.#workers.some((each) => each?.job.name === job.name);
    if (holds && isAlone) {
      if (!this.#queue.end(job)) return this.reached.count('a job waits for its siblings');
      this.#claimNothingLeft(job);
    }
    this.#queue.endChild(job);
  }

  /** A job that ends leaves nothing of what the state says that it carries, unless a sibling is at it, or was until it was lost. */
  #claimNothingLeft({ name }: Job): void {
    // A release that has ended meanwhile waits for no answer any more.
    if (this.state.endedAt !== null) return;
    const { dispatches, groups } = carriedBy(this.state, name);
    // One that has lost its lock and lives is still at it.
    const left = dispatches.filter((each) => !this.#queue.hadSibling(each));
    claim(
      left.length + groups.length === 0,
      `job ${name} ended, and carries ${[...left.map(nameOf), ...groups.map((each) => `group ${each}`)].join(', ')}`,
    );
  }

  *#runJob(worker: AtWork): Generator<void, void> {
    yield;
    const { job } = worker;
    // A join that asks a group waits for this job: what comes after is for another one.
    const name = job.kind === 'promotion' && job.joined ? undefined : job.name;
    if (carriedBy(this.state, job.name).dispatches.length > 0) this.reached.count('a carrier comes again');
    yield* this.#begin(worker, name);
    const done = new Set<string>();
    while (name !== undefined && !worker.failed) {
      const { state } = this;
      const { dispatches, groups } = carriedBy(state, name);
      const next = dispatches.find((each) => !done.has(nameOf(each)));
      const group = groups.find((each) => !done.has(`${each}/${state.groups[each]?.generation}`));
      if (next === undefined && group === undefined) return;
      worker.asks = true;
      yield;
      worker.asks = false;
      if (!worker.holds) return this.reached.count('a carrier has lost its lock');
      if (next) {
        done.add(nameOf(next));
        this.reached.count(`carries on as ${job.kind}`);
        const parent = job.kind === 'promotion' ? job.parent : null;
        const lane = { kind: 'promotion', name: nameOf(next), ...next, step: null, parent, above: null } as const;
        yield* this.#lane(worker, lane, ownedSteps(state, next.promotion, next.dispatch), name);
      } else {
        const { generation } = state.groups[group as number] as GroupState;
        done.add(`${group}/${generation}`);
        this.reached.count('a carrier asks a group');
        yield* this.#ask(worker, group as number, generation, name);
      }
    }
  }

  /** What the job was made for. */
  *#begin(worker: AtWork, name: string | undefined): Generator<void, void> {
    const { job } = worker;
    if (job.kind === 'question') return yield* this.#ask(worker, job.group, job.generation, name);
    if (job.kind === 'join') {
      const asking = job.groups.filter((group) => this.state.groups[group]?.status === 'ASKING');
      for (const group of asking) {
        const { status, generation } = this.state.groups[group] as GroupState;
        if (status === 'ASKING')
          yield* this.#ask(worker, group, generation, group === asking.at(-1) ? name : undefined);
      }
      return;
    }
    const { promotion, attempt, dispatch } = job;
    if (this.state.promotions[promotion]?.attempt !== attempt) return;
    const owned =
      job.step === null
        ? ownedSteps(this.state, promotion, dispatch)
        : siblingSteps(this.state, promotion, dispatch, job.step);
    if (job.step !== null && owned.length > 0 && !owned.includes(job.step)) this.reached.count('a sibling comes again');
    yield* this.#lane(worker, job, owned, name);
  }

  /** Step after step of one dispatch. */
  *#lane(
    worker: AtWork,
    lane: PromotionJob & { name: string },
    owned: number[],
    name: string | undefined,
  ): Generator<void, void> {
    const { promotion, attempt, dispatch } = lane;
    this.#claimAlone(worker, lane);
    worker.at = lane;
    let steps = this.#keepFirst(owned, lane, worker.job);
    while (steps.length > 0) {
      const step = steps[0] as number;
      yield;
      const outcome = this.#outside.carry(lane, step);
      yield;
      const job = name === undefined ? {} : { job: name };
      if (!this.tell({ kind: 'outcome', promotion, attempt, step, dispatch, outcome, ...job })) {
        worker.failed = true;
        break;
      }
      const next = nextSteps(this.state, promotion, step, dispatch);
      yield;
      steps = this.#keepFirst(next, lane, worker.job);
    }
    worker.at = null;
  }

  /** Only siblings share a dispatch, and runs of one job, of which the older one has lost its lock. */
  #claimAlone(worker: AtWork, lane: PromotionJob & { name: string }): void {
    if (lane.step !== null) return;
    const others = this.#workers.filter(
      (each) =>
        each !== null &&
        each !== worker &&
        each.holds &&
        each.job.name !== worker.job.name &&
        each.at !== null &&
        nameOf(each.at) === nameOf(lane) &&
        !isSibling(each.job, lane),
    );
    claim(others.length === 0, `${lane.name} is carried by ${worker.job.name} and by ${others[0]?.job.name}`);
  }

  /** Several steps at once: one stays with this job, the others become its siblings. */
  #keepFirst(steps: number[], lane: PromotionJob & { name: string }, job: Job): number[] {
    const above = (job.kind === 'promotion' ? job.above : null) ?? job.name;
    for (const step of steps.slice(1)) {
      const sibling: Job = { ...lane, name: `${nameOf(lane)}-s${step}`, step, above };
      // A job that comes again finds its siblings on their way.
      if (this.#queue.has(sibling.name)) continue;
      lane.parent?.children.add(sibling);
      this.#queue.push(sibling);
    }
    return steps.slice(0, 1);
  }

  *#ask(worker: AtWork, group: number, generation: number, name: string | undefined): Generator<void, void> {
    yield;
    const { members } = this.plan.groups[group] as PlannedGroup;
    const health = members.flatMap((promotion): MemberHealth[] => {
      const asked = this.#planned(promotion).applications.filter((each) => each.spec.health.type !== 'none');
      if (asked.length === 0) return [{ promotion, status: 'HEALTHY' }];
      return asked.map(({ name }) => ({ promotion, ...this.#world.healthOf(name) }));
    });
    yield;
    const job = name === undefined ? {} : { job: name };
    if (!this.tell({ kind: 'group-answer', group, generation, health, ...job })) worker.failed = true;
  }

  /** Asks again for whatever nobody carries; `hasty` ones do not look whether somebody does, and are two at once. */
  #sweep(hasty: boolean): void {
    const carried = this.#carried();
    const lost: Stimulus[] = [];
    this.state.promotions.forEach(({ steps }, promotion) => {
      const running = steps.filter((each) => each.status === 'RUNNING');
      for (const [dispatch, carrier] of new Map(running.map((each) => [each.dispatch, each.carrier]))) {
        const place = `${promotion}/${dispatch}`;
        const isCarried = carrier ? carried.has(carrier) || carried.has(`sibling ${place}`) : carried.has(place);
        if (!isCarried && carrier) this.reached.count('a carrier is lost');
        if (hasty || !isCarried) lost.push({ kind: 'lost-dispatch', promotion, dispatch });
      }
    });
    this.state.groups.forEach(({ status, generation, carrier }, group) => {
      if (status === 'ASKING' && (hasty || !carried.has(carrier ?? `group ${group}`)))
        lost.push({ kind: 'lost-question', group, generation });
    });
    for (const each of hasty ? [...lost, ...lost] : lost) this.tell(each);
  }

  /** As the queue knows them: not those whose lock is over, and that it gave to nobody else. */
  get #jobs(): Job[] {
    return [...this.#queue.known, ...this.#workers.flatMap((each) => (each?.holds ? [each.job] : []))];
  }

  #carried(): Set<string> {
    const carried = new Set<string>();
    const jobs = this.#jobs;
    for (const row of this.#outbox) {
      if (row.kind === 'ask-group') carried.add(`group ${row.group}`);
      if (row.kind === 'dispatch') for (const each of row.promotions) carried.add(`${each.promotion}/${each.dispatch}`);
    }
    for (const job of jobs) {
      carried.add(job.name);
      if (job.kind === 'question') carried.add(`group ${job.group}`);
      else if (job.kind === 'join') for (const group of job.groups) carried.add(`group ${group}`);
      else {
        carried.add(`${job.promotion}/${job.dispatch}`);
        if (job.step !== null) carried.add(`sibling ${job.promotion}/${job.dispatch}`);
        for (const group of job.parent?.groups ?? []) carried.add(`group ${group}`);
      }
    }
    return carried;
  }

  /** Somebody has to agree to something. */
  get #asks(): boolean {
    return this.state.promotions.some(
      (each) =>
        (each.approval !== null && (each.startedAt === null || each.merge)) ||
        each.steps.some(({ asked, status }) => asked && status === 'WAITING'),
    );
  }

  /** Everything that people were asked. */
  get #asked(): { promotion: number; step?: number }[] {
    return this.state.promotions.flatMap(({ approval, steps }, promotion) => [
      ...(approval ? [{ promotion }] : []),
      ...steps.flatMap(({ asked }, step) => (asked ? [{ promotion, step }] : [])),
    ]);
  }

  /** A person who may, or who may not, agrees or does not. */
  #decide(): void {
    const { promotion, step } = this.#tape.pick(this.#asked);
    const { attempt } = this.state.promotions[promotion] as PromotionState;
    const name = this.#tape.pick(PEOPLE);
    const by: Caller = { name, kind: 'PERSON', groups: [], roles: [] };
    const kind = this.#tape.chance(14) ? 'reject' : 'approve';
    const decision: Stimulus = { kind, promotion, step, attempt, by, comment: null, via: 'API' };
    this.tell(decision);
    // Its answer was lost, and it is sent once more.
    if (this.#tape.chance(10)) this.tell(decision);
  }

  /** No more faults: what is asked for gets done, time passes, whoever is waited for speaks. */
  goOn(): boolean {
    if (this.busy) {
      this.work();
      return true;
    }
    const before = this.revision;
    this.#sweep(false);
    if (this.revision !== before) return true;
    for (const [promotion, { steps, attempt, approval, startedAt, status, merge }] of this.state.promotions.entries()) {
      const spec = this.#planned(promotion).approval;
      if (
        spec &&
        approval &&
        (startedAt === null || merge) &&
        !ENDED_PROMOTION.has(status) &&
        missingOf(spec, approval) > 0
      ) {
        const said = approval.decisions.length;
        for (const name of PEOPLE) {
          const by: Caller = { name, kind: 'PERSON', groups: [], roles: [] };
          this.tell({ kind: 'approve', promotion, attempt, by, comment: null, via: 'API' });
        }
        if ((this.state.promotions[promotion]?.approval?.decisions.length ?? 0) > said) return true;
      }
      for (const [step, { status: stepStatus, outside, dispatch }] of steps.entries()) {
        if (stepStatus !== 'WAITING' || !outside) continue;
        const said = (): number | undefined =>
          this.state.promotions[promotion]?.steps[step]?.asked?.approval.decisions.length;
        const before = said();
        if (before !== undefined) {
          for (const name of PEOPLE) {
            const by: Caller = { name, kind: 'PERSON', groups: [], roles: [] };
            this.tell({ kind: 'approve', promotion, step, attempt, by, comment: null, via: 'API' });
          }
          if (said() !== before) return true;
          continue;
        }
        if (this.#speak(promotion, attempt, step, dispatch)) return true;
      }
    }
    return false;
  }

  /** When it wants to be looked at again, unless that is only the limit of the flow. */
  get wakes(): number | null {
    const { wakeAt, deadline } = this.state;
    const limited = deadline !== null && deadline - this.#world.now < DEFAULT_FLOW_TIMEOUT / 2;
    const due = [limited || wakeAt !== deadline ? wakeAt : null, this.#decidable].filter((each) => each !== null);
    return due.length > 0 ? Math.min(...due) : null;
  }

  /** When people who are asked come back: a window let them decide nothing. */
  get #decidable(): number | null {
    const opens = this.state.promotions.flatMap(({ status, approval, steps }, promotion) => {
      const isAsked = approval !== null || steps.some((each) => each.status === 'WAITING' && each.asked !== null);
      const { environment } = this.#planned(promotion);
      if (!isAsked || environment === null || ENDED_PROMOTION.has(status)) return [];
      const windows = this.#world.factsFor(this).windows[environment] ?? [];
      const { closed, nextOpen } = windowState(windows, this.#world.now, 'APPROVE');
      return closed && nextOpen !== null ? [nextOpen] : [];
    });
    return opens.length > 0 ? Math.min(...opens) : null;
  }

  /** Senders tell what has changed, and nothing twice: what they told before is in the table, and has to be found there. */
  #speak(promotion: number, attempt: number, step: number, dispatch: number): boolean {
    const { environment, applications, steps } = this.#planned(promotion);
    const { work, application } = steps[step] as PlannedStep;
    // It is looked at now and then.
    if (work.kind === 'merge' || (work.kind === 'action' && MANNERS[work.action.type].outlives)) return false;
    if (work.kind === 'sync' && environment !== null) {
      const { name } = applications[application as number] as PlannedApplication;
      const source = (applications[application as number] as PlannedApplication).spec.sync?.type;
      const before = this.revision;
      // What was told at this very moment is in the table, and has to be found there.
      const told = this.#world.reportedRunning(name)?.at ?? -Infinity;
      if (source === 'report' && told < this.#world.now) this.#world.reportRunning(environment, name);
      return this.revision !== before;
    }
    if ((work.kind !== 'health' && work.kind !== 'soak') || environment === null) {
      if (work.kind === 'apply') this.#world.applied(this, promotion, application as number);
      this.tell({ kind: 'outcome', promotion, attempt, step, dispatch, outcome: { kind: 'succeeded' } });
      return true;
    }
    const { name } = applications[application as number] as PlannedPromotion['applications'][number];
    if (this.#world.told(name) === 'HEALTHY') return false;
    this.#world.report(environment, name, 'HEALTHY');
    return true;
  }

  get picture(): string {
    const promotions = this.state.promotions.map((each, position) => {
      const steps = each.steps.map((step) => step.status[0]).join('');
      return `${this.#planned(position).name} ${each.status} ${steps}`;
    });
    const groups = this.state.groups.map((each, position) => `${this.plan.groups[position]?.name} ${each.status}`);
    return [this.state.status, ...promotions, ...groups].join(', ');
  }

  #planned(position: number): PlannedPromotion {
    return this.plan.promotions[position] as PlannedPromotion;
  }
}

/** What the gates of everything that has not started say now; nothing where nobody read the facts. */
function waiting(
  plan: ReleasePlan,
  state: ReleaseState,
  facts: Facts | null,
  now: number,
): (readonly [number, GateAnswer[]])[] {
  if (facts === null || state.endedAt !== null) return [];
  const moved = decisionTime(now, state.lastEventAt);
  return state.promotions.flatMap((each, position) =>
    each.startedAt === null && !ENDED_PROMOTION.has(each.status)
      ? [[position, askGates(plan, state, position, facts, moved)] as const]
      : [],
  );
}
