import { randomBytes } from 'node:crypto';
import {
  getNamedType,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootFields } from '../../src/resolvers/access/guard.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import type { Answer } from '../api/support/clients.ts';
import { ADMIN, type GuardedServer, openGuarded } from './support.ts';

// Each text of each argument of the whole schema, one at a time, is one that nobody may send: a new field is in here by itself.
const schema = buildApiSchema();
const mutations = rootFields(schema.getMutationType());
const queries = rootFields(schema.getQueryType());

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded({ SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'), SLUICE_RATE_LIMIT: '0' });
  await guarded.engine.saveBilling();
}, 60_000);
afterAll(() => guarded.close());

/** Names of what is there, so that a text travels as far as it can. */
const KNOWN: Record<string, unknown> = {
  product: 'billing',
  environment: 'staging',
  name: 'sample',
  application: 'billing-dev',
};
const SCALARS: Record<string, unknown> = {
  String: 'sample',
  ID: '00000000-0000-4000-8000-000000000000',
  Int: 1,
  Float: 1,
  Boolean: false,
  DateTime: '2030-01-01T00:00:00Z',
  Duration: '1m',
  JSONObject: { key: 'sample' },
  JSON: { key: 'sample' },
};

type Field = (typeof mutations)[number];
type Path = (string | number)[];

/** Everything that the type has, and not only what it requires; `depth` ends what contains itself. */
function full(type: GraphQLInputType, name: string, depth = 0): unknown {
  if (isNonNullType(type)) return full(type.ofType, name, depth);
  if (isListType(type)) return [full(type.ofType, name, depth)];
  if (isEnumType(type)) return type.getValues()[0]!.name;
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).slice(0, type.isOneOf ? 1 : undefined);
    const some = fields.filter((each) => depth < 6 || isNonNullType(each.type));
    return Object.fromEntries(some.map((each) => [each.name, full(each.type, each.name, depth + 1)]));
  }
  return (type.name === 'String' && KNOWN[name]) || SCALARS[type.name];
}

/** Where texts stand in a value. */
function textsIn(value: unknown, type: GraphQLInputType, path: Path = []): Path[] {
  if (isNonNullType(type)) return textsIn(value, type.ofType, path);
  if (isListType(type)) return (value as unknown[]).flatMap((each, at) => textsIn(each, type.ofType, [...path, at]));
  if (isInputObjectType(type)) {
    const fields = type.getFields();
    return Object.entries(value as object).flatMap(([key, each]) => textsIn(each, fields[key]!.type, [...path, key]));
  }
  if (String(type).startsWith('JSON')) return [[...path, 'key']];
  return ['String', 'ID'].includes(String(type)) ? [path] : [];
}

function put(value: unknown, [key, ...rest]: Path, text: string): unknown {
  if (key === undefined) return text;
  if (Array.isArray(value)) return value.map((each, at) => (at === key ? put(each, rest, text) : (each as unknown)));
  const map = value as Record<string, unknown>;
  return { ...map, [key]: put(map[key], rest, text) };
}

function operation(kind: 'query' | 'mutation', field: Field): string {
  const declared = field.args.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = field.args.map(({ name }) => `${name}: $${name}`).join(', ');
  const selection = isLeafType(getNamedType(field.type))
    ? ''
    : kind === 'mutation'
      ? '{ userErrors { code message path } }'
      : '{ __typename }';
  return `${kind} Hostile${declared && `(${declared})`} { ${field.name}${given && `(${given})`} ${selection} }`;
}

const HOSTILE = {
  NUL: 'a\u0000b',
  'half a character': 'a\ud800b',
  'an escape sequence': '\u001b]0;pwned\u0007\u001b[2J',
  'another direction': 'abc\u202edef',
};

/** Text for machines: what it may hold is said where it is read. */
const RAW = ['manifestsApply.input.text', 'secretSet.input.secretValue'];

async function each(
  kind: 'query' | 'mutation',
  field: Field,
  look: (answer: Answer, where: string, what: string) => void,
): Promise<number> {
  const base = Object.fromEntries(field.args.map(({ name, type }) => [name, full(type, name)]));
  const query = operation(kind, field);
  const places = field.args.flatMap(({ name, type }) => textsIn(base[name], type, [name]));
  for (const path of places) {
    for (const [what, text] of Object.entries(HOSTILE)) {
      const answer = await guarded.ask(ADMIN, query, put(base, path, text) as Record<string, unknown>);
      look(answer, `${field.name}.${path.join('.')}`, what);
    }
  }
  return places.length;
}

const said = ({ body }: Answer): string => JSON.stringify(body);

let reached = 0;
describe('a text that nobody can store or print', () => {
  test.each(mutations.map((field) => [field.name, field] as const))(
    'in any input of %s is refused, by its place',
    { timeout: 60_000 },
    async (_name, field) => {
      reached += await each('mutation', field, (answer, where, what) => {
        expect(said(answer), `${where}: ${what}`).not.toContain('INTERNAL_SERVER_ERROR');
        if (RAW.includes(where) && !/NUL|half/.test(what)) return;
        expect(said(answer), `${where}: ${what}`).toMatch(/"code":"(INVALID|BAD_USER_INPUT)"/);
      });
    },
  );

  test.each(queries.map((field) => [field.name, field] as const))(
    'in any argument of %s is no fault of the server',
    { timeout: 60_000 },
    async (_name, field) => {
      reached += await each('query', field, (answer, where, what) => {
        expect(said(answer), `${where}: ${what}`).not.toContain('INTERNAL_SERVER_ERROR');
      });
    },
  );

  test('was tried in many places', () => {
    console.log(`${reached} texts of inputs, ${Object.keys(HOSTILE).length} hostile ones each`);
    expect(reached).toBeGreaterThan(250);
  });
});

const CREATE = `mutation ($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { userErrors { code path } } }`;

test('a name with NUL is refused to whoever may not create it, too, and not as a fault', async () => {
  const named = { input: { name: 'a\u0000b', kind: 'PRODUCTION' } };
  const viewer = await guarded.ask(await guarded.token('VIEWER'), CREATE, named);
  expect(viewer.body.errors?.[0]?.extensions).toMatchObject({ code: 'FORBIDDEN' });
  const limited = await guarded.token('ADMIN', { environments: { names: ['lab'] } });
  const elsewhere = await guarded.ask(limited, CREATE, named);
  expect(elsewhere.body.data).toEqual({
    environmentCreate: { userErrors: [{ code: 'INVALID', path: ['input', 'name'] }] },
  });
});

test('manifests may begin with a byte order mark', async () => {
  const text =
    '\ufeffapiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: marked }\nspec: { kind: PRODUCTION }\n';
  const apply = `mutation ($input: ManifestsApplyInput!) { manifestsApply(input: $input) { changes { name } userErrors { message } } }`;
  const { body } = await guarded.ask(ADMIN, apply, { input: { text } });
  expect(body.data).toEqual({ manifestsApply: { changes: [{ name: 'marked' }], userErrors: [] } });
});
