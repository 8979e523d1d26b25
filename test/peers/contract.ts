import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorObject, ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

type Schema = { [key: string]: unknown } | boolean;

/** One operation as a host's document describes it; a null shape has no body. */
interface Operation {
  query: Record<string, Schema>;
  body?: Schema | null;
  bodyRequired?: boolean;
  responses: Record<string, Schema | null>;
}

export interface ContractDocument {
  /** Where the shapes come from. */
  source: string;
  version: string;
  operations?: Record<string, Operation>;
  /** Webhooks by their names. */
  events?: Record<string, Schema>;
  $defs: Record<string, Schema>;
}

/** Beside this file; where it was built, in the sources that it was built from. */
const CONTRACTS = ['contracts/', '../../../test/peers/contracts/']
  .map((path) => new URL(path, import.meta.url))
  .find((each) => existsSync(new URL('github.json', each)));

export const readContract = (name: string): ContractDocument =>
  JSON.parse(readFileSync(new URL(name, CONTRACTS), 'utf8')) as ContractDocument;

/** What every operation may answer besides: who are you, too much, not here, moved (405: and not only read), archived, not now. Documents leave them out. */
const COMMON = new Set([301, 307, 401, 403, 404, 405, 422, 423, 429, 503]);

/**
 * Holds requests and answers against a host's published shapes. A field that the document does not name is a problem: so a stand-in
 * cannot take what its host refuses, nor answer with what its host never says.
 */
export class Contract {
  readonly #document: ContractDocument;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: ContractDocument) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });
    formats.default(this.#ajv);
    // A commit's address can be `sluice@localhost`: hosts show it as it is.
    this.#ajv.addFormat('email', /@/);
    const $defs = Object.entries(document.$defs).flatMap(([name, schema]) => [
      [name, closed(schema)],
      [`open:${name}`, closed(schema, true)],
    ]);
    this.#ajv.addSchema({ $id: 'defs', $defs: Object.fromEntries($defs) as object });
  }

  /** @returns what is wrong with a request; empty where it is right */
  request(key: string, query: URLSearchParams, body: unknown): string[] {
    const operation = this.#document.operations?.[key];
    if (!operation) return [`${key} is not an operation of ${this.#document.source}`];
    const problems = [...query].flatMap(([name, value]) => {
      const schema = operation.query[name];
      if (schema === undefined) return [`${key} has no parameter "${name}"`];
      return this.#check(`${key} ?${name}`, schema, numeric(schema) ? Number(value) : value);
    });
    if (body === undefined) return operation.bodyRequired === true ? [...problems, `${key} has no body`] : problems;
    if (operation.body == null) return [...problems, `${key} takes no body`];
    return [...problems, ...this.#check(`${key} request`, operation.body, body)];
  }

  /** @returns what is wrong with an answer */
  answer(key: string, status: number, body: unknown): string[] {
    const responses = this.#document.operations?.[key]?.responses ?? {};
    const schema = responses[status];
    // Of some refusals the document says nothing but that they are there.
    if (schema === undefined || (schema === null && status >= 400 && body !== undefined)) {
      if (!COMMON.has(status)) return [`${key} never answers ${status}`];
      const error = this.#document.$defs['basic-error'] ? 'basic-error' : 'error';
      return this.#check(`${key} ${status}`, ref(status === 422 ? 'validation-error' : error), body);
    }
    if (schema === null) return body === undefined ? [] : [`${key} answers ${status} without a body`];
    return this.#check(`${key} ${status}`, schema, body);
  }

  /** @returns what is wrong with a webhook's body */
  event(name: string, body: unknown): string[] {
    const schema = this.#document.events?.[name];
    return schema === undefined ? [`there is no webhook ${name}`] : this.#check(`webhook ${name}`, schema, body);
  }

  /**
   * The least that a published shape allows, for a stand-in to write its own words over.
   * @param name of one of the document's schemas
   */
  least(name: string): Record<string, unknown> {
    return this.#least(ref(name)) as Record<string, unknown>;
  }

  /** @param name of one of the document's webhooks */
  leastEvent(name: string): Record<string, unknown> {
    return this.#least(this.#document.events?.[name] ?? true) as Record<string, unknown>;
  }

  #least(schema: Schema): unknown {
    if (typeof schema === 'boolean') return {};
    const { $ref, allOf, anyOf, oneOf, type, format, properties = {}, required = [] } = schema as SchemaParts;
    if ($ref !== undefined) return this.#least(this.#document.$defs[$ref.replace('#/$defs/', '')]!);
    if (schema['const'] !== undefined) return schema['const'];
    if (schema['enum'] !== undefined) return (schema['enum'] as unknown[])[0];
    const types = [type ?? (Object.keys(properties).length > 0 ? 'object' : [])].flat();
    const choices = anyOf ?? oneOf;
    if (
      (types.includes('null') && !choices) ||
      choices?.some((each) => typeof each === 'object' && each['type'] === 'null')
    )
      return null;
    const parts = [...(allOf ?? []), ...(choices?.slice(0, 1) ?? [])].map((each) => this.#least(each));
    const [kind] = types;
    if (kind === 'object' || (parts.length > 0 && parts.every((each) => typeof each === 'object'))) {
      const own = Object.fromEntries(required.map((key) => [key, this.#least(properties[key] ?? true)]));
      return [...parts, own].reduce<Record<string, unknown>>((all, part) => {
        // What an earlier part is exact about, such as a date, stays.
        for (const [key, value] of Object.entries(part as object)) all[key] = all[key] || value;
        return all;
      }, {});
    }
    if (parts.length > 0) return parts[0];
    if (kind === 'array') return [];
    if (kind === 'boolean') return false;
    if (kind === 'integer' || kind === 'number') return 0;
    return FORMATS[format ?? ''] ?? '';
  }

  #check(where: string, schema: Schema, value: unknown): string[] {
    let validate = this.#compiled.get(where);
    if (!validate) {
      validate = this.#ajv.compile(closed(schema) as object);
      this.#compiled.set(where, validate);
    }
    return validate(value) ? [] : (validate.errors ?? []).slice(0, 5).map((each) => `${where}: ${wordsOf(each)}`);
  }
}

interface SchemaParts {
  $ref?: string;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  type?: string | string[];
  format?: string;
  properties?: Record<string, Schema>;
  required?: string[];
}

/** A text that is well formed, where one is asked for. */
const FORMATS: Record<string, string> = {
  uri: 'https://forge.example',
  'uri-template': 'https://forge.example',
  'date-time': '2026-01-01T00:00:00Z',
  email: 'ada@example.com',
};

const ref = (name: string): Schema => ({ $ref: `#/$defs/${name}` });

const numeric = (schema: Schema): boolean => typeof schema === 'object' && schema['type'] === 'integer';

function wordsOf({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || 'it'} ${message ?? 'is wrong'} ${JSON.stringify(params)}`;
}

/**
 * The schema, with nothing allowed that it does not name. The parts of an `allOf` stay open, for each other's fields; what holds them
 * is closed around all of them. An object without any named field is free.
 */
function closed(schema: Schema, open = false): Schema {
  if (typeof schema === 'boolean') return schema;
  const { $ref, allOf, anyOf, oneOf, items, properties, additionalProperties, ...rest } = schema;
  if (typeof $ref === 'string')
    return { ...rest, $ref: `defs${$ref.replace('#/$defs/', `#/$defs/${open ? 'open:' : ''}`)}` };
  const each = (list: unknown, isOpen: boolean): Schema[] | undefined =>
    (list as Schema[] | undefined)?.map((part) => closed(part, isOpen));
  const shared = properties !== undefined;
  return {
    ...rest,
    ...(allOf !== undefined && { allOf: each(allOf, true) }),
    ...(anyOf !== undefined && { anyOf: each(anyOf, open || shared) }),
    ...(oneOf !== undefined && { oneOf: each(oneOf, open || shared) }),
    ...(items !== undefined && { items: closed(items as Schema) }),
    ...(properties !== undefined && {
      properties: Object.fromEntries(
        Object.entries(properties as Record<string, Schema>).map(([name, part]) => [name, closed(part)]),
      ),
    }),
    ...(additionalProperties !== undefined && { additionalProperties: closed(additionalProperties as Schema) }),
    ...(!open &&
      (shared || allOf !== undefined) &&
      additionalProperties === undefined && { unevaluatedProperties: false }),
  };
}
