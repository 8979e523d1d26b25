import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isInputObjectType, isObjectType, type GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import { DEFINITION_KINDS } from '../../src/cli/commands/kinds.ts';
import { fieldOf, KINDS, SPECS, type Kind } from '../../src/core/kinds/index.ts';
import type { Field, Shape } from '../../src/core/kinds/shape.ts';
import { jsonSchema } from '../../src/manifests/json-schema.ts';
import { buildApiSchema } from '../../src/schema/build.ts';

/** An object of the tables, with its fields. A choice is as many objects as it has choices. */
interface Part {
  name: string;
  fields: Record<string, Field>;
  /** A kind itself: the API creates and changes it. */
  kind?: Kind;
}

function* partsOf(shape: Shape, kind?: Kind): Generator<Part> {
  if (shape.is === 'list' || shape.is === 'map') yield* partsOf(shape.of);
  if (shape.is === 'choice') for (const { shape: each } of Object.values(shape.choices)) yield* partsOf(each);
  if (shape.is !== 'object') return;
  const { name, fields } = shape;
  yield { name, fields, kind };
  for (const field of Object.values(fields)) yield* partsOf(field.shape);
}

const parts = KINDS.flatMap((kind) => [...partsOf(SPECS[kind], kind)]).filter(({ name }) => name !== '');
const fieldsOf = ({ name, fields }: Part): string[] => Object.keys(fields).map((field) => `${name}.${field}`);

/** Of a type of the API. */
function isThere(api: GraphQLSchema, type: string, field: string): boolean {
  const found = api.getType(type);
  return (isObjectType(found) || isInputObjectType(found)) && Object.hasOwn(found.getFields(), field);
}

test('every field of every kind is taken and shown by the API, but for those whose table says otherwise', () => {
  const api = buildApiSchema();
  const missing = parts.flatMap(({ name, fields, kind }) =>
    Object.entries(fields).flatMap(([field, { api: where }]) => {
      const shown = where === undefined ? [name] : [];
      const inputs = where === 'NONE' ? [] : kind ? [`${name}CreateInput`, `${name}UpdateInput`] : [`${name}Input`];
      return [...shown, ...inputs].filter((type) => !isThere(api, type, field)).map((type) => `${type}.${field}`);
    }),
  );
  expect(missing).toEqual([]);
  expect(parts.flatMap(fieldsOf).length).toBeGreaterThan(150);
});

test('every field of every kind is in the JSON Schema', () => {
  const known = new Set<string>();
  const note = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    const { properties } = schema as { properties?: object };
    known.add(
      Object.keys(properties ?? {})
        .sort()
        .join(),
    );
    Object.values(schema).forEach(note);
  };
  note(jsonSchema());
  const missing = parts.filter(({ fields }) => {
    const keys = Object.keys(fields);
    return !known.has(keys.sort().join()) && !known.has([...keys, 'type'].sort().join());
  });
  expect(missing.map(({ name }) => name)).toEqual([]);
});

test('every field of every kind has a row in the docs', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/manifests.md', import.meta.url)), 'utf8');
  const rows = new Set([...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, field]) => field));
  expect(parts.flatMap(({ fields }) => Object.keys(fields)).filter((field) => !rows.has(field))).toEqual([]);
});

test('`sluice get` lists every kind', () => {
  expect(DEFINITION_KINDS.map(({ one }) => one).sort()).toEqual(KINDS.map(fieldOf).sort());
});
