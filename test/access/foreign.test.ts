import {
  getNamedType,
  type GraphQLInputType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLOutputType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGrant } from '../../src/commands/access/change-grants.ts';
import { holdEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { rootFields, takesRefusals } from '../../src/resolvers/access/guard.ts';
import { ruleOf } from '../../src/resolvers/access/rules.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import { toNodeId } from '../../src/schema/node-id.ts';
import { POLICY } from '../engine/rollback/support.ts';
import { ADMIN, bearer, type GuardedServer, openGuarded, sessionOf, SOMEBODY, type Token } from './support.ts';
import { sampleOf } from './sample.ts';

// "Not there" and "not yours" are one answer, byte for byte but for the name. Every argument of the schema that names something is
// given what the caller does not see, what is of another kind, and what does not exist; a new argument is in here by itself.
const schema = buildApiSchema();
const FIELDS = [
  ...rootFields(schema.getQueryType()).map((field) => ['query', field] as const),
  ...rootFields(schema.getMutationType()).map((field) => ['mutation', field] as const),
];
type Field = (typeof FIELDS)[number][1];

/** What an argument names, by its own name; `id` and `name` by their field, below. */
const NAMING: Record<string, string> = {
  product: 'Product',
  products: 'Product',
  environment: 'Environment',
  environments: 'Environment',
  application: 'Application',
  compareTo: 'Environment',
  from: 'Environment',
  applications: 'Application',
  releaseId: 'Release',
  rollbackId: 'Rollback',
  promotionId: 'EnvironmentPromotion',
  holdId: 'EnvironmentHold',
  candidateId: 'Candidate',
};
const BY_FIELD: Record<string, string> = {
  node: 'Node',
  release: 'Release',
  rollback: 'Rollback',
  webhookDeliveryReplay: 'WebhookDelivery',
  apiTokenRevoke: 'ApiToken',
  sessionEnd: 'Session',
  roleGrantDelete: 'RoleGrant',
};
for (const kind of ['Product', 'Application', 'Environment']) {
  const field = kind.toLowerCase();
  for (const verb of ['', 'Create', 'Update', 'Delete']) BY_FIELD[`${field}${verb}`] = kind;
}
/** What everybody shares, texts, and what is somebody's own: nothing in it is hidden. */
const NAMES_NOTHING =
  /^(after|before|since|until|name|names|version|to|flow|group|groups|reason|comment|text|fileName|idempotencyKey|description|key|value|secretValue|commit|rollbackFloor|subject|source|digest|actor|actions|windows|approver|expiresIn|matchLabels|end|url|username|component|message|namespace|runtime|promotionTemplateRef|hosts|reconnectTo|triggerEnvironment|triggerWorkflow|dependsOn|promotionFlows|timeout|timeZone|onFailure|promotionTemplate|template|maxAge|expiry|expireAfter|tags|status|queue|repository|repoURL|path|file|title|branch|ref|revisions|email|user|manifest|saved|step|search|kind)$/;

/** Arguments of which this file does not know what they name. */
const UNKNOWN: string[] = [];

interface Leaf {
  path: string[];
  kind: string;
}

const unwrapped = (type: GraphQLInputType): GraphQLInputType => (isNonNullType(type) ? type.ofType : type);

function leavesOf(field: Field): Leaf[] {
  const found: Leaf[] = [];
  const look = (name: string, given: GraphQLInputType, path: string[]): void => {
    const type = unwrapped(given);
    const inner = isListType(type) ? unwrapped(type.ofType) : type;
    if (isInputObjectType(inner)) {
      if (isListType(type) || path.length > 1) return;
      for (const each of Object.values(inner.getFields())) look(each.name, each.type, [...path, each.name]);
      return;
    }
    if (!isLeafType(inner) || !['ID', 'String'].includes(inner.name)) return;
    // Names with `*` of what may come: nothing is looked up.
    if (field.name === 'secretSet' && name === 'products') return;
    const kind = (name === 'id' || name === 'name' ? BY_FIELD[field.name] : undefined) ?? NAMING[name];
    if (kind !== undefined) found.push({ path, kind });
    else if (!NAMES_NOTHING.test(name)) UNKNOWN.push(`${field.name}.${path.join('.')}`);
  };
  for (const { name, type } of field.args) look(name, type, [name]);
  return found;
}

const GHOST = '00000000-0000-4000-8000-00000000dead';
const NODES = ['Release', 'Rollback', 'EnvironmentHold', 'BadVersion', 'WebhookDelivery', 'RoleGrant', 'Candidate'];

let guarded: GuardedServer;
/** By kind: what the callers here see, and what they do not. */
const own: Record<string, string[]> = {};
const hidden: Record<string, string[]> = {};
/** How else people name a release: what nobody sees here, and what does not exist. */
const shortNames: [it: string, ghost: string][] = [];
const callers: Record<string, Token | string> = { everything: ADMIN };
const ROLES = ['ADMIN', 'OPERATOR', 'APPROVER', 'VIEWER'] as const;

beforeAll(async () => {
  // It asks faster than a caller may.
  guarded = await openGuarded({ SLUICE_RATE_LIMIT: '0' });
  const { engine } = guarded;
  const { app } = engine;
  const worker = await engine.startWorker();
  const products = ['billing', 'shop'];
  for (const product of products) await engine.saveBilling(product, { rollbackPolicies: [POLICY] });
  const at: Record<string, string[]> = {};
  for (const product of products) {
    for (const version of ['1', '2']) {
      const id = await engine.trigger({ product, version });
      await engine.ended(id);
      (at[product] ??= []).push(id);
    }
  }
  await worker.close();
  // It is called almost as one that is not seen, and the product has nothing there.
  await engine.save('Environment', 'asib', { kind: 'PRODUCTION' });
  const rollback = async (product: string, environment: string): Promise<string> => {
    const order = { product, environments: [environment], reason: `quiet of ${product} in ${environment}` };
    const { value, refusals } = await startManualRollback(app, order, 'somebody');
    if (refusals) throw new Error(JSON.stringify(refusals));
    return value.rollbackId;
  };
  const hold = async (environment: string, product?: string): Promise<string> =>
    (await holdEnvironment(app, { environment, product, reason: `hush of hold in ${environment}` }, null)).value!.id;
  const mark = async (product: string, environment?: string): Promise<string> => {
    const given = { product, version: '1', environment, reason: `hush of mark in ${environment ?? product}` };
    return (await markVersionBad(app, given, null)).value!.id;
  };
  const candidate = async (product: string, environment: string): Promise<string> => {
    const { rows } = await app.pool.query<{ id: string }>(
      `INSERT INTO candidate (id, key, product, flow, environment, state, kind, status, reason, facts, created_at, coalesced_at, expires_at, ended_at)
       VALUES (gen_random_uuid(), $1 || $2, $1, 'main', $2, '{}', 'PUSH', 'REFUSED', 'hush of candidate', '{"commits": []}', now(), now(), now(), now())
       RETURNING id`,
      [product, environment],
    );
    return rows[0]!.id;
  };
  const grant = { subjectKind: 'USER', subject: 'grace', role: 'VIEWER', products: {}, environments: {} } as const;
  const [mine = '', theirs = ''] = [at['billing']?.[1], at['shop']?.[1]];
  const both: Record<string, [own: string[], hidden: string[]]> = {
    Product: [['billing'], ['shop']],
    Environment: [
      ['eu', 'asib'],
      ['asia', 'dev'],
    ],
    Application: [['billing-eu'], ['shop-eu', 'billing-asia']],
    Release: [[mine], [theirs]],
    // The one of billing began in asia, which is not seen here, and is a release of billing, which is.
    Rollback: [[await rollback('billing', 'asia')], [await rollback('shop', 'eu')]],
    EnvironmentPromotion: [[`${mine}/3`], [`${theirs}/3`, `${mine}/4`]],
    EnvironmentHold: [[], [await hold('eu', 'shop'), await hold('asia')]],
    BadVersion: [[], [await mark('shop'), await mark('billing', 'asia')]],
    WebhookDelivery: [[], []],
    Candidate: [
      [await candidate('billing', 'eu')],
      [await candidate('shop', 'eu'), await candidate('billing', 'asia')],
    ],
    ApiToken: [[], [(await guarded.token('VIEWER')).id]],
    Session: [[], [await sessionOf(guarded)]],
    RoleGrant: [[], [(await createGrant(app, grant, SOMEBODY)).value!.id]],
  };
  for (const [kind, [seen, unseen]] of Object.entries(both)) [own[kind], hidden[kind]] = [seen, unseen];
  const { rows } = await app.pool.query<{ number: string }>('SELECT number FROM release WHERE id = $1', [theirs]);
  shortNames.push([`shop#${rows[0]?.number}`, 'shop#999999999'], ['shop', 'ghost-name']);
  const limits = { products: { names: ['billing'] }, environments: { names: ['eu', 'asib'] } };
  for (const role of ROLES) {
    callers[`${role} of billing in eu`] = await guarded.token(role, limits);
  }
}, 60_000);
afterAll(() => guarded.close());

/** An input with the least that the schema lets pass, and this argument; beside it what it needs to be understood. */
function inputFor(field: Field, { path }: Leaf, value: string): Record<string, unknown> {
  const args: Record<string, unknown> = {};
  const fill = (name: string, given: GraphQLInputType, here: string[]): unknown => {
    const type = unwrapped(given);
    const onPath = here.every((each, index) => path[index] === each);
    if (onPath && here.length === path.length) return isListType(type) ? [value] : value;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields());
      const needed = fields.filter(
        (each) => isRequiredInputField(each) || path[here.length] === each.name || isCompanion(path, each.name, fields),
      );
      return Object.fromEntries(needed.map((each) => [each.name, fill(each.name, each.type, [...here, each.name])]));
    }
    const named = (own[NAMING[name] ?? ''] ?? [])[0];
    return named === undefined ? sampleOf(given) : isListType(type) ? [named] : named;
  };
  for (const arg of field.args) {
    if (isRequiredArgument(arg) || arg.name === path[0]) args[arg.name] = fill(arg.name, arg.type, [arg.name]);
  }
  return args;
}

/** A decision names its promotion by release and environment together. */
function isCompanion(path: string[], name: string, fields: readonly { name: string }[]): boolean {
  const leaf = path.at(-1);
  if (!fields.some((each) => each.name === 'promotionId')) return false;
  return (leaf === 'releaseId' && name === 'environment') || (leaf === 'environment' && name === 'releaseId');
}

async function answer(caller: Token | string, kind: string, field: Field, leaf: Leaf, value: string): Promise<string> {
  const args = inputFor(field, leaf, value);
  const declared = field.args.filter(({ name }) => name in args);
  const head = declared.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = declared.map(({ name }) => `${name}: $${name}`).join(', ');
  const query = `${kind} Asked(${head}) { asked: ${field.name}(${given}) ${selectionOf(field.type)} }`;
  const { status, body } = await guarded.ask(caller, query, args);
  return JSON.stringify({ status, body });
}

/** An answer without what was asked for, however it is written in it. */
function without(text: string, values: string[]): string {
  const all = values.flatMap((value) => {
    const what = Buffer.from(value, 'base64url')
      .toString('utf8')
      .replace(/^[A-Za-z]+:/, '');
    return [value, value.slice(0, 60), ...(/^[-\w/]{3,}$/.test(what) ? [what] : [])];
  });
  return all.reduce((rest, each) => rest.replaceAll(each, 'IT'), text);
}

function selectionOf(output: GraphQLOutputType): string {
  const type = getNamedType(output);
  if (!isObjectType(type)) return isInterfaceType(type) ? '{ __typename }' : '';
  const fields = type.getFields();
  if ('userErrors' in fields) return '{ __typename userErrors { code message path } }';
  return 'nodes' in fields ? '{ nodes { __typename } }' : 'edges' in fields ? '{ edges { cursor } }' : '{ __typename }';
}

/** Bare and as the API gives it. */
const written = (kind: string, what: string): string[] =>
  NODES.includes(kind)
    ? [what, toNodeId(kind, what)]
    : kind === 'EnvironmentPromotion'
      ? [toNodeId(kind, what)]
      : [what];

/** Pairs of what must be answered alike: something, and what does not exist of the same form. */
function pairs({ kind }: Leaf, everything: boolean): [it: string, ghost: string][] {
  const ghostOf = (of: string): string =>
    of === 'EnvironmentPromotion' ? `${GHOST}/3` : NODES.includes(of) ? GHOST : 'ghost-name';
  const found: [string, string][] = [];
  const add = (of: string, what: string): void => {
    const ghosts = written(of, ghostOf(of));
    written(of, what).forEach((each, index) => found.push([each, ghosts[index] as string]));
  };
  // Of its own kind: what is hidden.
  if (!everything)
    for (const [of, those] of Object.entries(hidden))
      if (of === kind || kind === 'Node') those.forEach((each) => add(of, each));
  if (!everything && (kind === 'Release' || kind === 'Rollback')) found.push(...shortNames);
  if (kind === 'Node') return found.filter(([it]) => Buffer.from(it, 'base64url').toString().includes(':'));
  // Of another kind: hidden or not. A rollback has a release of the same id.
  const [ghost] = written(kind, ghostOf(kind));
  for (const of of new Set([...Object.keys(hidden), ...Object.keys(own)])) {
    if (of === kind || (of === 'Rollback' && kind === 'Release')) continue;
    for (const what of [...(hidden[of] ?? []), ...(own[of] ?? [])]) {
      if (NODES.includes(of) && NODES.includes(kind)) found.push([what, ghost as string]);
      if (NODES.includes(kind) || kind === 'EnvironmentPromotion')
        found.push([toNodeId(of, what), toNodeId(of, ghostOf(of))]);
      else if (!NODES.includes(of) && of !== 'EnvironmentPromotion') found.push([what, ghost as string]);
    }
  }
  return found;
}

const NAMED = FIELDS.flatMap(([kind, field]) =>
  leavesOf(field).map((leaf) => [`${field.name} ${leaf.path.join('.')}`, kind, field, leaf] as const),
);

test('every argument is known here: a new one is named in NAMING, or in NAMES_NOTHING', () => {
  expect([...new Set(UNKNOWN)]).toEqual([]);
});

test('there is something to walk', () => {
  expect(NAMED.length).toBeGreaterThan(45);
  expect(new Set(NAMED.map(([, , , { kind }]) => kind)).size).toBeGreaterThan(9);
});

test('whatever asks for a permission can answer with refusals, where it names something', () => {
  const cannot = FIELDS.filter(([, field]) => ruleOf(field)?.kind === 'may' && leavesOf(field).length > 0)
    .filter(([, { type }]) => !takesRefusals(type))
    .map(([, { name }]) => name);
  // Lists for those who may everything: they name nothing that is hidden from them.
  expect(cannot).toEqual([]);
});

// Names are everybody's: whoever may create something learns when its name is taken.
const creates = (name: string, who: string): boolean =>
  name.endsWith('Create input.name') && (who === 'everything' || name.startsWith('application'));

describe.each(NAMED)('%s', (name, kind, field, leaf) => {
  test('is answered alike for what is not there, not seen, and of another kind', async () => {
    let asked = 0;
    for (const [who, caller] of Object.entries(callers)) {
      if (creates(name, who)) continue;
      const asking = pairs(leaf, who === 'everything').map(async ([it, ghost]) => {
        const answers = [it, ghost].map((value) => answer(caller, kind, field, leaf, value));
        const [seen, unseen] = (await Promise.all(answers)).map((each) => without(each, [it, ghost]));
        expect(seen, `${who}: ${it} (${Buffer.from(it, 'base64url').toString()})`).toBe(unseen);
      });
      asked += (await Promise.all(asking)).length;
    }
    if (!name.startsWith('applicationCreate')) expect(asked).toBeGreaterThan(3);
  }, 60_000);
});

/** Names that are almost those of something hidden, by kind. */
const ALMOST: Record<string, string[]> = {
  Product: ['shopp'],
  Environment: ['asib', 'asiaa', 'stagin'],
  Application: ['shop-euu', 'billing-asiaa'],
};
const UNSEEN = /\b(asia|asia-2|dev|staging|us-east|shop|shop-\w+)\b/;

describe.each(NAMED.filter(([, , , { kind }]) => kind in ALMOST))('%s', (_, kind, field, leaf) => {
  test('names nothing that is not seen, as what may have been meant neither', async () => {
    for (const [who, caller] of Object.entries(callers)) {
      if (who === 'everything') continue;
      for (const value of ALMOST[leaf.kind] ?? []) {
        const told = without(await answer(caller, kind, field, leaf, value), [value]);
        expect(told, `${who}: ${value}`).not.toMatch(UNSEEN);
      }
    }
  });
});

const HUSH = ['hush', 'shop'];

/** What holds, marks and causes of rollbacks say, wherever they are shown. */
const SHOWN = {
  holds: '{ environmentHolds { nodes { reason environmentName productName } } }',
  marks: '{ badVersions { nodes { reason environmentNames productName } } }',
  causes: '{ rollbacks { nodes { cause { environment reason } productName } } }',
  events: `{ releaseEventLog(first: 100, filter: { types: [RollbackStarted, RollbackJoined] }) { edges { node { product
    ... on RollbackStarted { causedIn reason } ... on RollbackJoined { causedIn reason } } } } }`,
  releases: `{ releases { nodes { waitingFor { __typename ... on WaitingForHold { holds { reason } }
    ... on WaitingForVersion { badVersions { reason } } } } } }`,
};

describe.each(Object.entries(SHOWN))('the %s that are shown', (what, query) => {
  test('say nothing of places that are not seen', async () => {
    for (const [who, caller] of Object.entries(callers)) {
      const { body } = await guarded.ask(caller, query);
      expect(body.errors).toBeUndefined();
      if (who === 'everything') continue;
      // A hold that is seen tells its reason, whatever began elsewhere.
      const words = ['causes', 'events'].includes(what) ? [...HUSH, 'quiet'] : HUSH;
      for (const word of words) expect(JSON.stringify(body.data), `${who} reads ${word}`).not.toContain(word);
    }
  });
});

test('whoever sees everything reads all of it', async () => {
  const read = async (query: string) => JSON.stringify((await guarded.ask(ADMIN, query)).body.data);
  for (const query of [SHOWN.holds, SHOWN.marks]) expect(await read(query)).toContain('hush of');
  for (const query of [SHOWN.causes, SHOWN.events])
    await expect.poll(() => read(query)).toContain('quiet of billing in asia');
});

test('a text that cannot be stored is refused as such, before anything is looked up', async () => {
  const query = `mutation ($input: EnvironmentCreateInput!) { environmentCreate(input: $input) { userErrors { code path } } }`;
  const input = { name: 'a\u0000b', kind: 'PRODUCTION' };
  const { body } = await guarded.ask(ADMIN, query, { input });
  expect(body.data).toEqual({
    environmentCreate: { userErrors: [{ code: 'INVALID', path: ['input', 'name'] }] },
  });
});

describe.each([
  ['releaseId', 'Release'],
  ['product', 'Product'],
  ['environment', 'Environment'],
] as const)('releaseEvents by %s', (argument, kind) => {
  /** From the beginning of the log: what is delivered is delivered at once. */
  const stream = async (what: string, signal: AbortSignal): Promise<AsyncGenerator<string>> => {
    const query = `subscription ($filter: ReleaseEventFilterInput) { releaseEvents(after: "", filter: $filter) { cursor } }`;
    const { body, status } = await fetch(`${guarded.url}/graphql/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        ...bearer(callers['VIEWER of billing in eu'] ?? null),
      },
      body: JSON.stringify({ query, variables: { filter: { [argument]: what } } }),
      signal,
    });
    expect(status).toBe(200);
    return decoded(body!);
  };

  async function* decoded(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
    const decoder = new TextDecoder();
    for await (const chunk of body) yield decoder.decode(chunk, { stream: true });
  }

  test('delivers nothing of what is not seen, as of what is not there', async () => {
    const end = new AbortController();
    const heard: string[] = [];
    const unseen = [...(hidden[kind] ?? []), kind === 'Release' ? GHOST : 'ghost-name'];
    for (const what of unseen) {
      const events = await stream(what, end.signal);
      void (async () => {
        for await (const text of events) if (text.includes('event: next')) heard.push(`${what}: ${text}`);
      })().catch(() => {});
    }
    // What is seen arrives on a stream that was opened after all of these.
    let text = '';
    for await (const each of await stream((own[kind] ?? [])[0] as string, end.signal)) {
      text += each;
      if (text.includes('event: next')) break;
    }
    end.abort();
    expect(text).toContain('event: next');
    expect(heard).toEqual([]);
  });
});
