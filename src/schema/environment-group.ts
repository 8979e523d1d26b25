import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { Gate } from '../core/definitions.ts';
import { GatePolicyEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { Node } from './node.ts';
import { EnvironmentSelectorInput, EnvironmentSelectorType } from './selector.ts';
import { UserError } from './user-errors.ts';
import { Duration } from './values.ts';

const POLICY = 'How many of the members must be healthy.';
const COUNT = 'For AT_LEAST: how many.';
const PERCENT = 'For AT_LEAST: how many of a hundred, rounded up; 50 of three is two.';
const SOAK =
  'How long a member has been HEALTHY without a break before it counts; a look that finds it so is enough when left out. ' +
  'DEGRADED and PROGRESSING begin it anew, UNKNOWN stops the clock.';
const FRESHNESS =
  'A health that was seen longer ago counts as UNKNOWN, at least 10 seconds; the newest one counts when left out.';
const UNKNOWN = 'How long a health of UNKNOWN may hold the gate before it fails; 15 minutes when left out.';

@ObjectType('EnvironmentGate', { description: 'When a group counts as done.' })
export class GateType {
  @Field(() => GatePolicyEnum, { description: POLICY })
  policy!: Gate['policy'];

  @Field(() => Int, { nullable: true, description: COUNT })
  count!: number | null;

  @Field(() => Int, { nullable: true, description: PERCENT })
  percent!: number | null;

  @Field(() => Duration, { nullable: true, description: SOAK })
  soak!: number | null;

  @Field(() => Duration, { nullable: true, description: FRESHNESS })
  freshness!: number | null;

  @Field(() => Duration, { nullable: true, description: UNKNOWN })
  unknownTimeout!: number | null;
}

@InputType('EnvironmentGateInput', { description: 'When a group counts as done.' })
export class GateInput {
  @Field(() => GatePolicyEnum, { description: POLICY })
  policy!: Gate['policy'];

  @Field(() => Int, { nullable: true, description: COUNT })
  count?: number;

  @Field(() => Int, { nullable: true, description: PERCENT })
  percent?: number;

  @Field(() => Duration, { nullable: true, description: SOAK })
  soak?: number;

  @Field(() => Duration, { nullable: true, description: FRESHNESS })
  freshness?: number;

  @Field(() => Duration, { nullable: true, description: UNKNOWN })
  unknownTimeout?: number;
}

@ObjectType({
  implements: [Definition, Node],
  description: 'A named set of environments with a gate; a release freezes its members when it is created.',
})
export class EnvironmentGroup extends Definition {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => EnvironmentSelectorType, { description: 'Which environments are its members.' })
  environments!: EnvironmentSelectorType;

  @Field(() => GateType, { description: 'When it counts as done.' })
  gate!: GateType;

  @Field(() => Int, { nullable: true, description: 'How many members are promoted at once; null: no limit.' })
  maxParallel!: number | null;

  @Field(() => Int, { description: 'How many members may fail before no further one starts.' })
  maxFailures!: number;
}

@InputType()
export abstract class EnvironmentGroupInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => GateInput, { nullable: true, description: 'When it counts as done. ALL when left out.' })
  gate?: GateInput;

  @Field(() => Int, { nullable: true, description: 'How many members are promoted at once. No limit when left out.' })
  maxParallel?: number;

  @Field(() => Int, {
    nullable: true,
    description: 'How many members may fail before no further one starts. 0 when left out.',
  })
  maxFailures?: number;
}

@InputType({ description: 'A new environment group.' })
export class EnvironmentGroupCreateInput extends EnvironmentGroupInput {
  @Field(() => EnvironmentSelectorInput, { description: 'Which environments are its members.' })
  environments!: EnvironmentSelectorInput;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to an environment group: what is given replaces what is there, null removes it.' })
export class EnvironmentGroupUpdateInput extends EnvironmentGroupInput {
  @Field(() => EnvironmentSelectorInput, { nullable: true, description: 'Which environments are its members.' })
  environments?: EnvironmentSelectorInput;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of an environment group.' })
export class EnvironmentGroupPayload {
  @Field(() => EnvironmentGroup, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  environmentGroup!: EnvironmentGroup | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const EnvironmentGroupConnection = connectionOf('EnvironmentGroup', EnvironmentGroup);
