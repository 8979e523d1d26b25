import type { Pool, PoolClient } from 'pg';

/** A pull request, as far as its commit status needs to know it. */
export interface JudgedRequest {
  repository: string;
  /** The step that opens it. */
  step: number;
  state: string;
  /** The newest commit of its branch that was seen. */
  headSha: string | null;
}

/** Those of an attempt of a promotion; who writes down what is wanted for them does so one after the other. */
export async function lockRequests(
  client: PoolClient,
  releaseId: string,
  position: number,
  attempt: number,
): Promise<JudgedRequest[]> {
  const { rows } = await client.query<JudgedRequest>(
    `SELECT repository, step, state, head_sha AS "headSha" FROM pull_request
     WHERE release_id = $1 AND position = $2 AND attempt = $3 ORDER BY key FOR UPDATE`,
    [releaseId, position, attempt],
  );
  return rows;
}

/** Promotions that have an open pull request whose status was not written down since it was seen to be there, or changed. */
export async function dueForJudgement(pool: Pool, limit: number): Promise<{ releaseId: string; position: number }[]> {
  const { rows } = await pool.query<{ releaseId: string; position: number }>(
    `WITH due AS (SELECT key FROM pull_request WHERE state = 'OPEN' AND judge_at <= now() ORDER BY judge_at LIMIT $1)
     UPDATE pull_request p SET judge_at = NULL FROM due WHERE p.key = due.key AND p.judge_at <= now()
     RETURNING p.release_id AS "releaseId", p.position`,
    [limit],
  );
  return [...new Map(rows.map((row) => [`${row.releaseId} ${row.position}`, row])).values()];
}
