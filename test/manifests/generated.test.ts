import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { KINDS } from '../../src/core/definitions.ts';
import { manyOf } from '../../src/core/kinds/index.ts';
import { SPECS } from '../../src/core/kinds/index.ts';
import type { ObjectShape, Shape } from '../../src/core/kinds/shape.ts';
import { exportManifest } from '../../src/manifests/index.ts';
import {
  customResources,
  DOCS_PAGE,
  SCHEMA_FILE,
  schemas as schemaTexts,
  withFieldTables,
} from '../../src/manifests/generated.ts';
import { fc } from '../core/property.ts';
import { definition } from './arbitrary.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(ROOT + path, 'utf8');

// A difference is a change of manifests: when it is meant, `npm run schema` writes it.
test('the committed JSON Schemas are those of today', () => {
  const texts = schemaTexts();
  for (const [file, text] of texts) expect([file, read(file)]).toEqual([file, text]);
  const committed = readdirSync(`${ROOT}schemas`).map((file) => `schemas/${file}`);
  expect(committed.sort()).toEqual(texts.map(([file]) => file).sort());
});
test('the tables in the docs are those of today', () => expect(read(DOCS_PAGE)).toBe(withFieldTables(read(DOCS_PAGE))));

const schemaOf = new Map(schemaTexts().map(([file, text]) => [file, JSON.parse(text) as object]));
const validate = new Ajv2020({ allErrors: true }).compile(schemaOf.get(SCHEMA_FILE)!);
const wrongWith = (manifest: unknown): string[] => {
  validate(manifest);
  return [...new Set((validate.errors ?? []).map(({ instancePath }) => instancePath))];
};

const examples = readdirSync(`${ROOT}examples`, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.yaml'))
  .flatMap((file) => parseAllDocuments(read(`examples/${file}`)).map((each) => [file, each.toJS()] as const));

describe('the JSON Schema', () => {
  test('takes every example', () => {
    expect(examples.length).toBeGreaterThan(10);
    for (const [file, manifest] of examples) expect([file, wrongWith(manifest)]).toEqual([file, []]);
  });

  test('of each kind takes the examples of that kind, and no others', () => {
    const ajv = new Ajv2020({ allErrors: true });
    for (const kind of KINDS) {
      const check = ajv.compile(schemaOf.get(`schemas/${kind}.json`)!);
      for (const [file, manifest] of examples) {
        const isOne = (manifest as { kind: string }).kind === kind;
        expect([file, kind, check(manifest)]).toEqual([file, kind, isOne]);
      }
    }
  });

  const [, application] = examples.find(([, each]) => (each as { kind: string }).kind === 'Application')!;
  const change = (spec: object) => ({ ...(application as object), spec });
  const { spec } = application as { spec: Record<string, unknown> };
  test.each<[string, unknown, string]>([
    ['a field that is not known', change({ ...spec, enviroment: 'dev' }), '/spec'],
    ['a driver that is not known', change({ ...spec, driver: { type: 'svn' } }), '/spec/driver'],
    ['a driver without its repository', change({ ...spec, driver: { type: 'git' } }), '/spec/driver'],
    [
      'a bare number of a time',
      change({ ...spec, health: { type: 'http', url: 'http://a', interval: 5 } }),
      '/spec/health',
    ],
    ['a kind that is not known', { ...(application as object), kind: 'Aplication' }, '/kind'],
  ])('refuses %s', (_, manifest, place) => {
    expect(wrongWith(manifest).map((path) => path.slice(0, place.length))).toContain(place);
  });

  test('says of parameters what their action takes, and lets a reference stand for anything', () => {
    const workflow = (type: string, parameters: object) => ({
      apiVersion: 'sluice.dev/v1',
      kind: 'PromotionWorkflow',
      metadata: { name: 'smoke' },
      spec: { actions: [{ name: 'call', type, parameters }] },
    });
    expect(wrongWith(workflow('http', { url: 'https://ci.example', expectStatus: [200, 409] }))).toEqual([]);
    expect(wrongWith(workflow('http', { url: '${CI}/run', expectStatus: '${STATUS}' }))).toEqual([]);
    expect(wrongWith(workflow('http', { url: 'https://ci.example', expect: 200 }))).not.toEqual([]);
    expect(wrongWith(workflow('simulate', { url: 'https://ci.example' }))).not.toEqual([]);
  });

  test('knows every field that a manifest can have', () => {
    const fields = new Map<string, number>();
    fc.assert(
      fc.property(definition, ({ metadata, ...each }) => {
        const manifest = parse(exportManifest({ ...each, metadata: { ...metadata, annotations: {} } })) as object;
        const unknown = (validate(manifest), validate.errors ?? []).filter(
          ({ keyword, instancePath }) => keyword === 'additionalProperties' && !/\/parameters(\/|$)/.test(instancePath),
        );
        expect(unknown).toEqual([]);
        fields.set(each.kind, (fields.get(each.kind) ?? 0) + 1);
      }),
    );
    expect([...fields.keys()].sort()).toEqual([...KINDS].sort());
  });
});

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema;
  additionalProperties?: Schema;
}
interface Crd {
  metadata: { name: string };
  spec: { group: string; names: { plural: string }; versions: [{ schema: { openAPIV3Schema: Schema } }] };
}

describe('the custom resource definitions', () => {
  const files = customResources();
  const crds = files.map(([, text]) => parse(text) as Crd);
  const schemas = crds.map(({ spec }) => spec.versions[0].schema.openAPIV3Schema);

  test('are one for each kind, called as Kubernetes wants it', () => {
    expect(files.map(([file]) => file)).toEqual(KINDS.map((kind) => `schemas/crds/${manyOf(kind.toLowerCase())}.yaml`));
    for (const { metadata, spec } of crds) expect(metadata.name).toBe(`${spec.names.plural}.${spec.group}`);
  });

  test('take every example', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    const checks = new Map(KINDS.map((kind, index) => [kind as string, ajv.compile(schemas[index]!)]));
    for (const [file, manifest] of examples) {
      const check = checks.get((manifest as { kind: string }).kind)!;
      check(manifest);
      expect([file, check.errors]).toEqual([file, null]);
    }
  });

  /** Kubernetes prunes what a structural schema does not name: a field without a place there would be lost. */
  test('have a place for every field, with a type or a word to keep what is in it', () => {
    const told = ['type', 'x-kubernetes-int-or-string', 'x-kubernetes-preserve-unknown-fields'];
    let places = 0;
    const look = (shape: Shape, schema: Schema, path: string): void => {
      places += 1;
      expect([path, Object.keys(schema).some((key) => told.includes(key))]).toEqual([path, true]);
      if (shape.is === 'list') look(shape.of, schema.items ?? {}, `${path}[]`);
      if (shape.is === 'map') look(shape.of, schema.additionalProperties ?? {}, `${path}{}`);
      const objects =
        shape.is === 'choice' ? Object.values(shape.choices).map((each) => each.shape as ObjectShape) : [];
      for (const { fields } of shape.is === 'object' ? [shape] : objects) {
        for (const [key, field] of Object.entries(fields)) {
          look(field.shape, schema.properties?.[key] ?? {}, `${path}.${key}`);
        }
      }
    };
    KINDS.forEach((kind, index) => look(SPECS[kind], schemas[index]?.properties?.['spec'] ?? {}, kind));
    expect(places).toBeGreaterThan(150);
  });
});
