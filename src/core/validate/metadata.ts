import type { Metadata } from '../definitions.ts';
import { LIMITS, type Checks } from './rules.ts';

export function checkMetadata(checks: Checks, { name, labels, annotations }: Metadata): void {
  checks.name(name, 'the name', ['metadata', 'name']);
  checks.labels(labels, ['metadata', 'labels']);
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + value.length;
    checks.labelKey(key, ['metadata', 'annotations', key]);
  }
  if (size > LIMITS.annotations) {
    checks.invalid(`the annotations have ${size} characters; at most ${LIMITS.annotations} fit`, [
      'metadata',
      'annotations',
    ]);
  }
}
