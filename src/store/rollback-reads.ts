import type { Pool } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { RollbackCause } from '../core/rollback/rollback.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { newest } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

/** Why a rollback was started, and which releases it takes back; what it does is the release of the same id. */
export interface RollbackSummary {
  id: string;
  product: string;
  cause: RollbackCause;
  origins: string[];
  createdAt: Date;
}

const COLUMNS = `b.id, b.product, b.cause, b.origins, b.created_at AS "createdAt"`;

/** A page of rollbacks, the newest first. */
export interface RollbackList extends PageSize {
  /** Of the rollback from which the page goes on. */
  key?: { since: number; id: string };
  product?: string;
  /** Only of products that are seen; null: of all. */
  visible?: Visibility | null;
}

/** Newest first. */
export async function listRollbacks(
  pool: Db,
  { key, product, visible, ...size }: RollbackList,
): Promise<Looked<RollbackSummary>> {
  return newest(pool, {
    from: 'rollback b',
    select: COLUMNS,
    time: 'b.created_at',
    id: 'b.id',
    key,
    ...size,
    rest: (values) => [
      ...(product === undefined ? [] : [`b.product = ${values.add(product)}`]),
      ...(visible ? [visibleSql(values.add(visibleValue(visible)), 'b.product')] : []),
    ],
  });
}

/** By their ids; unknown ids are missing from the answer. */
export async function readRollbacks(pool: Pool, ids: readonly string[]): Promise<Map<string, RollbackSummary>> {
  const { rows } = await pool.query<RollbackSummary>(`SELECT ${COLUMNS} FROM rollback b WHERE b.id = ANY($1)`, [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Release → the rollbacks that take it back, wholly or in part; the newest first. */
export async function rollbacksOf(pool: Pool, releases: readonly string[]): Promise<Map<string, RollbackSummary[]>> {
  const { rows } = await pool.query<RollbackSummary>(
    `SELECT b.* FROM (SELECT ${COLUMNS} FROM rollback b WHERE b.origins && $1::uuid[] OFFSET 0) AS b
     ORDER BY b."createdAt" DESC, b.id DESC LIMIT 500`,
    [releases],
  );
  return new Map(releases.map((id) => [id, rows.filter((row) => row.origins.includes(id))]));
}
