import type { AnyDefinition } from '../definitions.ts';
import { formatDuration } from '../duration.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import { quote } from '../wording.ts';
import type { Path } from './rules.ts';

/** Fields that hold a length of time, whatever stands around them. */
const LENGTHS: ReadonlySet<string> = new Set([
  'timeout',
  'maxAge',
  'soak',
  'expiry',
  'observeFor',
  'maxFailureAge',
  'expiresAfter',
  'unknownTimeout',
  'freshness',
  'jitter',
  'duration',
]);
/** What is below these is often meant to be short, or is no definition's own field. */
const SHORT: ReadonlySet<string> = new Set(['retry', 'driver', 'health', 'sync', 'parameters', 'headers', 'labels']);
/** In milliseconds: nobody means less. */
const LEAST = 1_000;

/**
 * Of a stored definition: lengths of time that were written as a bare number when that was still read as milliseconds, as far as
 * that can be seen. They count as they always did; whoever meant something else writes a unit.
 */
export function doubtfulDurations({ kind, spec }: AnyDefinition): Refusal[] {
  const found: Refusal[] = [];
  const walk = (value: unknown, path: Path): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const at = [...path, Array.isArray(value) ? Number(key) : key];
      if (LENGTHS.has(key) && typeof inner === 'number' && inner > 0 && inner < LEAST) {
        const name = at.slice(1).join('.');
        const message = `${name} is ${formatDuration(inner)}: a bare number was read as milliseconds; write ${inner}s, ${inner}m or ${inner}h`;
        found.push(refusal('INVALID', message, at));
      }
      if (!SHORT.has(key)) walk(inner, at);
    }
  };
  walk(spec, ['spec']);
  if (kind === 'PromotionWorkflow') {
    spec.actions.forEach(({ parameters }, index) => {
      found.push(...bareParameter(parameters.duration, ['spec', 'actions', index, 'parameters', 'duration']));
    });
  }
  return found;
}

/** A parameter that holds a length of time, where it has no unit. `${…}` is only known when the action runs. */
export function bareParameter(value: unknown, path: Path): Refusal[] {
  const bare =
    (typeof value === 'number' && value !== 0) || (typeof value === 'string' && /^\s*0*[1-9]\d*\s*$/.test(value));
  if (!bare) return [];
  const given = String(value).trim();
  const message = `parameter ${quote(path.at(-1))} is the number ${given}: write ${given}ms, ${given}s or ${given}m`;
  return [refusal('INVALID', message, path)];
}
