import type { PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { locate, valueAt } from './jsonpath.ts';
import { holdsValues, readValues, writeValues } from './values.ts';

/**
 * Values at JSON paths in the text of a file: read where a version is pinned, written where it is promoted.
 *
 * All functions are pure and synchronous, and take and give what a structured clone can carry, so that they can run in a
 * thread with limits of time and memory. Errors are `PermanentError` and name the file, the path and the entry.
 */
export type FileFormat = 'YAML' | 'JSON' | 'TOML' | 'ENV' | 'PROPERTIES';

/** A path of a template and what it selected, in the order of the document. */
export interface PathValues {
  path: string;
  locations: PinnedValue[];
}

export interface SelectedValues {
  /** One per path, in the order of `paths`; without locations for those that select nothing. */
  values: PathValues[];
  /** The paths that select nothing in this text. */
  absent: string[];
}

/** What becomes of a value that stands only in the source, where `[*]` or `..` selected it. */
export type OnMissing = 'REFUSE' | 'SKIP' | 'ADD';

export interface AppliedValues {
  /** The text with the values in it; everything else is as it was, byte for byte. */
  text: string;
  /** False when the text held all the values already. */
  changed: boolean;
  /** With SKIP: the places that are not in this file, in words, such as `$.images[name=api].newTag`. */
  skipped: string[];
}

/** The values that `paths` select in the text of a file. */
export function selectValues(file: string, text: string, paths: string[]): SelectedValues {
  const values = paths.map((path) => ({ path, locations: readValues(file, text, path) }));
  return { values, absent: values.filter(({ locations }) => locations.length === 0).map(({ path }) => path) };
}

/**
 * The text of a file with the values put where their paths select them in this text. It is also the answer to "does the file
 * hold them already" (`changed`), to drift and to the diff of a plan.
 * @throws PermanentError when a value cannot be put in its place without changing another
 */
export function applyValues(
  file: string,
  text: string,
  values: PathValues[],
  _options: { onMissing: OnMissing },
): AppliedValues {
  const all = values.flatMap(({ locations }) => locations);
  if (holdsValues(file, text, all)) return { text, changed: false, skipped: [] };
  return { text: writeValues(file, text, all), changed: true, skipped: [] };
}

/** What `path` selects in a JSON value, in the order of the document: for the outputs of an action. */
export function selectIn(value: unknown, path: string): unknown[] {
  return locate(value, path).map((location) => valueAt(value, location));
}

/** Why a file of this name cannot be promoted by JSON paths, or undefined when it can. By its name alone. */
export function checkFileName(file: string): string | undefined {
  return formatNamed(file)
    ? undefined
    : `file "${file}" is neither YAML nor JSON: JSON paths cannot be promoted in it; promote it whole`;
}

/** @throws PermanentError naming the file when JSON paths cannot be promoted in it */
export function formatOf(file: string): FileFormat {
  const format = formatNamed(file);
  if (!format) throw new PermanentError(checkFileName(file));
  return format;
}

function formatNamed(file: string): FileFormat | undefined {
  if (/\.ya?ml$/i.test(file)) return 'YAML';
  return /\.json$/i.test(file) ? 'JSON' : undefined;
}

/** Why a JSON path cannot be used, or undefined when it can. */
export function checkPath(path: string): string | undefined {
  return path.startsWith('$') ? undefined : `the JSON path "${path}" must begin with "$", for example $.image.tag`;
}
