import type { Pool, PoolClient } from 'pg';
import { CLOSE_PULL_REQUEST } from '../core/pull-request.ts';
import type { PullRequestState } from '../core/pull-request.ts';

/** A pull request that a promotion asked for, as it is kept. */
export interface PullRequestRecord {
  key: string;
  releaseId: string;
  /** Of the promotion in its release's plan, and of the step that opens it in that promotion. */
  position: number;
  step: number;
  attempt: number;
  product: string;
  environment: string;
  repository: string;
  forge: string;
  number: number | null;
  branch: string;
  base: string;
  headSha: string | null;
  proposedSha: string | null;
  url: string | null;
  state: PullRequestState;
  openedAt: Date | null;
  mergedAt: Date | null;
  mergedBy: string | null;
  mergeCommit: string | null;
  judgeAt: Date | null;
}

type Db = Pool | PoolClient;

const COLUMNS = `key, release_id AS "releaseId", position, step, attempt, product, environment, repository, forge, number,
  branch, base, head_sha AS "headSha", proposed_sha AS "proposedSha", url, state, opened_at AS "openedAt", merged_at AS "mergedAt",
  merged_by AS "mergedBy", merge_commit AS "mergeCommit", judge_at AS "judgeAt"`;

/** What a step that opens pull requests knows before it opens one. */
export type NewPullRequestRecord = Pick<
  PullRequestRecord,
  | 'key'
  | 'releaseId'
  | 'position'
  | 'step'
  | 'attempt'
  | 'product'
  | 'environment'
  | 'repository'
  | 'forge'
  | 'branch'
  | 'base'
>;

/**
 * Writes down that it is about to be opened; what is written down already stays.
 * @returns whether it was not yet
 */
export async function beginPullRequest(db: Db, each: NewPullRequestRecord): Promise<boolean> {
  const { rowCount } = await db.query(
    `INSERT INTO pull_request (key, release_id, position, step, attempt, product, environment, repository, forge, branch,
       base, state)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'OPENING') ON CONFLICT (key) DO NOTHING`,
    [
      each.key,
      each.releaseId,
      each.position,
      each.step,
      each.attempt,
      each.product,
      each.environment,
      each.repository,
      each.forge,
      each.branch,
      each.base,
    ],
  );
  return rowCount === 1;
}

/** What was seen of it; what is left out stays as it was. */
export type PullRequestSighting = Pick<PullRequestRecord, 'state'> &
  Partial<
    Pick<
      PullRequestRecord,
      'number' | 'branch' | 'headSha' | 'proposedSha' | 'url' | 'mergedAt' | 'mergedBy' | 'mergeCommit'
    >
  >;

/**
 * Keeps what was seen. A merge is the last word. A pull request that is open for the first time, or has
 * another commit at its head, is judged at once.
 * @returns false where none was written down
 */
export async function sawPullRequest(db: Db, key: string, seen: PullRequestSighting): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE pull_request SET
       state = CASE WHEN state = 'MERGED' THEN state ELSE $2 END,
       number = coalesce($3, number), branch = coalesce($4, branch), head_sha = coalesce($5, head_sha),
       url = coalesce($6, url), merged_at = coalesce($7, merged_at), merged_by = coalesce($8, merged_by),
       merge_commit = coalesce($9, merge_commit), proposed_sha = coalesce($10, proposed_sha),
       opened_at = CASE WHEN $2 = 'OPEN' THEN coalesce(opened_at, now()) ELSE opened_at END,
       judge_at = CASE WHEN $2 = 'OPEN' AND (opened_at IS NULL OR head_sha IS DISTINCT FROM coalesce($5, head_sha)) THEN now()
         WHEN $2 = 'OPEN' THEN judge_at END
     WHERE key = $1`,
    [
      key,
      seen.state,
      seen.number ?? null,
      seen.branch ?? null,
      seen.headSha ?? null,
      seen.url ?? null,
      seen.mergedAt ?? null,
      seen.mergedBy ?? null,
      seen.mergeCommit ?? null,
      seen.proposedSha ?? null,
    ],
  );
  return rowCount === 1;
}

/** Of these releases, each named once, in the order of their plans and attempts. */
export async function pullRequestsOf(db: Db, releases: readonly string[]): Promise<PullRequestRecord[]> {
  const { rows } = await db.query<PullRequestRecord>(
    `SELECT own.* FROM unnest($1::uuid[]) AS asked(id) CROSS JOIN LATERAL (
       SELECT ${COLUMNS} FROM pull_request WHERE release_id = asked.id OFFSET 0) AS own
     ORDER BY own."releaseId", own.position, own.step, own.attempt`,
    [releases],
  );
  return rows;
}

/** Those of a repository that may be open: its branches are watched, and news of them is told to their promotions. */
export async function openPullRequests(db: Db, repository: string): Promise<PullRequestRecord[]> {
  const { rows } = await db.query<PullRequestRecord>(
    `SELECT ${COLUMNS} FROM pull_request WHERE repository = $1 AND state IN ('OPENING', 'OPEN') ORDER BY key`,
    [repository],
  );
  return rows;
}

// From each repository to the next one: as many entries of the index are read as there are repositories.
const REPOSITORIES = `WITH RECURSIVE known AS (
    SELECT min(repository) AS repository FROM pull_request
    UNION ALL
    SELECT (SELECT min(p.repository) FROM pull_request p WHERE p.repository > known.repository) FROM known
    WHERE known.repository IS NOT NULL)
  SELECT repository FROM known WHERE repository IS NOT NULL ORDER BY 1`;

/** All repositories in which Sluice ever opened a pull request. */
export async function requestedRepositories(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ repository: string }>(REPOSITORIES);
  return rows.map(({ repository }) => repository);
}

/** Where pull requests may be open: news of these branches is news of them. */
export async function awaitedPlaces(
  db: Db,
): Promise<Pick<PullRequestRecord, 'repository' | 'base' | 'branch' | 'number'>[]> {
  const { rows } = await db.query<Pick<PullRequestRecord, 'repository' | 'base' | 'branch' | 'number'>>(
    `SELECT repository, base, branch, number FROM pull_request WHERE state IN ('OPENING', 'OPEN') ORDER BY key`,
  );
  return rows;
}

/** Those that may be open for a product's environment in a repository, whichever release they are of. */
export async function openPullRequestsIn(
  db: Db,
  place: Pick<PullRequestRecord, 'product' | 'environment' | 'repository' | 'base'>,
): Promise<PullRequestRecord[]> {
  const open = await openPullRequests(db, place.repository);
  return open.filter(
    ({ base, product, environment }) =>
      base === place.base && product === place.product && environment === place.environment,
  );
}

/**
 * Those that may be open although nothing waits for them: their promotion is over, or is at another attempt, for longer than their errand
 * takes. A worker that was held up between its question and its effect may have opened one after that. By key; `after`: the one before the page.
 */
export async function abandonedPullRequests(
  db: Db,
  seconds: number,
  limit: number,
  after: string | undefined,
): Promise<PullRequestRecord[]> {
  const { rows } = await db.query<PullRequestRecord>(
    `SELECT ${COLUMNS} FROM (
       SELECT p.*, m.attempt AS now_at, m.ended_at FROM pull_request p
       JOIN promotion m ON m.release_id = p.release_id AND m.position = p.position
       WHERE p.state IN ('OPENING', 'OPEN')) AS p
     WHERE (attempt < now_at OR ended_at < now() - $1 * interval '1 second')
       AND NOT EXISTS (SELECT FROM outbox o WHERE o.release_id = p.release_id AND o.lane = 'errand'
         AND o.work->>'name' = '${CLOSE_PULL_REQUEST}'
         AND (o.work->'data'->'promotion', o.work->'data'->'attempt', o.work->'data'->'step')
           = (to_jsonb(p.position), to_jsonb(p.attempt), to_jsonb(p.step)))
       AND key > $3
     ORDER BY key LIMIT $2`,
    [seconds, limit, after ?? ''],
  );
  return rows;
}

/** One that is open for an environment into which a newer release of its product is to go, with that release's number. */
type Outdated = Pick<PullRequestRecord, 'key' | 'releaseId' | 'environment' | 'product'> & { newer: string };

/** By key; `after`: the one before the page. */
export async function outdatedPullRequests(db: Db, limit: number, after: string | undefined): Promise<Outdated[]> {
  const { rows } = await db.query<Outdated>(
    `SELECT p.key, p.release_id AS "releaseId", p.environment, p.product, n.number AS newer FROM pull_request p
     JOIN release r ON r.id = p.release_id AND r.ended_at IS NULL AND r.kind = 'FORWARD', LATERAL (
       SELECT o.number FROM release o
       JOIN promotion m ON m.release_id = o.id AND m.product = r.product AND m.environment = p.environment AND m.ended_at IS NULL
       WHERE o.product = r.product AND o.kind = 'FORWARD' AND o.ended_at IS NULL AND o.number > r.number
       ORDER BY o.number DESC LIMIT 1) AS n
     WHERE p.state = 'OPEN' AND p.key > $2 ORDER BY p.key LIMIT $1`,
    [limit, after ?? ''],
  );
  return rows;
}
