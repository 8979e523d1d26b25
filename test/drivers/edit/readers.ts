import { parse as parseEnv } from 'dotenv';
import { CORE_SCHEMA, loadAll, mergeTag } from 'js-yaml';
import { createRequire } from 'node:module';
import { parse as parseToml } from 'smol-toml';
import { parseAllDocuments } from 'yaml';

const python = createRequire(import.meta.url)('yaml-js') as { load_all: (text: string) => unknown[] };

const withoutMark = (text: string): string => text.replace(/^\uFEFF/, '');

/** Who reads files, by other libraries than the one whose places the editor uses; the last one by its other version. */
export const YAML_READERS: [string, (text: string) => unknown[]][] = [
  ['YAML 1.1, as PyYAML', (text) => python.load_all(withoutMark(text))],
  ['YAML 1.2, js-yaml', (text) => loadAll(withoutMark(text), { schema: CORE_SCHEMA.withTags(mergeTag) })],
  ['YAML 1.1, yaml', (text) => all(text, { version: '1.1' })],
];

const all = (text: string, options: Parameters<typeof parseAllDocuments>[1]): unknown[] =>
  [...parseAllDocuments(text, { strict: false, logLevel: 'error', ...options })].map((each) =>
    (each as { toJS: (options: object) => unknown }).toJS({ maxAliasCount: -1 }),
  );

export const readYamls = (text: string): unknown[] => all(text, { merge: true });

/** Every scalar as it is written. */
export const asWritten = (text: string): unknown[] => all(text, { schema: 'failsafe', merge: true });

export const readToml = (text: string): unknown => parseToml(withoutMark(text), { integersAsBigInt: false });

export const readEnv = (text: string): unknown => parseEnv(withoutMark(text));

/** As `java.util.Properties` says that it reads. */
export function readProperties(text: string): unknown {
  const found: Record<string, string> = {};
  // A line that ends with an odd number of backslashes goes on in the next one.
  const lines = withoutMark(text).split(/\r\n|\n|\r/);
  while (lines.length > 0) {
    let line = lines.shift()!.replace(/^[ \t\f]+/, '');
    if (line === '' || /^[#!]/.test(line)) continue;
    while (/(?:^|[^\\])(?:\\\\)*\\$/.test(line))
      line = line.slice(0, -1) + (lines.shift() ?? '').replace(/^[ \t\f]+/, '');
    const [, key, value] = /^((?:\\.|[^\\:= \t\f])*)(?:[ \t\f]*[:=]|[ \t\f])?[ \t\f]*(.*)$/su.exec(line)!;
    found[unescaped(key!)] = unescaped(value!);
  }
  return found;
}

const SIGNS: Record<string, string> = { n: '\n', r: '\r', t: '\t', f: '\f' };
const unescaped = (text: string): string =>
  text.replaceAll(/\\(?:u([\da-fA-F]{4})|([^]))/g, (_, code?: string, sign?: string) =>
    code === undefined ? (SIGNS[sign!] ?? sign!) : String.fromCharCode(Number.parseInt(code, 16)),
  );

/** An index is a place of a list alone, a name a key of a map alone. */
export const valueAt = (root: unknown, location: (string | number)[]): unknown =>
  location.reduce<unknown>(
    (at, key) =>
      Array.isArray(at) === (typeof key === 'number')
        ? (at as Record<string | number, unknown> | undefined | null)?.[key]
        : undefined,
    root,
  );
