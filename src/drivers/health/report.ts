import type { HealthAnswer, HealthContext } from '../driver.ts';

/** Somebody tells us: no recheck, their report wakes the release. Their last word is as old as it is. */
export function checkReport({ report }: HealthContext): HealthAnswer {
  if (!report) return { status: 'PROGRESSING', message: 'waiting for a health report' };
  return report;
}
