import type { Gate, MatchExpression, Metadata } from '../definitions.ts';
import { LIMITS, type Checks, type Path } from './rules.ts';

/** Rules between the fields of one object, wherever it stands, by the name of its shape. */
export const BETWEEN: Record<string, (checks: Checks, value: never, path: Path) => void> = {
  Metadata(checks, { annotations }: Metadata, path) {
    const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (size <= LIMITS.annotations) return;
    checks.invalid(`the annotations have ${size} characters; at most ${LIMITS.annotations} fit`, [
      ...path,
      'annotations',
    ]);
  },

  MatchExpression(checks, { operator, values }: MatchExpression, path) {
    const needsValues = operator === 'In' || operator === 'NotIn';
    const at = [...path, 'values'];
    if (needsValues && !values?.length) checks.invalid(`${operator} needs at least one value`, at);
    if (!needsValues && values?.length) checks.invalid(`${operator} has no values; remove them`, at);
  },

  EnvironmentGate(checks, { policy, count, percent }: Gate, path) {
    const quorum = [count, percent].filter((each) => each !== undefined).length;
    if (policy === 'AT_LEAST' && quorum !== 1) {
      checks.invalid('AT_LEAST needs a count or a percent, one of them', path);
    } else if (policy !== 'AT_LEAST' && quorum > 0) {
      checks.invalid(`count and percent belong to AT_LEAST; remove them from ${policy}`, path);
    }
  },
};
