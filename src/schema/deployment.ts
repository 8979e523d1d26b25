import { Field, InputType, ObjectType } from 'type-graphql';
import { connectionOf } from './connection.ts';
import { Version } from './release.ts';

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
