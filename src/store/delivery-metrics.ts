import type { Change } from '../core/delivery-metrics.ts';
import type { PromotionStatus, ReleaseKind } from '../core/release.ts';
import type { Place } from './deployment-matrix.ts';
import type { Db } from './reads.ts';

interface ChangeRecord {
  kind: ReleaseKind;
  status: PromotionStatus;
  createdAt: Date;
  at: Date;
  verifiedAt: Date | null;
  endedAt: Date | null;
  committedAt: string | null;
}

/**
 * The releases that changed an environment of a product, by the time at which their version came; so many of the newest. `since`, `until`:
 * milliseconds, UTC. What came after `until` is in it, too, as far as it may have restored what had failed before.
 */
export async function readChanges(
  db: Db,
  { product, environment }: Place,
  { since, most }: { since: number; most: number },
): Promise<Change[]> {
  const { rows } = await db.query<ChangeRecord>({
    name: 'changes-of-environment',
    text: CHANGES,
    values: [product, environment, new Date(since), most],
  });
  return rows.map(({ createdAt, at, verifiedAt, endedAt, committedAt, ...row }) => ({
    ...row,
    createdAt: createdAt.getTime(),
    at: at.getTime(),
    verifiedAt: verifiedAt && verifiedAt.getTime(),
    endedAt: (endedAt ?? at).getTime(),
    committedAt: committedAt === null ? null : Date.parse(committedAt),
  }));
}

/** Several applications are one change: it came with the first of them, and is verified when all are. */
const CHANGES = `
SELECT r.kind, p.status, r.created_at AS "createdAt", c.at, c.verified_at AS "verifiedAt", p.ended_at AS "endedAt", l.committed AS "committedAt"
FROM (
  SELECT release_id, min(at) AS at, CASE WHEN bool_and(verified_at IS NOT NULL) THEN max(verified_at) END AS verified_at
  FROM (SELECT release_id, at, verified_at FROM deployment WHERE product = $1 AND environment = $2 AND at >= $3
        ORDER BY at DESC LIMIT $4) AS d
  GROUP BY release_id) AS c
CROSS JOIN LATERAL (SELECT kind, created_at FROM release WHERE id = c.release_id OFFSET 0) AS r
CROSS JOIN LATERAL (SELECT status, ended_at FROM promotion WHERE release_id = c.release_id AND coalesce(environment, '') = $2 LIMIT 1) AS p
CROSS JOIN LATERAL (SELECT (SELECT max(value->>'date') FROM jsonb_each(contents)) AS committed FROM release_plan
  WHERE release_id = c.release_id OFFSET 0) AS l`;
