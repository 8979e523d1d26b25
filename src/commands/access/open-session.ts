import { randomBytes } from 'node:crypto';
import type { Parts } from '../../parts.ts';
import { callerName } from '../../core/access/index.ts';
import type { AuditOrigin } from '../../store/audit-log.ts';
import { insertSession } from '../../store/web-sessions.ts';
import type { WebSession } from '../../store/web-sessions.ts';
import { audited, auditChange } from '../audit.ts';
import { hashOf } from './token.ts';

/** Who signs in, by what, and for how long at most. */
export interface SignedIn extends Pick<
  WebSession,
  | 'origin'
  | 'subjectKind'
  | 'subject'
  | 'groups'
  | 'issuer'
  | 'providerSubject'
  | 'providerSession'
  | 'tokenId'
  | 'tokenHash'
> {
  /** What showed who it is, for the audit log. */
  credential: string;
  /** Null: as long as sessions last. */
  until: Date | null;
  /** The provider's tokens and when to ask for newer ones. Gets the new session's id, which what is sealed is bound to. */
  kept: (id: string) => Pick<WebSession, 'renewAt' | 'keyId' | 'nonce' | 'sealed'>;
}

export type From = Pick<AuditOrigin, 'transport' | 'address' | 'userAgent'>;

/** A session that keeps no tokens of a provider. */
export const NOTHING_KEPT = { renewAt: null, keyId: null, nonce: null, sealed: null };

/**
 * A new session. Its cookie's value is always a new one, whatever the browser sent: a value that somebody planted in it is never good.
 * @returns the value, which is kept nowhere, and the session
 */
export async function openSession(
  app: Parts,
  signedIn: SignedIn,
  from: From,
): Promise<{ value: string; session: WebSession }> {
  const { credential, until, kept, ...who } = signedIn;
  const now = app.clock.now();
  const longest = new Date(now.getTime() + app.config.auth.sessions.maxMs);
  const value = randomBytes(32).toString('base64url');
  const id = idAt(now);
  const session: WebSession = {
    id,
    hash: hashOf(value),
    ...who,
    createdAt: now,
    lastUsedAt: now,
    expiresAt: until !== null && until < longest ? until : longest,
    endedAt: null,
    endedBy: null,
    endReason: null,
    address: from.address,
    userAgent: from.userAgent,
    ...kept(id),
  };
  const origin = {
    actor: callerName(who.subjectKind, who.subject),
    actorKind: who.subjectKind === 'USER' ? ('PERSON' as const) : ('SERVICE_ACCOUNT' as const),
    credential,
    action: 'signIn',
    ...from,
    input: {},
  };
  const save = (): Promise<boolean> =>
    app.dataSource.transaction(async (tx) => {
      await insertSession(tx, session);
      return auditChange(tx, { before: null, after: shown(session), objects: [{ kind: 'Session', name: id }] });
    });
  await audited(app.pool, origin, save, () => []);
  return { value, session };
}

/** A session without what nobody has to see. */
export function shown(session: WebSession): Partial<WebSession> {
  const { hash: _hash, tokenHash: _tokenHash, nonce: _nonce, sealed: _sealed, keyId: _keyId, ...rest } = session;
  return rest;
}

/** Nine digits of the time, which last until the year 5188, and ten of chance. */
function idAt(now: Date): string {
  const chance = randomBytes(7).readUIntBE(0, 6).toString(36).padStart(10, '0');
  return now.getTime().toString(36).padStart(9, '0') + chance;
}
