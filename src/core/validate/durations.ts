import type { AnyDefinition } from '../definitions.ts';
import { formatDuration } from '../duration.ts';
import { ACTIONS } from '../kinds/actions.ts';
import { SPECS } from '../kinds/index.ts';
import { placesOf } from '../kinds/walk.ts';
import { refusal } from '../problems.ts';
import type { Refusal } from '../problems.ts';
import { quote } from '../wording.ts';
import type { Path } from './rules.ts';

/** In milliseconds: a bare number below it was hardly meant as milliseconds. */
const LEAST = 1_000;

/**
 * Of a stored definition: lengths of time that were written as a bare number when that was still read as milliseconds, as far as
 * that can be seen. They count as they always did; an author who meant something else writes a unit.
 */
export function doubtfulDurations({ kind, spec }: AnyDefinition): Refusal[] {
  const found: Refusal[] = [];
  for (const { shape, value, path } of placesOf(SPECS[kind], spec, ['spec'])) {
    if (shape.is !== 'duration' || shape.short || typeof value !== 'number' || value <= 0 || value >= LEAST) continue;
    const name = path.slice(1).join('.');
    const message = `${name} is ${formatDuration(value)}: a bare number was read as milliseconds; write ${value}s, ${value}m or ${value}h`;
    found.push(refusal('INVALID', message, path));
  }
  if (kind === 'PromotionWorkflow') {
    spec.actions.forEach(({ type, parameters }, index) => {
      const places = placesOf(ACTIONS[type], parameters, ['spec', 'actions', index, 'parameters']);
      for (const { shape, value, path } of places)
        if (shape.is === 'duration') found.push(...bareParameter(value, path));
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
