import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { KeptCursor, KeptPause, GitIdentity as Kept } from '../core/trigger/kept.ts';
import type { FlowJudgement } from '../core/trigger/select-flow.ts';
import { IDEMPOTENCY_KEY } from './definition.ts';
import { UserError } from './user-errors.ts';
import { dateOf } from './values.ts';

/** An application of a trigger environment, as the definitions have it. */
interface TriggerFields {
  application: string;
  product: string;
  environment: string;
  interval: number;
  repository: string | null;
  branch: string | null;
}

@ObjectType({ description: 'An application whose changes start releases by themselves, and the last look at it.' })
export class Trigger {
  constructor(
    readonly fields: TriggerFields,
    readonly cursor: KeptCursor | undefined,
    readonly pausedBy: TriggerPause | null,
  ) {}

  @Field(() => String, { description: 'The name of the application.' })
  get applicationName(): string {
    return this.fields.application;
  }

  @Field(() => String, { description: 'The name of its product.' })
  get productName(): string {
    return this.fields.product;
  }

  @Field(() => String, { description: 'The name of the trigger environment.' })
  get environmentName(): string {
    return this.fields.environment;
  }

  @Field(() => String, { nullable: true, description: 'The address of its repository; null: its driver has none.' })
  get repository(): string | null {
    return this.fields.repository;
  }

  @Field(() => String, { nullable: true, description: 'Its branch.' })
  get branch(): string | null {
    return this.fields.branch;
  }

  @Field(() => Int, {
    description: 'How often its repository is asked where no webhook tells of a push, in milliseconds.',
  })
  get interval(): number {
    return this.fields.interval;
  }

  @Field(() => String, {
    nullable: true,
    description: 'The head of the branch at the last look; null: there was none.',
  })
  get head(): string | null {
    return this.cursor?.head ?? null;
  }

  @Field(() => String, { nullable: true, description: 'The commit that brought its content; null: not known yet.' })
  get commit(): string | null {
    return this.cursor?.commit ?? null;
  }

  @Field(() => String, { nullable: true, description: 'Of a driver without commits: what was reported last.' })
  get version(): string | null {
    return this.cursor?.version ?? null;
  }

  @Field(() => Int, { description: 'How often the branch has left the commits that it had.' })
  get epoch(): number {
    return this.cursor?.epoch ?? 0;
  }

  @Field(() => String, { nullable: true, description: 'What came of the last change.' })
  get outcome(): string | null {
    return this.cursor?.outcome ?? null;
  }

  @Field(() => Date, { nullable: true, description: 'When the last change was found.' })
  get movedAt(): Date | null {
    return this.cursor?.movedAt ?? null;
  }

  @Field(() => Date, {
    nullable: true,
    description: 'When it was looked at the last time; a look that finds nothing new at the host is not noted here.',
  })
  get lookedAt(): Date | null {
    return this.cursor?.lookedAt ?? null;
  }

  @Field(() => String, { nullable: true, description: 'Why the last look failed; null: it did not.' })
  get error(): string | null {
    return this.cursor?.error ?? null;
  }

  @Field(() => TriggerPause, { nullable: true, description: 'What pauses it now; null: nothing.' })
  get pause(): TriggerPause | null {
    return this.pausedBy;
  }
}

@ObjectType({ description: 'Automatic triggers that are paused: candidates are made, and wait.' })
export class TriggerPause {
  constructor(readonly fields: KeptPause) {}

  @Field(() => ID, { description: 'Its id.' })
  get id(): string {
    return this.fields.id;
  }

  @Field(() => String, { nullable: true, description: 'The name of the product; null: all products.' })
  get productName(): string | null {
    return this.fields.product;
  }

  @Field(() => String, { description: 'Why.' })
  get reason(): string {
    return this.fields.reason;
  }

  @Field(() => String, {
    nullable: true,
    description: 'Who did it; null: a caller without a name, or Sluice when it was updated.',
  })
  get by(): string | null {
    return this.fields.by;
  }

  @Field(() => Date, { description: 'Since when.' })
  get since(): Date {
    return new Date(this.fields.since);
  }

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; null: when it is resumed.' })
  get until(): Date | null {
    return dateOf(this.fields.until);
  }
}

@InputType({ description: 'What to pause, and why.' })
export class TriggerPauseInput {
  @Field(() => String, { nullable: true, description: 'The name of the product; every product when left out.' })
  product?: string;

  @Field(() => String, { description: 'Why; shown with what waits for it.' })
  reason!: string;

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; when it is resumed, if left out.' })
  until?: Date;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'What to resume.' })
export class TriggerResumeInput {
  @Field(() => String, {
    nullable: true,
    description:
      'The name of the product: its own pauses end. When left out, those of all products do; one is not the other.',
  })
  product?: string;
}

@ObjectType({ description: 'What became of the pauses.' })
export class TriggerPausePayload {
  @Field(() => [TriggerPause], { description: 'Those that were made or ended; none when refused.' })
  pauses!: TriggerPause[];

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'Whose commits those of an address are.' })
export class GitIdentity {
  constructor(readonly fields: Kept) {}

  @Field(() => String, { description: 'The address, in small letters.' })
  get email(): string {
    return this.fields.email;
  }

  @Field(() => String, { description: 'The name of the user, as grants have it.' })
  get user(): string {
    return this.fields.user;
  }

  @Field(() => String, { nullable: true, description: 'Who said so.' })
  get by(): string | null {
    return this.fields.by;
  }

  @Field(() => Date, { description: 'When.' })
  get at(): Date {
    return this.fields.at;
  }
}

@InputType({ description: 'Whose commits those of an address are.' })
export class GitIdentitySetInput {
  @Field(() => String, { description: 'The address, as commits have it.' })
  email!: string;

  @Field(() => String, { description: 'The name of the user, as grants have it.' })
  user!: string;
}

@InputType({ description: 'Which address.' })
export class GitIdentityDeleteInput {
  @Field(() => String, { description: 'The address, as commits have it.' })
  email!: string;
}

@ObjectType({ description: 'What became of the identity.' })
export class GitIdentityPayload {
  @Field(() => GitIdentity, { nullable: true, description: 'The identity; null when it was deleted or refused.' })
  identity!: GitIdentity | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What would come of a push, for one application.' })
export class TriggerOutcome {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => String, { description: 'The name of its product.' })
  product!: string;

  @Field(() => String, { description: 'The name of the trigger environment.' })
  environment!: string;

  @Field(() => String, { description: 'In words.' })
  outcome!: string;
}

@ObjectType({ description: 'What would come of a push.' })
export class TriggerExplanation {
  @Field(() => String, { nullable: true, description: 'Why nothing here looks at it; null: applications do.' })
  nothing!: string | null;

  @Field(() => [TriggerOutcome], { description: 'Application by application; only those that the caller sees.' })
  applications!: TriggerOutcome[];
}

@ObjectType({ description: 'Of one flow whether a change would travel it, and why it would or not.' })
export class FlowConsidered {
  static of({ flow: flowName, taken: isTaken, entry, reason }: FlowJudgement): FlowConsidered {
    return Object.assign(new FlowConsidered(), { flowName, isTaken, entry, reason });
  }

  @Field(() => String, { description: 'The name of the flow.' })
  flowName!: string;

  @Field(() => Boolean, { description: 'Whether it is the one that would be taken; at most one is.' })
  isTaken!: boolean;

  @Field(() => Int, {
    nullable: true,
    description:
      "By which entry of the product's `promotionFlows` it was looked at, counted from 0; null: by its own productSelector, or not at all.",
  })
  entry!: number | null;

  @Field(() => String, { description: 'Why, in words.' })
  reason!: string;
}

@ObjectType({ description: 'Which flow a change in a trigger environment would travel.' })
export class FlowSelectionExplanation {
  @Field(() => String, { description: 'The name of the trigger environment.' })
  environment!: string;

  @Field(() => String, { nullable: true, description: 'The name of the flow; null: none.' })
  flow!: string | null;

  @Field(() => [String], { description: 'For each flow in question why it was taken or not, in order.' })
  explanation!: string[];

  @Field(() => [FlowConsidered], {
    description: 'Every flow, by name, the draft among them: also those that the rules did not come to.',
  })
  flows!: FlowConsidered[];
}
