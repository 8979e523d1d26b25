import { entryName } from '../../../../../src/manifests/index.ts';
import type { Path } from './types.ts';

/** A place that was changed on both sides, differently; undefined: it is not there. */
export interface Clash {
  /** Entries of lists are named by their place in `mine`, or by `name` when they are not there. */
  path: Path;
  base: unknown;
  theirs: unknown;
  mine: unknown;
}

/**
 * What two people made of one value. What one of them changed is taken from there; entries of a list are told apart by their names and
 * lists of texts are sets. Where both changed one value differently, `mine` stands, and it is a clash.
 */
export function mergeValues(
  base: unknown,
  theirs: unknown,
  mine: unknown,
  clash: (found: Clash) => void,
  path: Path = [],
): unknown {
  if (same(base, theirs) || same(theirs, mine)) return mine;
  if (same(base, mine)) return theirs;
  if (isMap(theirs) && isMap(mine)) return mergeMaps(isMap(base) ? base : {}, theirs, mine, clash, path);
  if (Array.isArray(theirs) && Array.isArray(mine)) {
    const lists = [Array.isArray(base) ? base : [], theirs, mine] as const;
    if (lists.every(isSet)) return mergeSets(...lists);
    if (lists.every(isNamed)) return mergeNamed(...lists, clash, path);
  }
  clash({ path, base, theirs, mine });
  return mine;
}

/** Every place in which the three are not the same, as deep as all of them go; of a list with names an entry is the deepest when one lacks it. */
export function differences(base: unknown, theirs: unknown, mine: unknown, path: Path = []): Clash[] {
  if (same(base, theirs) && same(base, mine)) return [];
  if (isMap(base) && isMap(theirs) && isMap(mine)) {
    const keys = new Set([base, theirs, mine].flatMap(Object.keys));
    return [...keys].flatMap((key) => differences(base[key], theirs[key], mine[key], [...path, key]));
  }
  if (Array.isArray(base) && Array.isArray(theirs) && Array.isArray(mine) && [base, theirs, mine].every(isNamed)) {
    const [was, there, here] = [byName(base), byName(theirs), byName(mine)];
    const names = new Set([...was.keys(), ...there.keys(), ...here.keys()]);
    return [...names].flatMap((name) => differences(was.get(name), there.get(name), here.get(name), [...path, name]));
  }
  return [{ path, base, theirs, mine }];
}

type Plain = Record<string, unknown>;
type ByName = Map<string, unknown>;
const byName = (list: unknown[]): ByName => new Map(list.map((each) => [entryName(each)!, each]));

function mergeMaps(base: Plain, theirs: Plain, mine: Plain, clash: (found: Clash) => void, path: Path): Plain {
  const result: Plain = {};
  for (const key of new Set([...Object.keys(mine), ...Object.keys(theirs)])) {
    const value = mergeValues(base[key], theirs[key], mine[key], clash, [...path, key]);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

function mergeSets(base: unknown[], theirs: unknown[], mine: unknown[]): unknown[] {
  const gone = base.filter((each) => !theirs.includes(each));
  const come = theirs.filter((each) => !base.includes(each) && !mine.includes(each));
  return [...mine.filter((each) => !gone.includes(each)), ...come];
}

function mergeNamed(
  base: unknown[],
  theirs: unknown[],
  mine: unknown[],
  clash: (found: Clash) => void,
  path: Path,
): unknown[] {
  const [was, there, here] = [base, theirs, mine].map(byName) as [ByName, ByName, ByName];
  const merged = new Map<string, unknown>();
  const decide = (name: string): void => {
    const at = [...path, name];
    const value = mergeValues(was.get(name), there.get(name), here.get(name), clash, at);
    if (value !== undefined) merged.set(name, value);
  };
  // A new entry of theirs stands behind the one that it follows there.
  const names = [...here.keys()];
  let last: string | undefined;
  for (const name of there.keys()) {
    if (!here.has(name)) names.splice(last === undefined ? 0 : names.indexOf(last) + 1, 0, name);
    last = name;
  }
  names.forEach(decide);
  return [...merged.values()];
}

const isSet = (list: unknown[]): boolean =>
  list.every((each) => typeof each === 'string') && new Set(list).size === list.length;

function isNamed(list: unknown[]): boolean {
  const names = list.map(entryName);
  return names.every((each) => each !== undefined) && new Set(names).size === list.length;
}

const isMap = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => sorted(a) === sorted(b);

/** The order of keys says nothing. */
const sorted = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, each: unknown) =>
    isMap(each) ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))) : each,
  );
