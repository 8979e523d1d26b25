import type { Pool, PoolClient } from 'pg';
import type { HealthStatus } from '../core/definitions.ts';
import type { HealthReport } from '../drivers/health/source.ts';

/** The newest report of an application's health; undefined: there is none. */
export async function newestHealthReport(
  pool: Pool | PoolClient,
  application: string,
): Promise<HealthReport | undefined> {
  const { rows } = await pool.query<{
    status: HealthStatus;
    message: string | null;
    at: Date;
    unhealthyAt: Date | null;
  }>({
    name: 'newest-health-report',
    text: 'SELECT status, message, at, unhealthy_at AS "unhealthyAt" FROM health_report WHERE application = $1',
    values: [application],
  });
  const [row] = rows;
  return row && { ...row, message: row.message ?? undefined, unhealthyAt: row.unhealthyAt ?? undefined };
}

/**
 * Keeps the newest report, and when one of DEGRADED or PROGRESSING came the last time (`now`); one that is older than what is
 * known changes nothing and answers false.
 */
export async function saveHealthReport(
  pool: Pool | PoolClient,
  application: string,
  report: Pick<HealthReport, 'status' | 'message' | 'at'>,
  actor: string | null,
  now: Date,
): Promise<boolean> {
  const unhealthyAt = report.status === 'DEGRADED' || report.status === 'PROGRESSING' ? now : null;
  const { rowCount } = await pool.query(
    `INSERT INTO health_report (application, status, message, at, actor, unhealthy_at) VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (application) DO UPDATE SET status = excluded.status, message = excluded.message, at = excluded.at,
       actor = excluded.actor, unhealthy_at = coalesce(excluded.unhealthy_at, health_report.unhealthy_at)
     WHERE health_report.at <= excluded.at`,
    [application, report.status, report.message ?? null, report.at, actor, unhealthyAt],
  );
  return rowCount === 1;
}
