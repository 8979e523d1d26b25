import type { Parts } from '../../parts.ts';
import { callerName, EVERYTHING, mayDo, sessionCredential } from '../../core/access/index.ts';
import type { Identity } from '../../core/access/index.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import { endSession as end, sessionsAtProvider } from '../../store/web-sessions.ts';
import type { WebSession } from '../../store/web-sessions.ts';
import { audited, auditChange } from '../audit.ts';
import { onceIn } from '../idempotency.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { shown } from './open-session.ts';
import type { From } from './open-session.ts';
import { hashOf } from './token.ts';

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

/** What an identity provider says in a logout token. */
interface LogoutThere {
  issuer: string;
  /** Of the message. */
  id: string;
  /** Milliseconds since the epoch. */
  issuedAt: number;
  /** What it calls the person, or the session there; with both, that session of that person. */
  subject: string | null;
  session: string | null;
}

/** Clocks of servers differ by so much, in milliseconds. */
const TOLERANCE_MS = 30_000;

/**
 * The identity provider says that a person, or one session there, is signed out: what was begun here by then ends. The same message again
 * ends nothing. @returns how many sessions it ended
 * @throws RefusedError the id of the message was another one's
 */
export async function endSessionsAtProvider(
  app: Parts,
  { issuer, id, subject, session, issuedAt }: LogoutThere,
  from: From,
): Promise<number> {
  const name = `oidc ${issuer}`;
  const origin = {
    actor: null,
    actorKind: null,
    credential: name,
    action: 'backChannelLogout',
    ...from,
    input: { sub: subject, sid: session, jti: id },
  };
  const keyed = { by: name, operation: origin.action, key: hashOf(id), input: { subject, session, issuedAt } };
  const save = (): Promise<number> =>
    app.dataSource.transaction((tx) =>
      onceIn(tx, keyed, async () => {
        const begunBy = new Date(issuedAt + TOLERANCE_MS);
        const [before, after, objects] = [[], [], []] as [unknown[], unknown[], { kind: string; name: string }[]];
        for (const each of await sessionsAtProvider(tx, { issuer, subject, session, begunBy })) {
          const done = await end(tx, each, { by: null, reason: SIGNED_OUT_THERE, at: app.clock.now() });
          if (!done) continue;
          before.push(shown(done.before));
          after.push(shown(done.after));
          objects.push({ kind: 'Session', name: each });
        }
        if (objects.length > 0) await auditChange(tx, { before, after, objects });
        return objects.length;
      }),
    );
  return audited(app.pool, origin, save, () => []);
}

const SIGNED_OUT_THERE = 'signed out at the identity provider';

/** A person's own; of a program the one in use alone, since its name is shared; those of others as an ADMIN without limits. */
export function mayEnd({ id, subjectKind, subject }: WebSession, by: Identity | null): boolean {
  if (!by || mayDo(by.grants, 'MANAGE_ACCESS', EVERYTHING)) return true;
  if (by.credential === sessionCredential(id)) return true;
  return subjectKind === 'USER' && by.caller.kind === 'PERSON' && subject === by.caller.name;
}
