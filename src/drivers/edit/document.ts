import { PermanentError } from '../driver.ts';
import { jsonFormat } from './json.ts';
import type { Location } from './jsonpath.ts';
import { yamlFormat } from './yaml.ts';

/** One file format: text in, text out, so that nothing but the edited place can change. */
export interface Format {
  /** @throws PermanentError saying where the text is wrong; without the file's name. */
  read(text: string): ReadDocument;
  /** Replaces what stands at an existing place. `verbatim`: write the number exactly like this. */
  replace(text: string, location: Location, value: unknown, verbatim?: string): string;
  /** Adds a key to an existing map, or an element to the end of an existing list. */
  add(text: string, location: Location, value: unknown, verbatim?: string): string;
}

export interface ReadDocument {
  value: unknown;
  /** How the scalar at a place is written, for numbers only. */
  numberText(location: Location): string | undefined;
}

export function formatOf(file: string): Format {
  if (/\.ya?ml$/i.test(file)) return yamlFormat;
  if (/\.json$/i.test(file)) return jsonFormat;
  throw new PermanentError(`file "${file}" is neither YAML nor JSON: JSON paths cannot be promoted in it`);
}
