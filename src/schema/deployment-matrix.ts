import { Field, Int, ObjectType } from 'type-graphql';
import type { Comparison as Compared } from '../core/deployment-matrix.ts';
import type { HealthStatus } from '../core/definitions.ts';
import type { PromotionStatus } from '../core/release.ts';
import { BadVersion } from './bad-version.ts';
import { connectionOf } from './connection.ts';
import { Deployment } from './deployment.ts';
import { EnvironmentHold } from './environment-hold.ts';
import { ComparisonRelationEnum, HealthStatusEnum, PromotionStatusEnum } from './enums.ts';
import { VersionNameType } from './rollback-plan.ts';

@ObjectType({ description: 'The health of what is live, as it was seen last: nothing is asked for it.' })
export class SeenHealth {
  @Field(() => HealthStatusEnum, {
    description: 'By the newest report, or by the promotion that brought it; UNKNOWN: neither has told yet.',
  })
  status!: HealthStatus;

  @Field(() => Date, { nullable: true, description: 'When it was seen; null: never.' })
  at!: Date | null;
}

@ObjectType({ description: 'A promotion on its way to a place, or at work there.' })
export class PromotionOnItsWay {
  releaseId!: string;

  @Field(() => PromotionStatusEnum, { description: 'Where it is.' })
  status!: PromotionStatus;

  @Field(() => Date, { nullable: true, description: 'When it started there; null: it has not.' })
  startedAt!: Date | null;
}

@ObjectType({ description: 'How the version of an environment relates to the version of another one.' })
export class Comparison implements Omit<Compared, 'relation'> {
  @Field(() => String, {
    nullable: true,
    description: 'The name of the other environment; null: none could be found by itself.',
  })
  to!: string | null;

  @Field(() => ComparisonRelationEnum, { description: 'How they relate.' })
  relation!: Compared['relation'];

  @Field(() => Int, {
    nullable: true,
    description: 'Commits of the source that the other one has and this one has not; null: they could not be counted.',
  })
  behind!: number | null;

  @Field(() => Int, {
    nullable: true,
    description: 'Commits that this one has and the other one has not; null: they could not be counted.',
  })
  ahead!: number | null;

  @Field(() => String, { nullable: true, description: 'What is not known, and why; null: all is.' })
  reason!: string | null;
}

@ObjectType({
  description: 'A product in an environment: what is live, what is on its way, and what stands against it.',
})
export class DeploymentCell {
  product!: string;
  /** The newest deployment of each application. */
  live!: { releaseId: string; at: Date }[];
  /** What was asked for. */
  compareTo!: string | null;

  @Field(() => String, { description: 'The name of the environment.' })
  environmentName!: string;

  @Field(() => VersionNameType, {
    nullable: true,
    description:
      'The version that is live; null: nothing was brought there yet, or its applications run different ones.',
  })
  version!: VersionNameType | null;

  @Field(() => Date, { nullable: true, description: 'Since when; null: nothing was brought there yet.' })
  since!: Date | null;

  @Field(() => SeenHealth, { nullable: true, description: 'How it is; null: nothing was brought there yet.' })
  health!: SeenHealth | null;

  @Field(() => Boolean, { description: 'An application there was changed by hand: `applications` says what.' })
  drifted!: boolean;

  @Field(() => [Deployment], { description: 'What is live in each of its applications, by name.' })
  applications!: Deployment[];

  @Field(() => [PromotionOnItsWay], {
    description: 'What is on its way there: first what is at work, then by the order of the releases; at most 5.',
  })
  inFlight!: PromotionOnItsWay[];

  @Field(() => [EnvironmentHold], { description: 'What holds promotions of the product there now.' })
  holds!: EnvironmentHold[];

  @Field(() => [BadVersion], { description: 'Marks on the version that is live, as far as they count there.' })
  badVersions!: BadVersion[];
}

@ObjectType({ description: 'A row of the table of products and environments.' })
export class DeploymentMatrixRow {
  @Field(() => String, { description: 'The name of the product.' })
  productName!: string;

  @Field(() => [DeploymentCell], {
    description: 'Each environment in which it has an application, by name.',
  })
  cells!: DeploymentCell[];
}

@ObjectType({ description: 'The names along the sides of the table of products and environments.' })
export class DeploymentMatrixAxes {
  @Field(() => [String], { description: 'Of its rows: products that have an application somewhere, by name.' })
  productNames!: string[];

  @Field(() => [String], {
    description: 'Of its columns: environments in which one of them has an application, by name.',
  })
  environmentNames!: string[];

  @Field(() => [String], { description: 'Of `environmentNames` those whose kind is PRODUCTION, by name.' })
  productionNames!: string[];
}

export const DeploymentMatrixConnection = connectionOf('DeploymentMatrixRow', DeploymentMatrixRow);
