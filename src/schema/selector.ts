import { Field, InputType, ObjectType } from 'type-graphql';
import type { EnvironmentKind, MatchExpression } from '../core/definitions.ts';
import { EnvironmentKindEnum, MatchOperatorEnum } from './choices.ts';
import { Label, LabelInput } from './values.ts';

const NAMES = 'Names, where `*` stands for anything, e.g. `us-*`; one must match.';
const LABELS = 'Labels that must all be there with these values.';
const EXPRESSIONS = 'Conditions on labels that must all hold.';
const KINDS = 'Kinds; one must match.';

@ObjectType('MatchExpression', { description: 'A condition on one label, as in Kubernetes.' })
export class MatchExpressionType {
  @Field(() => String, { description: 'The key of the label.' })
  key!: string;

  @Field(() => MatchOperatorEnum, { description: 'The condition.' })
  operator!: MatchExpression['operator'];

  @Field(() => [String], { nullable: true, description: 'What the value is compared with, for IN and NOT_IN.' })
  values!: string[] | null;
}

@InputType({ description: 'A condition on one label, as in Kubernetes.' })
export class MatchExpressionInput {
  @Field(() => String, { description: 'The key of the label.' })
  key!: string;

  @Field(() => MatchOperatorEnum, { description: 'The condition.' })
  operator!: MatchExpression['operator'];

  @Field(() => [String], { nullable: true, description: 'What the value is compared with, for IN and NOT_IN.' })
  values?: string[];
}

@ObjectType('Selector', {
  description: 'Chooses things by name and label; everything in it must agree, an empty one takes all.',
})
export class SelectorType {
  @Field(() => [String], { nullable: true, description: NAMES })
  names!: string[] | null;

  @Field(() => [Label], { nullable: true, description: LABELS })
  matchLabels!: Label[] | null;

  @Field(() => [MatchExpressionType], { nullable: true, description: EXPRESSIONS })
  matchExpressions!: MatchExpressionType[] | null;
}

@InputType({ description: 'Chooses things by name and label; everything in it must agree, an empty one takes all.' })
export class SelectorInput {
  @Field(() => [String], { nullable: true, description: NAMES })
  names?: string[];

  @Field(() => [LabelInput], { nullable: true, description: LABELS })
  matchLabels?: LabelInput[];

  @Field(() => [MatchExpressionInput], { nullable: true, description: EXPRESSIONS })
  matchExpressions?: MatchExpressionInput[];
}

@ObjectType('EnvironmentSelector', { description: 'Chooses environments by name, label and kind.' })
export class EnvironmentSelectorType extends SelectorType {
  @Field(() => [EnvironmentKindEnum], { nullable: true, description: KINDS })
  kinds!: EnvironmentKind[] | null;
}

@InputType({ description: 'Chooses environments by name, label and kind.' })
export class EnvironmentSelectorInput extends SelectorInput {
  @Field(() => [EnvironmentKindEnum], { nullable: true, description: KINDS })
  kinds?: EnvironmentKind[];
}
