import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { EnvironmentHold } from '../core/holds.ts';
import { LOCK_ALL_PRODUCTS, lockProductsStatement } from '../entities/locks.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { newest } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

/** A hold as it is kept: lifted, it is history. */
export interface KeptHold extends EnvironmentHold {
  liftedAt: number | null;
  liftedBy: string | null;
  liftReason: string | null;
}

/** A hold that is to be made. */
export type NewHold = Omit<EnvironmentHold, 'id'>;

/**
 * Puts an environment on hold, in the caller's transaction: once that is committed, nothing starts there any more. A rollback
 * holds an environment once, however often it is told to.
 */
export async function holdEnvironment(client: PoolClient, hold: NewHold): Promise<string> {
  // The lock waits for a start that is being decided right now; a later decision sees the hold.
  await client.query(hold.product === null ? LOCK_ALL_PRODUCTS : lockProductsStatement([hold.product]));
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO environment_hold AS h (id, product, environment, reason, actor, since, until, rollback_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (rollback_id, environment) WHERE rollback_id IS NOT NULL DO UPDATE SET reason = h.reason
     RETURNING id`,
    [
      randomUUID(),
      hold.product,
      hold.environment,
      hold.reason,
      hold.by,
      new Date(hold.since),
      hold.until === null ? null : new Date(hold.until),
      hold.rollback,
    ],
  );
  return (rows[0] as { id: string }).id;
}

/** Ends these holds; those that are lifted already stay as they are and are missing from the answer. */
export async function liftHolds(
  client: Pool | PoolClient,
  ids: string[],
  lifted: { at: number; by: string | null; reason: string | null },
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE environment_hold h SET lifted_at = $2, lifted_by = $3, lift_reason = $4
     FROM (SELECT id FROM environment_hold WHERE id = ANY($1) AND lifted_at IS NULL ORDER BY id FOR NO KEY UPDATE) locked
     WHERE h.id = locked.id RETURNING h.id`,
    [ids, new Date(lifted.at), lifted.by, lifted.reason],
  );
  return rows.map((row) => row.id);
}

/** Which holds; all that is given must fit. */
export interface HoldFilter {
  /** Of this product, and those of all products. */
  product?: string;
  environment?: string;
  /** Only what holds at this time, in milliseconds. */
  activeAt?: number;
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

/** Newest first; `before` is the key of the hold after which the page begins. */
export async function listHolds(
  pool: Db,
  { key, filter = {}, ...size }: PageSize & { key?: { since: number; id: string }; filter?: HoldFilter },
): Promise<Looked<KeptHold>> {
  const { product, environment, activeAt, visible } = filter;
  const { rows, cut } = await newest<HoldRecord>(pool, {
    from:
      activeAt === undefined
        ? 'environment_hold h'
        : `(SELECT * FROM environment_hold WHERE lifted_at IS NULL AND environment <> '') h`,
    select: 'h.*',
    time: 'h.since',
    id: 'h.id',
    key,
    ...size,
    rest: (values) => [
      ...(product === undefined ? [] : [`(h.product IS NULL OR h.product = ${values.add(product)})`]),
      ...(environment === undefined ? [] : [`h.environment = ${values.add(environment)}`]),
      ...(activeAt === undefined ? [] : [`(h.until IS NULL OR h.until > ${values.add(new Date(activeAt))})`]),
      ...(visible
        ? [
            `CASE WHEN h.product IS NULL THEN h.environment = ANY(${values.add([...visible.environments])}::text[])
             ELSE ${visibleSql(values.add(visibleValue(visible)), 'h.product', 'h.environment')} END`,
          ]
        : []),
    ],
  });
  return { rows: rows.map(toHold), cut };
}

/** The holds on an environment that count at this time, newest first. */
export async function activeHolds(
  client: Pool | PoolClient,
  {
    environment,
    at,
    limit,
    before,
  }: { environment: string; at: number; limit: number; before?: { since: number; id: string } },
): Promise<KeptHold[]> {
  const { rows } = await client.query<HoldRecord>(
    `SELECT * FROM environment_hold
     WHERE environment = $1 AND lifted_at IS NULL AND (until IS NULL OR until > $2)
       AND ($4::timestamptz IS NULL OR (since, id) < ($4, $5::uuid))
     ORDER BY since DESC, id DESC LIMIT $3`,
    [environment, new Date(at), limit, before === undefined ? null : new Date(before.since), before?.id ?? null],
  );
  return rows.map(toHold);
}

/** Holds by their ids, those that are over too; unknown ids are missing from the answer. */
export async function readHolds(pool: Pool | PoolClient, ids: readonly string[]): Promise<Map<string, KeptHold>> {
  const { rows } = await pool.query<HoldRecord>('SELECT * FROM environment_hold WHERE id = ANY($1)', [ids]);
  return new Map(rows.map((row) => [row.id, toHold(row)]));
}

/** A row, or the same as JSON, where times are text. */
export interface HoldRecord {
  id: string;
  product: string | null;
  environment: string;
  reason: string;
  actor: string | null;
  since: Date | string;
  until: Date | string | null;
  rollback_id: string | null;
  lifted_at: Date | string | null;
  lifted_by: string | null;
  lift_reason: string | null;
}

/** A row as the core takes it: times in milliseconds (UTC). */
export function toHold(row: HoldRecord): KeptHold {
  return {
    id: row.id,
    product: row.product,
    environment: row.environment,
    reason: row.reason,
    by: row.actor,
    since: new Date(row.since).getTime(),
    until: row.until === null ? null : new Date(row.until).getTime(),
    rollback: row.rollback_id,
    liftedAt: row.lifted_at === null ? null : new Date(row.lifted_at).getTime(),
    liftedBy: row.lifted_by,
    liftReason: row.lift_reason,
  };
}
