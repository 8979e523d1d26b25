import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';

let count = 0;

export function windowOf(fields: Partial<ReleaseWindowSpec>, name?: string): ReleaseWindow {
  return {
    name: name ?? `${(fields.kind ?? 'ALLOW').toLowerCase()}-${(count += 1)}`,
    spec: {
      kind: 'ALLOW',
      timeZone: 'UTC',
      selector: { environments: {}, products: {} },
      holds: ['PROMOTE'],
      onClose: 'FINISH',
      runway: false,
      ...fields,
    },
  };
}

export const allow = (fields: Partial<ReleaseWindowSpec>, name?: string): ReleaseWindow =>
  windowOf({ kind: 'ALLOW', ...fields }, name);
export const deny = (fields: Partial<ReleaseWindowSpec>, name?: string): ReleaseWindow =>
  windowOf({ kind: 'DENY', ...fields }, name);

export const at = (instant: string): number => Date.parse(instant);
export const iso = (instant: number | null): string | null =>
  instant === null ? null : new Date(instant).toISOString().replace(':00.000Z', 'Z');
export const HOUR = 3_600_000;
