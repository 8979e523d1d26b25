import { PermanentError } from '../driver.ts';
import type { Location, Plain, PlainMap, Want } from './node.ts';
import { childIn, isPlainMap, setKey, wordsFor } from './node.ts';
import { sameWant } from './want.ts';

/** What is wanted in a document, by place: a tree that holds only the places that something is wanted at. */
export interface Wishes {
  want?: Want;
  children: Map<string | number, Wishes>;
  /** What stands there after the edit, as a reader sees it; set by the edit. */
  settled?: Plain;
}

/** Nothing is to be changed. */
export const noWishes = (): Wishes => ({ children: new Map() });

/** A place within one that gets a whole map or list needs no wish of its own: both come from one version. */
export function wish(root: Wishes, location: Location, want: Want): void {
  let at = root;
  for (const [depth, key] of location.entries()) {
    if (at.want) return;
    let next = at.children.get(key);
    if (!next) {
      // Both would become keys of one map where nothing is yet.
      const [beside] = at.children.keys();
      if (beside !== undefined && typeof beside !== typeof key) {
        const place = wordsFor(location.slice(0, depth));
        throw new PermanentError(`one path of the template wants a list at ${place}, and another one a map`);
      }
      at.children.set(key, (next = noWishes()));
    }
    at = next;
  }
  if (at.want && !sameWant(at.want, want))
    throw new PermanentError(`two paths of the template want different values at ${wordsFor(location)}`);
  at.want = want;
  at.children.clear();
}

/** The place at which `wished` stands in the tree. */
export function placeOfWish(root: Wishes, wished: Wishes): Location | undefined {
  if (root === wished) return [];
  for (const [key, each] of root.children) {
    const found = placeOfWish(each, wished);
    if (found) return [key, ...found];
  }
  return undefined;
}

/** What is to be made where nothing is yet. */
export function wholeOf({ want, children }: Wishes): Want {
  if (want) return want;
  const keys = [...children.keys()];
  if (keys.every((key) => typeof key === 'number') && keys.length > 0) {
    const items = [...children].sort(([a], [b]) => Number(a) - Number(b)).map(([, each]) => wholeOf(each));
    return { kind: 'list', items };
  }
  return { kind: 'map', entries: new Map([...children].map(([key, each]) => [String(key), wholeOf(each)])) };
}

/** The document as a reader is to see it afterwards: what was not wished for is what it was. */
export function expectedOf(before: Plain | undefined, { want, children, settled }: Wishes): Plain {
  if (want || settled !== undefined) return settled ?? null;
  if (Array.isArray(before)) {
    const list = [...before];
    for (const [key, each] of children) list[key as number] = expectedOf(list[key as number], each);
    return list;
  }
  const map: PlainMap = {};
  if (isPlainMap(before)) for (const [key, value] of Object.entries(before)) setKey(map, key, value);
  for (const [key, each] of children) {
    setKey(map, key as string, expectedOf(childIn(map, key), each));
  }
  return map;
}

/** Where two documents first differ; undefined when a reader sees them as one. */
export function differenceOf(
  a: Plain | undefined,
  b: Plain | undefined,
  location: Location = [],
): Location | undefined {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return undefined;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return location;
    for (const [index, each] of a.entries()) {
      // What was not read again is the same object.
      if (each === b[index]) continue;
      const found = differenceOf(each, b[index], [...location, index]);
      if (found) return found;
    }
    return undefined;
  }
  if (!isPlainMap(a) || !isPlainMap(b)) return location;
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const has = Object.hasOwn(a, key) && Object.hasOwn(b, key);
    if (has && a[key] === b[key]) continue;
    const found = has ? differenceOf(a[key], b[key], [...location, key]) : [...location, key];
    if (found) return found;
  }
  return undefined;
}
