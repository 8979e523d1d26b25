import type { Pool } from 'pg';
import type { EntityManager } from 'typeorm';
import type { SubjectKind } from '../core/access/index.ts';
import { WebSessionRow } from '../entities/access-rows.ts';
import { tick } from './access.ts';
import type { Sealed } from './sealing.ts';

/** A session as it is stored: with the hash of its cookie, never with its value. */
export type WebSession = WebSessionRow;

/**
 * Sessions that one subject may have at once by signing in, and by each of its tokens; another one ends the oldest. A token that leaks
 * does not push out those that its owner signed in to.
 */
export const MOST_SESSIONS = 50;
/** Days for which an ended session is shown. */
const KEPT_DAYS = 30;
/** What an ended session does not keep: the tokens of the identity provider. */
const FORGOTTEN = 'renew_at = NULL, key_id = NULL, nonce = NULL, sealed = NULL';

/** In the caller's transaction. The oldest sessions of its subject and token end where there are more than it may have. */
export async function insertSession(tx: EntityManager, session: WebSession): Promise<void> {
  await tx.getRepository(WebSessionRow).insert(session);
  const { subjectKind, subject, tokenId, createdAt } = session;
  const [, ended] = (await tx.query(
    `UPDATE web_session SET ended_at = $4, end_reason = $5, ${FORGOTTEN} WHERE id IN (
       SELECT id FROM web_session
       WHERE subject_kind = $1 AND subject = $2 AND token_id IS NOT DISTINCT FROM $3 AND ended_at IS NULL
       ORDER BY id COLLATE "C" DESC OFFSET $6 FOR NO KEY UPDATE)`,
    [subjectKind, subject, tokenId, createdAt, `more than ${MOST_SESSIONS} sessions were open`, MOST_SESSIONS],
  )) as [unknown, number];
  if (ended > 0) await tick(tx);
}

/** By the hash of its cookie, ended ones too; null when there is none. */
export async function readSession(pool: Pool, hash: string): Promise<WebSession | null> {
  const { rows } = await pool.query<WebSession>({
    name: 'read-session',
    text: `SELECT id, hash, origin, subject_kind AS "subjectKind", subject, groups, issuer, provider_subject AS "providerSubject", provider_session AS "providerSession", token_id AS "tokenId",
             token_hash AS "tokenHash", created_at AS "createdAt", last_used_at AS "lastUsedAt", expires_at AS "expiresAt",
             ended_at AS "endedAt", ended_by AS "endedBy", end_reason AS "endReason", key_id AS "keyId", nonce, sealed
           FROM web_session WHERE hash = $1`,
    values: [hash],
  });
  return rows[0] ?? null;
}

/** By its id; null when there is none. */
export function getSession(tx: EntityManager, id: string): Promise<WebSession | null> {
  return tx.getRepository(WebSessionRow).findOneBy({ id });
}

/** Which sessions, the newest first. */
export interface SessionList {
  limit: number;
  /** The id from which the page goes on. */
  key?: string;
  /** Towards the newest. */
  backwards?: boolean;
  of?: { kind: Exclude<SubjectKind, 'GROUP'>; subject: string };
  /** By name, of persons and programs alike. */
  subject?: string;
  id?: string;
  /** Only those that have not ended. */
  open: boolean;
}

/** A page of sessions, the newest first. */
export function listSessions(tx: EntityManager, list: SessionList): Promise<WebSession[]> {
  const { limit, key, backwards, of, subject, id, open } = list;
  const query = tx.getRepository(WebSessionRow).createQueryBuilder('s');
  if (key !== undefined) query.andWhere(`s.id COLLATE "C" ${backwards ? '>' : '<'} :key`, { key });
  if (of) query.andWhere('s.subjectKind = :kind AND s.subject = :name', { kind: of.kind, name: of.subject });
  if (subject !== undefined) query.andWhere('s.subject = :subject', { subject });
  if (id !== undefined) query.andWhere('s.id = :id', { id });
  if (open) query.andWhere('s.endedAt IS NULL');
  return query
    .orderBy('s.id COLLATE "C"', backwards ? 'ASC' : 'DESC')
    .take(limit)
    .getMany();
}

/** @returns the session as it is now; null when there is none. Again changes nothing. */
export async function endSession(
  tx: EntityManager,
  id: string,
  { by, reason, at }: { by: string | null; reason: string; at: Date },
): Promise<{ before: WebSession; after: WebSession } | null> {
  const sessions = tx.getRepository(WebSessionRow);
  const before = await sessions.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!before) return null;
  if (before.endedAt) return { before, after: before };
  const change = { endedAt: at, endedBy: by, endReason: reason, renewAt: null, keyId: null, nonce: null, sealed: null };
  await sessions.update({ id }, change);
  await tick(tx);
  return { before, after: Object.assign(new WebSessionRow(), before, change) };
}

/** Of which provider; both a person and a session: a session of that person. */
export interface ProviderSessions {
  issuer: string;
  subject: string | null;
  session: string | null;
  /** Sessions that began later are others. */
  begunBy: Date;
}

/** Ids of open sessions that rest on what a provider has said of a person or of a session there. */
export async function sessionsAtProvider(
  tx: EntityManager,
  { issuer, subject, session, begunBy }: ProviderSessions,
): Promise<string[]> {
  const rows = (await tx.query(
    `SELECT id FROM web_session
     WHERE ended_at IS NULL AND issuer = $1 AND created_at <= $4
       AND ($2::text IS NULL OR provider_subject = $2) AND ($3::text IS NULL OR provider_session = $3)
       AND ($2::text IS NOT NULL OR $3::text IS NOT NULL)
     ORDER BY id COLLATE "C"`,
    [issuer, subject, session, begunBy],
  )) as { id: string }[];
  return rows.map(({ id }) => id);
}

/** Not more often than each `everyMs`: a session that is used all the time is not written all the time. */
export async function noteSessionUse(pool: Pool, hash: string, at: Date, everyMs: number): Promise<void> {
  await pool.query(
    `UPDATE web_session SET last_used_at = $2
     WHERE hash = $1 AND ended_at IS NULL AND last_used_at < $2::timestamptz - $3 * interval '1 millisecond'`,
    [hash, at, everyMs],
  );
}

/** Ends what nobody ended: unused for too long, too old, or its token is gone. Forgets what ended long ago. */
export async function endSpentSessions(tx: EntityManager, at: Date, idleMs: number): Promise<void> {
  const [, ended] = (await tx.query(
    `UPDATE web_session s SET ended_at = $1, ${FORGOTTEN},
       end_reason = CASE
         WHEN s.expires_at <= $1 THEN 'it was as old as a session may be'
         WHEN s.last_used_at <= $1::timestamptz - $2 * interval '1 millisecond' THEN 'it was not used'
         ELSE 'its token was revoked or has expired' END
     WHERE s.id IN (
       -- One that is used at this moment is for the next time.
       SELECT o.id FROM web_session o WHERE o.ended_at IS NULL AND (
         o.expires_at <= $1 OR o.last_used_at <= $1::timestamptz - $2 * interval '1 millisecond'
         OR EXISTS (SELECT 1 FROM api_token t WHERE t.id = o.token_id AND (t.revoked_at IS NOT NULL OR t.expires_at <= $1)))
       FOR NO KEY UPDATE SKIP LOCKED)`,
    [at, idleMs],
  )) as [unknown, number];
  if (ended > 0) await tick(tx);
  await tx.query(
    `DELETE FROM web_session WHERE id IN (
       SELECT id FROM web_session WHERE ended_at < $1::timestamptz - $2 * interval '1 day' FOR UPDATE SKIP LOCKED)`,
    [at, KEPT_DAYS],
  );
}

/** A session that the identity provider is about to be asked for. */
export type Renewal = Pick<WebSession, 'id' | 'subject' | 'groups'> & Sealed;

/**
 * Sessions whose time has come, for this process alone: their next time is moved first, to `again`, so that no other process asks
 * with the same refresh token, which providers take for a theft.
 */
export async function takeRenewals(pool: Pool, at: Date, again: Date, most: number): Promise<Renewal[]> {
  const { rows } = await pool.query<Renewal>(
    `UPDATE web_session SET renew_at = $2 WHERE id IN (
       SELECT id FROM web_session WHERE ended_at IS NULL AND renew_at <= $1 AND sealed IS NOT NULL
       ORDER BY renew_at LIMIT $3 FOR UPDATE SKIP LOCKED)
     RETURNING id, subject, groups, key_id AS "keyId", nonce, sealed`,
    [at, again, most],
  );
  return rows;
}

/** What the identity provider said: its newer tokens, and the groups by now. */
export async function saveRenewal(
  tx: EntityManager,
  id: string,
  renewed: { groups: string[]; renewAt: Date; sealed: Sealed },
): Promise<void> {
  const { groups, renewAt, sealed } = renewed;
  const before = await tx.getRepository(WebSessionRow).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!before || before.endedAt) return;
  await tx.getRepository(WebSessionRow).update({ id }, { groups, renewAt, ...sealed });
  if (JSON.stringify(before.groups) !== JSON.stringify(groups)) await tick(tx);
}
