import type { Pool } from 'pg';
import type { DecisionStimulus } from '../core/release.ts';
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
/** `direction` and what a page compares with: its key, or what comes before or behind all. */
const WAYS = {
  on: { more: '>', end: '0', direction: 'ASC' },
  back: { more: '<', end: '2147483647', direction: 'DESC' },
};

/** Oldest release first; `key` is where the page goes on, `backwards` to the beginning. Some of them may be granted, and wait for something else. */
export async function listAskedPromotions(
  pool: Db,
  { limit, key, backwards, product }: AskedList,
): Promise<AskedPromotion[]> {
  const way = backwards ? 'back' : 'on';
  const { more, end, direction } = WAYS[way];
  const page = `($1::text IS NULL OR p.product = $1) AND (p.number, p.position) ${more} (coalesce($2::bigint, ${end}), coalesce($3::integer, ${end}))`;
  const order = `ORDER BY p.number ${direction}, p.position ${direction} LIMIT $4`;
  const { rows } = await pool.query<AskedPromotion>({
    name: `list-asked-promotions-${way}`,
    text: `SELECT * FROM (
             (SELECT ${COLUMNS} FROM promotion p
              WHERE p.approval IS NOT NULL AND (p.started_at IS NULL OR p.merge IS NOT NULL) AND p.ended_at IS NULL AND ${page}
              ${order})
             UNION
             (SELECT ${COLUMNS} FROM promotion p
              WHERE p.holds AND jsonb_path_exists(p.steps, '$[*].asked') AND ${page}
              ${order})
           ) asked ORDER BY number ${direction}, position ${direction} LIMIT $4`,
    values: [product ?? null, key?.number ?? null, key?.position ?? null, limit],
  });
  return rows;
}

interface AskedList {
  limit: number;
  key?: Pick<AskedPromotion, 'number' | 'position'>;
  backwards?: boolean;
  product?: string;
}

/** A decision on an attempt that may be over. */
export interface PastDecision extends Pick<DecisionStimulus, 'kind' | 'attempt'> {
  releaseId: string;
  /** The promotion's name. */
  environment: string;
  /** The id of the step that asked; undefined: the start of the promotion was decided on. */
  step: string | undefined;
  by: string | null;
}

/** Whether it was made: the log of the release tells of it, also when the state knows a later attempt only. */
export async function wasDecided(
  pool: Pool,
  { releaseId, kind, environment, step, attempt, by }: PastDecision,
): Promise<boolean> {
  const said = {
    type: kind === 'approve' ? 'ApprovalGiven' : 'ApprovalRejected',
    environment,
    attempt,
    ...(step !== undefined && { step }),
    ...(by !== null && { by }),
  };
  const { rowCount } = await pool.query(
    `SELECT FROM logged_event WHERE release_id = $1 AND event @> $2::jsonb
       AND (event ? 'step') = $3 AND (event ? 'by') = $4 LIMIT 1`,
    [releaseId, JSON.stringify(said), step !== undefined, by !== null],
  );
  return rowCount === 1;
}
