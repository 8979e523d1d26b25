import type { DocumentPath } from '../../core/json-path.ts';
import { parsePath } from '../../core/json-path.ts';
import { canonical } from '../canonical.ts';
import type { PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { chooseDocument } from './documents.ts';
import { Editor } from './editor.ts';
import { readAgain, readSource } from './formats.ts';
import type { FileDocument, Location, Node, Plain, Source, Want, Writer } from './node.ts';
import { childIn, plain, wordsFor } from './node.ts';
import { namesIn, type Identity } from './identity.ts';
import type { MissingStep } from './pair.ts';
import { chosenByPath, pair } from './pair.ts';
import { reasonFor } from './reason.ts';
import { select } from './select.ts';
import { applyEdits, insertion } from './text.ts';
import { coveredBy, wantsOf } from './want.ts';
import type { Wishes } from './wishes.ts';
import { differenceOf, expectedOf, noWishes, placeOfWish, wholeOf, wish } from './wishes.ts';

/** What becomes of an entry that the target does not have. */
export type OnMissing = 'REFUSE' | 'SKIP' | 'ADD';

/** What one path selected in the source. */
export interface PathValues {
  path: string;
  locations: PinnedValue[];
}

/** The text after the values were written; `skipped` says in words what was not. */
export interface AppliedValues {
  text: string;
  changed: boolean;
  skipped: string[];
}

/** Writes values into the text of a file, and touches nothing besides. @throws PermanentError naming what cannot be written */
export function applyTo(file: string, text: string, values: PathValues[], onMissing: OnMissing): AppliedValues {
  const source = readSource(file, text);
  const { wishes, skipped } = wishesOf(source, values, onMissing);
  const edits = [...wishes].flatMap(([document, wanted]) => editsOf(source, document, wanted));
  const after = applyEdits(text, edits);
  if (after === text) {
    // Nothing to write may also be something that stands behind an alias and cannot be written.
    for (const [document, wanted] of wishes) {
      check(document.root, document.root && plain(document.root), wanted);
      if (document.root) mustSay(document.root, wanted);
    }
    return { text, changed: false, skipped };
  }
  verify(file, source, after, wishes);
  return { text: after, changed: true, skipped };
}

const SOMETHING = insertion(0, '');

type Wanted = Map<FileDocument, Wishes>;

function wishesOf(source: Source, values: PathValues[], onMissing: OnMissing): { wishes: Wanted; skipped: string[] } {
  const wishes: Wanted = new Map();
  const skipped: string[] = [];
  const added = new Map<FileDocument, Map<string, number>>();
  const placed: { document: FileDocument; path: string; location: Location; want: Want }[] = [];
  for (const { path, locations } of values) {
    if (locations.length === 0) continue;
    const parsed = parsePath(path);
    const usable = typeof parsed === 'string' ? undefined : parsed;
    // What stands within a map or a list that is promoted whole comes with it.
    const isCovered = coveredBy(
      values.filter((each) => documentOf(each.path) === documentOf(path)).flatMap((each) => each.locations),
    );
    inPath(path, () => {
      const document = chooseDocument(source.documents, usable, path);
      if (!document) throw new PermanentError('this file has no such document');
      const root = document.root ? plain(document.root) : null;
      if (!wishes.has(document)) wishes.set(document, noWishes());
      if (!added.has(document)) added.set(document, new Map());
      for (const { pinned, want } of wantsOf(locations)) {
        const found = pair(root, known(pinned, parsed, locations, root));
        if (found.at === 'place') placed.push({ document, path, location: found.location, want });
        else if (isCovered(pinned.location)) continue;
        else if (onMissing === 'ADD')
          placed.push(
            ...additions(root, found, want, added.get(document)!).map((each) => ({ document, path, ...each })),
          );
        else skipped.push(usable?.document ? `${path}: ${found.words}` : found.words);
      }
    });
  }
  if (onMissing === 'REFUSE' && skipped.length > 0) throw onlyInSource(skipped);
  // What is wanted as a whole comes first: the order of the paths in the template makes no difference.
  for (const { document, path, location, want } of placed.toSorted((a, b) => a.location.length - b.location.length))
    inPath(path, () => wish(wishes.get(document)!, location, want));
  return { wishes, skipped };
}

const documentOf = (path: string): string => path.slice(0, path.indexOf('$')).trim();

function onlyInSource(places: string[]): PermanentError {
  const more = places.length > MOST_NAMED ? ` and ${places.length - MOST_NAMED} more` : '';
  const stand = places.length === 1 ? 'stands' : 'stand';
  return new PermanentError(
    `${places.slice(0, MOST_NAMED).join(', ')}${more} ${stand} only in the source: add what is missing to this file, or set onMissing to SKIP or ADD in the template`,
  );
}

const MOST_NAMED = 5;

/** What an earlier version of Sluice pinned says no more than path and place; some of it can be told from these. */
function known(pinned: PinnedValue, path: DocumentPath | string, locations: PinnedValue[], root: Plain): PinnedValue {
  if (pinned.chosen) return pinned;
  try {
    if (typeof path !== 'string') return { ...pinned, chosen: chosenByPath(path, locations, pinned) };
    if (pinned.location.some((key) => typeof key === 'number')) throw new PermanentError(path);
    return { ...pinned, chosen: [] };
  } catch (error) {
    const here = pinned.location.reduce<Plain | undefined>(childIn, root);
    if (here !== undefined && canonical(here) === canonical(pinned.value)) return { ...pinned, chosen: [] };
    const place = typeof path === 'string' ? undefined : placeOfAlike(pinned, path, locations, root);
    if (!place) throw error;
    return { ...pinned, location: place, chosen: [] };
  }
}

/** Where all that a path selected is one and the same scalar, and it selects as many here, it does not matter which entry is which. */
function placeOfAlike(
  pinned: PinnedValue,
  path: DocumentPath,
  locations: PinnedValue[],
  root: Plain,
): Location | undefined {
  const isAlike = ({ value, text }: PinnedValue): boolean =>
    (typeof value !== 'object' || value === null) && value === pinned.value && text === pinned.text;
  if (!locations.every(isAlike)) return undefined;
  const here = select(root, path);
  const place = here.length === locations.length ? here[locations.indexOf(pinned)]?.location : undefined;
  // An entry of a list is not a key of a map.
  const isOther = place?.length === pinned.location.length && kindsOf(place) !== kindsOf(pinned.location);
  return isOther ? undefined : place;
}

const kindsOf = (location: Location): string => location.map((key) => typeof key).join(' ');

/** A missing entry is added with what it is found by, and with what was selected of it. */
function additions(
  root: Plain,
  { location, steps, words }: { location: Location; steps: MissingStep[]; words: string },
  want: Want,
  added: Map<string, number>,
): { location: Location; want: Want }[] {
  const at = [...location];
  const all: { location: Location; want: Want }[] = [];
  for (const [index, { key, entry }] of steps.entries()) {
    if (!entry) {
      if (typeof key === 'number')
        throw new PermanentError(`${words} cannot be added: ${wordsFor(at)} has no entry ${key}`);
      at.push(key);
      continue;
    }
    at.push(nextIndex(root, at, entry, added));
    if (index === steps.length - 1) break;
    if (!('fields' in entry))
      throw new PermanentError(`${words} cannot be added: the entry has no name that it could be found by`);
    for (const [field, value] of Object.entries(entry.fields))
      all.push({ location: [...at, field], want: { kind: 'scalar', value } });
  }
  return [...all, { location: at, want }];
}

/** Behind what is there and what was added before; the same entry again for another of its values. */
function nextIndex(root: Plain, at: Location, entry: Identity, added: Map<string, number>): number {
  const list = at.reduce<Plain | undefined>(childIn, root);
  const where = `${JSON.stringify(at)} `;
  const id = where + canonical(entry);
  const before = [...added.keys()].filter((each) => each.startsWith(where)).length;
  const index = added.get(id) ?? (Array.isArray(list) ? list.length : 0) + before;
  added.set(id, index);
  return index;
}

function editsOf(source: Source, document: FileDocument, wishes: Wishes): ReturnType<Editor['edit']> {
  if (document.root) return new Editor(source.writer, { namesIn }).edit(document.root, wishes);
  const want = wholeOf(wishes);
  return source.writer.begin(document, want);
}

/** What was written is read back: every document must be what is wished for, and nothing else. */
function verify(file: string, source: Source, after: string, wishes: Wanted): void {
  let written: FileDocument[];
  try {
    written = readAgain(file, source, after);
  } catch (error) {
    throw new PermanentError(
      `the promoted values cannot be put there: the file ${error instanceof Error ? error.message : 'would be damaged'}`,
      {
        cause: error,
      },
    );
  }
  const documents = source.documents.length === 0 ? [...wishes.keys()] : source.documents;
  for (const [index, document] of documents.entries()) {
    const now = written[index]?.root;
    const wanted = wishes.get(document);
    if (wanted) check(document.root, now && plain(now), wanted);
    else if (document.root && (!now || differenceOf(plain(now), plain(document.root))))
      throw new PermanentError('the promoted values cannot be written without changing another document of the file');
    if (wanted && now) mustSay(now, wanted);
  }
}

/** Numbers are equal however they are written: nothing may be left to write, nor stand behind an alias in another spelling. */
function mustSay(root: Node, wanted: Wishes): void {
  const asked = new Editor(ASKS, { namesIn });
  const left = asked.edit(root, wanted);
  const [behind] = asked.unwritten;
  if (behind) throw new PermanentError(reasonFor(root, placeOfWish(wanted, behind) ?? [], wanted));
  if (left.length > 0)
    throw new PermanentError('the promoted values cannot be written there as they are written in the source');
}

/** Tells that something would be written, and writes nothing. */
const ASKS: Writer = { replace: () => [SOMETHING], rebuild: () => [SOMETHING], begin: () => [SOMETHING] };

function check(before: FileDocument['root'], now: Plain | undefined, wishes: Wishes): void {
  const expected = before ? expectedOf(plain(before), wishes) : undefined;
  const place = before ? differenceOf(now, expected) : undefined;
  if (before && place) throw new PermanentError(reasonFor(before, place, wishes));
}

/** Every message about a path names it. */
function inPath(path: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof PermanentError) || error.message.includes(path)) throw error;
    throw new PermanentError(`${path}: ${error.message}`, { cause: error });
  }
}
