import type { Pool } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { RollbackCause } from '../core/rollback/rollback.ts';
import { visibleSql, visibleValue } from './visible.ts';

/** Why a rollback was started, and which releases it takes back; what it does is the release of the same id. */
export interface RollbackSummary {
  id: string;
  product: string;
  cause: RollbackCause;
  origins: string[];
  createdAt: Date;
}

const COLUMNS = `b.id, b.product, b.cause, b.origins, b.created_at AS "createdAt"`;

export interface RollbackList {
  limit: number;
  before?: { since: number; id: string };
  product?: string;
  /** Only of products that are seen; null: of all. */
  visible?: Visibility | null;
}

/** Newest first; `before` is the key of the rollback after which the page begins. */
export async function listRollbacks(
  pool: Pool,
  { limit, before, product, visible }: RollbackList,
): Promise<RollbackSummary[]> {
  const { rows } = await pool.query<RollbackSummary>(
    `SELECT ${COLUMNS} FROM rollback b
     WHERE ($1::text IS NULL OR b.product = $1)
       AND ($2::timestamptz IS NULL OR (date_trunc('milliseconds', b.created_at), b.id) < ($2, $3::uuid))
       AND ${visibleSql('$5', 'b.product')}
     ORDER BY date_trunc('milliseconds', b.created_at) DESC, b.id DESC LIMIT $4`,
    [
      product ?? null,
      before === undefined ? null : new Date(before.since),
      before?.id ?? null,
      limit,
      visibleValue(visible),
    ],
  );
  return rows;
}

export async function readRollbacks(pool: Pool, ids: readonly string[]): Promise<Map<string, RollbackSummary>> {
  const { rows } = await pool.query<RollbackSummary>(`SELECT ${COLUMNS} FROM rollback b WHERE b.id = ANY($1)`, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Release → the rollbacks that take it back, wholly or in part; the newest first. */
export async function rollbacksOf(pool: Pool, releases: readonly string[]): Promise<Map<string, RollbackSummary[]>> {
  const { rows } = await pool.query<RollbackSummary>(
    `SELECT ${COLUMNS} FROM rollback b
     WHERE b.product IN (SELECT product FROM release WHERE id = ANY($1)) AND b.origins && $1::uuid[]
     ORDER BY b.created_at DESC, b.id DESC LIMIT 500`,
    [releases],
  );
  return new Map(releases.map((id) => [id, rows.filter((row) => row.origins.includes(id))]));
}
