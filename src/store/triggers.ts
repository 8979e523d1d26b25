import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../connections.ts';
import { bounded } from '../core/bounded.ts';
import { LOCK_TRIGGERS, LOCK_TRIGGERS_SHARED } from '../entities/locks.ts';
import type { Cursor } from '../core/trigger/move.ts';
import type { GitIdentity, KeptCursor, KeptPause } from '../core/trigger/kept.ts';
import { holdDefinitions } from './definition-snapshot.ts';

export type { GitIdentity, KeptCursor, KeptPause };

const COLUMNS = `application, revision, place, head, commit_id AS commit, version, digest, epoch, outcome, moved_at AS "movedAt",
  looked_at AS "lookedAt", error`;

/** Those that are there. */
export async function readCursors(pool: Pool | PoolClient, applications: readonly string[]): Promise<KeptCursor[]> {
  const { rows } = await pool.query<KeptCursor>({
    name: 'read-cursors',
    text: `SELECT ${COLUMNS} FROM trigger_cursor WHERE application = ANY($1)`,
    values: [applications],
  });
  return rows;
}

/** The same, until the transaction ends alone; in one order, so that no two transactions wait for each other. */
export async function lockCursors(client: PoolClient, applications: readonly string[]): Promise<KeptCursor[]> {
  const { rows } = await client.query<KeptCursor>(
    `SELECT ${COLUMNS} FROM trigger_cursor WHERE application = ANY($1) ORDER BY application FOR UPDATE`,
    [applications],
  );
  return rows;
}

/** Where a cursor goes. `revision`: the one that it was judged from; 0: there was none. */
export interface CursorMove extends Cursor {
  application: string;
  revision: number;
  place: string;
  version: string | null;
  outcome: string;
}

/**
 * Compare-and-set: cursors that another look has moved meanwhile stay where they are. @returns the applications whose cursors moved
 */
export async function moveCursors(
  client: Pool | PoolClient,
  moves: readonly CursorMove[],
  now: Date,
): Promise<Set<string>> {
  if (moves.length === 0) return new Set();
  const { rows } = await client.query<{ application: string }>(
    `INSERT INTO trigger_cursor AS c (application, revision, place, head, commit_id, version, digest, epoch, outcome, moved_at, looked_at)
     SELECT m.application, m.revision + 1, m.place, m.head, m.commit, m.version, m.digest, m.epoch, m.outcome, $2, $2
     FROM jsonb_to_recordset($1::jsonb) AS m(application text, revision integer, place text, head text, commit text, version text,
       digest text, epoch integer, outcome text)
     ORDER BY m.application
     ON CONFLICT (application) DO UPDATE SET revision = excluded.revision, place = excluded.place, head = excluded.head,
       commit_id = excluded.commit_id, version = excluded.version, digest = excluded.digest, epoch = excluded.epoch,
       outcome = excluded.outcome, moved_at = excluded.moved_at, looked_at = excluded.looked_at, error = NULL
     WHERE c.revision = excluded.revision - 1
     RETURNING application`,
    [JSON.stringify(bounded(moves)), now],
  );
  return new Set(rows.map((each) => each.application));
}

/**
 * The epoch that the newest candidate of the product has of these applications, which is the highest; those of which none has one
 * are left out. Cursors are forgotten, candidates are not.
 */
export async function knownEpochs(
  pool: Pool | PoolClient,
  product: string,
  applications: readonly string[],
): Promise<Map<string, number>> {
  if (applications.length === 0) return new Map();
  const { rows } = await pool.query<{ application: string; epoch: number }>(
    `SELECT a.application, c.epoch FROM unnest($2::text[]) AS a(application), LATERAL (
       SELECT coalesce((state->a.application->>'epoch')::integer, 0) AS epoch FROM candidate
       WHERE product = $1 AND state ? a.application ORDER BY created_at DESC, id DESC LIMIT 1) AS c`,
    [product, applications],
  );
  return new Map(rows.map(({ application, epoch }) => [application, epoch]));
}

/** A look that found nothing new, or failed (`error`). */
export async function noteLook(
  pool: Pool,
  looks: readonly { application: string; error: string | null }[],
  now: Date,
): Promise<void> {
  if (looks.length === 0) return;
  await pool.query(
    `UPDATE trigger_cursor c SET error = m.error, looked_at = CASE WHEN m.error IS NULL THEN $2 ELSE c.looked_at END
     FROM (
       SELECT k.application, g.error FROM jsonb_to_recordset($1::jsonb) AS g(application text, error text)
       JOIN trigger_cursor k ON k.application = g.application ORDER BY k.application FOR NO KEY UPDATE OF k) m
     WHERE c.application = m.application`,
    [JSON.stringify(bounded(looks)), now],
  );
}

/**
 * Forgets cursors of applications that are not looked at any more: looked at again, they begin anew. Nothing is forgotten where definitions
 * have changed since `revision`: an application that is new by now may have its first cursor already.
 */
export async function keepCursors(pool: Pool, applications: readonly string[], revision: string): Promise<void> {
  await inTransaction(pool, 'BEGIN', async (client) => {
    if (!(await holdDefinitions(client, revision))) return;
    await client.query(
      `DELETE FROM trigger_cursor WHERE application IN (
         SELECT application FROM trigger_cursor WHERE NOT application = ANY($1) ORDER BY application FOR UPDATE)`,
      [applications],
    );
  });
}

/** Which of these are releases here; what is no id of one is not. */
export async function knownReleases(pool: Pool, ids: readonly string[]): Promise<Set<string>> {
  const possible = [...new Set(ids)].filter((each) => UUID.test(each));
  if (possible.length === 0) return new Set();
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM release WHERE id = ANY($1::uuid[])', [possible]);
  return new Set(rows.map(({ id }) => id));
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface PauseRecord extends Omit<KeptPause, 'until' | 'since' | 'resumedAt'> {
  until: Date | null;
  since: Date;
  resumedAt: Date | null;
}

const toPause = ({ until, since, resumedAt, ...rest }: PauseRecord): KeptPause => ({
  ...rest,
  until: until?.getTime() ?? null,
  since: since.getTime(),
  resumedAt: resumedAt?.getTime() ?? null,
});

/** Resumed by nobody, and not over at `now`: what the index of pauses begins with. */
const holds = (now: string): string => `resumed_at IS NULL AND coalesce(until, 'infinity') > ${now}`;

const PAUSE = `id, product, reason, actor AS "by", since, until, resumed_at AS "resumedAt", resumed_by AS "resumedBy"`;

/** Those that hold now, newest first; `product`: its own and those of all products. */
export async function activePauses(pool: Pool | PoolClient, now: Date, product?: string): Promise<KeptPause[]> {
  const { rows } = await pool.query<PauseRecord>({
    name: 'active-pauses',
    text: `SELECT ${PAUSE} FROM trigger_pause WHERE ${holds('$1')}
             AND ($2::text IS NULL OR product IS NULL OR product = $2) ORDER BY since DESC, id DESC LIMIT 1000`,
    values: [now, product ?? null],
  });
  return rows.map(toPause);
}

/**
 * The same, in a transaction in which a candidate becomes a release by itself: no pause is made before it ends. Pauses that were answered
 * since the candidate was looked at are among them.
 */
export async function pausesInForce(client: PoolClient, now: Date, product: string): Promise<KeptPause[]> {
  await client.query(LOCK_TRIGGERS_SHARED);
  return activePauses(client, now, product);
}

/** In a transaction that makes a pause: what is becoming a release by itself is one, or is none, before the pause is there. */
export async function lockTriggers(client: PoolClient): Promise<void> {
  await client.query(LOCK_TRIGGERS);
}

/** In the caller's transaction. */
export async function insertPause(
  client: PoolClient,
  { product, reason, by, since, until }: Omit<KeptPause, 'id' | 'resumedAt' | 'resumedBy'>,
): Promise<KeptPause> {
  const { rows } = await client.query<PauseRecord>(
    `INSERT INTO trigger_pause (id, product, reason, actor, since, until) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${PAUSE}`,
    [randomUUID(), product, reason, by, new Date(since), until === null ? null : new Date(until)],
  );
  return toPause(rows[0]!);
}

/** Ends the pauses of the product, or those of all products (null). @returns those that ended */
export async function endPauses(
  client: PoolClient,
  product: string | null,
  { now, by }: { now: Date; by: string | null },
): Promise<KeptPause[]> {
  const { rows } = await client.query<PauseRecord>(
    `UPDATE trigger_pause SET resumed_at = $2, resumed_by = $3
     WHERE id IN (
       SELECT id FROM trigger_pause WHERE product IS NOT DISTINCT FROM $1::text AND ${holds('$2')} ORDER BY id FOR NO KEY UPDATE)
     RETURNING ${PAUSE}`,
    [product, now, by],
  );
  return rows.map(toPause);
}

const IDENTITY = 'email, user_name AS "user", actor AS "by", at';

/** Whose commits those of the address are, in whatever letters. */
export async function gitIdentity(pool: Pool | PoolClient, email: string): Promise<GitIdentity | undefined> {
  const { rows } = await pool.query<GitIdentity>(`SELECT ${IDENTITY} FROM git_identity WHERE email = $1`, [
    email.toLowerCase(),
  ]);
  return rows[0];
}

/** By address; at most 10,000. */
export async function gitIdentities(pool: Pool): Promise<GitIdentity[]> {
  const { rows } = await pool.query<GitIdentity>(`SELECT ${IDENTITY} FROM git_identity ORDER BY email LIMIT 10000`);
  return rows;
}

/** The newest word counts. */
export async function setGitIdentity(client: PoolClient, { email, user, by, at }: GitIdentity): Promise<void> {
  await client.query(
    `INSERT INTO git_identity (email, user_name, actor, at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (email) DO UPDATE SET user_name = excluded.user_name, actor = excluded.actor, at = excluded.at`,
    [email.toLowerCase(), user, by, at],
  );
}

/** @returns whether it was there */
export async function deleteGitIdentity(client: PoolClient, email: string): Promise<boolean> {
  const { rowCount } = await client.query('DELETE FROM git_identity WHERE email = $1', [email.toLowerCase()]);
  return rowCount === 1;
}
