import type { Path } from '../core/validate/rules.ts';
import { refusal, type Refusal } from '../core/problems.ts';
import { LabelInput } from './values.ts';

type Plain = Record<string, unknown>;

/** Inputs of which exactly one field is given; it becomes the `type` inside. */
export abstract class OneOfInput {}

interface InputClass {
  /** What absent fields mean. */
  fallbacks?: Plain;
  /** The fields of a OneOfInput. */
  choices?: readonly string[];
  /** A field that is a OneOfInput, whose own fields stand in the spec itself: by which names, for each choice. */
  flattened?: { field: string; forms: Record<string, Record<string, string>> };
}

/** Inputs that are entries of a map inside, by `file`. */
export abstract class FileEntryInput {
  file!: string;
}

/**
 * An input as a spec of the core; the other direction of `toShape`. Null and absent fields are left out. What no spec can
 * say (a key twice) is refused here; everything else is the core's to check.
 */
export function toSpec(value: unknown, path: Path, refusals: Refusal[]): unknown {
  if (Array.isArray(value)) {
    const [first] = value as unknown[];
    if (first instanceof LabelInput) return toMap(value as LabelInput[], 'key', path, refusals, (each) => each.value);
    if (first instanceof FileEntryInput) {
      return toMap(value as FileEntryInput[], 'file', path, refusals, ({ file: _, ...rest }) => rest);
    }
    return value.map((each, index) => toSpec(each, [...path, index], refusals));
  }
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  // What is not one of our input classes is JSON of the user's own.
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return value;
  const { fallbacks, choices, flattened } = value.constructor as InputClass;
  const result: Plain = { ...fallbacks };
  for (const [key, each] of Object.entries(value)) {
    if (each === undefined || each === null) continue;
    // An empty list says nothing about what its entries are.
    const isEmptyMap = MAPS.has(key) && Array.isArray(each) && each.length === 0;
    result[key] = isEmptyMap ? {} : toSpec(each, [...path, key], refusals);
  }
  if (flattened) flatten(result, flattened);
  if (!(value instanceof OneOfInput)) return result;
  const [type, more] = Object.keys(result);
  if (type === undefined || more !== undefined || result[type] === false) {
    refusals.push(refusal('INVALID', `give exactly one of ${choices?.join(', ')}`, path));
    return undefined;
  }
  return Object.assign({ type }, result[type] === true ? {} : result[type]);
}

function flatten(result: Plain, { field, forms }: NonNullable<InputClass['flattened']>): void {
  const { type, ...fields } = (result[field] ?? {}) as Plain & { type?: string };
  delete result[field];
  for (const [name, each] of Object.entries(fields)) result[forms[type!]![name]!] = each;
}

/** What of a spec an input says as one: a new choice leaves nothing of the old one. */
export function replacedKeys(input: object): string[] {
  const { flattened } = input.constructor as InputClass;
  if (!flattened || (input as Plain)[flattened.field] === undefined) return [];
  return keysOf(flattened);
}

const keysOf = ({ forms }: NonNullable<InputClass['flattened']>): string[] =>
  Object.values(forms).flatMap((names) => Object.values(names));

const MAPS = new Set(['labels', 'annotations', 'matchLabels', 'headers', 'promotion']);

function toMap<T extends object>(
  entries: T[],
  name: keyof T & string,
  path: Path,
  refusals: Refusal[],
  valueOf: (entry: T) => unknown,
): Plain {
  const result = new Map<string, unknown>();
  entries.forEach((entry, index) => {
    const key = entry[name] as string;
    if (result.has(key))
      refusals.push(refusal('DUPLICATE', `"${key}" is given twice; keep one`, [...path, index, name]));
    if (key === '__proto__')
      refusals.push(refusal('INVALID', `"${key}" cannot be a key; rename it`, [...path, index, name]));
    else result.set(key, valueOf(entry));
  });
  return Object.fromEntries(result);
}

/** Where in the input a path of the spec stands: an entry's place for its key, the chosen field for a `type`. */
export function inputPath(input: object, path: Path): Path {
  const inside = flattenedPath(input, path[0]);
  if (inside) return inside;
  const found: Path = [];
  let here: unknown = input;
  for (const part of path) {
    if (here instanceof OneOfInput) {
      const chosen = Object.entries(here).find(([, each]) => each !== undefined && each !== null);
      if (chosen === undefined || part === 'type') break;
      found.push(chosen[0]);
      here = chosen[1];
    }
    let at = part;
    if (Array.isArray(here) && typeof part === 'string') {
      const place = here.findIndex((each: Plain) => each.key === part || each.file === part);
      if (place >= 0) at = place;
    }
    found.push(at);
    here = (here as Plain | undefined)?.[at];
  }
  return found;
}

/** In the choice that was made; what is said of the spec as a whole is said of that, too. */
function flattenedPath(input: object, part: string | number | undefined): Path | undefined {
  const { flattened } = input.constructor as InputClass;
  if (!flattened || (part !== undefined && !keysOf(flattened).includes(String(part)))) return undefined;
  const { field, forms } = flattened;
  const given = Object.entries((input as Plain)[field] ?? {});
  const choice = given.find(([, each]) => each !== undefined && each !== null)?.[0];
  if (choice === undefined) return [field];
  const name = Object.entries(forms[choice] ?? {}).find(([, key]) => key === part)?.[0];
  return name === undefined ? [field, choice] : [field, choice, name];
}
