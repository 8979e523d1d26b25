import { formatDuration } from '../core/duration.ts';
import { metadata } from '../core/kinds/common.ts';
import { KINDS, manyOf, SPECS, type Kind } from '../core/kinds/index.ts';
import {
  aboutWriting,
  wordsOf,
  type ChoiceShape,
  type Field,
  type ObjectShape,
  type Shape,
} from '../core/kinds/shape.ts';
import { SLUICE_API } from './forms.ts';

type Json = Record<string, unknown>;

/** What manifests are checked with: by an editor (JSON Schema, draft 2020-12) or by Kubernetes (a structural schema). */
type Dialect = 'EDITOR' | 'KUBERNETES';

const DURATION = '^(?=[0-9])([0-9.]+w)?([0-9.]+d)?([0-9.]+h)?([0-9.]+m)?([0-9.]+s)?([0-9]+ms)?$';
const NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
/** Where a text is of a form that a pattern can say. */
const PATTERNS: Record<string, Json> = {
  name: { pattern: NAME, maxLength: 63 },
  pattern: { pattern: '^[-a-z0-9*]+$', maxLength: 63 },
  httpUrl: { pattern: '^https?://', maxLength: 2000 },
};

/** One manifest of `sluice.dev/v1`, of any kind. What needs more than one field is judged by the server alone. */
export function jsonSchema(): Json {
  const editor = new Schemas('EDITOR');
  const kinds = KINDS.map((kind) => when('kind', kind, { properties: { spec: editor.of(SPECS[kind]) } }));
  const any = { title: `A manifest of ${SLUICE_API}`, kind: { enum: KINDS }, spec: { type: 'object' } };
  return manifestSchema(editor, any, { allOf: kinds });
}

/** One manifest of `sluice.dev/v1`, of this kind. */
export function kindSchema(kind: Kind): Json {
  const editor = new Schemas('EDITOR');
  return manifestSchema(editor, { title: SPECS[kind].about, kind: { const: kind }, spec: editor.of(SPECS[kind]) });
}

function manifestSchema(editor: Schemas, { title, kind, spec }: Json, more: Json = {}): Json {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    type: 'object',
    required: ['apiVersion', 'kind', 'metadata', 'spec'],
    properties: { apiVersion: { const: SLUICE_API }, kind, metadata: editor.of(metadata), spec },
    additionalProperties: false,
    ...more,
    $defs: editor.definitions,
  };
}

/** The custom resource definition of a kind. */
export function customResourceDefinition(kind: Kind): Json {
  const [group, version] = SLUICE_API.split('/') as [string, string];
  const singular = kind.toLowerCase();
  const plural = manyOf(singular);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, listKind: `${kind}List`, plural, singular },
      scope: 'Namespaced',
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: SPECS[kind].about,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                spec: new Schemas('KUBERNETES').of(SPECS[kind]),
              },
            },
          },
        },
      ],
    },
  };
}

class Schemas {
  /** Named objects, once each; Kubernetes knows no references. */
  readonly definitions: Record<string, Json> = {};

  constructor(private readonly dialect: Dialect) {}

  of(shape: Shape): Json {
    switch (shape.is) {
      case 'text':
        return { type: 'string', ...(shape.rule && PATTERNS[shape.rule]), ...given({ maxLength: shape.most }) };
      case 'integer':
        return { type: 'integer', minimum: shape.least, maximum: shape.most };
      case 'boolean':
        return { type: 'boolean' };
      case 'duration':
        return this.dialect === 'EDITOR'
          ? { anyOf: [{ type: 'string', pattern: DURATION }, { const: 0 }] }
          : { 'x-kubernetes-int-or-string': true, pattern: DURATION };
      case 'words':
        return { type: 'string', enum: wordsOf(shape) };
      case 'list': {
        const most = shape.most === Infinity ? undefined : shape.most;
        const least = shape.empty === undefined ? undefined : 1;
        const many = { type: 'array', items: this.of(shape.of), ...given({ minItems: least, maxItems: most }) };
        return shape.single ? { anyOf: [this.of(shape.of), many] } : many;
      }
      case 'map': {
        const most = shape.most === Infinity ? undefined : shape.most;
        return { type: 'object', additionalProperties: this.of(shape.of), ...given({ maxProperties: most }) };
      }
      case 'json':
        return { type: 'object', ...this.open };
      case 'any':
        return this.open;
      case 'object':
        return this.dialect === 'EDITOR' ? this.named(shape.name, () => this.object(shape)) : this.object(shape);
      case 'choice':
        return this.dialect === 'EDITOR' ? this.named(shape.name, () => this.choice(shape)) : this.union(shape);
    }
  }

  /** Of fields without a schema Kubernetes keeps only what it is told to keep. */
  get open(): Json {
    return this.dialect === 'EDITOR' ? {} : { 'x-kubernetes-preserve-unknown-fields': true };
  }

  private named(name: string, make: () => Json): Json {
    if (!Object.hasOwn(this.definitions, name)) {
      this.definitions[name] = {};
      this.definitions[name] = make();
    }
    return { $ref: `#/$defs/${name}` };
  }

  private object({ fields, about }: ObjectShape, more: Record<string, Json> = {}): Json {
    const needed = Object.keys(fields).filter((key) => fields[key]!.presence === 'required');
    const required = [...Object.keys(more), ...needed];
    return {
      type: 'object',
      ...given({ description: about || undefined }),
      ...(required.length > 0 && { required }),
      properties: { ...more, ...this.properties(fields) },
      ...(this.dialect === 'EDITOR' && { additionalProperties: false, ...this.byField(fields) }),
    };
  }

  private properties(fields: Record<string, Field>): Record<string, Json> {
    return Object.fromEntries(
      Object.entries(fields).map(([key, field]) => [
        key,
        { ...this.of(field.shape), description: aboutWriting(field), ...given({ default: fallbackOf(field) }) },
      ]),
    );
  }

  /** Fields whose content depends on another one. */
  private byField(fields: Record<string, Field>): Json {
    const rules = Object.entries(fields).flatMap(([key, { shape }]) =>
      shape.is !== 'json' || !shape.by
        ? []
        : Object.entries(shape.by.shapes).map(([value, each]) =>
            when(shape.by!.field, value, {
              properties: { [key]: this.named(each.name, () => withReferences(this.object(each))) },
            }),
          ),
    );
    return rules.length === 0 ? {} : { allOf: rules };
  }

  /** By conditions, not by `oneOf`: so that an editor tells what is wrong with the choice that was made. */
  private choice({ choices, aboutInput }: ChoiceShape): Json {
    const allOf = Object.entries(choices).map(([type, { shape }]) =>
      when('type', type, this.object(shape, { type: { const: type } })),
    );
    const types = Object.entries(choices).map(([type, { about, word }]) => ({
      const: type,
      description: word ?? about,
    }));
    return {
      description: aboutInput,
      type: 'object',
      required: ['type'],
      properties: { type: { oneOf: types } },
      allOf,
    };
  }

  private union({ choices, aboutInput }: ChoiceShape): Json {
    const fields = Object.assign({}, ...Object.values(choices).map(({ shape }) => shape.fields)) as Record<
      string,
      Field
    >;
    return {
      type: 'object',
      description: aboutInput,
      required: ['type'],
      properties: { type: { type: 'string', enum: Object.keys(choices) }, ...this.properties(fields) },
    };
  }
}

/** What holds where a field has this value. */
function when(field: string, value: string, schema: Json): Json {
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  return { if: { properties: { [field]: { const: value } }, required: [field] }, then: schema };
}

/** Parameters may hold `${NAME}`, which may stand for anything, and numbers as texts. */
function withReferences(schema: Json): Json {
  const reference = { type: 'string', pattern: '\\$\\{' };
  const properties = Object.entries(schema.properties as Record<string, Json>).map(
    ([key, { description, ...each }]) => [key, { description, anyOf: [each, reference] }],
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

/** An absent value that the core decides anew each time is no default: Kubernetes would write it into what is stored. */
function fallbackOf({ presence, shape, fallback }: Field): unknown {
  if (presence !== 'defaulted') return undefined;
  return shape.is === 'duration' ? formatDuration(fallback as number) : fallback;
}

const given = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, each]) => each !== undefined));
