import { JSONPath } from 'jsonpath-plus';
import { PermanentError } from '../driver.ts';

export type Location = (string | number)[];

/**
 * Where `path` points in `value`, as concrete locations in the order of the document.
 *
 * Paths are written as in published manifests: `$.appVersion`, `$..image`, `$.a[0].b`, and `$appVersion` without its dot.
 * Filters are evaluated by an interpreter, never as JavaScript: a path is input from outside.
 */
export function locate(value: unknown, path: string): Location[] {
  const seen = new Map<string, Location>();
  let pointers: unknown;
  try {
    pointers = JSONPath({
      path: withDot(path),
      json: value as object,
      resultType: 'pointer',
      eval: 'safe',
      wrap: true,
    });
  } catch (error) {
    throw new PermanentError(
      `JSON path "${path}" cannot be used: ${error instanceof Error ? error.message : 'invalid'}`,
    );
  }
  for (const pointer of (pointers ?? []) as string[]) {
    const location = locationOf(value, pointer);
    if (location) seen.set(JSON.stringify(location), location);
  }
  return [...seen.values()];
}

function withDot(path: string): string {
  if (!path.startsWith('$')) throw new PermanentError(`JSON path "${path}" must start with $`);
  return /^\$[\w-]/.test(path) ? `$.${path.slice(1)}` : path;
}

/** Undefined for what is no place in the document: the length of a list, the name of a key, a prototype's member. */
function locationOf(root: unknown, pointer: string): Location | undefined {
  const location: Location = [];
  let at = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null) return undefined;
    const key = Array.isArray(at) && /^\d+$/.test(name) ? Number(name) : name;
    if (Array.isArray(at) ? typeof key !== 'number' || key >= at.length : !Object.hasOwn(at, key)) return undefined;
    location.push(key);
    at = (at as Record<string | number, unknown>)[key];
  }
  return location;
}

export function valueAt(root: unknown, location: Location): unknown {
  let at = root;
  for (const key of location) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string | number, unknown>)[key];
  }
  return at;
}

export function existsAt(root: unknown, location: Location): boolean {
  if (location.length === 0) return root !== undefined;
  const parent = valueAt(root, location.slice(0, -1));
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, location.at(-1)!);
}

/** As people write it: `dependencies[0].version`. */
export const wordsFor = (location: Location): string =>
  location.reduce<string>(
    (path, key) =>
      typeof key === 'number' ? `${path}[${key}]` : /^[\w-]+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`,
    '$',
  );
