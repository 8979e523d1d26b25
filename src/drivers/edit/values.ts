import { canonical, sameValue } from '../content.ts';
import type { PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import type { Format, ReadDocument } from './document.ts';
import { formatOf } from './document.ts';
import type { Location } from './jsonpath.ts';
import { existsAt, locate, valueAt, wordsFor } from './jsonpath.ts';

/** The values that `path` matches in a file, as they are pinned. */
export function readValues(file: string, text: string, path: string): PinnedValue[] {
  return inFile(file, () => {
    const document = formatOf(file).read(text);
    return locate(document.value, path).flatMap((location) => pinned(document, location));
  });
}

/** A collection is followed by those of its numbers that were written in a way a number cannot keep (1.10, 0x1F). */
function pinned(document: ReadDocument, location: Location): PinnedValue[] {
  const value = valueAt(document.value, location) ?? null;
  const odd: PinnedValue[] = [];
  const walk = (at: Location, each: unknown): void => {
    if (typeof each === 'string' && each.includes('\0'))
      throw new PermanentError(`${wordsFor(at)} holds a NUL character`);
    if (typeof each === 'number') {
      if (!Number.isFinite(each))
        throw new PermanentError(`${wordsFor(at)} is ${each}: only finite numbers are promoted`);
      const text = document.numberText(at);
      if (text !== undefined && text !== String(each)) odd.push({ location: at, value: each, text });
    } else if (typeof each === 'object' && each !== null)
      for (const [key, inner] of Object.entries(each)) walk([...at, Array.isArray(each) ? Number(key) : key], inner);
  };
  walk(location, value);
  return typeof value === 'number' && odd.length > 0 ? odd : [{ location, value }, ...odd];
}

/** Whether the file's text holds exactly these values, written numbers included. */
export function holdsValues(file: string, text: string, values: PinnedValue[]): boolean {
  return inFile(file, () => {
    const document = formatOf(file).read(text);
    return values.every((each) => holds(document, each));
  });
}

function holds(document: ReadDocument, { location, value, text }: PinnedValue): boolean {
  if (!existsAt(document.value, location) || !sameValue(valueAt(document.value, location), value)) return false;
  return text === undefined || document.numberText(location) === text;
}

/**
 * The text with the values put in and everything else as it was, byte for byte.
 * @throws PermanentError naming the file and the place when a value cannot be put there without changing another.
 */
export function writeValues(file: string, text: string, values: PinnedValue[]): string {
  return inFile(file, () => {
    const format = formatOf(file);
    const before = format.read(text);
    // Through JSON, not structuredClone: that would keep an alias and its anchor one object, and hide that both change.
    const expected = {
      root: before.value === undefined ? undefined : (JSON.parse(canonical(before.value)) as unknown),
    };
    const seen = new Set<string>();
    let result = text;
    for (const value of values) {
      const id = canonical(value);
      if (seen.has(id)) continue;
      seen.add(id);
      expect(expected, value);
      result = put(format, result, value);
    }
    const after = format.read(result);
    if (!sameValue(after.value, expected.root) || !values.every((each) => holds(after, each)))
      throw new PermanentError('the promoted values cannot be changed without changing others (an anchor, a merge?)');
    return result;
  });
}

function put(format: Format, text: string, { location, value, text: verbatim }: PinnedValue): string {
  const document = format.read(text);
  if (holds(document, { location, value, text: verbatim })) return text;
  if (!existsAt(document.value, location)) {
    mustHaveParent(document.value, location);
    return format.add(text, location, value, verbatim);
  }
  // The smallest edit: what is equal inside a map or a list keeps its comments and its form.
  const current = valueAt(document.value, location);
  const parts = partsOf(location, current, value);
  if (!parts) return format.replace(text, location, value, verbatim);
  return parts.reduce((each, part) => put(format, each, part), text);
}

/** The same keys or more, or as many elements: edited one by one. Otherwise undefined, and it is replaced whole. */
function partsOf(location: Location, current: unknown, wanted: unknown): PinnedValue[] | undefined {
  if (Array.isArray(current) && Array.isArray(wanted))
    return current.length === wanted.length
      ? wanted.map((value, index) => ({ location: [...location, index], value }))
      : undefined;
  if (!isMap(current) || !isMap(wanted) || Object.keys(current).length === 0) return undefined;
  if (!Object.keys(current).every((key) => Object.hasOwn(wanted, key))) return undefined;
  return Object.entries(wanted).map(([key, value]) => ({ location: [...location, key], value }));
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function mustHaveParent(root: unknown, location: Location): void {
  const parent = valueAt(root, location.slice(0, -1));
  const key = location.at(-1)!;
  if (location.length === 1 && (root === undefined || root === null)) return;
  if (typeof key === 'number' ? Array.isArray(parent) && parent.length === key : isMap(parent)) return;
  throw new PermanentError(
    `${wordsFor(location)} cannot be added: ${wordsFor(location.slice(0, -1))} does not hold it`,
  );
}

function expect(expected: { root: unknown }, { location, value }: PinnedValue): void {
  if (location.includes('__proto__')) throw new PermanentError('a key named __proto__ is not promoted');
  if (location.length === 0) return void (expected.root = structuredClone(value));
  if (!existsAt(expected.root, location)) mustHaveParent(expected.root, location);
  expected.root ??= {};
  const parent = valueAt(expected.root, location.slice(0, -1)) as Record<string | number, unknown>;
  parent[location.at(-1)!] = structuredClone(value);
}

/** Every message about a file names it. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PermanentError) || error.message.includes(`"${file}"`)) throw error;
    throw new PermanentError(`file "${file}": ${error.message}`, { cause: error });
  }
}
