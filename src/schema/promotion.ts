import { Field, Int, ObjectType } from 'type-graphql';
import { askedNow } from '../core/approvals/may-decide.ts';
import type { GateAnswer } from '../core/gates/answer.ts';
import { isChange } from '../core/plan.ts';
import type { Phase, PlannedGroup, PlannedPromotion, PlannedStep, ReleasePlan } from '../core/plan.ts';
import type {
  GroupState,
  PromotionState,
  PromotionStatus,
  ReleaseState,
  StepState,
  StepStatus,
} from '../core/release.ts';
import { countOf } from '../core/required.ts';
import { Approval } from './approval.ts';
import { GateEnum, GateVerdictEnum, GroupStatusEnum, PhaseEnum } from './choices.ts';
import { PromotionStatusEnum, StepStatusEnum } from './enums.ts';
import { StepOutput } from './event-types.ts';
import { toNodeId } from './node-id.ts';
import { Node } from './node.ts';
import { ProblemType } from './release.ts';
import { dateOf, Duration } from './values.ts';

/** What a release froze, and where it is: of its promotions all that were asked for, and those that one of them cannot be shown without. */
export interface ReleaseParts {
  id: string;
  plan: ReleasePlan;
  /** Read in one statement: `sequence` is the number of the newest event in it. */
  state: Omit<ReleaseState, 'promotions'> & { promotions: Readonly<Record<number, PromotionState>> };
  /** Whether the caller may see the promotion at this position. */
  sees(position: number): boolean;
  /** The parts with these promotions. Where some have to be read for it, all of it is as it is then. */
  including(positions: readonly number[]): Promise<ReleaseParts>;
}

/** The parts with every promotion. */
export interface WholeRelease extends ReleaseParts {
  state: ReleaseState;
}

/** Decorator metadata looks at types where they stand: a class that is declared further down cannot be named there. */
interface PromotionParts {
  parts: ReleaseParts;
  position: number;
  planned: PlannedPromotion;
  state: PromotionState;
}

@ObjectType({ description: 'One step of a promotion.' })
export class PromotionStep {
  readonly planned: PlannedStep;
  readonly state: StepState;

  constructor(
    readonly promotion: PromotionParts,
    readonly index: number,
  ) {
    this.planned = promotion.planned.steps[index] as PlannedStep;
    this.state = promotion.state.steps[index] as StepState;
  }

  @Field(() => String, { description: 'Its name, unique in the promotion, e.g. `billing-eu/PRE_ACTION/smoke-tests`.' })
  get name(): string {
    return this.planned.id;
  }

  @Field(() => PhaseEnum, { description: 'The part of the promotion that it belongs to.' })
  get phase(): Phase {
    return this.planned.phase;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The application that it is for; null in a step without an environment.',
  })
  get application(): string | null {
    const { application } = this.planned;
    return application === null ? null : (this.promotion.planned.applications[application]?.name ?? null);
  }

  @Field(() => String, { nullable: true, description: 'The workflow that it is an action of.' })
  get workflow(): string | null {
    const { work } = this.planned;
    return work.kind === 'action' ? work.workflow : null;
  }

  @Field(() => String, { nullable: true, description: 'The name of the action in that workflow.' })
  get action(): string | null {
    const { work } = this.planned;
    return work.kind === 'action' ? work.action.name : null;
  }

  @Field(() => [String], { description: 'The names of the steps that must have succeeded before.' })
  get needs(): string[] {
    return this.planned.needs.map((each) => this.promotion.planned.steps[each]?.id ?? '');
  }

  @Field(() => StepStatusEnum, { description: 'Where it is in its life.' })
  get status(): StepStatus {
    return this.state.status;
  }

  @Field(() => Int, { description: 'The attempt of the promotion, counted from 1.' })
  get attempt(): number {
    return this.promotion.state.attempt;
  }

  @Field(() => Int, { description: 'How many tries of it failed on the way in this attempt.' })
  get tries(): number {
    return this.state.tries;
  }

  @Field(() => Date, { nullable: true, description: 'When it started.' })
  get startedAt(): Date | null {
    return dateOf(this.state.startedAt);
  }

  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  get endedAt(): Date | null {
    return dateOf(this.state.endedAt);
  }

  @Field(() => String, { nullable: true, description: 'What it waits for, in words.' })
  get reason(): string | null {
    return this.state.status === 'WAITING' ? this.state.reason : null;
  }

  @Field(() => Date, {
    nullable: true,
    description: 'When it is looked at again; null while WAITING: a report is awaited.',
  })
  get recheckAt(): Date | null {
    return dateOf(this.state.recheckAt);
  }

  @Field(() => Approval, {
    nullable: true,
    description: 'What people are asked before it goes on; null: it asks nothing, or not yet.',
  })
  get approval(): Approval | null {
    const { asked, endedAt } = this.state;
    if (!asked) return null;
    const { parts, position, state } = this.promotion;
    const of = { releaseId: parts.id, position, step: this.index, initiator: parts.state.initiator };
    return new Approval(
      of,
      asked.spec,
      { approval: asked.approval, attempt: state.attempt, endedAt },
      {
        step: this.name,
        question: asked.question,
      },
    );
  }

  @Field(() => [StepOutput], { description: 'What it left for later steps.' })
  get outputs(): StepOutput[] {
    return Object.entries(this.state.outputs ?? {}).map(([name, value]) => ({ name, value }));
  }

  @Field(() => String, { nullable: true, description: 'The first error of this attempt.' })
  get firstError(): string | null {
    return this.state.firstError;
  }

  @Field(() => String, { nullable: true, description: 'The last error of this attempt.' })
  get lastError(): string | null {
    return this.state.lastError;
  }
}

@ObjectType({ description: "One application's part of a promotion." })
export class ApplicationPromotion {
  @Field(() => String, { description: 'The name of the application.' })
  name!: string;

  @Field(() => String, { description: 'The application of the trigger environment whose version it gets.' })
  source!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The commit that carries the change; null: none yet, or none needed.',
  })
  commit!: string | null;

  @Field(() => [PromotionStep], { description: 'Its steps.' })
  steps!: PromotionStep[];
}

@ObjectType({ description: 'The answer of one gate.' })
export class GateEvidence {
  static of(answer: GateAnswer): GateEvidence {
    const { gate, verdict, reason, who, recheckAt } = answer;
    const release = answer.gate === 'ENVIRONMENT' ? answer.release : undefined;
    const releaseId = release === undefined ? null : toNodeId('Release', release);
    return { gate, verdict, reason, who: who ?? null, recheckAt: dateOf(recheckAt), releaseId };
  }

  @Field(() => GateEnum, { description: 'What was asked.' })
  gate!: GateAnswer['gate'];

  @Field(() => GateVerdictEnum, { description: 'The answer.' })
  verdict!: GateAnswer['verdict'];

  @Field(() => String, { description: 'Why, in words.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Who or what can end the waiting.' })
  who!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it may end by itself.' })
  recheckAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'The id of the release that holds the environment.' })
  releaseId!: string | null;
}

@ObjectType({ description: 'Windows that do not count for a promotion, because a person overrode them.' })
export class WindowOverride {
  @Field(() => [String], { description: 'Their exact names.' })
  windows!: string[];

  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Who did it; null: a caller without a name.' })
  by!: string | null;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => Date, { description: 'From when on they count again.' })
  expiresAt!: Date;
}

@ObjectType({ description: 'What a person said when they skipped a promotion.' })
export class PromotionSkip {
  @Field(() => String, { description: 'Why.' })
  reason!: string;

  @Field(() => String, { nullable: true, description: 'Who did it; null: a caller without a name.' })
  by!: string | null;

  @Field(() => Date, { description: 'When.' })
  at!: Date;
}

@ObjectType({
  implements: Node,
  description: "A release's run in one environment, or in one workflow step without an environment.",
})
export class EnvironmentPromotion extends Node {
  readonly planned: PlannedPromotion;
  readonly state: PromotionState;

  constructor(
    readonly parts: ReleaseParts,
    readonly position: number,
  ) {
    super();
    this.id = toNodeId('EnvironmentPromotion', `${parts.id}/${position}`);
    this.planned = parts.plan.promotions[position] as PlannedPromotion;
    this.state = parts.state.promotions[position] as PromotionState;
  }

  @Field(() => String, { description: "The environment's name, or the workflow step's." })
  get name(): string {
    return this.planned.name;
  }

  @Field(() => Boolean, { description: 'Whether it promotes into production.' })
  get production(): boolean {
    return this.planned.production;
  }

  @Field(() => ReleaseGroup, { nullable: true, description: 'The group that it is a member of.' })
  get group(): object | null {
    return this.planned.group === null ? null : new ReleaseGroup(this.parts, this.planned.group);
  }

  @Field(() => [EnvironmentPromotion], { description: 'The promotions that it depends on directly.' })
  get dependsOn(): Promise<EnvironmentPromotion[]> {
    const positions = this.planned.dependsOn.flatMap((each) => ('promotion' in each ? [each.promotion] : []));
    return promotionsOf(this.parts, positions);
  }

  @Field(() => [ReleaseGroup], { description: 'The groups whose gates it depends on.' })
  get dependsOnGroups(): ReleaseGroup[] {
    return this.planned.dependsOn.flatMap((each) =>
      'group' in each ? [new ReleaseGroup(this.parts, each.group)] : [],
    );
  }

  @Field(() => Int, { description: 'How many of its dependencies it needs.' })
  get requiredDependencies(): number {
    return this.planned.required;
  }

  @Field(() => PromotionStatusEnum, { description: 'Where it is in its life.' })
  get status(): PromotionStatus {
    return this.state.status;
  }

  @Field(() => Int, {
    description:
      "The number of its release's newest event that all this holds already: an event with this number or a lower one says nothing newer.",
  })
  get sequence(): number {
    return this.parts.state.sequence;
  }

  @Field(() => PhaseEnum, {
    nullable: true,
    description: 'The earliest part that is not through; null before its start and after its end.',
  })
  get phase(): Phase | null {
    if (this.state.startedAt === null || this.state.endedAt !== null) return null;
    const open = this.steps.filter(({ status, phase }) => status !== 'SUCCEEDED' && phase !== 'ON_FAIL');
    return (open.find((each) => each.status !== 'PENDING') ?? open[0])?.phase ?? null;
  }

  @Field(() => [ApplicationPromotion], { description: 'The applications that are promoted there.' })
  get applications(): ApplicationPromotion[] {
    const all = this.steps;
    return this.planned.applications.map(({ name, content }, index) => {
      const steps = all.filter((each) => each.planned.application === index);
      const commit = steps.find((each) => isChange(each.planned.work))?.state.outputs?.COMMIT_SHA;
      return { name, source: content, commit: commit ?? null, steps };
    });
  }

  @Field(() => [PromotionStep], {
    description: 'Its steps, application by application; those of its onFail hook come last, and run after its end.',
  })
  get steps(): PromotionStep[] {
    const own = this.planned.steps.map((_, index) => new PromotionStep(this, index));
    // A hook of an environment stands behind all environments.
    const hook = this.parts.plan.promotions.findLastIndex(({ of }) => of === this.position);
    return hook < 0 ? own : [...own, ...new EnvironmentPromotion(this.parts, hook).steps];
  }

  @Field(() => [GateEvidence], {
    nullable: true,
    description: 'What was judged, together, when it started; null before.',
  })
  get gateEvidence(): GateEvidence[] | null {
    return this.state.evidence && this.state.evidence.map((each) => GateEvidence.of(each));
  }

  @Field(() => [WindowOverride], {
    description: 'Windows that a person overrode for it; those that have expired, too.',
  })
  get overrides(): WindowOverride[] {
    return this.state.overrides.map((each) => ({
      ...each,
      at: new Date(each.at),
      expiresAt: new Date(each.expiresAt),
    }));
  }

  @Field(() => PromotionSkip, {
    nullable: true,
    description:
      'A person skips it, or has skipped it: what depends on it goes on as if it had succeeded. Null: nobody does, or it was tried again since.',
  })
  get skip(): PromotionSkip | null {
    const skip = this.parts.state.skips[this.position];
    return skip === undefined ? null : { ...skip, at: new Date(skip.at) };
  }

  @Field(() => Approval, {
    nullable: true,
    description: 'Who has to agree before it starts; null: no approval is needed.',
  })
  get approval(): Approval | null {
    const { approval: spec } = this.planned;
    if (!spec) return null;
    const { id: releaseId, state } = this.parts;
    return new Approval({ releaseId, position: this.position, initiator: state.initiator }, spec, this.state);
  }

  @Field(() => [Approval], {
    description:
      'What people are asked now: whether it starts, or whether steps of it go on. Each says since when and until when.',
  })
  get openApprovals(): Approval[] {
    return askedNow(this.planned, this.state).flatMap(
      (step) => (step === undefined ? this.approval : new PromotionStep(this, step).approval) ?? [],
    );
  }

  @Field(() => Int, {
    description: 'Counts the tries of the whole promotion from 1; a retry of it, or of its release, begins a new one.',
  })
  get attempt(): number {
    return this.state.attempt;
  }

  @Field(() => Date, { nullable: true, description: 'When it started.' })
  get startedAt(): Date | null {
    return dateOf(this.state.startedAt);
  }

  @Field(() => Date, { nullable: true, description: 'When it ended.' })
  get endedAt(): Date | null {
    return dateOf(this.state.endedAt);
  }

  @Field(() => Date, {
    nullable: true,
    description:
      'Since when it does what it does now: since its end; since the last of its steps that wait began to; since its start. Before that: since people are asked; null: nobody is.',
  })
  get since(): Date | null {
    const { startedAt, endedAt, steps, approval } = this.state;
    if (endedAt !== null || startedAt === null) return dateOf(endedAt ?? approval?.requestedAt ?? null);
    const waits = steps.flatMap(({ status, waitingSince }) => (status === 'WAITING' ? (waitingSince ?? []) : []));
    return dateOf(this.state.status === 'RUNNING' ? startedAt : Math.max(startedAt, ...waits));
  }

  @Field(() => ProblemType, { nullable: true, description: 'What went wrong first in this attempt.' })
  get problem(): ProblemType | null {
    return ProblemType.of(this.state.problem);
  }
}

@ObjectType({ description: 'A group as a release froze it, and where its gate stands.' })
export class ReleaseGroup {
  readonly planned: PlannedGroup;
  readonly state: GroupState;

  constructor(
    readonly parts: ReleaseParts,
    readonly position: number,
  ) {
    this.planned = parts.plan.groups[position] as PlannedGroup;
    this.state = parts.state.groups[position] as GroupState;
  }

  @Field(() => String, { description: 'The name of the group.' })
  get name(): string {
    return this.planned.name;
  }

  @Field(() => [EnvironmentPromotion], { description: 'Its members when the release was created.' })
  get members(): Promise<EnvironmentPromotion[]> {
    return promotionsOf(this.parts, this.planned.members);
  }

  @Field(() => Int, { description: 'How many members must be healthy; of those that no person has skipped.' })
  async required(): Promise<number> {
    // The others count, whatever their status.
    const skipped = this.planned.members.filter((each) => this.parts.state.skips[each] !== undefined);
    const { state } = await this.parts.including(skipped);
    return countOf(this.planned, state).required;
  }

  @Field(() => Duration, { nullable: true, description: 'How long a member has been healthy before it counts.' })
  get soak(): number | null {
    return this.planned.soak ?? null;
  }

  @Field(() => Duration, { nullable: true, description: 'A health that was seen longer ago counts as UNKNOWN.' })
  get freshness(): number | null {
    return this.planned.freshness ?? null;
  }

  @Field(() => Int, { description: 'How many members run at once.' })
  get maxParallel(): number {
    return this.planned.maxParallel;
  }

  @Field(() => Int, { description: 'How many members may fail before no further one starts.' })
  get maxFailures(): number {
    return this.planned.maxFailures;
  }

  @Field(() => GroupStatusEnum, { description: 'Where its gate stands.' })
  get status(): GroupState['status'] {
    return this.state.status;
  }

  @Field(() => String, { nullable: true, description: 'Why, in words.' })
  get reason(): string | null {
    return this.state.reason;
  }

  @Field(() => Date, { nullable: true, description: 'When its gate is asked again.' })
  get recheckAt(): Date | null {
    return dateOf(this.state.recheckAt);
  }
}

/** Those of them that the caller may see; what was not read yet is read. */
export async function promotionsOf(parts: ReleaseParts, positions: readonly number[]): Promise<EnvironmentPromotion[]> {
  return seenOf(await parts.including(positions), positions);
}

/** The same of promotions that were read. */
export function seenOf(parts: ReleaseParts, positions: readonly number[]): EnvironmentPromotion[] {
  return positions.filter((each) => parts.sees(each)).map((each) => new EnvironmentPromotion(parts, each));
}

/** What an environment's promotion is shown with: itself, and its hooks, which stand behind all environments. */
export function withHooks({ promotions }: ReleasePlan, positions: readonly number[]): number[] {
  const wanted = new Set(positions);
  for (const [position, { of }] of promotions.entries()) if (of !== undefined && wanted.has(of)) wanted.add(position);
  return [...wanted];
}
