import { doneBy } from '../../core/done-by.ts';
import type { HealthAnswer, HealthContext } from './source.ts';

/** No recheck: the next report wakes the release. The newest report counts, however old it is. */
export function checkReport({ report, application }: HealthContext): HealthAnswer {
  const how = doneBy('healthReport', `report health ${application} healthy`);
  if (!report) return { status: 'PROGRESSING', message: `waiting for a health report, as by ${how}` };
  return report;
}
