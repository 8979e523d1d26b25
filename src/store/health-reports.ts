import type { Pool } from 'pg';
import type { HealthStatus } from '../core/definitions.ts';

export interface HealthReport {
  status: HealthStatus;
  message?: string;
  at: Date;
}

export async function newestHealthReport(pool: Pool, application: string): Promise<HealthReport | undefined> {
  const { rows } = await pool.query<{ status: HealthStatus; message: string | null; at: Date }>({
    name: 'newest-health-report',
    text: 'SELECT status, message, at FROM health_report WHERE application = $1',
    values: [application],
  });
  const [row] = rows;
  return row && { status: row.status, message: row.message ?? undefined, at: row.at };
}

/** Keeps the newest report; one that is older than what is known changes nothing and answers false. */
export async function saveHealthReport(
  pool: Pool,
  application: string,
  report: HealthReport,
  actor: string | null,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `INSERT INTO health_report (application, status, message, at, actor) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (application) DO UPDATE SET status = excluded.status, message = excluded.message, at = excluded.at,
       actor = excluded.actor WHERE health_report.at <= excluded.at`,
    [application, report.status, report.message ?? null, report.at, actor],
  );
  return rowCount === 1;
}
