import type { Pool, PoolClient } from 'pg';

type Connection = Pick<Pool | PoolClient, 'query'>;

/** A promotion of a release. */
export interface PromotionPlace {
  releaseId: string;
  position: number;
}

/** A promotion that has, or had, a pull request for a branch. */
export interface RequestedPlace extends PromotionPlace {
  product: string;
  environment: string;
  step: number;
  attempt: number;
  state: string;
  /** The commit that was proposed; null: none was yet. */
  proposed: string | null;
}

/** Of every product and environment that ever had a pull request for this branch, all that are open, and the newest one. */
export async function requestsFor(connection: Connection, repository: string, base: string): Promise<RequestedPlace[]> {
  const { rows } = await connection.query<RequestedPlace>(
    `SELECT release_id AS "releaseId", position, product, environment, step, attempt, state, proposed_sha AS proposed
     FROM (
       SELECT p.*, r.number AS place, max(r.number) OVER (PARTITION BY p.product, p.environment) AS newest
       FROM pull_request p JOIN release r ON r.id = p.release_id WHERE p.repository = $1 AND p.base = $2) AS p
     WHERE state IN ('OPENING', 'OPEN') OR place = newest
     ORDER BY place DESC, attempt DESC, step`,
    [repository, base],
  );
  return rows;
}

/** A commit of a merge queue, with the promotions whose change is in it. */
export interface MergeGroup {
  repository: string;
  commit: string;
  base: string;
  members: PromotionPlace[];
}

/** Keeps it; those that are older than a day go. */
export async function keepMergeGroup(connection: Connection, group: MergeGroup): Promise<void> {
  const { repository, commit, base, members } = group;
  await connection.query(
    `DELETE FROM merge_group WHERE (repository, commit_id) IN (
       SELECT repository, commit_id FROM merge_group WHERE seen_at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)`,
  );
  await connection.query(
    `INSERT INTO merge_group (repository, commit_id, base, members) VALUES ($1, $2, $3, $4)
     ON CONFLICT (repository, commit_id) DO UPDATE SET members = excluded.members, seen_at = now()`,
    [repository, commit, base, JSON.stringify(members)],
  );
}

/** Those that this promotion's change is in. */
export async function mergeGroupsOf(
  connection: Connection,
  { releaseId, position }: PromotionPlace,
): Promise<{ repository: string; commit: string }[]> {
  const { rows } = await connection.query<{ repository: string; commit: string }>(
    `SELECT repository, commit_id AS commit FROM merge_group WHERE members @> $1::jsonb ORDER BY 1, 2`,
    [JSON.stringify([{ releaseId, position }])],
  );
  return rows;
}
