import type { PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import type { AppliedValues, OnMissing, PathValues } from './apply.ts';
import { applyTo } from './apply.ts';
import { chooseDocument } from './documents.ts';
import { readDocuments } from './formats.ts';
import type { Location, Node, Plain, ScalarNode } from './node.ts';
import { childOf, LIMITS, nodeAt, plain, resolved, wordsFor } from './node.ts';
import type { Match } from './select.ts';
import { select, usablePath } from './select.ts';

/**
 * Values at JSON paths in the text of a file: read where a version is pinned, written where it is promoted.
 *
 * All functions are pure and synchronous, and take and give what a structured clone can carry, so that they can run in a
 * thread with limits of time and memory. Errors are `PermanentError` and name the file, the path and the entry.
 */
export type { AppliedValues, OnMissing, PathValues } from './apply.ts';
export type { FileFormat } from './formats.ts';
export { formatOf } from './formats.ts';

/** What paths select in a text. */
export interface SelectedValues {
  /** One per path, in the order of `paths`; without locations for those that select nothing. */
  values: PathValues[];
  /** The paths that select nothing in this text. */
  absent: string[];
}

/** The values that `paths` select in the text of a file, and how each entry can be found again in another file. */
export function selectValues(file: string, text: string, paths: string[]): SelectedValues {
  return inFile(file, () => {
    const documents = readDocuments(file, text);
    let selected = 0;
    const values = paths.map((path): PathValues => {
      const parsed = usablePath(path);
      const root = chooseDocument(documents, parsed, path)?.root;
      if (!root) return { path, locations: [] };
      const matches = select(plain(root), parsed);
      selected += matches.length;
      if (selected > LIMITS.selected)
        throw new PermanentError(`${path} and the paths before it select more than ${LIMITS.selected} values`);
      return { path, locations: matches.flatMap((match) => pinned(root, match)) };
    });
    return { values, absent: values.filter(({ locations }) => locations.length === 0).map(({ path }) => path) };
  });
}

/**
 * The text of a file with the values put where their paths select them in this text. It is also the answer to "does the file
 * hold them already" (`changed`), to drift and to the diff of a plan.
 * @throws PermanentError when a value cannot be put in its place without changing another, or its place cannot be told
 */
export function applyValues(
  file: string,
  text: string,
  values: PathValues[],
  options: { onMissing: OnMissing },
): AppliedValues {
  return inFile(file, () => applyTo(file, text, values, options.onMissing));
}

/** What `path` selects in a JSON value, in the order of the document: for the outputs of an action. */
export function selectIn(value: unknown, path: string): unknown[] {
  return select(value as Plain, usablePath(path)).map((match) => match.value);
}

/** A map or list is followed by those of its scalars whose values do not say how they are written (1.10, 0x1F, `yes`). */
function pinned(root: Node, { location, chosen, value }: Match): PinnedValue[] {
  const node = nodeAt(root, location)!;
  const odd: PinnedValue[] = [];
  checkScalars(node, location, (each, at) => {
    if (each.written !== undefined) odd.push({ location: at, value: each.value, text: each.written, chosen: [] });
  });
  const text = resolved(node).kind === 'scalar' ? odd.pop()?.text : undefined;
  return [{ location, value, ...(text === undefined ? {} : { text }), chosen }, ...odd];
}

function checkScalars(node: Node, at: Location, see: (node: ScalarNode, at: Location) => void): void {
  const target = resolved(node);
  if (target.kind === 'list') return target.items.forEach((each, index) => checkScalars(each, [...at, index], see));
  if (target.kind === 'map')
    return Object.keys(plain(target) as object).forEach((key) => {
      if (key.includes('\0')) throw new PermanentError(`${wordsFor(at)} has a key with a NUL character`);
      checkScalars(childOf(target, key)!, [...at, key], see);
    });
  const { value } = target;
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new PermanentError(`${wordsFor(at)} is ${value}: only finite numbers are promoted`);
  if (typeof value === 'string' && value.includes('\0'))
    throw new PermanentError(`${wordsFor(at)} holds a NUL character`);
  if (typeof value === 'string' && /\p{Cs}/u.test(value))
    throw new PermanentError(`${wordsFor(at)} holds half of a character (a lone surrogate)`);
  see(target, at);
}

/** Every message about a file names it. */
function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw new PermanentError(`file "${file}" is nested too deeply`, { cause: error });
    if (!(error instanceof PermanentError) || error.message.includes(`file "${file}"`)) throw error;
    throw new PermanentError(`file "${file}": ${error.message}`, { cause: error });
  }
}
