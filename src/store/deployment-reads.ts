import type { Visibility } from '../core/access/index.ts';
import type { Verification } from '../core/release.ts';
import type { DriftRecord } from '../entities/log-rows.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';

/** The version that is live in one application's environment: the newest deployment there. */
export interface LiveDeployment {
  id: string;
  releaseId: string;
  product: string;
  environment: string;
  application: string;
  version: string;
  digest: string;
  commit: string | null;
  at: Date;
  /** When the promotion succeeded with it; null: not verified healthy. */
  verifiedAt: Date | null;
  /** How; null: not verified. */
  verifiedBy: Verification | null;
  /** When its target was last asked what it holds; null: not since it was brought. */
  lookedAt: Date | null;
  /** Why it could not be seen then; null: it could. */
  unseen: string | null;
  drift: DriftRecord | null;
}

/** Which deployments; all that is given must fit. */
export interface DeploymentFilter {
  products?: string[];
  environments?: string[];
  applications?: string[];
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

/** An application of a product in an environment, as the list is ordered. */
export interface DeploymentKey {
  product: string;
  environment: string;
  application: string;
}

/** Applications that one page looks at, and products that one statement does. */
const APPLICATIONS = 2_000;
const PRODUCTS = 50;

/**
 * One per application, by product, environment and application; `after` is where the page begins. At most `limit`. Goes from one
 * application to the next in the index, whatever history stands between them; `cut` is where it ended before the page was full.
 */
export async function listLiveDeployments(
  pool: Db,
  { limit, key, backwards = false, filter = {}, entries = APPLICATIONS }: LiveList,
): Promise<{ rows: LiveDeployment[]; cut: DeploymentKey | null }> {
  const { visible } = filter;
  const seen = visible ? [...visible.products.keys()] : undefined;
  const named = filter.products?.filter((name) => !visible || visible.products.has(name)) ?? seen;
  const rows: LiveDeployment[] = [];
  const way = backwards ? 'back' : 'on';
  for (const products of chunksOf(named, key?.product, backwards)) {
    const { rows: found } = await pool.query<LiveDeployment & { step: number; fits: boolean }>({
      name: products ? `list-live-of-products-${way}` : `list-live-deployments-${way}`,
      text: (products ? OF_PRODUCTS : OF_ALL)[way],
      values: [
        filter.environments ?? null,
        filter.applications ?? null,
        key?.product ?? '',
        key?.environment ?? '',
        key?.application ?? '',
        limit - rows.length,
        visibleValue(visible),
        entries,
        ...(products ? [products] : []),
      ],
    });
    for (const { step, fits, ...row } of found) {
      if (fits) rows.push(row);
      if (rows.length === limit) return { rows, cut: null };
      if (step >= entries) return { rows, cut: row };
    }
  }
  return { rows, cut: null };
}

interface LiveList {
  limit: number;
  /** From which the page goes on. */
  key?: DeploymentKey;
  /** Towards the beginning. */
  backwards?: boolean;
  filter?: DeploymentFilter;
  entries?: number;
}

/** In the order of "C", which is that of UTF-8, or back, from the product of the cursor on. Undefined: all products. */
function chunksOf(
  products: readonly string[] | undefined,
  from: string | undefined,
  backwards: boolean,
): (string[] | undefined)[] {
  if (products === undefined) return [undefined];
  const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const sign = backwards ? -1 : 1;
  const sorted = [...new Set(products)]
    .filter((each) => from === undefined || compare(each, from) * sign >= 0)
    .sort((a, b) => compare(a, b) * sign);
  return Array.from({ length: Math.ceil(sorted.length / PRODUCTS) }, (_, index) =>
    sorted.slice(index * PRODUCTS, (index + 1) * PRODUCTS),
  );
}

/** Of a deployment `d`, as `LiveDeployment` has them. */
export const LIVE_COLUMNS = `d.id, d.release_id AS "releaseId", d.product, d.environment, d.application, d.version, d.digest, d.commit_id AS commit, d.at,
  d.verified_at AS "verifiedAt", CASE WHEN d.verified_at IS NOT NULL THEN coalesce(d.verified_by, 'HEALTH_ONLY') END AS "verifiedBy",
  d.looked_at AS "lookedAt", d.unseen, d.drift`;

const PRODUCT = 'd.product COLLATE "C"';
const PLACE = 'd.environment COLLATE "C", d.application COLLATE "C"';
const NEWEST = `${PRODUCT}, ${PLACE}, d.at DESC, d.id DESC LIMIT 1`;

/** The newest deployment of the application that comes next. */
const NEXT = {
  on: (where: string): string => `SELECT d.* FROM deployment d WHERE ${where} ORDER BY ${NEWEST}`,
  // The index ends with the oldest one of each.
  back: (where: string): string => `
    SELECT n.* FROM (
      SELECT d.product, d.environment, d.application FROM deployment d WHERE ${where}
      ORDER BY ${PRODUCT} DESC, d.environment COLLATE "C" DESC, d.application COLLATE "C" DESC, d.at, d.id LIMIT 1) k
    CROSS JOIN LATERAL (SELECT d.* FROM deployment d
      WHERE ${PRODUCT} = k.product AND (${PLACE}) = (k.environment, k.application) ORDER BY ${NEWEST}) n`,
};

/** The newest deployment of one application after the other. `$8`: steps at most. */
const applicationsIn = (way: 'on' | 'back', first: string, next: string): string => `
  WITH RECURSIVE live AS (
    (SELECT 1 AS step, s.* FROM (${NEXT[way](first)}) s)
    UNION ALL
    SELECT l.step + 1, m.* FROM live l CROSS JOIN LATERAL (${NEXT[way](next)}) m
    WHERE l.step < $8::int
  ), judged AS (
    SELECT live.*, ($1::text[] IS NULL OR environment = ANY($1)) AND ($2::text[] IS NULL OR application = ANY($2))
      AND ${visibleSql('$7', 'product', 'environment')} AS fits
    FROM live
  )
  SELECT ${LIVE_COLUMNS}, step, fits
  FROM judged d WHERE fits OR step >= $8::int LIMIT $6`;

/** A name that comes behind all others. */
const LAST = 'chr(1114111)';

const OF_ALL = {
  on: applicationsIn(
    'on',
    `(${PRODUCT}, ${PLACE}) > ($3::text, $4::text, $5::text)`,
    `(${PRODUCT}, ${PLACE}) > (l.product, l.environment, l.application)`,
  ),
  back: applicationsIn(
    'back',
    `(${PRODUCT}, ${PLACE}) < (CASE WHEN $3::text = '' THEN ${LAST} ELSE $3::text END, $4::text, $5::text)`,
    `(${PRODUCT}, ${PLACE}) < (l.product, l.environment, l.application)`,
  ),
};

/** `past`: a name that comes behind all others, or before them. */
const ofProducts = (way: 'on' | 'back', more: '>' | '<', past: string): string => `
  SELECT page.* FROM unnest($9::text[]) WITH ORDINALITY AS of(product, number) CROSS JOIN LATERAL (${applicationsIn(
    way,
    `${PRODUCT} = of.product AND (${PLACE}) ${more} (CASE WHEN of.product = $3::text THEN $4::text ELSE ${past} END, CASE WHEN of.product = $3::text THEN $5::text ELSE ${past} END)`,
    `${PRODUCT} = of.product AND (${PLACE}) ${more} (l.environment, l.application)`,
  )}) AS page ORDER BY of.number, page.step`;

const OF_PRODUCTS = { on: ofProducts('on', '>', "''"), back: ofProducts('back', '<', LAST) };
