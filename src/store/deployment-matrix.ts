import type { HealthStatus } from '../core/definitions.ts';
import type { PromotionStatus, ReleaseKind } from '../core/release.ts';
import { toBadVersion } from './bad-versions.ts';
import type { BadVersionRecord, KeptBadVersion } from './bad-versions.ts';
import { LIVE_COLUMNS } from './deployment-reads.ts';
import type { DeploymentKey, LiveDeployment } from './deployment-reads.ts';
import { toHold } from './environment-holds.ts';
import type { HoldRecord, KeptHold } from './environment-holds.ts';
import type { Db } from './reads.ts';

// The table of products and environments: each statement answers for all places of a page, along indexes by which a place costs the same
// whatever its history is.

/** A product in an environment. */
export type Place = Pick<DeploymentKey, 'product' | 'environment'>;

/** The newest deployment of an application, the release that brought it, and the newest report of its health. */
export interface LiveInPlace extends LiveDeployment {
  releaseNumber: number;
  releaseKind: ReleaseKind;
  releaseVersion: string;
  releaseDigest: string;
  reported: HealthStatus | null;
  reportedAt: Date | null;
}

/** Of these applications; where nothing was ever brought there is no row. */
export async function readLiveInPlaces(db: Db, applications: readonly DeploymentKey[]): Promise<LiveInPlace[]> {
  if (applications.length === 0) return [];
  const { rows } = await db.query<LiveInPlace>({ name: 'live-in-places', text: LIVE, values: columns(applications) });
  return rows;
}

const LIVE = `
SELECT ${LIVE_COLUMNS}, r.number::float8 AS "releaseNumber", r.kind AS "releaseKind", r.version AS "releaseVersion", r.digest AS "releaseDigest",
  h.status AS reported, h.at AS "reportedAt"
FROM unnest($1::text[], $2::text[], $3::text[]) AS w(product, environment, application)
CROSS JOIN LATERAL (
  SELECT * FROM deployment WHERE product COLLATE "C" = w.product AND environment COLLATE "C" = w.environment
    AND application COLLATE "C" = w.application
  ORDER BY product COLLATE "C", environment COLLATE "C", application COLLATE "C", at DESC, id DESC LIMIT 1) AS d
CROSS JOIN LATERAL (SELECT number, kind, version, digest FROM release WHERE id = d.release_id OFFSET 0) AS r
LEFT JOIN LATERAL (SELECT status, at FROM health_report WHERE application = d.application OFFSET 0) AS h ON true`;

/** A promotion that has not ended, and the release that it is of. */
export interface PromotionOnItsWay extends Place {
  releaseId: string;
  status: PromotionStatus;
  /** It is at work there: no other one can be. */
  holds: boolean;
  startedAt: Date | null;
}

/** In each place the promotion at work, and those that come after it in the order of their releases: `most` at most. */
export async function readOnTheirWay(db: Db, places: readonly Place[], most: number): Promise<PromotionOnItsWay[]> {
  if (places.length === 0) return [];
  const { rows } = await db.query<PromotionOnItsWay>({
    name: 'on-their-way',
    text: ON_THEIR_WAY,
    values: [...columns(places).slice(0, 2), most],
  });
  return rows;
}

const ON_THEIR_WAY = `
SELECT w.product, w.environment, p.release_id AS "releaseId", p.status, p.holds, p.started_at AS "startedAt"
FROM unnest($1::text[], $2::text[]) AS w(product, environment)
CROSS JOIN LATERAL (
  (SELECT release_id, status, holds, started_at FROM promotion WHERE product = w.product AND environment = w.environment AND holds LIMIT 1)
  UNION ALL
  (SELECT release_id, status, holds, started_at FROM promotion WHERE product = w.product AND environment = w.environment
     AND ended_at IS NULL AND NOT holds ORDER BY product, environment, number LIMIT $3)
  LIMIT $3) AS p`;

/** The release of a product that all others wait for where one goes at a time; null: none is open. */
export async function firstOpen(db: Db, product: string): Promise<{ id: string; number: number } | null> {
  const { rows } = await db.query<{ id: string; number: number }>({
    name: 'first-open',
    text: `SELECT id, number::float8 AS number FROM release WHERE product = $1 AND ended_at IS NULL AND kind = 'FORWARD' ORDER BY number LIMIT 1`,
    values: [product],
  });
  return rows[0] ?? null;
}

/** What holds these environments at a time (milliseconds, UTC), of these products or of all; at most 100 of an environment. */
export async function readHoldsOf(
  db: Db,
  { environments, products, at }: { environments: readonly string[]; products: readonly string[]; at: number },
): Promise<KeptHold[]> {
  if (environments.length === 0) return [];
  const { rows } = await db.query<HoldRecord>({
    name: 'holds-of-environments',
    text: `SELECT h.* FROM unnest($1::text[]) AS e(environment) CROSS JOIN LATERAL (
             SELECT * FROM environment_hold WHERE environment = e.environment AND lifted_at IS NULL
               AND (product IS NULL OR product = ANY($2)) AND (until IS NULL OR until > $3) LIMIT 100) AS h`,
    values: [environments, products, new Date(at)],
  });
  return rows.map(toHold);
}

/** The marks that count at a time (milliseconds, UTC) on versions of products, by digest; at most 20 of a version. */
export async function readMarksOf(
  db: Db,
  versions: readonly { product: string; digest: string }[],
  at: number,
): Promise<KeptBadVersion[]> {
  if (versions.length === 0) return [];
  const { rows } = await db.query<BadVersionRecord>({
    name: 'marks-of-versions',
    text: `SELECT b.* FROM unnest($1::text[], $2::text[]) AS v(product, digest) CROSS JOIN LATERAL (
             SELECT * FROM bad_version WHERE product = v.product AND digest = v.digest AND unmarked_at IS NULL
               AND (expires_at IS NULL OR expires_at > $3) LIMIT 20) AS b`,
    values: [versions.map(({ product }) => product), versions.map(({ digest }) => digest), new Date(at)],
  });
  return rows.map(toBadVersion);
}

function columns(of: readonly (Place & { application?: string })[]): (string | undefined)[][] {
  return [
    of.map(({ product }) => product),
    of.map(({ environment }) => environment),
    of.map((each) => each.application),
  ];
}
