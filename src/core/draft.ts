import { decisionTime } from './clock.ts';
import type { Decision } from './decision.ts';
import type { Dispatched, Work } from './effects.ts';
import type { AtPromotion, AtStep, AtTarget, NumberedEvent, ReleaseEvent } from './events.ts';
import type { PlannedApplication, PlannedPromotion, PlannedStep, ReleasePlan } from './plan.ts';
import type { Problem, Refusal } from './problems.ts';
import { ENDED_PROMOTION } from './release.ts';
import type {
  DeploymentFact,
  Facts,
  GroupState,
  PromotionState,
  PromotionStatus,
  ReleaseState,
  Skip,
  StepState,
  Stimulus,
  Verification,
} from './release.ts';

type TargetEvent = Extract<ReleaseEvent, AtTarget>['type'];

const ENDS = {
  SUCCEEDED: 'RollbackTargetSucceeded',
  FAILED: 'RollbackTargetFailed',
  TERMINATED: 'RollbackTargetFailed',
  SKIPPED: 'RollbackTargetLeftAlone',
} as const;

/**
 * A decision has to look at facts that were not read. Thrown by `Draft.facts`, caught where the decision is made: one for all, since
 * a release asks for facts with every environment and nobody reads the stack.
 */
export const NEEDS_FACTS = new Error('the decision has to look at facts');

/**
 * One decision in the making: a copy of the state that shares with the old one whatever did not change. The old state is
 * never touched, so a decision that is not saved (a lost race, a crash) has not happened.
 */
export class Draft {
  readonly plan: ReleasePlan;
  readonly state: ReleaseState;
  readonly now: number;
  readonly work: Work[] = [];
  /** Times at which a gate may answer otherwise. */
  readonly wakes: number[] = [];
  /** Stimuli that were refused and have changed nothing. */
  readonly refused = new Map<Stimulus, Refusal>();
  /** Groups of which a member reported in this decision: a job is about to end, and its join parent will ask. */
  readonly reportedBy = new Set<number>();
  /** Promotions that began in this decision. */
  readonly begun = new Set<number>();
  /** Jobs that reported what they own, and can go on with what this decision leads to; with the promotion of which they reported. */
  readonly #reporters: { job: string; promotion: number | null }[] = [];
  /** Who is behind the stimulus that is taken now: the actor of the events that it leads to. */
  actor: string | null = null;
  /** Goes up whenever something is told or may be changed. */
  touched = 0;
  /** Null: not read. */
  readonly #facts: Facts | null;
  /** The time of its events. */
  readonly #at: number;
  readonly #events: { event: ReleaseEvent; actor: string | null }[] = [];
  readonly #deployments: DeploymentFact[] = [];
  readonly #lifted: string[] = [];
  readonly #dispatched = new Map<number, number>();
  readonly #copiedPromotions = new Set<number>();
  readonly #copiedSteps = new Map<number, Set<number>>();
  readonly #copiedGroups = new Set<number>();

  constructor(plan: ReleasePlan, state: ReleaseState, facts: Facts | null, now: number) {
    this.#facts = facts;
    this.plan = plan;
    this.state = { ...state, promotions: state.promotions.slice(), groups: state.groups.slice() };
    this.now = decisionTime(now, state.lastEventAt);
    this.#at = Math.max(now, state.lastEventAt);
  }

  /** @throws NEEDS_FACTS where they were not read: the decision is given up, and made again with them. */
  get facts(): Facts {
    if (this.#facts === null) throw NEEDS_FACTS;
    return this.#facts;
  }

  /** Only for a shorter way to an answer that is the same without them. */
  get knowsFacts(): boolean {
    return this.#facts !== null;
  }

  planned(position: number): PlannedPromotion {
    return this.plan.promotions[position] as PlannedPromotion;
  }

  plannedStep(position: number, step: number): PlannedStep {
    return this.planned(position).steps[step] as PlannedStep;
  }

  promotion(position: number): PromotionState {
    this.touched += 1;
    if (!this.#copiedPromotions.has(position)) {
      const seen = this.state.promotions[position] as PromotionState;
      this.state.promotions[position] = { ...seen, steps: seen.steps.slice() };
      this.#copiedPromotions.add(position);
      this.#copiedSteps.set(position, new Set());
    }
    return this.state.promotions[position] as PromotionState;
  }

  step(position: number, index: number): StepState {
    const promotion = this.promotion(position);
    const copied = this.#copiedSteps.get(position) as Set<number>;
    if (!copied.has(index)) {
      promotion.steps[index] = { ...(promotion.steps[index] as StepState) };
      copied.add(index);
    }
    return promotion.steps[index] as StepState;
  }

  group(position: number): GroupState {
    this.touched += 1;
    if (!this.#copiedGroups.has(position)) {
      this.state.groups[position] = { ...(this.state.groups[position] as GroupState) };
      this.#copiedGroups.add(position);
    }
    return this.state.groups[position] as GroupState;
  }

  emit(event: ReleaseEvent): void {
    this.touched += 1;
    this.#events.push({ event, actor: this.actor });
  }

  /** A number for a new job of this promotion; jobs asked for in one decision become one BullMQ flow. */
  dispatch(position: number): number {
    const already = this.#dispatched.get(position);
    if (already !== undefined) return already;
    const promotion = this.promotion(position);
    promotion.dispatch += 1;
    this.#dispatched.set(position, promotion.dispatch);
    return promotion.dispatch;
  }

  /** Nothing of it runs after all (its first step is a soak): no job is needed. */
  undispatch(position: number): void {
    this.#dispatched.delete(position);
  }

  /** The job that reported, if it can go on with something else. `promotion`: whose step it was; null: it asked a group. */
  reportedFrom(job: string | undefined, promotion: number | null): void {
    if (job !== undefined) this.#reporters.push({ job, promotion });
  }

  /** The last job that has nothing left to do: in its promotion, other lanes may go on and need it. */
  #freeJob(): string | undefined {
    return this.#reporters.findLast(
      ({ promotion }) =>
        promotion === null || ENDED_PROMOTION.has((this.state.promotions[promotion] as PromotionState).status),
    )?.job;
  }

  /**
   * A job that is free goes on with the promotion that begins, or asks the group, if there is one thing to do. What begins beside
   * something else is a flow of jobs: none of them waits for another one.
   */
  #carry(dispatches: readonly Dispatched[]): boolean {
    const job = this.#freeJob();
    if (job === undefined || dispatches.length > 1) return false;
    const [only] = dispatches;
    if (only) {
      if (!this.begun.has(only.promotion)) return false;
      this.state.promotions[only.promotion]?.steps.forEach(({ status, dispatch }, index) => {
        if (status === 'RUNNING' && dispatch === only.dispatch) this.step(only.promotion, index).carrier = job;
      });
      return true;
    }
    const questions = this.work.filter((each) => each.kind === 'ask-group');
    const [question] = questions;
    if (!question || questions.length > 1) return false;
    this.group(question.group).carrier = job;
    this.work.splice(this.work.indexOf(question), 1);
    return true;
  }

  /** A hook has a job to itself: no group that others are members of waits for it. */
  #askForJobs(dispatches: readonly Dispatched[]): void {
    const isHook = ({ promotion }: Dispatched): boolean => this.planned(promotion).own !== undefined;
    for (const hook of dispatches.filter(isHook))
      this.work.unshift({ kind: 'dispatch', promotions: [hook], join: false });
    const promotions = dispatches.filter((each) => !isHook(each));
    if (promotions.length === 0) return;
    const joined = promotions.some((each) => this.planned(each.promotion).group !== null);
    this.work.unshift({
      kind: 'dispatch',
      promotions: joined ? promotions.map((each) => ({ ...each, joined })) : promotions,
      join: joined || promotions.length > 1,
    });
  }

  deploy(promotion: number, application: number, commit: string | null, verified: Verification | null): void {
    if (this.planned(promotion).environment === null) return;
    this.#deployments.push({ promotion, application, at: this.now, commit, verified });
  }

  /** When a release starts that a person triggered after a rollback's holds, they end. */
  lift(position: number, holds: string[]): void {
    this.#lifted.push(...holds);
    const { status } = this.state.promotions[position] as PromotionState;
    this.emit({ type: 'HoldLifted', ...this.atPromotion(position, status), reason: 'a person promotes there again' });
  }

  /** Ends it as a person wants it. */
  skip(position: number, { reason, by }: Skip): void {
    const promotion = this.promotion(position);
    const before = promotion.status;
    promotion.status = 'SKIPPED';
    promotion.endedAt = this.now;
    const at = this.atPromotion(position, before);
    this.emit({ type: 'PromotionSkipped', ...at, reason, byPerson: true, ...(by !== null && { by }) });
    // Fewer members count, and its gate may hold with those that are left.
    const { group } = this.planned(position);
    if (group !== null && this.state.groups[group]?.status === 'WAITING') this.group(group).recheckAt = this.now;
  }

  end(position: number, status: 'SUCCEEDED' | 'FAILED' | 'TERMINATED' | 'SKIPPED', reason = ''): void {
    const promotion = this.promotion(position);
    const before = promotion.status;
    promotion.status = status;
    promotion.endedAt = this.now;
    // The record of a rollback says why an environment did not go back after all.
    if (status === 'SKIPPED' && this.plan.rollback) promotion.problem ??= this.problem(reason, position);
    const at = this.atPromotion(position, before);
    if (status === 'FAILED') this.emit({ type: 'PromotionFailed', ...at, reason });
    else if (status === 'SKIPPED') this.emit({ type: 'PromotionSkipped', ...at, reason });
    else if (status === 'SUCCEEDED') this.emit({ type: 'PromotionSucceeded', ...at });
    else this.emit({ type: 'PromotionTerminated', ...at, reason: reason === '' ? undefined : reason });
    this.tellTarget(position, ENDS[status], reason);
  }

  /** In a rollback's log: what its promotions mean. Nothing in any other release's. */
  tellTarget(position: number, type: TargetEvent, reason = ''): void {
    const { restores, name } = this.planned(position);
    if (!restores) return;
    const at = { target: name, from: restores.from.label, to: restores.to.label };
    this.emit(
      type === 'RollbackTargetStarted' || type === 'RollbackTargetSucceeded'
        ? { type, ...at }
        : { type, ...at, reason },
    );
  }

  /** Changes what a promotion that has not ended is doing; false when it is doing that already. */
  restate(
    position: number,
    status: 'RUNNING' | 'WAITING' | 'SUSPENDED' | 'PENDING',
    why?: { reason: string | null; recheckAt: number | null },
  ): boolean {
    const before = (this.state.promotions[position] as PromotionState).status;
    if (before === status) return false;
    const promotion = this.promotion(position);
    promotion.status = status;
    const at = this.atPromotion(position, before);
    if (status === 'RUNNING') this.emit({ type: 'PromotionResumed', ...at, dispatch: promotion.dispatch });
    else {
      const earliest = why?.recheckAt == null ? undefined : new Date(why.recheckAt).toISOString();
      this.emit({ type: 'PromotionWaiting', ...at, reason: why?.reason ?? '', earliest });
    }
    return true;
  }

  problem(message: string, position: number, step?: string): Problem {
    const { attempt } = this.state.promotions[position] as PromotionState;
    return { message, at: new Date(this.now).toISOString(), environment: this.planned(position).name, step, attempt };
  }

  atPromotion(position: number, before: PromotionStatus): AtPromotion {
    const { attempt, status } = this.state.promotions[position] as PromotionState;
    return { environment: this.planned(position).name, attempt, before, status };
  }

  atStep(position: number, index: number): AtStep {
    const planned = this.planned(position);
    const step = planned.steps[index] as PlannedStep;
    return {
      environment: planned.name,
      attempt: (this.state.promotions[position] as PromotionState).attempt,
      step: step.id,
      phase: step.phase,
      application:
        step.application === null ? undefined : (planned.applications[step.application] as PlannedApplication).name,
    };
  }

  decision(wakeAt: number | null): Decision {
    const { state } = this;
    state.wakeAt = wakeAt;
    const events = this.#events.map<NumberedEvent>(({ event, actor }, index) => ({
      sequence: state.sequence + index + 1,
      at: this.#at,
      releaseStatus: state.status,
      actor,
      event,
    }));
    state.sequence += events.length;
    if (events.length > 0) state.lastEventAt = this.#at;
    const promotions = [...this.#dispatched]
      .filter(([position, dispatch]) =>
        state.promotions[position]?.steps.some((step) => step.status === 'RUNNING' && step.dispatch === dispatch),
      )
      .map<Dispatched>(([promotion, dispatch]) => ({
        promotion,
        attempt: (state.promotions[promotion] as PromotionState).attempt,
        dispatch,
      }));
    if (!this.#carry(promotions)) this.#askForJobs(promotions);
    return {
      state,
      changed: [...this.#copiedPromotions],
      events,
      work: this.work,
      deployments: this.#deployments,
      refused: this.refused,
      lifted: this.#lifted,
    };
  }
}
