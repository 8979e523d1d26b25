import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { AuditOutcome } from '../core/access/index.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { JSONValue } from './values.ts';

export const AuditOutcomeEnum = enumOf<AuditOutcome>('AuditOutcome', 'What became of a command.', {
  DONE: 'It was carried out.',
  REFUSED: 'The command said no, and changed nothing.',
  FORBIDDEN: 'The caller is not allowed to.',
  FAILED: 'Something broke inside; what it had changed by then is not known.',
});

@ObjectType({ description: 'A thing that a command changed.' })
export class AuditObjectType {
  @Field(() => String, { description: 'What it is, e.g. `Product` or `Release`.' })
  kind!: string;

  @Field(() => String, { description: 'Its name or id.' })
  name!: string;
}

@InputType({ description: 'A thing that a command changed; what is left out may be anything.' })
export class AuditObjectInput {
  @Field(() => String, { nullable: true, description: 'What it is, e.g. `Product` or `Release`.' })
  kind?: string;

  @Field(() => String, { nullable: true, description: 'Its name or id.' })
  name?: string;
}

@ObjectType({ description: 'A command: written with what it changed, and never altered.' })
export class AuditEntry {
  @Field(() => ID, { description: 'Its number.' })
  id!: string;

  @Field(() => Date, { description: 'When.' })
  at!: Date;

  @Field(() => String, { nullable: true, description: 'Who; null: a caller without a name.' })
  actor!: string | null;

  @Field(() => String, { nullable: true, description: '`PERSON` or `SERVICE_ACCOUNT`.' })
  actorKind!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      "What showed who it was: the id of a token, `session/` and the id of a session, or the issuer of an identity provider's token.",
  })
  credential!: string | null;

  @Field(() => String, {
    description:
      'The command: the name of the mutation; `pullRequestMergedOutsideGates`: a merge that no gate had let through.',
  })
  action!: string;

  @Field(() => String, {
    description:
      'How it came: `HTTP`, `WEBSOCKET`, `SSE`; `WEB`: by the web app, in a session; `GIT_HOST`: it was done at the host of a repository; `GIT`: a git source was synced.',
  })
  transport!: string;

  @Field(() => String, { nullable: true, description: 'From which network address.' })
  address!: string | null;

  @Field(() => String, { nullable: true, description: 'With which program, as it says itself.' })
  userAgent!: string | null;

  @Field(() => JSONValue, { description: 'What was asked for, secrets masked.' })
  input!: unknown;

  @Field(() => AuditOutcomeEnum, { description: 'What became of it.' })
  outcome!: AuditOutcome;

  @Field(() => [String], { description: 'Why not, where it was refused.' })
  reasons!: string[];

  @Field(() => [AuditObjectType], { description: 'What it changed.' })
  objects!: AuditObjectType[];

  @Field(() => JSONValue, { nullable: true, description: 'As it was before, secrets masked.' })
  before!: unknown;

  @Field(() => JSONValue, { nullable: true, description: 'As it was afterwards, secrets masked.' })
  after!: unknown;
}

@InputType({ description: 'Which entries; all that are given must fit.' })
export class AuditFilterInput {
  @Field(() => String, { nullable: true, description: 'By this caller.' })
  actor?: string;

  @Field(() => [String], { nullable: true, description: 'One of these commands, e.g. `releaseTrigger`.' })
  actions?: string[];

  @Field(() => [AuditOutcomeEnum], { nullable: true, description: 'With one of these outcomes.' })
  outcomes?: AuditOutcome[];

  @Field(() => AuditObjectInput, { nullable: true, description: 'That changed this thing.' })
  object?: AuditObjectInput;

  @Field(() => Date, { nullable: true, description: 'At this moment or later.' })
  since?: Date;

  @Field(() => Date, { nullable: true, description: 'Before this moment.' })
  until?: Date;
}

export const AuditConnection = connectionOf('AuditEntry', AuditEntry);
