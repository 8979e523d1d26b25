import type { Parts } from '../../parts.ts';
import { callerName, EVERYTHING, mayDo, sessionCredential } from '../../core/access/index.ts';
import type { Identity } from '../../core/access/index.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { endSession as end } from '../../store/web-sessions.ts';
import type { WebSession } from '../../store/web-sessions.ts';
import { audited, auditChange } from '../audit.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { shown } from './open-session.ts';
import type { From } from './open-session.ts';

/** What is open with it ends within seconds, and its cookie is good for nothing. Again changes nothing. */
export function endSession(app: Parts, { id }: { id: string }, by: Identity | null): Promise<Result<WebSession>> {
  return refusable(() =>
    app.dataSource.transaction(async (tx) => {
      const name = by?.caller.name ?? null;
      const at = app.clock.now();
      const done = await end(tx, id, { by: name, reason: name === null ? 'it was ended' : `${name} ended it`, at });
      // A caller who may not end the session gets the same answer as when there is none.
      if (!done || !mayEnd(done.before, by)) {
        throw new RefusedError([refusal('NOT_FOUND', `there is no session "${id}" that you may end`, ['id'])]);
      }
      const [before, after] = [shown(done.before), shown(done.after)];
      await auditChange(tx, { before, after, objects: [{ kind: 'Session', name: id }] });
      return done.after;
    }),
  );
}

/** The session of a person who signs out. */
export async function signOut(app: Parts, session: WebSession, from: From): Promise<void> {
  const { id, subjectKind, subject } = session;
  const origin = {
    actor: callerName(subjectKind, subject),
    actorKind: subjectKind === 'USER' ? ('PERSON' as const) : ('SERVICE_ACCOUNT' as const),
    credential: sessionCredential(id),
    action: 'signOut',
    ...from,
    input: {},
  };
  const save = (): Promise<unknown> =>
    app.dataSource.transaction(async (tx) => {
      const done = await end(tx, id, { by: origin.actor, reason: 'signed out', at: app.clock.now() });
      if (!done) return;
      const [before, after] = [shown(done.before), shown(done.after)];
      await auditChange(tx, { before, after, objects: [{ kind: 'Session', name: id }] });
    });
  await audited(app.pool, origin, save, () => []);
}

/** A person's own; of a program the one in use alone, since its name is shared; those of others as an ADMIN without limits. */
export function mayEnd({ id, subjectKind, subject }: WebSession, by: Identity | null): boolean {
  if (!by || mayDo(by.grants, 'MANAGE_ACCESS', EVERYTHING)) return true;
  if (by.credential === sessionCredential(id)) return true;
  return subjectKind === 'USER' && by.caller.kind === 'PERSON' && subject === by.caller.name;
}
