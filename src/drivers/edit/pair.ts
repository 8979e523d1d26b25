import type { DocumentPath } from '../../core/json-path.ts';
import { isDescent, namesAnEntry, selectorOf, selectorText } from '../../core/json-path.ts';
import { JSONPathNode } from 'json-p3';
import type { ChosenStep, PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import type { Identity } from './identity.ts';
import { entryWords, findEntries, identitiesOf, isEntry } from './identity.ts';
import type { Location, Plain } from './node.ts';
import { childIn, isPlainMap, stepWords, wordsFor } from './node.ts';

/** The place of a pinned value in another file. */
export type Paired =
  | { at: 'place'; location: Location }
  /** A wildcard or `..` chose it in the source, and this file has no such entry: from `location` on, `steps` are missing. */
  | { at: 'nowhere'; location: Location; steps: MissingStep[]; words: string };

/** One step of a location that this file does not have. */
export interface MissingStep {
  key: string | number;
  entry?: Identity;
}

/**
 * Finds the place of a value by what chose it in the source: the path's own names and indexes as they stand, a filter by what it
 * asks for, `[*]` and `..` by key or by the identity of the entry, a slice by the places that it selects here.
 * @throws PermanentError naming the place when none, several, or another entry may be meant
 */
export function pair(root: Plain, pinned: PinnedValue): Paired {
  const { location: source } = pinned;
  const chosen = new Map(pinned.chosen!.map((each) => [each.at, each]));
  const isWild = pinned.chosen!.some(({ by }) => by === '*' || by === '..');
  const location: Location = [];
  let at: Plain | undefined = root;
  for (const [index, key] of source.entries()) {
    const how = chosen.get(index);
    const found: string | number | undefined = how ? find(at, key, how, location) : key;
    const value: Plain | undefined = found === undefined ? undefined : childIn(at, found);
    if (found !== undefined && value !== undefined) {
      location.push(found);
      at = value;
      continue;
    }
    const steps = source.slice(index).map((each, more) => ({ key: each, entry: chosen.get(index + more)?.entry }));
    if (isWild && holds(at, key))
      return { at: 'nowhere', location, steps, words: wordsFor(location) + missingWords(steps) };
    const isLast = index === source.length - 1;
    if (isLast && !how && canAdd(at, key)) return { at: 'place', location: [...location, key] };
    const words = wordsFor(location) + missingWords(steps);
    const why = at === undefined || at === null ? 'is empty or not there' : `does not hold ${stepWords(key)}`;
    throw new PermanentError(
      `${words} cannot be added: ${wordsFor(location)} ${holds(at, key) ? 'does not hold it' : why}`,
    );
  }
  return { at: 'place', location };
}

/** A map for a key, a list for an index; what is empty may become either. */
const holds = (at: Plain | undefined, key: string | number): boolean =>
  at === null || (typeof key === 'number' ? Array.isArray(at) : isPlainMap(at));

function canAdd(at: Plain | undefined, key: string | number): boolean {
  if (typeof key === 'number') return Array.isArray(at) && at.length === key;
  return isPlainMap(at) || at === null;
}

const missingWords = (steps: MissingStep[]): string =>
  steps.map(({ key, entry }) => (entry ? entryWords(entry) : stepWords(key))).join('');

/** Undefined where the entry is not there and may be missing. */
function find(
  at: Plain | undefined,
  key: string | number,
  how: ChosenStep,
  above: Location,
): string | number | undefined {
  const here = `${wordsFor(above)}[${how.by}]`;
  if (how.by === '*' || how.by === '..') {
    if (typeof key === 'string') return isPlainMap(at) && Object.hasOwn(at, key) ? key : undefined;
    if (!Array.isArray(at)) return undefined;
    return onlyOne(findEntries(at, how.entry!), how, here);
  }
  const container = typeof at === 'object' && at !== null ? at : undefined;
  const found = container
    ? selectorOf(how.by)
        .resolve(new JSONPathNode(container, [], container))
        .map(({ location }) => location[0]!)
    : [];
  if (found.length === 0) throw new PermanentError(`${here} selects nothing in this file`);
  if (/^-?\d+$/.test(how.by)) return found[0];
  return how.by.startsWith('?') ? byFilter(container!, found, key, how, here) : bySlice(container!, found, how, here);
}

function onlyOne(found: number[], { entry }: ChosenStep, here: string): number | undefined {
  // Equal scalars, and equal entries without a name, hold equal values.
  if (found.length <= 1 || !('fields' in entry!)) return found[0];
  throw new PermanentError(
    `${here}: ${entryWords(entry)} stands ${found.length} times in this list: which one is meant cannot be told`,
  );
}

function byFilter(
  container: Plain[] | { [key: string]: Plain },
  found: (string | number)[],
  key: string | number,
  how: ChosenStep,
  here: string,
): string | number {
  if (how.of === 1 && found.length === 1) {
    const [only] = found as [string | number];
    if (namesAnEntry(selectorOf(how.by)) || isTheSame(container, only, key, how)) return only;
    throw new PermanentError(
      `${here} selects ${wordsOf(container, only)} in this file, and ${wanted(key, how)} was promoted: name the entry in the filter`,
    );
  }
  if (!Array.isArray(container)) {
    if (found.includes(key)) return key;
    throw new PermanentError(`${here} does not select ${wanted(key, how)} in this file`);
  }
  const same = how.entry ? found.filter((each) => isEntry(container[each as number]!, how.entry!)) : [];
  if (same.length === 1 || (same.length > 1 && 'digest' in how.entry!)) return same[0]!;
  const many = `${here} selects ${found.length} entries in this file`;
  if (same.length === 0) throw new PermanentError(`${many}, and none of them is ${wanted(key, how)}`);
  throw new PermanentError(
    `${many}, and ${same.length} of them are ${wanted(key, how)}: which one is meant cannot be told`,
  );
}

/** The entry that an undecided filter chose is the one that was promoted, as far as entries have names at all. */
function isTheSame(
  container: Plain[] | { [key: string]: Plain },
  found: string | number,
  key: string | number,
  { entry }: ChosenStep,
): boolean {
  if (!Array.isArray(container)) return found === key;
  if (!entry) return false;
  const own = identitiesOf(container)[found as number]!;
  if ('fields' in entry || 'fields' in own) return isEntry(container[found as number]!, entry);
  return true;
}

function bySlice(
  container: Plain[] | { [key: string]: Plain },
  found: (string | number)[],
  how: ChosenStep,
  here: string,
): string | number {
  if (found.length !== how.of)
    throw new PermanentError(
      `${here} selects ${found.length} entries in this file and ${how.of} in the source: they cannot be paired`,
    );
  if (found.length === 1 || !how.entry || !('fields' in how.entry)) return found[how.place!]!;
  const same = found.filter((each) => isEntry((container as Plain[])[each as number]!, how.entry!));
  if (same.length === 1) return same[0]!;
  throw new PermanentError(
    `${here} selects ${found.length} entries in this file, and ${same.length} of them are ${entryWords(how.entry)}`,
  );
}

const wanted = (key: string | number, { entry }: ChosenStep): string => (entry ? entryWords(entry) : stepWords(key));

const wordsOf = (container: Plain[] | { [key: string]: Plain }, key: string | number): string =>
  Array.isArray(container) ? entryWords(identitiesOf(container)[key as number]!) : stepWords(key);

/**
 * For content that was pinned before entries were kept: what the path and the place still tell. A list's entry that only `[*]`
 * or `..` chose is known by nothing but its index.
 */
export function chosenByPath(path: DocumentPath, values: PinnedValue[], pinned: PinnedValue): ChosenStep[] {
  const { location } = pinned;
  const descent = path.segments.findIndex(isDescent);
  return location.flatMap((key, at): ChosenStep[] => {
    const fromEnd = location.length - at;
    const segment =
      descent === -1 || at < descent
        ? path.segments[at]
        : fromEnd < path.segments.length - descent
          ? path.segments[path.segments.length - fromEnd]
          : undefined;
    if (!segment || isDescent(segment)) {
      if (typeof key === 'number' && !(segment && selectorText(segment.selectors[0]!) === String(key)))
        throw unknownEntry(pinned);
      return typeof key === 'number' ? [] : [{ at, by: '..' }];
    }
    const [selector] = segment.selectors;
    const by = selectorText(selector!);
    if (segment.selectors.length > 1 && typeof key === 'number') throw unknownEntry(pinned);
    if (by === '*') {
      if (typeof key === 'number') throw unknownEntry(pinned);
      return [{ at, by }];
    }
    if (!/^-\d+$|^[?]|^-?\d*:/.test(by)) return [];
    const above = JSON.stringify(location.slice(0, at));
    const beside = [
      ...new Set(
        values
          .filter((each) => JSON.stringify(each.location.slice(0, at)) === above && each.location.length > at)
          .map((each) => each.location[at]!),
      ),
    ];
    return [{ at, by, of: beside.length, place: beside.indexOf(key) }];
  });
}

const unknownEntry = ({ location }: PinnedValue): PermanentError =>
  new PermanentError(
    `${wordsFor(location)} was pinned by an earlier version of Sluice, which kept only its place in the list: release the version again`,
  );
