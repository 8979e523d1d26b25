import type { Parts } from '../../parts.ts';
import { EVERYTHING, mayDo } from '../../core/access/index.ts';
import type { Identity } from '../../core/access/index.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { revokeToken as revoke } from '../../store/access.ts';
import type { ApiToken } from '../../store/access.ts';
import { auditChange } from '../audit.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { mayManage } from './check.ts';

/** It is good for nothing from now on, and what is open with it ends within seconds. Again changes nothing. */
export function revokeToken(app: Parts, { id }: { id: string }, by: Identity | null): Promise<Result<ApiToken>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const done = await revoke(tx, id, by?.caller.name ?? null, app.clock.now());
      // A caller who may not revoke the token gets the same answer as when there is none.
      if (!done || !mayRevoke(done.before, by)) {
        throw new RefusedError([refusal('NOT_FOUND', `there is no token "${id}" that you may revoke`, ['id'])]);
      }
      const { hash: _before, ...before } = done.before;
      const { hash: _after, ...after } = done.after;
      await auditChange(tx, { before, after, objects: [{ kind: 'Token', name: id }] });
      return done.after;
    }),
  );
}

/** One's own, or those of others with the right to manage access to all that it may do. */
function mayRevoke({ subjectKind, subject, scope }: ApiToken, by: Identity | null): boolean {
  if (!by || mayDo(by.grants, 'MANAGE_ACCESS', EVERYTHING)) return true;
  if (subjectKind === 'USER' && by.caller.kind === 'PERSON' && subject === by.caller.name) return true;
  return scope !== null && scope.every((each) => mayManage(by, each));
}
