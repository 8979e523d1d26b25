import { objectIn } from '../core/kinds/walk.ts';
import type { ObjectShape, Shape } from '../core/kinds/shape.ts';
import { keyOfEntry } from './shape-types.ts';
import { labelsOf } from './values.ts';

type Plain = Record<string, unknown>;

/**
 * A value of the core as the API shows it: maps become lists of entries, and what has a `type` shows it beside a field of
 * that name, as the inputs take it. Absent fields stay absent, which GraphQL shows as null.
 */
export function toShape(shape: Shape, value: unknown): unknown {
  if (value === undefined || value === null) return value;
  switch (shape.is) {
    case 'list':
      return (value as unknown[]).map((each) => toShape(shape.of, each));
    case 'map': {
      if (shape.of.is !== 'object') return labelsOf(value as Record<string, string>);
      const entries = value as Plain;
      const key = keyOfEntry(shape.keys);
      return Object.keys(entries)
        .sort()
        .map((name) => ({ [key]: name, ...(toShape(shape.of, entries[name]) as Plain) }));
    }
    case 'choice': {
      const { type } = value as { type: string };
      const object = objectIn(shape, value as Plain);
      return { type, [type]: object && toShape(object, value) };
    }
    case 'object':
      return shapeOf(shape, value as Plain);
    default:
      return value;
  }
}

function shapeOf({ fields, together }: ObjectShape, value: Plain): Plain {
  const shown = Object.entries(fields).filter(([, { api }]) => api === undefined);
  const result = Object.fromEntries(shown.map(([key, { shape }]) => [key, toShape(shape, value[key])]));
  if (!together) return result;
  const { field, choice, keys } = together;
  const told = Object.entries(keys).find(([, names]) => value[Object.values(names)[0]!] !== undefined);
  if (!told) return result;
  const [type, names] = told;
  const own = Object.fromEntries(Object.entries(names).map(([name, key]) => [name, value[key]]));
  return { ...result, [field]: toShape(choice, { type, ...own }) };
}
