import type { Pool, PoolClient } from 'pg';
import type { StatusState } from '../core/gates/merge-state.ts';
import type { ReleaseStatus } from '../core/release.ts';
import { inTransaction } from '../connections.ts';
import type { Db } from './reads.ts';
import { LOCK_STATUSES } from '../entities/locks.ts';

type Connection = Pick<Pool | PoolClient, 'query'>;

/** A commit status as it should be; later calls with a higher `version` win. */
export interface WantedCommitStatus {
  repository: string;
  sha: string;
  context: string;
  about: 'MERGE' | 'RELEASE';
  releaseId: string;
  position: number | null;
  state: StatusState;
  description: string;
  url: string | null;
  /** What it follows from; of two, the higher one counts. */
  version: number;
  /** Of a release's commit: it changes with the release; true when left out. */
  follows?: boolean;
}

/** Green is what lets a merge through. On a release's commit only a bad end is in a hurry. */
const IN_A_HURRY = `(s.about = 'MERGE' AND s.state <> 'SUCCESS' OR s.state IN ('FAILURE', 'ERROR'))`;

/**
 * Writes down what is wanted. The same again changes nothing; a change is due at once, whatever had failed before. A call that is
 * under way is left alone: who made it finds the newer generation when it comes back.
 */
export async function wantStatuses(connection: Connection, wanted: readonly WantedCommitStatus[]): Promise<void> {
  if (wanted.length === 0) return;
  await connection.query(
    `INSERT INTO commit_status AS s (repository, sha, context, about, release_id, position, state, description, url, version, due_at, follows)
     SELECT repository, sha, context, about, "releaseId", position, state, description, url, version, now(), about = 'RELEASE' AND coalesce(follows, true)
     FROM jsonb_to_recordset($1::jsonb) AS i(repository text, sha text, context text, about text, "releaseId" uuid, position integer,
       state text, description text, url text, version bigint, follows boolean)
     ORDER BY repository, sha, context
     ON CONFLICT (repository, sha, context) DO UPDATE SET about = excluded.about, release_id = excluded.release_id,
       position = excluded.position, version = excluded.version, state = excluded.state, description = excluded.description,
       url = excluded.url, follows = excluded.follows,
       generation = s.generation + CASE WHEN ${IS_NEWS} THEN 1 ELSE 0 END,
       due_at = CASE WHEN ${IS_NEWS} THEN now() ELSE s.due_at END,
       attempts = CASE WHEN ${IS_NEWS} THEN 0 ELSE s.attempts END,
       last_error = CASE WHEN ${IS_NEWS} THEN NULL ELSE s.last_error END,
       refused_since = CASE WHEN ${IS_NEWS} THEN NULL ELSE s.refused_since END
     WHERE excluded.version >= s.version`,
    [JSON.stringify(wanted)],
  );
}

/** For statements that write to several rows of `commit_status s`: locked in one order, so that no two wait for each other. */
const inOrder = (which: string): string => `FROM (
    SELECT repository, sha, context FROM commit_status WHERE ${which} ORDER BY repository, sha, context FOR NO KEY UPDATE) locked
  WHERE (s.repository, s.sha, s.context) = (locked.repository, locked.sha, locked.context)`;

const IS_NEWS = `(s.state, s.description, s.url) IS DISTINCT FROM (excluded.state, excluded.description, excluded.url)`;

/** Nothing more is told of these commits in this context: their pull request was merged. */
export async function endStatuses(
  connection: Connection,
  { releaseId, position }: { releaseId: string; position: number },
  shas: readonly string[],
): Promise<void> {
  await connection.query(
    `UPDATE commit_status s SET due_at = NULL, refused_since = NULL
     ${inOrder(`release_id = $1 AND position = $2 AND about = 'MERGE' AND sha = ANY($3::text[])`)}`,
    [releaseId, position, shas],
  );
}

/** A status that is to be brought to its host now, by this process alone. */
export interface DueStatus extends Omit<WantedCommitStatus, 'version' | 'follows'> {
  generation: number;
  attempts: number;
}

const DUE = `s.repository, s.sha, s.context, s.about, s.release_id AS "releaseId", s.position, s.state, s.description, s.url, s.generation, s.attempts`;

/**
 * Takes statuses that are due, red ones first, each for one sender alone until `lease` milliseconds are over. Of a release's commit
 * one at a time and one each `pause` milliseconds, but for a bad end.
 *
 * @param limit at most so many; `onlyUrgent`: none but red ones
 */
export function claimDueStatuses(
  pool: Pool,
  { limit, lease, pause, onlyUrgent }: { limit: number; lease: number; pause: number; onlyUrgent: boolean },
): Promise<DueStatus[]> {
  // One claim at a time: each must see which commits the one before has taken.
  return inTransaction(pool, `BEGIN; ${LOCK_STATUSES}`, async (client) => {
    const { rows } = await client.query<DueStatus & { urgent: boolean }>(
      `WITH due AS MATERIALIZED (
         SELECT repository, sha, context, ${IN_A_HURRY} AS urgent, due_at FROM commit_status s
         WHERE due_at <= now() AND (busy_until IS NULL OR busy_until <= now()) AND ($4 = false OR ${IN_A_HURRY})
           AND (about = 'MERGE' OR ${IN_A_HURRY} OR NOT EXISTS (
             SELECT FROM commit_status o WHERE o.repository = s.repository AND o.sha = s.sha AND o.about = 'RELEASE'
               AND (o.called_at > now() - $3 * interval '1 millisecond' OR o.busy_until > now()
                 OR (o.due_at <= now() AND o.context < s.context))))
         ORDER BY urgent DESC, due_at LIMIT $1
         -- One that is being written down may be written down for long, and is for the next claim.
         FOR UPDATE SKIP LOCKED)
       UPDATE commit_status s SET busy_until = now() + $2 * interval '1 millisecond', called_at = now()
       FROM due WHERE (s.repository, s.sha, s.context) = (due.repository, due.sha, due.context)
       RETURNING ${DUE}, due.urgent`,
      [limit, lease, pause, onlyUrgent],
    );
    return rows.toSorted((a, b) => Number(b.urgent) - Number(a.urgent));
  });
}

type Sent = Pick<DueStatus, 'repository' | 'sha' | 'context' | 'generation' | 'state'>;

/** The host has it. What is wanted by now, where that is something else: its call is this process's as well. */
export async function statusApplied(pool: Pool, sent: Sent, lease: number): Promise<DueStatus | undefined> {
  const { repository, sha, context, generation, state } = sent;
  const { rows } = await pool.query<DueStatus & { again: boolean }>(
    `UPDATE commit_status s SET applied = $4, applied_state = $5, applied_at = now(), attempts = 0, last_error = NULL, refused_since = NULL,
       due_at = CASE WHEN generation = $4 THEN NULL ELSE due_at END,
       busy_until = CASE WHEN generation <> $4 AND due_at <= now() AND ${IN_A_HURRY} THEN now() + $6 * interval '1 millisecond' END
     WHERE repository = $1 AND sha = $2 AND context = $3
     RETURNING ${DUE}, busy_until IS NOT NULL AS again`,
    [repository, sha, context, generation, state, lease],
  );
  return rows[0]?.again ? rows[0] : undefined;
}

/**
 * The call failed: it is tried again in `pause` milliseconds, or at once where something else is wanted by now. One that was refused for
 * good (`refused`) is given up once its host has done nothing else for half an hour.
 * @returns whether it is given up now
 */
export async function statusFailed(
  pool: Pool,
  sent: Sent,
  { error, refused, pause }: { error: string; refused: boolean; pause: number },
): Promise<boolean> {
  const { repository, sha, context, generation } = sent;
  const { rows } = await pool.query<{ over: boolean }>(
    `UPDATE commit_status SET busy_until = NULL, last_error = $5, attempts = attempts + 1,
       refused_since = CASE WHEN generation <> $4 OR due_at IS NULL THEN refused_since WHEN $7 THEN coalesce(refused_since, now()) END,
       due_at = CASE WHEN generation <> $4 OR due_at IS NULL THEN due_at
         WHEN NOT ($7 AND coalesce(refused_since <= now() - interval '30 minutes', false)) THEN now() + $6 * interval '1 millisecond' END
     WHERE repository = $1 AND sha = $2 AND context = $3 RETURNING due_at IS NULL AND refused_since IS NOT NULL AS over`,
    [repository, sha, context, generation, error, pause, refused],
  );
  return rows[0]?.over ?? false;
}

/** Those that were given up in the last week are tried once more: a login is new. */
export async function retryRefused(connection: Connection): Promise<void> {
  await connection.query(RETRY_REFUSED);
}

/** Exported for the test of its plan. */
export const RETRY_REFUSED = `UPDATE commit_status s SET due_at = now(), refused_since = NULL, attempts = 0
  ${inOrder(`due_at IS NULL AND refused_since > now() - interval '7 days'`)}`;

/** A status as people read it. */
export interface CommitStatusShown {
  releaseId: string;
  position: number | null;
  repository: string;
  sha: string;
  context: string;
  state: StatusState;
  description: string;
  url: string | null;
  appliedState: StatusState | null;
  appliedAt: Date | null;
  attempts: number;
  lastError: string | null;
  dueAt: Date | null;
  /** Its host refused it for so long that it is not tried any more. */
  givenUp: boolean;
}

/** By release, each named once, in the order of their contexts. */
export async function statusesOf(db: Db, releases: readonly string[]): Promise<Map<string, CommitStatusShown[]>> {
  const { rows } = await db.query<CommitStatusShown>(
    `SELECT own.* FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
       SELECT release_id AS "releaseId", position, repository, sha, context, state, description, url, applied_state AS "appliedState",
         applied_at AS "appliedAt", attempts, last_error AS "lastError", due_at AS "dueAt", due_at IS NULL AND refused_since IS NOT NULL AS "givenUp"
       FROM commit_status WHERE release_id = asked.id OFFSET 0) AS own
     ORDER BY own.context, own.repository, own.sha`,
    [releases],
  );
  const found = new Map<string, CommitStatusShown[]>();
  for (const each of rows) found.set(each.releaseId, [...(found.get(each.releaseId) ?? []), each]);
  return found;
}

/** A release whose commit is told how it goes. */
export interface FollowedRelease extends Pick<
  WantedCommitStatus,
  'repository' | 'sha' | 'context' | 'releaseId' | 'state' | 'description' | 'url'
> {
  status: ReleaseStatus;
  ended: boolean;
  number: number;
  /** Of its newest event. */
  sequence: number;
  /** The label of what it brings. */
  version: string;
  /** Why it ended badly; null: it did not, or nothing says so. */
  why: string | null;
}

/** All whose status may still change, as they are now. */
export async function followedReleases(pool: Pool): Promise<FollowedRelease[]> {
  const { rows } = await pool.query<FollowedRelease>(
    `SELECT s.repository, s.sha, s.context, s.release_id AS "releaseId", s.state, s.description, s.url, r.status,
       r.ended_at IS NOT NULL AND r.status IN ('SUCCEEDED', 'FAILED', 'TERMINATED') AS ended, r.number::float8 AS number, r.sequence, r.version,
       coalesce(r.rest->'terminating'->>'reason', r.rest->'firstProblem'->>'message') AS why
     FROM commit_status s CROSS JOIN LATERAL (
       SELECT status, ended_at, number, sequence, version, rest FROM release WHERE id = s.release_id OFFSET 0) AS r
     WHERE s.follows`,
  );
  return rows;
}

/** An ended release is taken back: its commit is told again. */
export async function followAgain(connection: Connection, releaseIds: readonly string[]): Promise<void> {
  await connection.query(
    `UPDATE commit_status s SET follows = true
     ${inOrder(`release_id = ANY($1::uuid[]) AND about = 'RELEASE' AND NOT follows`)}`,
    [releaseIds],
  );
}
