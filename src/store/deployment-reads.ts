import type { Pool } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import type { DriftRecord } from '../entities/log-rows.ts';
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
  /** When its target was last asked what it holds; null: not since it was brought. */
  lookedAt: Date | null;
  /** Why nobody could see it then; null: somebody could. */
  unseen: string | null;
  drift: DriftRecord | null;
}

export interface DeploymentFilter {
  products?: string[];
  environments?: string[];
  applications?: string[];
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

export interface DeploymentKey {
  product: string;
  environment: string;
  application: string;
}

/** One per application, by product, environment and application; `after` is where the page begins. At most `limit`. */
export async function listLiveDeployments(
  pool: Pool,
  { limit, after, filter = {} }: { limit: number; after?: DeploymentKey; filter?: DeploymentFilter },
): Promise<LiveDeployment[]> {
  const { rows } = await pool.query<LiveDeployment>({
    name: 'list-live-deployments',
    // The order of "C" is that of the cursor's comparison, whatever the database's language.
    text: `SELECT DISTINCT ON (product COLLATE "C", environment COLLATE "C", application COLLATE "C")
             id, release_id AS "releaseId", product, environment, application, version, digest, commit_id AS commit, at,
             verified_at AS "verifiedAt", looked_at AS "lookedAt", unseen, drift
           FROM deployment
           WHERE ($1::text[] IS NULL OR product = ANY($1)) AND ($2::text[] IS NULL OR environment = ANY($2))
             AND ($3::text[] IS NULL OR application = ANY($3))
             AND ${visibleSql('$8', 'product', 'environment')}
             AND ($4::text IS NULL OR (product COLLATE "C", environment COLLATE "C", application COLLATE "C") > ($4, $5, $6))
           ORDER BY product COLLATE "C", environment COLLATE "C", application COLLATE "C", at DESC, id DESC
           LIMIT $7`,
    values: [
      filter.products ?? null,
      filter.environments ?? null,
      filter.applications ?? null,
      after?.product ?? null,
      after?.environment ?? null,
      after?.application ?? null,
      limit,
      visibleValue(filter.visible),
    ],
  });
  return rows;
}
