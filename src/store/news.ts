import type { Pool, PoolClient } from 'pg';
import type { LookFailure, LookShown } from '../core/receiver/look.ts';
import type { HintKind } from '../core/receiver/news.ts';
import type { NewsKind } from '../core/trigger/change.ts';
import { inTransaction } from '../connections.ts';
import { holdDefinitions } from './definition-snapshot.ts';

/**
 * The life of a hint: whoever hears of a change writes one, which makes the look at its repository due and wakes the workers. A worker
 * claims the repository, and with it the hints that are there; others come into the next look. When the look got an answer, its
 * hints are deleted, and their deliveries are told what came of it. A look that failed leaves them for the next one. A claim that is
 * not renewed ends by itself, and the repository is due again.
 */
export interface NewHint {
  /** The address as definitions have it. */
  repository: string;
  kind: HintKind;
  ref?: string;
  number?: number;
  source?: string;
  deliveryId?: string;
  via: NewsKind;
}

/** A hint that waits for a look. */
export interface Hint {
  id: string;
  kind: HintKind;
  ref: string | null;
  number: number | null;
  deliveryId: string | null;
  via: NewsKind;
}

/** The channel on which workers hear that a look is due. */
export const HINTED = 'sluice_hint';

/**
 * For a statement with hints in its parameter $1: writes them, makes looks due and wakes the workers. Most of a flood finds its
 * repository due already: then nothing is written to the row, and nobody is woken. The rows are locked in the order of their names,
 * so that two processes cannot wait for each other.
 */
export const WITH_HINTS = `given AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb) AS g(repository text, kind text, ref text, number integer, source text,
         "deliveryId" uuid, via text)
       WHERE g.kind = 'PULL_REQUEST' OR EXISTS (SELECT FROM watched_repository w WHERE w.repository = g.repository)),
     added AS (
       INSERT INTO hint (repository, kind, ref, number, source, delivery_id, via)
       SELECT repository, kind, ref, number, source, "deliveryId", via FROM given
       WHERE NOT EXISTS (SELECT FROM hint h WHERE h.delivery_id = given."deliveryId" AND h.repository = given.repository
         AND h.kind = given.kind AND h.ref IS NOT DISTINCT FROM given.ref)),
     due AS (
       UPDATE watched_repository w SET next_look_at = now()
       FROM (
         SELECT repository FROM watched_repository
         WHERE repository IN (SELECT repository FROM given WHERE kind = 'PUSH') AND next_look_at > now()
         ORDER BY repository FOR UPDATE) locked
       WHERE w.repository = locked.repository
       RETURNING w.repository),
     woken AS (
       SELECT pg_notify('${HINTED}', '') AS woken
       WHERE EXISTS (SELECT FROM due) OR EXISTS (SELECT FROM given WHERE kind = 'PULL_REQUEST'))`;

/** For statements that write to several rows of `watched_repository w`, in the same order. */
const inOrder = (which: string): string =>
  `FROM (SELECT repository FROM watched_repository WHERE ${which} ORDER BY repository FOR NO KEY UPDATE) locked
   WHERE w.repository = locked.repository`;

/** Writes hints, in the caller's transaction if there is one. Repositories that nobody watches keep none. */
export async function addHints(db: Pool | PoolClient, hints: readonly NewHint[]): Promise<void> {
  if (hints.length > 0) await db.query(`WITH ${WITH_HINTS} SELECT * FROM woken`, [JSON.stringify(hints)]);
}

/** A repository that is to be watched. */
export interface Watched {
  repository: string;
  host: string;
  branches: string[];
  intervalMs: number;
}

/**
 * Makes the table say what is to be watched: what is new, or has other branches, is due at once; what is no longer there goes.
 * @param revision of the definitions that say so
 * @returns false: there are others by now, and nothing was done
 */
export async function saveWatched(pool: Pool, watched: readonly Watched[], revision: string): Promise<boolean> {
  return await inTransaction(pool, 'BEGIN', async (client) => {
    if (!(await holdDefinitions(client, revision))) return false;
    const names = watched.map(({ repository }) => repository);
    await client.query('SELECT FROM watched_repository ORDER BY repository FOR UPDATE');
    await client.query(
      `INSERT INTO watched_repository AS w (repository, host, branches, interval_ms, not_before)
       SELECT repository, host, branches, "intervalMs", (SELECT max(not_before) FROM watched_repository o WHERE o.host = g.host)
       FROM jsonb_to_recordset($1::jsonb) AS g(repository text, host text, branches jsonb, "intervalMs" integer)
       ORDER BY repository
       ON CONFLICT (repository) DO UPDATE SET host = excluded.host, branches = excluded.branches,
         interval_ms = excluded.interval_ms, next_look_at = least(w.next_look_at, now())
       WHERE (w.host, w.branches, w.interval_ms) IS DISTINCT FROM (excluded.host, excluded.branches, excluded.interval_ms)`,
      [JSON.stringify(watched)],
    );
    await client.query('DELETE FROM watched_repository WHERE NOT repository = ANY($1)', [names]);
    await client.query(
      `DELETE FROM hint WHERE id IN (
         SELECT id FROM hint WHERE kind = 'PUSH' AND NOT repository = ANY($1) ORDER BY id FOR UPDATE)`,
      [names],
    );
    return true;
  });
}

/** Makes these due; one that is being looked at is looked at again. Those of a host that asked for a pause wait for its end. */
export async function lookSoon(pool: Pool, repositories: readonly string[]): Promise<void> {
  if (repositories.length === 0) return;
  await pool.query(
    `UPDATE watched_repository w SET next_look_at = now() ${inOrder('repository = ANY($1) AND next_look_at > now()')}`,
    [repositories],
  );
}

/** All that are watched, with their branches. */
export async function watchedNames(db: Pool | PoolClient): Promise<Pick<Watched, 'repository' | 'branches'>[]> {
  const { rows } = await db.query<Pick<Watched, 'repository' | 'branches'>>(
    'SELECT repository, branches FROM watched_repository ORDER BY repository',
  );
  return rows;
}

/** All that are watched: a few hundred rows at most. */
export async function readLooks(db: Pick<Pool, 'query'>): Promise<LookShown[]> {
  const { rows } = await db.query<LookShown>(
    `SELECT repository, looked_at AS "lookedAt", heads, failures, error, error_kind AS "errorKind", pull_error AS "pullError",
       CASE WHEN next_look_at < 'infinity' THEN greatest(next_look_at, not_before) END AS "nextAt"
     FROM watched_repository ORDER BY repository`,
  );
  return rows;
}

/** From so many hints on, a look at a repository begins a second after the last one was over, so that its host sees a second between them. */
const FEW = 5;
/** Milliseconds between two looks of a flood; and for each failure in a row, up to the second number. */
const APART = 1_000;
const APART_FAILING = [5_000, 60_000] as const;

const DUE = `(w.next_look_at <= now() OR w.claimed_until IS NOT NULL) AND coalesce(w.claimed_until <= now(), true)
  AND coalesce(w.not_before <= now(), true)
  AND (w.looked_at IS NULL
    OR w.looked_at <= now() - interval '1 ms' * CASE
      WHEN w.failures > 0 THEN least(w.failures * ${APART_FAILING[0]}, ${APART_FAILING[1]})
      WHEN (SELECT count(*) FROM (SELECT FROM hint h WHERE h.repository = w.repository LIMIT ${FEW}) few) < ${FEW} THEN 0
      ELSE ${APART} END)`;

/** Repositories that are due, the longest first, with their hosts. */
export async function dueRepositories(pool: Pool, limit: number): Promise<{ repository: string; host: string }[]> {
  const { rows } = await pool.query<{ repository: string; host: string }>(
    `SELECT w.repository, w.host FROM watched_repository w WHERE ${DUE} ORDER BY w.next_look_at LIMIT $1`,
    [limit],
  );
  return rows;
}

/** What a worker has taken to look at, with the hints that the look is for. */
export interface Claimed extends Watched {
  /** In a row, before this look. */
  failures: number;
  errorKind: LookFailure | null;
  heads: Record<string, string>;
  hints: Hint[];
}

/** Takes those that are still due; no other process does before the claim is over. Hints that come from now on are for the next look. */
export async function claimRepositories(
  pool: Pool,
  repositories: readonly string[],
  leaseMs: number,
): Promise<Claimed[]> {
  if (repositories.length === 0) return [];
  const { rows } = await pool.query<Claimed>(
    `WITH taken AS (
       SELECT w.repository FROM watched_repository w WHERE w.repository = ANY($1) AND ${DUE} FOR UPDATE SKIP LOCKED)
     UPDATE watched_repository w SET next_look_at = 'infinity', looked_at = now(),
       claimed_until = now() + $2 * interval '1 millisecond'
     FROM taken WHERE w.repository = taken.repository
     RETURNING w.repository, w.host, w.branches, w.interval_ms AS "intervalMs", w.failures, w.error_kind AS "errorKind", w.heads,
       '[]'::jsonb AS hints`,
    [repositories, leaseMs],
  );
  // Read after the claim: a hint that came before it is for this look, and one that is not seen has made the next one due.
  const hints = await hintsOf(
    pool,
    rows.map(({ repository }) => repository),
    'PUSH',
  );
  return rows.map((row) => ({ ...row, hints: hints.filter((each) => each.repository === row.repository) }));
}

/** Those of these repositories, the oldest first. */
export async function hintsOf(
  pool: Pool,
  repositories: readonly string[],
  kind: HintKind,
): Promise<(Hint & { repository: string })[]> {
  const { rows } = await pool.query<Hint & { repository: string }>(
    `SELECT id, repository, kind, ref, number, delivery_id AS "deliveryId", via FROM hint
     WHERE repository = ANY($1) AND kind = $2 ORDER BY id`,
    [repositories, kind],
  );
  return rows;
}

/** The claims are of a process that is alive. */
export async function renewClaims(pool: Pool, repositories: readonly string[], leaseMs: number): Promise<void> {
  await pool.query(
    `UPDATE watched_repository w SET claimed_until = now() + $2 * interval '1 millisecond'
     ${inOrder('repository = ANY($1) AND claimed_until IS NOT NULL')}`,
    [repositories, leaseMs],
  );
}

/** What a look came to. Times in milliseconds from now; `after` null: not again by itself. */
export interface LookResult {
  repository: string;
  after: number | null;
  /** Undefined: its branches were not told. */
  heads?: ReadonlyMap<string, string>;
  /** Those that the look was for. */
  hints: readonly string[];
  /** The look failed, and its hints stay. */
  failure?: { kind: LookFailure; message: string };
}

/** Ends a claim. A hint that came during the look has made the next one due: that stays so. */
export async function recordLook(pool: Pool, { repository, after, heads, hints, failure }: LookResult): Promise<void> {
  const next = `least(next_look_at, CASE WHEN $2::float8 IS NULL THEN 'infinity' ELSE now() + $2 * interval '1 millisecond' END)`;
  const stand = heads ? JSON.stringify(Object.fromEntries(heads)) : null;
  if (!failure) {
    await pool.query(
      `WITH gone AS (
         DELETE FROM hint WHERE id IN (SELECT id FROM hint WHERE id = ANY($3) ORDER BY id FOR UPDATE))
       UPDATE watched_repository SET claimed_until = NULL, looked_at = now(), heads = coalesce($4::jsonb, heads), failures = 0, error = NULL, error_kind = NULL,
         next_look_at = CASE WHEN EXISTS (SELECT FROM hint WHERE repository = $1 AND kind = 'PUSH' AND NOT id = ANY($3))
           THEN now() ELSE ${next} END
       WHERE repository = $1`,
      [repository, after, hints, stand],
    );
  } else {
    await pool.query(
      `UPDATE watched_repository SET claimed_until = NULL, looked_at = now(), next_look_at = ${next}, failures = failures + 1, error = $3,
         error_kind = $4, heads = coalesce($5::jsonb, heads) WHERE repository = $1`,
      [repository, after, failure.message.slice(0, 1_000), failure.kind, stand],
    );
  }
}

/** Nothing of a host is looked at for so many milliseconds: it asked for that. */
export async function pauseHost(pool: Pool, host: string, ms: number): Promise<void> {
  await pool.query(
    `UPDATE watched_repository w SET not_before = greatest(w.not_before, now() + $2 * interval '1 millisecond')
     ${inOrder('host = $1')}`,
    [host, ms],
  );
}

/** Looks that only a person could bring back are tried once more: a login is new, or the settings may be. */
export async function retryStopped(db: Pool | PoolClient): Promise<void> {
  await db.query(
    `UPDATE watched_repository w SET next_look_at = now() ${inOrder(
      `error_kind IN ('CREDENTIALS', 'REFUSED', 'NOT_FOUND') AND claimed_until IS NULL AND next_look_at > now()`,
    )}`,
  );
}

/**
 * Hints that wait for looks which never come to an end: of each repository those beyond its newest thousand, and those older than 30 days;
 * at most 10,000.
 */
export async function stuckHints(pool: Pool): Promise<(Hint & { repository: string })[]> {
  const { rows } = await pool.query<Hint & { repository: string }>(
    `SELECT id, repository, kind, ref, number, "deliveryId", via FROM (
       SELECT id, repository, kind, ref, number, delivery_id AS "deliveryId", via, at,
         row_number() OVER (PARTITION BY repository ORDER BY id DESC) AS place
       FROM hint WHERE kind = 'PUSH') AS h
     WHERE place > ${MOST_HINTS} OR at < now() - interval '30 days' LIMIT 10000`,
  );
  return rows;
}

/** That one repository keeps: all of them are reasons for the same look. */
const MOST_HINTS = 1_000;

/** Hints about pull requests, the oldest first. */
export async function pullRequestHints(pool: Pool, limit: number): Promise<(Hint & { repository: string })[]> {
  const { rows } = await pool.query<Hint & { repository: string }>(
    `SELECT id, repository, kind, ref, number, delivery_id AS "deliveryId", via FROM hint WHERE kind = 'PULL_REQUEST'
     ORDER BY id LIMIT $1`,
    [limit],
  );
  return rows;
}

/** They were told. */
export async function forgetHints(pool: Pool, ids: readonly string[]): Promise<void> {
  await pool.query('DELETE FROM hint WHERE id IN (SELECT id FROM hint WHERE id = ANY($1) ORDER BY id FOR UPDATE)', [
    ids,
  ]);
}

/** A repository whose pull requests are to be listed. */
export interface PullRequestsClaimed {
  repository: string;
  etag: string | null;
  /** Those that changed before were told. */
  seenAt: Date | null;
  failures: number;
}

/**
 * Takes those of `repositories` whose pull requests are due to be listed, the longest first; no other process does before the claim is over.
 */
export async function claimPullRequests(
  pool: Pool,
  repositories: readonly string[],
  leaseMs: number,
  limit: number,
): Promise<PullRequestsClaimed[]> {
  const { rows } = await pool.query<PullRequestsClaimed>(
    `WITH taken AS (
       SELECT repository FROM watched_repository WHERE repository = ANY($1)
         AND coalesce(pull_next_at <= now(), true) AND coalesce(pull_claimed_until <= now(), true)
       ORDER BY pull_next_at NULLS FIRST LIMIT $3 FOR UPDATE SKIP LOCKED)
     UPDATE watched_repository w SET pull_claimed_until = now() + $2 * interval '1 millisecond'
     FROM taken WHERE w.repository = taken.repository
     RETURNING w.repository, w.pull_etag AS etag, w.pull_seen_at AS "seenAt", w.pull_failures AS failures`,
    [repositories, leaseMs, limit],
  );
  return rows;
}

/** Ends a claim. `seen`: what the list said, and as of when (null: what it said was never told); or why it failed. */
export async function recordPullRequests(
  pool: Pool,
  repository: string,
  after: number,
  seen: { etag?: string | undefined; at: Date | null } | { error: string },
): Promise<void> {
  const next = `pull_claimed_until = NULL, pull_next_at = now() + $2 * interval '1 millisecond'`;
  if ('error' in seen)
    await pool.query(
      `UPDATE watched_repository SET ${next}, pull_failures = pull_failures + 1, pull_error = $3 WHERE repository = $1`,
      [repository, after, seen.error.slice(0, 1_000)],
    );
  else
    await pool.query(
      `UPDATE watched_repository SET ${next}, pull_failures = 0, pull_error = NULL, pull_etag = $3, pull_seen_at = $4
       WHERE repository = $1`,
      [repository, after, seen.etag ?? null, seen.at],
    );
}

/** A repository whose host is to be asked for deliveries that did not arrive. */
export interface MissedClaimed {
  repository: string;
  /** All from before arrived; null: it was never asked. */
  since: Date | null;
  /** Why it could not be asked the last time. */
  error: string | null;
}

/** Takes all that are due to be asked; no other process does for so many milliseconds. */
export async function claimMissed(pool: Pool, ms: number): Promise<MissedClaimed[]> {
  const { rows } = await pool.query<MissedClaimed>(
    `WITH taken AS (
       SELECT repository FROM watched_repository WHERE coalesce(missed_next_at <= now(), true) FOR UPDATE SKIP LOCKED)
     UPDATE watched_repository w SET missed_next_at = now() + $1 * interval '1 millisecond'
     FROM taken WHERE w.repository = taken.repository
     RETURNING w.repository, w.missed_since AS since, w.missed_error AS error`,
    [ms],
  );
  return rows;
}

/** What was asked, and from when on it is asked the next time; or why it could not be, and after how many milliseconds it is asked again. */
export async function recordMissed(
  pool: Pool,
  repository: string,
  answer: { since: Date } | { error: string; after: number },
): Promise<void> {
  if ('since' in answer)
    await pool.query('UPDATE watched_repository SET missed_since = $2, missed_error = NULL WHERE repository = $1', [
      repository,
      answer.since,
    ]);
  else
    await pool.query(
      `UPDATE watched_repository SET missed_error = $2, missed_next_at = now() + $3 * interval '1 millisecond' WHERE repository = $1`,
      [repository, answer.error.slice(0, 1_000), answer.after],
    );
}
