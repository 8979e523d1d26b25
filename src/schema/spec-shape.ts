import { labelsOf } from './values.ts';

type Plain = Record<string, unknown>;

/**
 * A spec of the core as the API shows it: maps become lists of entries, and what has a `type` shows it beside a field of
 * that name, as the inputs take it. Absent fields stay absent, which GraphQL shows as null.
 */
export function toShape(value: unknown, key?: string): unknown {
  if (Array.isArray(value)) return value.map((each) => toShape(each));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  const plain = value as Plain;
  switch (key) {
    case 'matchLabels':
    case 'headers':
      return labelsOf(plain as Record<string, string>);
    case 'promotion':
      return Object.keys(plain)
        .sort()
        .map((file) => ({ file, ...(plain[file] as Plain) }));
    case 'driver':
    case 'health':
    case 'sync': {
      const { type, ...rest } = plain;
      return { type, [type as string]: toShape(rest) };
    }
    case 'parameters':
      return value;
    default:
      return Object.fromEntries(Object.entries(plain).map(([name, each]) => [name, toShape(each, name)]));
  }
}
