import type { ReleaseKind } from '../core/release.ts';
import type { RollbackCause } from '../core/rollback/rollback.ts';
import { LIVE_COLUMNS } from './deployment-reads.ts';
import type { DeploymentKey, LiveDeployment } from './deployment-reads.ts';
import type { Place } from './deployment-matrix.ts';
import type { Db } from './reads.ts';
import { beyond, walk } from './walk.ts';

/** A version that was brought to an application, and what came after it. */
export interface PastDeployment extends LiveDeployment {
  /** When the next one came; null: it is the newest one. */
  until: Date | null;
  /** The release that brought the next one. */
  nextReleaseId: string | null;
  nextKind: ReleaseKind | null;
  /** Why the next one took it back; null: it did not. */
  cause: RollbackCause | null;
}

/** Where a page begins: after the deployment with this time and id. */
export interface DeploymentPlace {
  at: number;
  id: string;
}

/** More applications than these in one place are left out of its history. */
const APPLICATIONS = 50;

/**
 * The applications of a product to which something was brought in an environment, whether they are still defined or not, by name; at most 50. From
 * one to the next in the index.
 */
async function applicationsIn(db: Db, { product, environment }: Place): Promise<string[]> {
  const { rows } = await db.query<{ application: string }>({
    name: 'applications-in-place',
    text: `
      WITH RECURSIVE found AS (
        (SELECT 1 AS step, d.application FROM deployment d WHERE ${HERE} ORDER BY ${ORDER} LIMIT 1)
        UNION ALL
        SELECT f.step + 1, n.application FROM found f CROSS JOIN LATERAL (
          SELECT d.application FROM deployment d WHERE ${HERE} AND d.application COLLATE "C" > f.application ORDER BY ${ORDER} LIMIT 1) n
        WHERE f.step < $3::int)
      SELECT application FROM found`,
    values: [product, environment, APPLICATIONS],
  });
  return rows.map(({ application }) => application);
}

const HERE = 'd.product COLLATE "C" = $1 AND d.environment COLLATE "C" = $2';
const ORDER = 'd.product COLLATE "C", d.environment COLLATE "C", d.application COLLATE "C", d.at DESC, d.id DESC';

/** What was brought to an environment of a product, the newest first, each with what came after it. At most `limit`. */
export async function readDeploymentHistory(
  db: Db,
  place: Place & { application?: string },
  { limit, key: from, backwards }: { limit: number; key?: DeploymentPlace; backwards?: boolean },
): Promise<PastDeployment[]> {
  const applications = place.application === undefined ? await applicationsIn(db, place) : [place.application];
  const keys: readonly (keyof DeploymentKey)[] = ['product', 'environment', 'application'];
  const { rows } = await walk<PastDeployment>(
    db,
    {
      from: 'deployment d',
      join: NEXT,
      select: `${LIVE_COLUMNS}, n.at AS until, n.release_id AS "nextReleaseId", n.kind AS "nextKind", n.cause`,
      order: ['d.at', 'd.id'],
      direction: 'DESC',
      ways: keys.map((key) => ({
        type: 'text',
        values: applications.map((application) => ({ ...place, application })[key]),
      })),
      where: (values) => [
        ...keys.map((key, index) => `d.${key} COLLATE "C" = way.w${index}`),
        ...(from === undefined
          ? []
          : [
              `(d.at, d.id) ${beyond('DESC', backwards)} (${values.add(new Date(from.at))}::timestamptz, ${values.add(from.id)}::bigint)`,
            ]),
      ],
      rest: () => [],
    },
    { limit, backwards, entries: limit * APPLICATIONS },
  );
  return rows;
}

/** What came after a deployment in its application. */
const NEXT = `
LEFT JOIN LATERAL (
  SELECT o.at, o.release_id, r.kind, b.cause FROM (
    SELECT at, release_id FROM deployment o WHERE o.product COLLATE "C" = d.product AND o.environment COLLATE "C" = d.environment
      AND o.application COLLATE "C" = d.application AND o.at >= d.at AND (o.at, o.id) > (d.at, d.id)
    ORDER BY o.product COLLATE "C" DESC, o.environment COLLATE "C" DESC, o.application COLLATE "C" DESC, o.at, o.id LIMIT 1) AS o
  CROSS JOIN LATERAL (SELECT kind FROM release WHERE id = o.release_id OFFSET 0) AS r
  LEFT JOIN LATERAL (SELECT cause FROM rollback WHERE id = o.release_id OFFSET 0) AS b ON true) AS n ON true`;

/** What was live in an application before a release brought something there, or is live while it has not. */
export interface Before {
  environment: string;
  application: string;
  releaseId: string;
}

/** Of these applications; where nothing was there before there is no row. */
export async function readBefore(db: Db, releaseId: string, applications: readonly DeploymentKey[]): Promise<Before[]> {
  if (applications.length === 0) return [];
  const { rows } = await db.query<Before>({
    name: 'live-before-release',
    text: BEFORE,
    values: [
      releaseId,
      applications.map(({ product }) => product),
      applications.map(({ environment }) => environment),
      applications.map(({ application }) => application),
    ],
  });
  return rows;
}

const BEFORE = `
SELECT w.environment, w.application, d.release_id AS "releaseId"
FROM unnest($2::text[], $3::text[], $4::text[]) AS w(product, environment, application)
LEFT JOIN LATERAL (SELECT at, id FROM deployment WHERE release_id = $1 AND application = w.application OFFSET 0) AS own ON true
CROSS JOIN LATERAL (
  SELECT release_id FROM deployment WHERE product COLLATE "C" = w.product AND environment COLLATE "C" = w.environment
    AND application COLLATE "C" = w.application AND release_id <> $1
    AND (at, id) < (coalesce(own.at, 'infinity'::timestamptz), coalesce(own.id, 9223372036854775807))
  ORDER BY product COLLATE "C", environment COLLATE "C", application COLLATE "C", at DESC, id DESC LIMIT 1) AS d`;
