import { isMap } from './codec.ts';

/**
 * What `before` and `after` differ in, done to what a file says: all three are manifests as plain data. Defaults that the file writes out
 * stay, and so does another spelling of an equal value. New fields stand where `after` has them.
 */
export function carried(file: unknown, before: unknown, after: unknown): unknown {
  if (same(before, after)) return file;
  if (isMap(file) && isMap(before) && isMap(after)) return carriedMap(file, before, after);
  if (!Array.isArray(file) || !Array.isArray(before) || !Array.isArray(after) || file.length !== before.length)
    return after;
  const free = new Set(before.keys());
  const partner = (isPartner: (each: unknown) => boolean): number | undefined => {
    const found = [...free].find((index) => isPartner(before[index]));
    if (found !== undefined) free.delete(found);
    return found;
  };
  // Entries that stay come first, so that none of them is taken for a changed one.
  const places = after.map((each: unknown) => partner((other) => same(other, each)));
  const named = after.map((each: unknown, index) => {
    const name = entryName(each);
    return places[index] ?? (name === undefined ? undefined : partner((other) => entryName(other) === name));
  });
  return after.map((each: unknown, index) => {
    // One that got another name stands where it stood.
    const at = named[index] ?? (after.length === before.length && free.delete(index) ? index : undefined);
    return at === undefined ? each : carried(file[at], before[at], each);
  });
}

type Plain = Record<string, unknown>;

function carriedMap(file: Plain, before: Plain, after: Plain): Plain {
  const keys = Object.keys(file).filter((key) => Object.hasOwn(after, key) || !Object.hasOwn(before, key));
  let last: string | undefined;
  for (const key of Object.keys(after)) {
    const isNew = !Object.hasOwn(file, key) && !same(before[key], after[key]);
    if (isNew) keys.splice(last === undefined ? 0 : keys.indexOf(last) + 1, 0, key);
    if (keys.includes(key)) last = key;
  }
  const valueOf = (key: string): unknown => {
    if (!Object.hasOwn(after, key)) return file[key];
    if (Object.hasOwn(file, key) && Object.hasOwn(before, key)) return carried(file[key], before[key], after[key]);
    return Object.hasOwn(file, key) && same(before[key], after[key]) ? file[key] : after[key];
  };
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)]));
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** What an entry of a list is called: a step, an action, a rule. Undefined: it has no name. */
export function entryName(entry: unknown): string | undefined {
  if (!isMap(entry)) return undefined;
  const key = ['name', 'environment', 'group', 'file'].find((each) => typeof entry[each] === 'string');
  return key === undefined ? undefined : `${key}/${entry[key] as string}`;
}
