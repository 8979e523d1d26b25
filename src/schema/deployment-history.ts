import { Field, ObjectType } from 'type-graphql';
import type { DeploymentEnd } from '../core/deployment-history.ts';
import type { Verification } from '../core/release.ts';
import { connectionOf } from './connection.ts';
import { DeploymentEndEnum, VerificationEnum } from './enums.ts';
import { Version } from './release.ts';

@ObjectType({
  description: 'A version that was brought to an application: from when to when it was the newest one there.',
})
export class PastDeployment {
  releaseId!: string;
  nextReleaseId!: string | null;

  @Field(() => String, { description: 'The name of the product.' })
  productName!: string;

  @Field(() => String, { description: 'The name of the environment.' })
  environmentName!: string;

  @Field(() => String, { description: 'The name of the application.' })
  applicationName!: string;

  @Field(() => Version, { description: 'The version; its commit is the one that brought it there.' })
  version!: Version;

  @Field(() => Date, { description: 'Since when.' })
  since!: Date;

  @Field(() => Date, { nullable: true, description: 'When another one came; null: it is the newest one.' })
  until!: Date | null;

  @Field(() => Date, {
    nullable: true,
    description: 'When it was found healthy and its promotion succeeded; null: it was not.',
  })
  verifiedAt!: Date | null;

  @Field(() => VerificationEnum, { nullable: true, description: 'How it was found good; null: it was not.' })
  verified!: Verification | null;

  @Field(() => DeploymentEndEnum, { description: 'What became of it.' })
  end!: DeploymentEnd;

  @Field(() => String, { nullable: true, description: 'Why it was taken back; null: it was not.' })
  reason!: string | null;
}

export const PastDeploymentConnection = connectionOf('PastDeployment', PastDeployment);
