import { Field, InputType, ObjectType } from 'type-graphql';
import type { HealthStatus } from '../core/definitions.ts';
import { Application } from './definition-types.ts';
import { HealthStatusEnum } from './enums.ts';
import { UserError } from './user-errors.ts';

@InputType({ description: 'How an application is, as an outside system or a person saw it.' })
export class HealthReportInput {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => HealthStatusEnum, { description: 'How it is.' })
  status!: HealthStatus;

  @Field(() => String, { nullable: true, description: 'Why, for people.' })
  message?: string;

  @Field(() => Date, {
    nullable: true,
    description:
      'When it was seen; now when left out, or when it has not come yet. Older news than what is known changes nothing.',
  })
  at?: Date;
}

/** What every report of an outside system is answered with. */
@ObjectType()
abstract class ReportPayload {
  @Field(() => Application, { nullable: true, description: 'The application; null when refused.' })
  application!: Application | null;

  @Field(() => Boolean, { description: 'False when something newer was known already.' })
  accepted!: boolean;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What became of a health report.' })
export class HealthReportPayload extends ReportPayload {}

@InputType({ description: 'A report of the commit or version that an application runs.' })
export class DeploymentReportInput {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The commit of its configuration that its target runs: at least seven digits of it.',
  })
  commit?: string;

  @Field(() => String, { nullable: true, description: 'What people call the version that its target runs.' })
  version?: string;

  @Field(() => Date, {
    nullable: true,
    description:
      'When it was seen; now when left out, or when it has not come yet. Older news than what is known changes nothing.',
  })
  at?: Date;
}

@ObjectType({ description: 'What became of a deployment report.' })
export class DeploymentReportPayload extends ReportPayload {}
