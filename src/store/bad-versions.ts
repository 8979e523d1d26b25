import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { BadVersion } from '../core/holds.ts';
import { lockProductsStatement } from '../entities/locks.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { newest } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

/** A mark as it is kept: taken back, it is history. */
export interface KeptBadVersion extends BadVersion {
  unmarkedAt: number | null;
  unmarkedBy: string | null;
  unmarkReason: string | null;
}

/** A mark that is to be made. */
export type NewBadVersion = Omit<BadVersion, 'id'>;

/**
 * Marks a version bad, in the caller's transaction: once that is committed, no promotion of it starts in the mark's scope. A
 * rollback marks its version once, however often it is told to.
 */
export async function markVersionBad(client: PoolClient, mark: NewBadVersion): Promise<string> {
  await client.query(lockProductsStatement([mark.product]));
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO bad_version AS b (id, product, digest, label, scope, group_name, environments, reason, actor, since, expires_at,
       rollback_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (rollback_id) WHERE rollback_id IS NOT NULL DO UPDATE SET reason = b.reason
     RETURNING id`,
    [
      randomUUID(),
      mark.product,
      mark.digest,
      mark.label,
      mark.scope,
      mark.group,
      JSON.stringify(mark.environments),
      mark.reason,
      mark.by,
      new Date(mark.since),
      mark.expiresAt === null ? null : new Date(mark.expiresAt),
      mark.rollback,
    ],
  );
  return (rows[0] as { id: string }).id;
}

/** Takes these marks back; those that were taken back already stay as they are and are missing from the answer. */
export async function unmarkVersions(
  client: Pool | PoolClient,
  ids: string[],
  unmarked: { at: number; by: string | null; reason: string },
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE bad_version b SET unmarked_at = $2, unmarked_by = $3, unmark_reason = $4
     FROM (SELECT id FROM bad_version WHERE id = ANY($1) AND unmarked_at IS NULL ORDER BY id FOR NO KEY UPDATE) locked
     WHERE b.id = locked.id RETURNING b.id`,
    [ids, new Date(unmarked.at), unmarked.by, unmarked.reason],
  );
  return rows.map((row) => row.id);
}

/** Which marks; all that is given must fit. */
export interface BadVersionFilter {
  product?: string;
  digest?: string;
  /** Only what counts at this time, in milliseconds. */
  activeAt?: number;
  /** Only what is seen: of a product, and of one of the environments, where the mark has any; null: everything. */
  visible?: Visibility | null;
}

/** Newest first; `before` is the key of the mark after which the page begins. */
export async function listBadVersions(
  pool: Db,
  { key, filter = {}, ...size }: PageSize & { key?: { since: number; id: string }; filter?: BadVersionFilter },
): Promise<Looked<KeptBadVersion>> {
  const { product, digest, activeAt, visible } = filter;
  const { rows, cut } = await newest<BadVersionRecord>(pool, {
    from:
      activeAt === undefined
        ? 'bad_version b'
        : `(SELECT * FROM bad_version WHERE unmarked_at IS NULL AND product <> '') b`,
    select: 'b.*',
    time: 'b.since',
    id: 'b.id',
    key,
    ...size,
    rest: (values) => [
      ...(product === undefined ? [] : [`b.product = ${values.add(product)}`]),
      ...(digest === undefined ? [] : [`b.digest = ${values.add(digest)}`]),
      ...(activeAt === undefined ? [] : [`(b.expires_at IS NULL OR b.expires_at > ${values.add(new Date(activeAt))})`]),
      ...(visible ? [seenSql(values.add(visibleValue(visible)))] : []),
    ],
  });
  return { rows: rows.map(toBadVersion), cut };
}

/** A mark on some environments shows to callers who see one of them; a mark on all shows to callers who see the product. */
const seenSql = (visible: string): string =>
  `${visibleSql(visible, 'b.product')} AND (b.environments = '[]' OR ${visible}::jsonb->b.product = 'null'::jsonb
     OR jsonb_exists_any(${visible}::jsonb->b.product, ARRAY(SELECT jsonb_array_elements_text(b.environments))))`;

/** The marks on a version that count at this time, newest first. */
export async function activeBadVersions(
  client: Pool | PoolClient,
  {
    product,
    digest,
    at,
    limit,
    before,
  }: { product: string; digest: string; at: number; limit: number; before?: { since: number; id: string } },
): Promise<KeptBadVersion[]> {
  const { rows } = await client.query<BadVersionRecord>({
    name: 'active-bad-versions',
    text: `SELECT * FROM bad_version
     WHERE product = $1 AND digest = $2 AND unmarked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)
       AND ($5::timestamptz IS NULL OR (since, id) < ($5, $6::uuid))
     ORDER BY since DESC, id DESC LIMIT $4`,
    values: [
      product,
      digest,
      new Date(at),
      limit,
      before === undefined ? null : new Date(before.since),
      before?.id ?? null,
    ],
  });
  return rows.map(toBadVersion);
}

/** Marks by their ids, those that are over too; unknown ids are missing from the answer. */
export async function readBadVersions(
  pool: Pool | PoolClient,
  ids: readonly string[],
): Promise<Map<string, KeptBadVersion>> {
  const { rows } = await pool.query<BadVersionRecord>('SELECT * FROM bad_version WHERE id = ANY($1)', [ids]);
  return new Map(rows.map((row) => [row.id, toBadVersion(row)]));
}

/** The versions of a product that have this label or this digest, as its releases know them. */
export async function findVersions(
  pool: Pool,
  product: string,
  labelOrDigest: string,
): Promise<{ digest: string; label: string }[]> {
  const { rows } = await pool.query<{ digest: string; label: string }>(
    `SELECT DISTINCT ON (digest) digest, version AS label FROM release
     WHERE product = $1 AND (version = $2 OR digest = $2) ORDER BY digest, number DESC LIMIT 20`,
    [product, labelOrDigest],
  );
  return rows;
}

/** A row, or the same as JSON, where times are text. */
export interface BadVersionRecord {
  id: string;
  product: string;
  digest: string;
  label: string;
  scope: BadVersion['scope'];
  group_name: string | null;
  environments: string[];
  reason: string;
  actor: string | null;
  since: Date | string;
  expires_at: Date | string | null;
  rollback_id: string | null;
  unmarked_at: Date | string | null;
  unmarked_by: string | null;
  unmark_reason: string | null;
}

/** A row as the core takes it: times in milliseconds (UTC). */
export function toBadVersion(row: BadVersionRecord): KeptBadVersion {
  return {
    id: row.id,
    product: row.product,
    digest: row.digest,
    label: row.label,
    scope: row.scope,
    group: row.group_name,
    environments: row.environments,
    reason: row.reason,
    by: row.actor,
    since: new Date(row.since).getTime(),
    expiresAt: row.expires_at === null ? null : new Date(row.expires_at).getTime(),
    rollback: row.rollback_id,
    unmarkedAt: row.unmarked_at === null ? null : new Date(row.unmarked_at).getTime(),
    unmarkedBy: row.unmarked_by,
    unmarkReason: row.unmark_reason,
  };
}
