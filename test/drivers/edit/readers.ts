import { createRequire } from 'node:module';
import { load } from 'js-yaml';
import { parseDocument } from 'yaml';

const python = createRequire(import.meta.url)('yaml-js') as { load: (text: string) => unknown };

/** Who reads files, by other libraries than the one whose places the editor uses; the last one by its other version. */
export const YAML_READERS: [string, (text: string) => unknown][] = [
  ['YAML 1.1, as PyYAML', (text) => python.load(text.replace(/^\uFEFF/, ''))],
  ['YAML 1.2, js-yaml', (text) => load(text.replace(/^\uFEFF/, ''))],
  ['YAML 1.1, yaml', (text) => parseDocument(text, { version: '1.1', strict: false, logLevel: 'error' }).toJS()],
];

/** Every scalar as it is written. */
export const asWritten = (text: string): unknown =>
  parseDocument(text, { schema: 'failsafe', strict: false, logLevel: 'error' }).toJS();

export const valueAt = (root: unknown, location: (string | number)[]): unknown =>
  location.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], root);
