import { Field, ObjectType } from 'type-graphql';
import type { Permission } from '../core/access/index.ts';
import { Scope } from './access.ts';
import { enumOf } from './enums.ts';

export type ViewerKind = 'ANONYMOUS' | 'USER' | 'SERVICE_ACCOUNT';

export const ViewerKindEnum = enumOf<ViewerKind>('ViewerKind', 'Who is asking.', {
  ANONYMOUS: 'The caller is not known: the server runs without authentication.',
  USER: 'A person, or a program that acts for one.',
  SERVICE_ACCOUNT: 'A program.',
});

export const PermissionEnum = enumOf<Permission>('Permission', 'What a grant allows.', {
  VIEW: 'To see it.',
  PROMOTE: 'To start releases.',
  RETRY: 'To try releases again.',
  TERMINATE: 'To end releases.',
  APPROVE: 'To decide on approvals, where their rules allow it.',
  BRING_APPROVALS: 'To bring the decision of another person.',
  OVERRIDE: 'To override release windows, and to skip environments.',
  ROLLBACK: 'To take versions back.',
  HOLD: 'To put environments on hold, and to lift holds.',
  MARK_BAD: 'To mark versions bad.',
  REPORT: 'To report health and deployments.',
  EDIT_DEFINITIONS: 'To change definitions.',
  MANAGE_SECRETS: 'To set and delete secrets.',
  MANAGE_ACCESS: 'To manage tokens and grants.',
  READ_AUDIT: 'To read the audit log.',
});

@ObjectType({ description: 'The caller.' })
export class Viewer {
  @Field(() => String, { nullable: true, description: 'The name that is written into events; null: none was given.' })
  name!: string | null;

  @Field(() => ViewerKindEnum, { description: 'Who it is.' })
  kind!: ViewerKind;

  @Field(() => [String], { description: 'The groups that the identity provider names.' })
  groups!: string[];

  @Field(() => [Scope], { description: 'What may be done, and where; empty where callers need not say who they are.' })
  grants!: Scope[];
}
