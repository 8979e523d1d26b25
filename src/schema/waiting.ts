import { Field, InterfaceType, ObjectType } from 'type-graphql';
import { soaksSince } from '../core/soak.ts';
import type { WaitingReason as Reason } from '../core/waiting.ts';
import { Approval } from './approval.ts';
import { EnvironmentPromotion, promotionsOf, PromotionStep, ReleaseGroup } from './promotion.ts';
import type { ReleaseParts } from './promotion.ts';

@InterfaceType({ description: 'One thing that a release waits for.' })
export abstract class WaitingReason {
  /** The release that it waits for, where it does. */
  releaseId: string | null = null;

  @Field(() => String, { description: 'In words.' })
  message!: string;

  @Field(() => String, { nullable: true, description: 'Who or what can end it; null: time alone.' })
  who!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it can end at the earliest; null: not known.' })
  earliest!: Date | null;

  @Field(() => EnvironmentPromotion, {
    nullable: true,
    description: 'The promotion that waits; null: the whole release does.',
  })
  promotion!: EnvironmentPromotion | null;
}

@ObjectType({ implements: WaitingReason, description: 'Another release of the product goes first.' })
export class WaitingForTurn extends WaitingReason {}

@ObjectType({ implements: WaitingReason, description: 'What comes before it in the flow has not succeeded yet.' })
export class WaitingForDependencies extends WaitingReason {
  @Field(() => [EnvironmentPromotion], { description: 'The promotions that are still open.' })
  promotions!: Promise<EnvironmentPromotion[]>;

  @Field(() => [ReleaseGroup], { description: 'The groups whose gates are still open.' })
  groups!: ReleaseGroup[];
}

@ObjectType({ implements: WaitingReason, description: 'As many members of its group run as may at once.' })
export class WaitingForGroup extends WaitingReason {
  @Field(() => ReleaseGroup, { description: 'The group.' })
  group!: ReleaseGroup;
}

@ObjectType({ implements: WaitingReason, description: 'Another release of the product is at work in the environment.' })
export class WaitingForEnvironment extends WaitingReason {}

@ObjectType({ implements: WaitingReason, description: 'A release window of the environment is closed.' })
export class WaitingForWindow extends WaitingReason {
  @Field(() => [String], { description: 'The names of the release windows that decide.' })
  windowNames!: string[];
}

@ObjectType({ implements: WaitingReason, description: 'As many environments of a rollback go back as may at once.' })
export class WaitingForLimit extends WaitingReason {}

@ObjectType({
  implements: WaitingReason,
  description: 'The members of a group have succeeded, and not enough of them are healthy now.',
})
export class WaitingForGroupHealth extends WaitingReason {
  @Field(() => ReleaseGroup, { description: 'The group.' })
  group!: ReleaseGroup;
}

@ObjectType({
  implements: WaitingReason,
  description: 'A target does not run the change yet, or could not be asked.',
})
export class WaitingForSync extends WaitingReason {
  @Field(() => PromotionStep, { description: 'The step that waits.' })
  step!: PromotionStep;
}

@ObjectType({ implements: WaitingReason, description: 'An application is not healthy yet.' })
export class WaitingForHealth extends WaitingReason {
  @Field(() => PromotionStep, { description: 'The step that waits.' })
  step!: PromotionStep;
}

@ObjectType({ implements: WaitingReason, description: 'An application must stay healthy for a while.' })
export class WaitingForSoak extends WaitingReason {
  @Field(() => PromotionStep, { description: 'The step that waits.' })
  step!: PromotionStep;

  @Field(() => Date, { nullable: true, description: 'Since when it has been healthy.' })
  healthySince!: Date | null;
}

@ObjectType({ implements: WaitingReason, description: 'A step failed on the way and is tried again.' })
export class WaitingForRetry extends WaitingReason {
  @Field(() => PromotionStep, { description: 'The step that waits.' })
  step!: PromotionStep;
}

@ObjectType({ implements: WaitingReason, description: 'A change or an action of a workflow is not through yet.' })
export class WaitingForAction extends WaitingReason {
  @Field(() => PromotionStep, { description: 'The step that waits.' })
  step!: PromotionStep;
}

@ObjectType({ implements: WaitingReason, description: 'People have to agree first.' })
export class WaitingForApproval extends WaitingReason {
  @Field(() => Approval, { description: 'Who has to agree, and how far that is.' })
  approval!: Approval;
}

@ObjectType({ implements: WaitingReason, description: 'The environment is on hold.' })
export class WaitingForHold extends WaitingReason {
  /** Bare ids; the resolver reads them. */
  holdIds!: string[];
}

@ObjectType({ implements: WaitingReason, description: 'The version was marked bad for the environment.' })
export class WaitingForVersion extends WaitingReason {
  /** Bare ids; the resolver reads them. */
  badVersionIds!: string[];
}

const STEPS = {
  SYNC: WaitingForSync,
  HEALTH: WaitingForHealth,
  SOAK: WaitingForSoak,
  RETRY: WaitingForRetry,
  ACTION: WaitingForAction,
};

export function toWaitingReason(parts: ReleaseParts, reason: Reason): WaitingReason {
  const promotion = reason.promotion === null ? null : new EnvironmentPromotion(parts, reason.promotion);
  const { message, who } = reason;
  const common = { message, who, earliest: reason.earliest === null ? null : new Date(reason.earliest), promotion };
  switch (reason.kind) {
    case 'TURN':
      return Object.assign(new WaitingForTurn(), common, { releaseId: reason.release });
    case 'ENVIRONMENT':
      return Object.assign(new WaitingForEnvironment(), common, { releaseId: reason.release });
    case 'WINDOW':
      return Object.assign(new WaitingForWindow(), common, { windowNames: reason.windows });
    case 'APPROVAL':
      return Object.assign(new WaitingForApproval(), common, {
        approval: (reason.step === undefined ? promotion : promotion?.steps[reason.step])?.approval as Approval,
      });
    case 'LIMIT':
      return Object.assign(new WaitingForLimit(), common);
    case 'HOLD':
      return Object.assign(new WaitingForHold(), common, { holdIds: reason.holds });
    case 'VERSION':
      return Object.assign(new WaitingForVersion(), common, { badVersionIds: reason.badVersions });
    case 'GROUP':
      return Object.assign(new WaitingForGroup(), common, { group: new ReleaseGroup(parts, reason.group) });
    case 'GROUP_HEALTH':
      return Object.assign(new WaitingForGroupHealth(), common, { group: new ReleaseGroup(parts, reason.group) });
    case 'DEPENDENCIES':
      return Object.assign(new WaitingForDependencies(), common, {
        promotions: promotionsOf(
          parts,
          reason.on.flatMap((on) => ('promotion' in on ? [on.promotion] : [])),
        ),
        groups: reason.on.flatMap((on) => ('group' in on ? [new ReleaseGroup(parts, on.group)] : [])),
      });
    default: {
      const step = promotion?.steps[reason.step] as PromotionStep;
      const since = soaksSince(step.state);
      const healthySince = since === null ? null : new Date(since);
      const more = reason.kind === 'SOAK' ? { healthySince } : {};
      return Object.assign(new STEPS[reason.kind](), common, { step }, more);
    }
  }
}
