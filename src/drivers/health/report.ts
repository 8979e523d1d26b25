import type { HealthAnswer, HealthContext } from '../driver.ts';

/** No recheck: the next report wakes the release. The newest report counts, however old it is. */
export function checkReport({ report, application }: HealthContext): HealthAnswer {
  const command = `sluice report health ${application} healthy`;
  if (!report) return { status: 'PROGRESSING', message: `waiting for a health report, as by \`${command}\`` };
  return report;
}
