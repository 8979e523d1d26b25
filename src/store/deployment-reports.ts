import type { Pool, PoolClient } from 'pg';
import type { Running } from '../core/running.ts';

/** The newest report of what an application runs. */
export interface DeploymentReport extends Running {
  at: Date;
}

/** Undefined: nothing was reported of the application. */
export async function newestDeploymentReport(
  pool: Pool | PoolClient,
  application: string,
): Promise<DeploymentReport | undefined> {
  const { rows } = await pool.query<{ commit: string | null; version: string | null; at: Date }>({
    name: 'newest-deployment-report',
    text: 'SELECT commit_id AS commit, version, at FROM deployment_report WHERE application = $1',
    values: [application],
  });
  const [row] = rows;
  return row && { commit: row.commit ?? undefined, version: row.version ?? undefined, at: row.at };
}

/** Keeps the newest report; one that is older than what is known changes nothing and answers false. */
export async function saveDeploymentReport(
  pool: Pool | PoolClient,
  application: string,
  { commit, version, at }: DeploymentReport,
  actor: string | null,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO deployment_report (application, commit_id, version, at, actor) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (application) DO UPDATE SET commit_id = excluded.commit_id, version = excluded.version, at = excluded.at,
       actor = excluded.actor
     WHERE deployment_report.at <= excluded.at`,
    [application, commit ?? null, version ?? null, at, actor],
  );
  return rowCount === 1;
}
