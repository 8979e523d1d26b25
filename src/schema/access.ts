import { Field, ID, InputType, ObjectType } from 'type-graphql';
import type { Role, SubjectKind } from '../core/access/index.ts';
import { connectionOf } from './connection.ts';
import { enumOf } from './enums.ts';
import { EnvironmentSelectorInput, EnvironmentSelectorType, SelectorInput, SelectorType } from './selector.ts';
import { UserError } from './user-errors.ts';

export const RoleEnum = enumOf<Role>('Role', 'A set of permissions.', {
  VIEWER: 'Sees.',
  RELEASER: 'Sees, releases, retries, ends releases, and reports.',
  APPROVER: 'Sees, and approves or rejects.',
  OPERATOR: 'What a releaser does; overrides windows, rolls back, holds environments, marks versions bad.',
  MESSENGER: 'Sees, and brings the approvals of others by links: a trusted program.',
  ADMIN: 'Everything.',
});

export const SubjectKindEnum = enumOf<SubjectKind>('SubjectKind', 'Whom a role is granted to.', {
  USER: 'A person, by the name that the identity provider gives.',
  GROUP: 'A group, by the name that the identity provider gives.',
  SERVICE_ACCOUNT: 'A program: whatever tokens of that service account do.',
});

const PRODUCTS = 'For which products; an empty selector is all of them.';
const PLACES = 'In which environments; an empty selector is all of them.';

@ObjectType({ description: 'A role, for products in environments.' })
export class Scope {
  @Field(() => RoleEnum, { description: 'The role.' })
  role!: Role;

  @Field(() => SelectorType, { description: PRODUCTS })
  products!: object;

  @Field(() => EnvironmentSelectorType, { description: PLACES })
  environments!: object;
}

@InputType({ description: 'A role, for products in environments.' })
export class ScopeInput {
  @Field(() => RoleEnum, { description: 'The role.' })
  role!: Role;

  @Field(() => SelectorInput, { nullable: true, description: `${PRODUCTS} So is none at all.` })
  products?: object;

  @Field(() => EnvironmentSelectorInput, { nullable: true, description: `${PLACES} So is none at all.` })
  environments?: object;
}

@ObjectType({ description: 'A role that was granted.' })
export class RoleGrant extends Scope {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => SubjectKindEnum, { description: 'What the subject is.' })
  subjectKind!: SubjectKind;

  @Field(() => String, { description: 'Who has the role.' })
  subject!: string;

  @Field(() => Date, { description: 'When it was granted.' })
  createdAt!: Date;

  @Field(() => String, { nullable: true, description: 'Who granted it; null: a caller without a name.' })
  createdBy!: string | null;
}

@InputType({ description: 'A role to grant.' })
export class RoleGrantCreateInput extends ScopeInput {
  @Field(() => SubjectKindEnum, { description: 'What the subject is.' })
  subjectKind!: SubjectKind;

  @Field(() => String, { description: 'Who gets the role.' })
  subject!: string;
}

@InputType({ description: 'Which grant to take away.' })
export class RoleGrantDeleteInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;
}

@ObjectType({ description: 'What became of a grant.' })
export class RoleGrantPayload {
  @Field(() => RoleGrant, { nullable: true, description: 'The grant, or what it was; null when refused.' })
  roleGrant!: RoleGrant | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'An API token, without its secret.' })
export class ApiToken {
  @Field(() => ID, { description: 'The part of the token that may be known: it stands after `sluice_`.' })
  id!: string;

  @Field(() => String, { description: 'What it is for.' })
  name!: string;

  @Field(() => SubjectKindEnum, { description: 'Whether it speaks for a person or for a service account.' })
  subjectKind!: SubjectKind;

  @Field(() => String, { description: 'Whom it speaks for.' })
  subject!: string;

  @Field(() => [Scope], {
    nullable: true,
    description: 'What it may do; null: whatever is granted to its subject, as it is at the time.',
  })
  scope!: Scope[] | null;

  @Field(() => Date, { description: 'When it was made.' })
  createdAt!: Date;

  @Field(() => String, { nullable: true, description: 'Who made it; null: a caller without a name.' })
  createdBy!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; null: never.' })
  expiresAt!: Date | null;

  @Field(() => Date, { nullable: true, description: 'When it was revoked; null: it was not.' })
  revokedAt!: Date | null;

  @Field(() => String, { nullable: true, description: 'Who revoked it.' })
  revokedBy!: string | null;

  @Field(() => Date, { nullable: true, description: 'When it was last used, to the minute; null: never.' })
  lastUsedAt!: Date | null;
}

@InputType({ description: 'A new API token.' })
export class ApiTokenCreateInput {
  @Field(() => String, { description: 'What it is for, e.g. `CI of billing`.' })
  name!: string;

  @Field(() => SubjectKindEnum, {
    nullable: true,
    description: 'USER or SERVICE_ACCOUNT; a service account when left out.',
  })
  subjectKind?: SubjectKind;

  @Field(() => String, { description: 'Whom it speaks for: the name of a person or of a service account.' })
  subject!: string;

  @Field(() => [ScopeInput], {
    nullable: true,
    description:
      'What it may do: at most what its maker may. When left out, whatever is granted to its subject, as it is at the time.',
  })
  scope?: ScopeInput[];

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; never when left out.' })
  expiresAt?: Date;
}

@InputType({ description: 'Which token to revoke.' })
export class ApiTokenRevokeInput {
  @Field(() => ID, { description: 'Its id: the 12 characters after `sluice_`.' })
  id!: string;
}

@ObjectType({ description: 'A new token.' })
export class ApiTokenCreatePayload {
  @Field(() => String, {
    nullable: true,
    description: 'The token itself. It is shown here and never again; null when refused.',
  })
  secret!: string | null;

  @Field(() => ApiToken, { nullable: true, description: 'What is known of it from now on; null when refused.' })
  apiToken!: ApiToken | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was made.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What became of a token.' })
export class ApiTokenPayload {
  @Field(() => ApiToken, { nullable: true, description: 'The token as it is now; null when refused.' })
  apiToken!: ApiToken | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was done.' })
  userErrors!: UserError[];
}

export const ApiTokenConnection = connectionOf('ApiToken', ApiToken);
export const RoleGrantConnection = connectionOf('RoleGrant', RoleGrant);
