import { randomUUID } from 'node:crypto';
import type { Parts } from '../../parts.ts';
import type { Grant, Identity, SubjectKind } from '../../core/access/index.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { deleteGrant as remove, getGrant, insertGrant } from '../../store/access.ts';
import type { RoleGrant } from '../../store/access.ts';
import { auditChange } from '../audit.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { checkScope, lastsLonger, mayManage, notYours } from './check.ts';

/** A role to be granted, and to whom. */
export interface GrantInput extends Grant {
  subjectKind: SubjectKind;
  /** The name of a user, a group of the identity provider, or a service account. */
  subject: string;
}

/** Gives a role away; a caller can grant only what they manage themselves. */
export function createGrant(app: Parts, input: GrantInput, by: Identity | null): Promise<Result<RoleGrant>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const wrong = checkScope(input, []);
      if (!/^\S(.{0,198}\S)?$/u.test(input.subject)) {
        wrong.push(refusal('INVALID', `"${input.subject}" is no name: 1 to 200 characters`, ['subject']));
      }
      if (wrong.length === 0 && !mayManage(by, input)) wrong.push(notYours(by, input, ['role']));
      const later = lastsLonger(by, null, 'a grant', []);
      if (wrong.length === 0 && later) wrong.push(later);
      if (wrong.length > 0) throw new RefusedError(wrong);
      const { subjectKind, subject, role, products, environments } = input;
      const made: RoleGrant = {
        id: randomUUID(),
        subjectKind,
        subject,
        role,
        products,
        environments,
        createdAt: app.clock.now(),
        createdBy: by?.caller.name ?? null,
      };
      await insertGrant(tx, made);
      await auditChange(tx, { before: null, after: made, objects: [{ kind: 'Grant', name: made.id }] });
      return made;
    }),
  );
}

/** Takes away a role that the caller could have given; a subject that had it by this grant alone loses it at the next request. */
export function deleteGrant(app: Parts, { id }: { id: string }, by: Identity | null): Promise<Result<RoleGrant>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const before = await getGrant(tx, id);
      // A caller who may not manage the grant gets the same answer as when there is none.
      if (!before || !mayManage(by, before)) {
        throw new RefusedError([refusal('NOT_FOUND', `there is no grant "${id}" that you may take away`, ['id'])]);
      }
      await remove(tx, id);
      await auditChange(tx, { before, after: null, objects: [{ kind: 'Grant', name: id }] });
      return before;
    }),
  );
}
