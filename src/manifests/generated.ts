import { stringify } from 'yaml';
import { KINDS, manyOf } from '../core/kinds/index.ts';
import { fieldTables } from './field-tables.ts';
import { customResourceDefinition, jsonSchema, kindSchema } from './json-schema.ts';

export const DOCS_PAGE = 'docs/manifests.md';
export const SCHEMA_FILE = 'schemas/sluice.schema.json';

const BEGIN = '<!-- fields: written by `npm run schema` -->';
const END = '<!-- /fields -->';

/** The page with the tables of today between its two marks; all around them is written by people. */
export function withFieldTables(page: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${DOCS_PAGE} lacks the marks ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${fieldTables()}\n\n${END}${after}`;
}

const textOf = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`;

/** For editors, which fetch them by their address: the name of each file, with its text. Committed, and served by each server. */
export function schemas(): [file: string, text: string][] {
  return [
    [SCHEMA_FILE, textOf(jsonSchema())],
    ...KINDS.map((kind): [string, string] => [`schemas/${kind}.json`, textOf(kindSchema(kind))]),
  ];
}

/** For Kubernetes. They say the same as the schemas for editors, so they are built and served, and not committed. */
export function customResources(): [file: string, text: string][] {
  return KINDS.map((kind) => [
    `schemas/crds/${manyOf(kind.toLowerCase())}.yaml`,
    stringify(customResourceDefinition(kind), { lineWidth: 0, aliasDuplicateObjects: false }),
  ]);
}
