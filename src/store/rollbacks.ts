import type { Pool, PoolClient } from 'pg';
import type { LiveVersion } from '../core/release.ts';
import type { RollbackCause } from '../core/rollback/rollback.ts';

/** The record of a rollback: why, and whom it takes back. */
export interface NewRollbackRow {
  id: string;
  product: string;
  cause: RollbackCause;
  digest: string;
  included: string[];
  origins: string[];
  at: number;
}

/** In the transaction that makes the release of the same id. */
export async function insertRollback(client: PoolClient, row: NewRollbackRow): Promise<void> {
  await client.query(
    `INSERT INTO rollback (id, product, release_id, cause, digest, included, origins, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      row.id,
      row.product,
      row.cause.release,
      JSON.stringify(row.cause),
      row.digest,
      row.included,
      row.origins,
      new Date(row.at),
    ],
  );
}

/** Whether this order was carried out already. */
export async function rollbackExists(client: PoolClient, id: string): Promise<boolean> {
  const { rowCount } = await client.query('SELECT FROM rollback WHERE id = $1', [id]);
  return rowCount === 1;
}

/** The rollback that takes this version back in this environment right now: its promotion there has not ended. */
export async function rollbackAtWork(
  client: PoolClient,
  product: string,
  digest: string,
  environment: string,
): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT b.id FROM rollback b JOIN promotion p ON p.release_id = b.id
     WHERE b.product = $1 AND b.digest = $2 AND $3 = ANY(b.included) AND p.environment = $3 AND p.ended_at IS NULL
     ORDER BY b.created_at DESC LIMIT 1`,
    [product, digest, environment],
  );
  return rows[0]?.id ?? null;
}

/** Releases of the product that have begun, have not ended, and bring this version. */
export async function bringersOf(client: PoolClient, product: string, digest: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM release
     WHERE product = $1 AND digest = $2 AND kind = 'FORWARD' AND ended_at IS NULL AND started_at IS NOT NULL ORDER BY number`,
    [product, digest],
  );
  return rows.map((row) => row.id);
}

/** Environment → application → its newest deployment. */
export async function liveIn(
  client: PoolClient,
  product: string,
  environments: string[],
): Promise<Record<string, Record<string, LiveVersion>>> {
  const { rows } = await client.query<LiveVersion & { environment: string; application: string }>(
    `SELECT DISTINCT ON (environment, application) environment, application, id, digest, version AS label
     FROM deployment WHERE product = $1 AND environment = ANY($2)
     ORDER BY environment, application, at DESC, id DESC`,
    [product, environments],
  );
  const live: Record<string, Record<string, LiveVersion>> = {};
  for (const { environment, application, ...version } of rows) (live[environment] ??= {})[application] = version;
  return live;
}

/** Environment and application → the commit with which a release became live there. */
export async function commitsOf(
  client: PoolClient,
  product: string,
  releases: string[],
): Promise<{ release: string; environment: string; application: string; commit: string | null }[]> {
  const { rows } = await client.query<{
    release: string;
    environment: string;
    application: string;
    commit: string | null;
  }>(
    `SELECT release_id AS release, environment, application, commit_id AS commit
     FROM deployment WHERE product = $1 AND release_id = ANY($2)`,
    [product, releases],
  );
  return rows;
}

/** A rollback is settled once everybody whom it takes back knows its end; a retried one is not settled again before that. */
export async function settleRollback(pool: Pool, id: string, sequence: number): Promise<void> {
  await pool.query(
    `UPDATE rollback b SET settled_at = now() FROM release r
     WHERE b.id = $1 AND r.id = b.id AND b.settled_at IS NULL AND r.sequence = $2 AND r.ended_at IS NOT NULL`,
    [id, sequence],
  );
}

/** The rollback goes on, so the releases that it takes back have to be told of its end once more. */
export async function unsettleRollback(pool: Pool, id: string): Promise<void> {
  await pool.query('UPDATE rollback SET settled_at = NULL WHERE id = $1 AND settled_at IS NOT NULL', [id]);
}

/** Rollbacks whose end a release may not know yet; `after`: the id after which the page begins. */
export async function unsettledRollbacks(pool: Pool, limit: number, after?: string): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT b.id FROM rollback b JOIN release r ON r.id = b.id
     WHERE b.settled_at IS NULL AND r.ended_at < now() - interval '2 seconds' AND ($2::uuid IS NULL OR b.id > $2)
     ORDER BY b.id LIMIT $1`,
    [limit, after ?? null],
  );
  return rows.map((row) => row.id);
}
