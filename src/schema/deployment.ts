import { Field, InputType, ObjectType } from 'type-graphql';
import type { Verification } from '../core/release.ts';
import { connectionOf } from './connection.ts';
import { VerificationEnum } from './enums.ts';
import { Version } from './release.ts';

@ObjectType({ description: 'How what is live differs from what was promoted.' })
export class Drift {
  @Field(() => Date, { description: 'When it was first seen.' })
  since!: Date;

  @Field(() => [String], { description: "The files that differ, below the application's folder; at most 20." })
  files!: string[];

  @Field(() => String, { nullable: true, description: 'The commit that touched them last.' })
  commit!: string | null;

  @Field(() => String, { nullable: true, description: 'Who made that commit.' })
  author!: string | null;

  @Field(() => String, { nullable: true, description: "That commit's first line." })
  subject!: string | null;
}

@ObjectType({ description: 'Which version is live in one application: the newest one that a release brought there.' })
export class Deployment {
  releaseId!: string;

  @Field(() => String, { description: 'The name of the product.' })
  productName!: string;

  @Field(() => String, { description: 'The name of the environment.' })
  environmentName!: string;

  @Field(() => String, { description: 'The name of the application.' })
  applicationName!: string;

  @Field(() => Version, { description: 'The version; its commit is the one that brought it there.' })
  version!: Version;

  @Field(() => Date, { description: 'Since when.' })
  at!: Date;

  @Field(() => Date, {
    nullable: true,
    description: 'When it was found healthy and its promotion succeeded; null: not so far.',
  })
  verifiedAt!: Date | null;

  @Field(() => VerificationEnum, { nullable: true, description: 'How it was found good; null: not so far.' })
  verified!: Verification | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When its target was last asked what it holds; null: not since then, or there is nothing to look at.',
  })
  observedAt!: Date | null;

  @Field(() => String, {
    nullable: true,
    description: 'Why the last check of what is live failed; null: it did not, or there was none.',
  })
  unseen!: string | null;

  @Field(() => Drift, {
    nullable: true,
    description:
      'It was changed by hand: the version that is live there is not this one, and has no name. Null: no check has found such a change.',
  })
  drift!: Drift | null;
}

@InputType({ description: 'Which cells of the table of products and environments; everything in it must agree.' })
export class DeploymentSelectorInput {
  @Field(() => [String], { nullable: true, description: 'Names of products.' })
  products?: string[];

  @Field(() => [String], { nullable: true, description: 'Names of environments.' })
  environments?: string[];

  @Field(() => [String], { nullable: true, description: 'Names of applications.' })
  applications?: string[];
}

export const DeploymentConnection = connectionOf('Deployment', Deployment);
