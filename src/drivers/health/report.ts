import type { HealthAnswer, HealthContext } from '../driver.ts';

/** Somebody tells us: no recheck, their report wakes the release. */
export function checkReport({ report }: HealthContext): HealthAnswer {
  if (!report) return { status: 'PROGRESSING', message: 'waiting for a health report' };
  return { status: report.status, message: report.message };
}
