import type { Decision } from '../../../src/core/decision.ts';
import type { Work } from '../../../src/core/effects.ts';
import { createRelease } from '../../../src/core/create.ts';
import type { Caller } from '../../../src/core/caller.ts';
import type { NumberedEvent, ReleaseEventType } from '../../../src/core/events.ts';
import type { HealthStatus } from '../../../src/core/definitions.ts';
import type { Observation } from '../../../src/core/health-clock.ts';
import type { PlannedPromotion, ReleasePlan } from '../../../src/core/plan.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type {
  Facts,
  GroupState,
  Outcome,
  PromotionState,
  ReleaseState,
  StepState,
  Stimulus,
} from '../../../src/core/release.ts';
import { at, planOf } from './builders.ts';
import type { Drawn, PlanOptions } from './builders.ts';
import { advance } from './advance.ts';

/** A release that a test plays by hand: every word is one stimulus, what follows is `advance` alone. */
export class Play {
  readonly plan: ReleasePlan;
  state: ReleaseState;
  now: number;
  facts: Facts = NO_FACTS;
  readonly events: NumberedEvent[];
  /** What the last stimulus led to. */
  last: Decision;

  constructor(plan: ReleasePlan, now = at('10:00')) {
    this.plan = plan;
    this.now = now;
    const { state, events } = createRelease('r-1', plan, '1.4.2', now, 'ada');
    this.state = state;
    this.events = [...events];
    this.last = { state, changed: [], events, work: [], deployments: [], refused: new Map(), lifted: [] };
  }

  tell(...stimuli: Stimulus[]): Decision {
    // Tests write on theirs.
    const decision = advance(this.plan, structuredClone(this.state), stimuli, this.facts, this.now);
    if (decision === 'NEEDS_FACTS') throw new Error('facts were given');
    this.state = structuredClone(decision.state);
    this.events.push(...decision.events);
    this.last = decision;
    return decision;
  }

  /** `pause` milliseconds pass, and somebody looks. */
  later(pause: number): Decision {
    this.now += pause;
    return this.tell({ kind: 'tick' });
  }

  /** Waits as long as the release said that it would. */
  wake(): Decision {
    if (this.state.wakeAt === null) throw new Error('it waits for no time');
    this.now = this.state.wakeAt;
    return this.tell({ kind: 'tick' });
  }

  /** The same outcome for every step of `environment` that runs now (or for the one that is named). */
  report(environment: string, outcome: Outcome, step?: string): Decision {
    const stimuli = this.running(environment)
      .filter((each) => step === undefined || this.#step(environment, each).id.endsWith(step))
      .map((each) => this.outcome(environment, each, outcome));
    if (stimuli.length === 0) throw new Error(`nothing runs in ${environment}`);
    for (const each of stimuli) this.tell(each);
    return this.last;
  }

  /** Every step of these environments succeeds, soaks included, until they have ended. */
  succeed(...environments: string[]): this {
    for (const environment of environments) {
      while (this.running(environment).length > 0) this.report(environment, { kind: 'succeeded' });
    }
    return this;
  }

  fail(environment: string, message = 'broken'): this {
    this.report(environment, { kind: 'failed', message });
    return this;
  }

  /** Somebody decides, on the start of the promotion or on a step of it; answers the refusal, or null. */
  decide(
    kind: 'approve' | 'reject',
    environment: string,
    by: Caller | null,
    comment: string | null = null,
    step?: number,
  ) {
    const { attempt } = this.promotion(environment);
    const promotion = this.position(environment);
    const stimulus = { kind, promotion, step, attempt, by, comment, via: 'API' } as const;
    return this.tell(stimulus).refused.get(stimulus) ?? null;
  }

  /** The answer to the group's newest question; members that are not named are HEALTHY. */
  answer(
    group: string,
    health: Record<string, HealthStatus> = {},
    more: Record<string, Partial<Observation>> = {},
  ): Decision {
    const position = this.plan.groups.findIndex((each) => each.name === group);
    const { generation } = this.state.groups[position] as GroupState;
    const members = this.plan.groups[position]?.members ?? [];
    return this.tell({
      kind: 'group-answer',
      group: position,
      generation,
      health: members.map((promotion) => {
        const { name } = this.#planned(promotion);
        return { promotion, status: health[name] ?? 'HEALTHY', ...more[name] };
      }),
    });
  }

  outcome(environment: string, step: number, outcome: Outcome): Extract<Stimulus, { kind: 'outcome' }> {
    const promotion = this.position(environment);
    const { attempt } = this.promotion(environment);
    return {
      kind: 'outcome',
      promotion,
      attempt,
      step,
      dispatch: this.steps(environment)[step]?.dispatch ?? 0,
      outcome,
    };
  }

  position(environment: string): number {
    const position = this.plan.promotions.findIndex((each) => each.name === environment);
    if (position < 0) throw new Error(`no ${environment} in the plan`);
    return position;
  }

  promotion(environment: string): PromotionState {
    return this.state.promotions[this.position(environment)] as PromotionState;
  }

  group(name: string): GroupState {
    return this.state.groups[this.plan.groups.findIndex((each) => each.name === name)] as GroupState;
  }

  steps(environment: string): StepState[] {
    return this.promotion(environment).steps;
  }

  running(environment: string): number[] {
    const steps = this.steps(environment);
    return [...steps.keys()].filter((index) => steps[index]?.status === 'RUNNING');
  }

  /** `dev SUCCEEDED, staging RUNNING`; what is still PENDING is left out. */
  get picture(): string {
    return this.state.promotions
      .map(({ status }, position) => ({ status, name: this.#planned(position).name }))
      .filter(({ status }) => status !== 'PENDING')
      .map(({ status, name }) => `${name} ${status}`)
      .join(', ');
  }

  /** `asia: SUCCEEDED SUCCEEDED WAITING` → the steps of one environment, in words. */
  stepsOf(environment: string): string {
    return this.steps(environment)
      .map(({ status }, step) => `${this.#step(environment, step).phase} ${status}`)
      .join(', ');
  }

  /** Environments that the last stimulus asked a job for. */
  get dispatched(): string[] {
    return this.#work('dispatch').flatMap((each) =>
      each.promotions.map(({ promotion }) => this.#planned(promotion).name),
    );
  }

  get asked(): string[] {
    return this.#work('ask-group').map((each) => this.plan.groups[each.group]?.name ?? '');
  }

  get aborted(): string[] {
    return this.#work('abort').flatMap((each) => each.promotions.map((promotion) => this.#planned(promotion).name));
  }

  eventTypes(): ReleaseEventType[] {
    return this.last.events.map((each) => each.event.type);
  }

  #work<K extends Work['kind']>(kind: K): Extract<Work, { kind: K }>[] {
    return this.last.work.filter((each): each is Extract<Work, { kind: K }> => each.kind === kind);
  }

  #planned(position: number): PlannedPromotion {
    return this.plan.promotions[position] as PlannedPromotion;
  }

  #step(environment: string, step: number) {
    return this.#planned(this.position(environment)).steps[step] as PlannedPromotion['steps'][number];
  }
}

/** A release that has just been started: its trigger environment is at work. */
export function started(drawn: Drawn | string, options: PlanOptions = {}): Play {
  const play = new Play(planOf(drawn, options));
  play.tell({ kind: 'tick' });
  return play;
}
