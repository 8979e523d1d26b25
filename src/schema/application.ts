import { Extensions, Field, InputType, Int, ObjectType } from 'type-graphql';
import type {
  DriverSpec,
  HealthSourceSpec,
  HealthStatus,
  SimulateDriverSpec,
  SyncSourceSpec,
} from '../core/definitions.ts';
import { DriverTypeEnum, HealthSourceTypeEnum, SimulatedFailureEnum, SyncSourceTypeEnum } from './choices.ts';
import { connectionOf } from './connection.ts';
import { Definition, DefinitionInput, EXPECTED_REVISION, IDEMPOTENCY_KEY } from './definition.ts';
import { HealthStatusEnum } from './enums.ts';
import { Node } from './node.ts';
import { OneOfInput } from './spec-input.ts';
import { UserError } from './user-errors.ts';
import { Duration, Label, LabelInput } from './values.ts';

@ObjectType({ description: 'A folder of a git repository.' })
export class GitDriver {
  @Field(() => String, { description: 'The address of the repository.' })
  repoURL!: string;

  @Field(() => String, { description: 'The branch; what Argo CD calls targetRevision.' })
  branch!: string;

  @Field(() => String, { description: "The application's folder, without a leading slash; `.` is the root." })
  path!: string;
}

@InputType({ description: 'A folder of a git repository.' })
export class GitDriverInput {
  @Field(() => String, { description: 'The address of the repository.' })
  repoURL!: string;

  @Field(() => String, { description: 'The branch; what Argo CD calls targetRevision.' })
  branch!: string;

  @Field(() => String, { description: "The application's folder, without a leading slash; `.` is the root." })
  path!: string;
}

@ObjectType({ description: 'Changes nothing: it only takes its time. For demonstrations and tests.' })
export class SimulateDriver {
  @Field(() => Duration, { nullable: true, description: 'How long a change takes.' })
  duration!: number | null;

  @Field(() => Int, { nullable: true, description: 'How many times it fails before it succeeds; -1: always.' })
  failures!: number | null;

  @Field(() => SimulatedFailureEnum, { nullable: true, description: 'What a failure looks like.' })
  failure!: SimulateDriverSpec['failure'] | null;
}

@InputType({ description: 'Changes nothing: it only takes its time. For demonstrations and tests.' })
export class SimulateDriverInput {
  @Field(() => Duration, { nullable: true, description: 'How long a change takes.' })
  duration?: number;

  @Field(() => Int, { nullable: true, description: 'How many times it fails before it succeeds; -1: always.' })
  failures?: number;

  @Field(() => SimulatedFailureEnum, { nullable: true, description: 'What a failure looks like.' })
  failure?: SimulateDriverSpec['failure'];
}

@ObjectType({ description: 'How an application is changed: the field of its type is set.' })
export class ApplicationDriver {
  @Field(() => DriverTypeEnum, { description: 'Which of the fields is set.' })
  type!: DriverSpec['type'];

  @Field(() => GitDriver, { nullable: true, description: 'By a commit into a git repository.' })
  git!: GitDriver | null;

  @Field(() => SimulateDriver, { nullable: true, description: 'Not at all.' })
  simulate!: SimulateDriver | null;
}

@Extensions({ oneOf: true })
@InputType({ description: 'How an application is changed: exactly one of the fields.' })
export class ApplicationDriverInput extends OneOfInput {
  static readonly choices = ['git', 'simulate'];

  @Field(() => GitDriverInput, { nullable: true, description: 'By a commit into a git repository.' })
  git?: GitDriverInput;

  @Field(() => SimulateDriverInput, { nullable: true, description: 'Not at all.' })
  simulate?: SimulateDriverInput;
}

const GRACE = 'What is seen within this time after the change decides nothing.';
const THRESHOLD =
  'How many looks in a row must find it DEGRADED before that counts; 3 for `http` when left out, 1 for `simulate`.';

@ObjectType({ description: 'An address that is asked: 2xx is HEALTHY, anything else DEGRADED, no answer UNKNOWN.' })
export class HttpHealthSource {
  @Field(() => String, { description: 'The address.' })
  url!: string;

  @Field(() => [Label], {
    nullable: true,
    description: 'Headers that are sent; `${secrets.NAME}` is the value of a secret.',
  })
  headers!: Label[] | null;

  @Field(() => Duration, { nullable: true, description: 'How often it is asked.' })
  interval!: number | null;

  @Field(() => Duration, { nullable: true, description: 'How long it may take to answer.' })
  timeout!: number | null;

  @Field(() => Duration, { nullable: true, description: GRACE })
  grace!: number | null;

  @Field(() => Int, { nullable: true, description: THRESHOLD })
  failureThreshold!: number | null;
}

@InputType({ description: 'An address that is asked: 2xx is HEALTHY, anything else DEGRADED, no answer UNKNOWN.' })
export class HttpHealthSourceInput {
  @Field(() => String, { description: 'The address.' })
  url!: string;

  @Field(() => [LabelInput], {
    nullable: true,
    description: 'Headers to send; `${secrets.NAME}` is the value of a secret.',
  })
  headers?: LabelInput[];

  @Field(() => Duration, { nullable: true, description: 'How often it is asked.' })
  interval?: number;

  @Field(() => Duration, { nullable: true, description: 'How long it may take to answer.' })
  timeout?: number;

  @Field(() => Duration, { nullable: true, description: GRACE })
  grace?: number;

  @Field(() => Int, { nullable: true, description: THRESHOLD })
  failureThreshold?: number;
}

@ObjectType({ description: 'A given sequence. For demonstrations and tests.' })
export class SimulateHealthSource {
  @Field(() => [HealthStatusEnum], { nullable: true, description: 'One after the other; the last one stays.' })
  sequence!: HealthStatus[] | null;

  @Field(() => Duration, { nullable: true, description: 'How long each of them lasts.' })
  interval!: number | null;

  @Field(() => [String], {
    nullable: true,
    description: 'What people call the versions that are DEGRADED once they are there.',
  })
  degraded!: string[] | null;

  @Field(() => Duration, { nullable: true, description: GRACE })
  grace!: number | null;

  @Field(() => Int, { nullable: true, description: THRESHOLD })
  failureThreshold!: number | null;
}

@InputType({ description: 'A given sequence. For demonstrations and tests.' })
export class SimulateHealthSourceInput {
  @Field(() => [HealthStatusEnum], { nullable: true, description: 'One after the other; the last one stays.' })
  sequence?: HealthStatus[];

  @Field(() => Duration, { nullable: true, description: 'How long each of them lasts.' })
  interval?: number;

  @Field(() => [String], {
    nullable: true,
    description: 'What people call the versions that are DEGRADED once they are there.',
  })
  degraded?: string[];

  @Field(() => Duration, { nullable: true, description: GRACE })
  grace?: number;

  @Field(() => Int, { nullable: true, description: THRESHOLD })
  failureThreshold?: number;
}

@ObjectType({ description: 'Where the health of an application is known from.' })
export class ApplicationHealthSource {
  @Field(() => HealthSourceTypeEnum, { description: 'Which source; HTTP and SIMULATE have a field of their own.' })
  type!: HealthSourceSpec['type'];

  @Field(() => HttpHealthSource, { nullable: true, description: 'An address that is asked.' })
  http!: HttpHealthSource | null;

  @Field(() => SimulateHealthSource, { nullable: true, description: 'A given sequence.' })
  simulate!: SimulateHealthSource | null;
}

@Extensions({ oneOf: true })
@InputType({ description: 'Where the health of an application is known from: exactly one of the fields.' })
export class ApplicationHealthSourceInput extends OneOfInput {
  static readonly choices = ['none', 'report', 'http', 'simulate'];

  @Field(() => Boolean, {
    nullable: true,
    description: '`true`: nowhere; it counts as healthy as soon as its change is made.',
  })
  none?: boolean;

  @Field(() => Boolean, { nullable: true, description: '`true`: somebody tells, with `healthReport`.' })
  report?: boolean;

  @Field(() => HttpHealthSourceInput, { nullable: true, description: 'An address that is asked.' })
  http?: HttpHealthSourceInput;

  @Field(() => SimulateHealthSourceInput, { nullable: true, description: 'A given sequence.' })
  simulate?: SimulateHealthSourceInput;
}

const LIMIT = 'How long it may take until the target runs a change; 15 minutes when left out.';
const JSON_PATH = 'Where in the answer the commit or the version stands; the whole answer, as text, when left out.';
const RUNS = 'An address that answers which commit or version runs.';
const TOLD = 'Somebody tells, with `deploymentReport`.';
const AFTER = 'How long after its change the target runs it; at once when left out.';
const NEVER = 'What people call the versions that the target never runs.';
const SIMULATED = 'A target that runs a change after a given time. For demonstrations and tests.';

@ObjectType({ description: RUNS })
export class HttpSyncSource {
  @Field(() => String, { description: 'The address.' })
  url!: string;

  @Field(() => String, { nullable: true, description: JSON_PATH })
  jsonPath!: string | null;

  @Field(() => [Label], {
    nullable: true,
    description: 'Headers that are sent; `${secrets.NAME}` is the value of a secret.',
  })
  headers!: Label[] | null;

  @Field(() => Duration, { nullable: true, description: 'How often it is asked.' })
  interval!: number | null;

  @Field(() => Duration, { nullable: true, description: 'How long it may take to answer.' })
  timeout!: number | null;

  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit!: number | null;
}

@InputType({ description: RUNS })
export class HttpSyncSourceInput {
  @Field(() => String, { description: 'The address.' })
  url!: string;

  @Field(() => String, { nullable: true, description: JSON_PATH })
  jsonPath?: string;

  @Field(() => [LabelInput], {
    nullable: true,
    description: 'Headers to send; `${secrets.NAME}` is the value of a secret.',
  })
  headers?: LabelInput[];

  @Field(() => Duration, { nullable: true, description: 'How often it is asked.' })
  interval?: number;

  @Field(() => Duration, { nullable: true, description: 'How long it may take to answer.' })
  timeout?: number;

  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit?: number;
}

@ObjectType({ description: TOLD })
export class ReportSyncSource {
  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit!: number | null;
}

@InputType({ description: TOLD })
export class ReportSyncSourceInput {
  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit?: number;
}

@ObjectType({ description: SIMULATED })
export class SimulateSyncSource {
  @Field(() => Duration, { nullable: true, description: AFTER })
  after!: number | null;

  @Field(() => [String], { nullable: true, description: NEVER })
  never!: string[] | null;

  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit!: number | null;
}

@InputType({ description: SIMULATED })
export class SimulateSyncSourceInput {
  @Field(() => Duration, { nullable: true, description: AFTER })
  after?: number;

  @Field(() => [String], { nullable: true, description: NEVER })
  never?: string[];

  @Field(() => Duration, { nullable: true, description: LIMIT })
  limit?: number;
}

@ObjectType({ description: 'Who is asked whether the target of an application runs a change.' })
export class ApplicationSyncSource {
  @Field(() => SyncSourceTypeEnum, { description: 'Which source; all but NONE have a field of their own.' })
  type!: SyncSourceSpec['type'];

  @Field(() => HttpSyncSource, { nullable: true, description: RUNS })
  http!: HttpSyncSource | null;

  @Field(() => ReportSyncSource, { nullable: true, description: TOLD })
  report!: ReportSyncSource | null;

  @Field(() => SimulateSyncSource, { nullable: true, description: SIMULATED })
  simulate!: SimulateSyncSource | null;
}

@Extensions({ oneOf: true })
@InputType({
  description: 'Who is asked whether the target of an application runs a change: exactly one of the fields.',
})
export class ApplicationSyncSourceInput extends OneOfInput {
  static readonly choices = ['none', 'http', 'report', 'simulate'];

  @Field(() => Boolean, {
    nullable: true,
    description: '`true`: nobody; a healthy application is taken for the changed one.',
  })
  none?: boolean;

  @Field(() => HttpSyncSourceInput, { nullable: true, description: RUNS })
  http?: HttpSyncSourceInput;

  @Field(() => ReportSyncSourceInput, { nullable: true, description: TOLD })
  report?: ReportSyncSourceInput;

  @Field(() => SimulateSyncSourceInput, { nullable: true, description: SIMULATED })
  simulate?: SimulateSyncSourceInput;
}

@ObjectType({ implements: [Definition, Node], description: "A product's deployable in one environment." })
export class Application extends Definition {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description!: string | null;

  @Field(() => String, {
    nullable: true,
    description: "Pairs it with the trigger environment's application of that component, where it has several.",
  })
  component!: string | null;

  @Field(() => ApplicationDriver, { description: 'How it is changed.' })
  driver!: ApplicationDriver;

  @Field(() => ApplicationHealthSource, { description: 'Where its health is known from.' })
  health!: ApplicationHealthSource;

  @Field(() => ApplicationSyncSource, {
    nullable: true,
    description: 'Who is asked whether its target runs a change; null: nobody.',
  })
  sync!: ApplicationSyncSource | null;

  @Field(() => String, { nullable: true, description: 'Given to workflows as APP_NAMESPACE.' })
  namespace!: string | null;

  @Field(() => String, { nullable: true, description: 'Given to workflows as RUNTIME.' })
  runtime!: string | null;
}

@InputType()
export abstract class ApplicationInput extends DefinitionInput {
  @Field(() => String, { nullable: true, description: 'What it is, for people.' })
  description?: string;

  @Field(() => String, {
    nullable: true,
    description: "Pairs it with the trigger environment's application of that component, where it has several.",
  })
  component?: string;

  @Field(() => ApplicationHealthSourceInput, {
    nullable: true,
    description: 'Where its health is known from. `none` when left out.',
  })
  health?: ApplicationHealthSourceInput;

  @Field(() => ApplicationSyncSourceInput, {
    nullable: true,
    description: 'Who is asked whether its target runs a change, before its health is. Nobody when left out.',
  })
  sync?: ApplicationSyncSourceInput;

  @Field(() => String, { nullable: true, description: 'Given to workflows as APP_NAMESPACE.' })
  namespace?: string;

  @Field(() => String, { nullable: true, description: 'Given to workflows as RUNTIME.' })
  runtime?: string;
}

@InputType({ description: 'A new application.' })
export class ApplicationCreateInput extends ApplicationInput {
  @Field(() => String, { description: 'The name of the product that it belongs to.' })
  product!: string;

  @Field(() => String, { description: 'The name of the environment that it is deployed to.' })
  environment!: string;

  @Field(() => ApplicationDriverInput, { description: 'How it is changed.' })
  driver!: ApplicationDriverInput;

  @Field(() => String, { nullable: true, description: IDEMPOTENCY_KEY })
  idempotencyKey?: string;
}

@InputType({ description: 'Changes to an application: what is given replaces what is there, null removes it.' })
export class ApplicationUpdateInput extends ApplicationInput {
  @Field(() => String, { nullable: true, description: 'The name of the product that it belongs to.' })
  product?: string;

  @Field(() => String, { nullable: true, description: 'The name of the environment that it is deployed to.' })
  environment?: string;

  @Field(() => ApplicationDriverInput, { nullable: true, description: 'How it is changed.' })
  driver?: ApplicationDriverInput;

  @Field(() => Int, { nullable: true, description: EXPECTED_REVISION })
  expectedRevision?: number;
}

@ObjectType({ description: 'What became of an application.' })
export class ApplicationPayload {
  @Field(() => Application, {
    nullable: true,
    description: 'As it is now, or as it was before it was deleted; null when refused.',
  })
  application!: Application | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@InputType({ description: 'How an application is, told by somebody who knows.' })
export class HealthReportInput {
  @Field(() => String, { description: 'The name of the application.' })
  application!: string;

  @Field(() => HealthStatusEnum, { description: 'How it is.' })
  status!: HealthStatus;

  @Field(() => String, { nullable: true, description: 'Why, for people.' })
  message?: string;

  @Field(() => Date, {
    nullable: true,
    description: 'When it was seen; now when left out. Older news than what is known changes nothing.',
  })
  at?: Date;
}

@ObjectType({ description: 'What became of a health report.' })
export class HealthReportPayload {
  @Field(() => Application, { nullable: true, description: 'The application; null when refused.' })
  application!: Application | null;

  @Field(() => Boolean, { description: 'False when something newer was known already.' })
  accepted!: boolean;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const ApplicationConnection = connectionOf('Application', Application);
