import type { Pool, PoolClient } from 'pg';

/** A pull request, as far as its commit status needs to know it. */
export interface JudgedRequest {
  repository: string;
  /** The step that opens it. */
  step: number;
  state: string;
  /** The newest commit of its branch that was seen, and the one that was proposed. */
  headSha: string | null;
  proposedSha: string | null;
}

const SELECT = `SELECT repository, step, state, head_sha AS "headSha", proposed_sha AS "proposedSha" FROM pull_request
  WHERE release_id = $1 AND position = $2 AND attempt = $3 ORDER BY key`;

/** Those of an attempt of a promotion. */
export async function requestsOf(
  connection: Pick<Pool | PoolClient, 'query'>,
  releaseId: string,
  position: number,
  attempt: number,
): Promise<JudgedRequest[]> {
  const { rows } = await connection.query<JudgedRequest>(SELECT, [releaseId, position, attempt]);
  return rows;
}

/** The same; who writes down what is wanted for them does so one after the other. */
export async function lockRequests(
  client: PoolClient,
  releaseId: string,
  position: number,
  attempt: number,
): Promise<JudgedRequest[]> {
  const { rows } = await client.query<JudgedRequest>(`${SELECT} FOR UPDATE`, [releaseId, position, attempt]);
  return rows;
}

/** A promotion that has an open pull request, and until when one process alone looks at its status. */
export interface DuePromotion {
  releaseId: string;
  position: number;
  until: Date;
}

/**
 * Promotions that have an open pull request whose status was not written down since it was seen to be there, or changed. Should this
 * process die, they are due again when `lease` milliseconds are over.
 */
export async function dueForJudgement(pool: Pool, limit: number, lease: number): Promise<DuePromotion[]> {
  const { rows } = await pool.query<DuePromotion>(
    `WITH due AS (
       SELECT key FROM pull_request WHERE state = 'OPEN' AND judge_at <= now() ORDER BY judge_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     UPDATE pull_request p SET judge_at = date_trunc('milliseconds', now()) + $2 * interval '1 millisecond'
     FROM due WHERE p.key = due.key AND p.judge_at <= now()
     RETURNING p.release_id AS "releaseId", p.position, p.judge_at AS until`,
    [limit, lease],
  );
  return [...new Map(rows.map((row) => [`${row.releaseId} ${row.position}`, row])).values()];
}

/** Of the promotion $1, $2, which may have several: locked in one order, so that no two writers wait for each other. */
const inOrder = (which: string): string =>
  `SELECT key FROM pull_request WHERE release_id = $1 AND position = $2 AND ${which} ORDER BY key FOR NO KEY UPDATE`;

/** It is written down; what has changed since it was claimed is due still. */
export async function judged(pool: Pool, { releaseId, position, until }: DuePromotion): Promise<void> {
  await pool.query(
    `UPDATE pull_request SET judge_at = NULL
     WHERE key IN (${inOrder('judge_at = $3')})`,
    [releaseId, position, until],
  );
}

/** The open pull requests of a promotion are judged again in `after` milliseconds. */
export async function judgeLater(pool: Pool, releaseId: string, position: number, after: number): Promise<void> {
  await pool.query(
    `UPDATE pull_request SET judge_at = now() + $3 * interval '1 millisecond'
     WHERE key IN (${inOrder("state = 'OPEN'")})`,
    [releaseId, position, after],
  );
}
