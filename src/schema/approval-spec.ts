import { Field, InputType, Int, ObjectType } from 'type-graphql';
import type { ApprovalSpec } from '../core/definitions.ts';
import { DEFAULT_APPROVAL_EXPIRY } from '../core/definitions.ts';
import { OnExpiryEnum } from './choices.ts';
import { Duration } from './values.ts';

const NAME = 'What it is called, for people.';
const COUNT = 'How many people it takes. One person counts for one rule; the best assignment is found.';
const USERS =
  'Names of people or service accounts. A rule without users, groups and roles takes anyone who may approve.';
const GROUPS = 'Names of groups whose members count.';
const ROLES = 'Names of roles whose holders count.';
const RULES = 'All of them must be met. An empty list asks for one approval, by anyone who may approve.';
const FORBID_INITIATOR = 'Whether the approval of whoever triggered the release does not count.';
const EXPIRY = 'How long it may take from the moment that it is asked for, which is when the dependencies are met.';
const ON_EXPIRY = 'What happens when that is over.';

@ObjectType('ApprovalRule', { description: 'How many of which people must approve.' })
export class ApprovalRuleType {
  @Field(() => String, { nullable: true, description: NAME })
  name!: string | null;

  @Field(() => Int, { description: COUNT })
  count!: number;

  @Field(() => [String], { nullable: true, description: USERS })
  users!: string[] | null;

  @Field(() => [String], { nullable: true, description: GROUPS })
  groups!: string[] | null;

  @Field(() => [String], { nullable: true, description: ROLES })
  roles!: string[] | null;
}

@ObjectType('ApprovalPolicy', { description: 'Who must agree before a promotion starts.' })
export class ApprovalSpecType {
  @Field(() => [ApprovalRuleType], { description: RULES })
  rules!: ApprovalRuleType[];

  @Field(() => Boolean, { description: FORBID_INITIATOR })
  forbidInitiator!: boolean;

  @Field(() => Duration, { description: EXPIRY })
  expiry!: number;

  @Field(() => OnExpiryEnum, { description: ON_EXPIRY })
  onExpiry!: ApprovalSpec['onExpiry'];
}

@InputType({ description: 'How many of which people must approve.' })
export class ApprovalRuleInput {
  static readonly fallbacks = { count: 1 };

  @Field(() => String, { nullable: true, description: NAME })
  name?: string;

  @Field(() => Int, { nullable: true, description: `${COUNT} 1 when left out.` })
  count?: number;

  @Field(() => [String], { nullable: true, description: USERS })
  users?: string[];

  @Field(() => [String], { nullable: true, description: GROUPS })
  groups?: string[];

  @Field(() => [String], { nullable: true, description: ROLES })
  roles?: string[];
}

@InputType('ApprovalPolicyInput', { description: 'Who must agree before a promotion starts.' })
export class ApprovalSpecInput {
  static readonly fallbacks = {
    rules: [],
    forbidInitiator: true,
    expiry: DEFAULT_APPROVAL_EXPIRY,
    onExpiry: 'FAIL',
  };

  @Field(() => [ApprovalRuleInput], { nullable: true, description: RULES })
  rules?: ApprovalRuleInput[];

  @Field(() => Boolean, { nullable: true, description: `${FORBID_INITIATOR} True when left out.` })
  forbidInitiator?: boolean;

  @Field(() => Duration, { nullable: true, description: `${EXPIRY} 24 hours when left out.` })
  expiry?: number;

  @Field(() => OnExpiryEnum, { nullable: true, description: `${ON_EXPIRY} FAIL when left out.` })
  onExpiry?: ApprovalSpec['onExpiry'];
}
