import type { Db } from './reads.ts';

/** A promotion that has not ended and asked people: before its start, while its pull request is open, or in a step. `number` is the release's place in the order of creation. */
export interface AskedPromotion {
  releaseId: string;
  number: number;
  position: number;
  product: string;
  environment: string | null;
}

const COLUMNS = 'p.release_id AS "releaseId", p.number::float8 AS number, p.position, p.product, p.environment';
const PAGE =
  '($1::text IS NULL OR p.product = $1) AND (p.number, p.position) > (coalesce($2::bigint, 0), coalesce($3::integer, 0))';

/** Oldest release first; `after` is where the page begins. Some of them may be granted, and wait for something else. */
export async function listAskedPromotions(
  pool: Db,
  { limit, after, product }: { limit: number; after?: Pick<AskedPromotion, 'number' | 'position'>; product?: string },
): Promise<AskedPromotion[]> {
  const { rows } = await pool.query<AskedPromotion>({
    name: 'list-asked-promotions',
    text: `SELECT * FROM (
             (SELECT ${COLUMNS} FROM promotion p
              WHERE p.approval IS NOT NULL AND (p.started_at IS NULL OR p.merge IS NOT NULL) AND p.ended_at IS NULL AND ${PAGE}
              ORDER BY p.number, p.position LIMIT $4)
             UNION
             (SELECT ${COLUMNS} FROM promotion p
              WHERE p.holds AND jsonb_path_exists(p.steps, '$[*].asked') AND ${PAGE}
              ORDER BY p.number, p.position LIMIT $4)
           ) asked ORDER BY number, position LIMIT $4`,
    values: [product ?? null, after?.number ?? null, after?.position ?? null, limit],
  });
  return rows;
}
