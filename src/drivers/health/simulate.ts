import type { HealthSourceSpec, HealthStatus } from '../../core/definitions.ts';
import type { HealthAnswer, HealthContext } from './source.ts';

const DEFAULT_INTERVAL = 1_000;

/** Walks through the sequence by the clock, not by the number of questions: asking more often changes nothing. */
export function checkSimulate(
  source: Extract<HealthSourceSpec, { type: 'simulate' }>,
  { since, now, version }: HealthContext,
): HealthAnswer {
  if (version !== undefined && source.degraded?.includes(version)) {
    return { status: 'DEGRADED', message: `simulated: ${version} does not work here` };
  }
  const sequence: HealthStatus[] = source.sequence?.length ? source.sequence : ['HEALTHY'];
  const interval = Math.max(1, source.interval ?? DEFAULT_INTERVAL);
  const elapsed = Math.max(0, now.getTime() - since.getTime());
  const index = Math.min(Math.floor(elapsed / interval), sequence.length - 1);
  const last = index === sequence.length - 1;
  const bad = sequence.findLastIndex(
    (each, place) => place <= index && (each === 'DEGRADED' || each === 'PROGRESSING'),
  );
  return {
    status: sequence[index]!,
    ...(bad < 0 ? {} : { unhealthyAt: new Date(since.getTime() + bad * interval) }),
    message: `simulated, ${index + 1} of ${sequence.length}`,
    ...(last ? {} : { recheckAfter: (index + 1) * interval - elapsed }),
  };
}
