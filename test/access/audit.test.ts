import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN, codeOf, type GuardedServer, openGuarded, type Token } from './support.ts';

let guarded: GuardedServer;
let releaser: Token;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
  releaser = await guarded.token('RELEASER', { products: { names: ['billing'] } });
});
afterAll(() => guarded.close());

interface Entry {
  id: string;
  actor: string | null;
  credential: string | null;
  action: string;
  transport: string;
  address: string | null;
  userAgent: string | null;
  input: unknown;
  outcome: string;
  reasons: string[];
  objects: { kind: string; name: string }[];
  before: unknown;
  after: unknown;
}

const LOG = `query ($first: Int!, $after: String, $filter: AuditFilterInput) {
  auditLog(first: $first, after: $after, filter: $filter) {
    nodes { id at actor credential action transport address userAgent input outcome reasons objects { kind name } before after }
    pageInfo { hasNextPage endCursor } } }`;

async function log(filter: object = {}, first = 20, after: string | null = null) {
  const { body } = await guarded.ask(ADMIN, LOG, { first, after, filter });
  expect(body.errors).toBeUndefined();
  return body.data!['auditLog'] as { nodes: Entry[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
}

const newest = async (action: string): Promise<Entry> => (await log({ actions: [action] })).nodes[0]!;

const TRIGGER = `mutation ($input: ReleaseTriggerInput!) {
  releaseTrigger(input: $input) { release { uuid } userErrors { message } } }`;
const CREATE = `mutation ($input: EnvironmentCreateInput!) {
  environmentCreate(input: $input) { environment { name } userErrors { message } } }`;

describe('a command leaves an entry', () => {
  test('of who, from where, what, and what it changed', async () => {
    const { body } = await guarded.ask(releaser, TRIGGER, { input: { product: 'billing', version: '1.0.0' } });
    const { uuid } = (body.data!['releaseTrigger'] as { release: { uuid: string } }).release;
    expect(await newest('releaseTrigger')).toMatchObject({
      actor: expect.stringMatching(/^service-account\/releaser-/),
      credential: `token ${releaser.id}`,
      transport: 'HTTP',
      address: '127.0.0.1',
      userAgent: 'node',
      input: { product: 'billing', version: '1.0.0' },
      outcome: 'DONE',
      objects: [
        { kind: 'Release', name: uuid },
        { kind: 'Product', name: 'billing' },
      ],
      before: null,
      after: { version: '1.0.0', product: 'billing' },
    });
  });

  test('of a release that changes, with its status before and after', async () => {
    const id = await guarded.engine.trigger({ product: 'billing', version: '1.1.0' });
    const terminate = 'mutation ($id: ID!) { releaseTerminate(input: { releaseId: $id }) { userErrors { message } } }';
    await guarded.ask(releaser, terminate, { id });
    const entry = await newest('releaseTerminate');
    expect(entry.objects[0]).toEqual({ kind: 'Release', name: id });
    expect(entry.before).toMatchObject({ status: expect.stringMatching(/QUEUED|RUNNING/) });
    expect(entry.after).toMatchObject({ status: expect.stringMatching(/TERMINAT/) });
    await guarded.engine.app.releaseEngine.tell(id, { kind: 'tick' });
    const all = await log({ object: { kind: 'Release', name: id } });
    expect(all.nodes.map(({ action }) => action)).toEqual(['releaseTerminate']);
  });

  test('about what it asked for, and not about what makes room for that', async () => {
    await guarded.engine.saveBilling('narrow');
    const admin = (input: object) => guarded.ask(ADMIN, TRIGGER, { input: { product: 'narrow', ...input } });
    const newestInput = { version: '3', idempotencyKey: 'third' };
    await admin({ version: '1' });
    const { body } = await admin({ version: '2' });
    const { uuid } = (body.data!['releaseTrigger'] as { release: { uuid: string } }).release;
    await admin(newestInput);
    // From here on one may wait. The third is asked for once more, as after an answer that was lost, and makes room.
    await guarded.engine.saveBilling('narrow', { concurrency: 'SUPERSEDE' });
    await admin(newestInput);
    await guarded.engine.reached(uuid, ({ status }) => status === 'TERMINATED');
    const about = await log({ object: { kind: 'Release', name: uuid } });
    expect(about.nodes.map(({ input }) => (input as { version: string }).version)).toEqual(['2']);
  });

  test('of a definition: as it was and as it is', async () => {
    await guarded.ask(ADMIN, CREATE, { input: { name: 'lab', kind: 'NON_PRODUCTION' } });
    const update =
      'mutation { environmentUpdate(input: { name: "lab", kind: PRODUCTION }) { userErrors { message } } }';
    await guarded.ask(ADMIN, update);
    const entry = await newest('environmentUpdate');
    expect(entry.before).toMatchObject({ spec: { kind: 'NON_PRODUCTION' }, revision: 1 });
    expect(entry.after).toMatchObject({ spec: { kind: 'PRODUCTION' }, revision: 2 });
    await guarded.ask(ADMIN, 'mutation { environmentDelete(input: { name: "lab" }) { userErrors { message } } }');
    expect(await newest('environmentDelete')).toMatchObject({ before: { revision: 2 }, after: null, outcome: 'DONE' });
  });

  test('of manifests: one for all that they changed, none of their secrets', async () => {
    const text = ['one', 'two']
      .map(
        (name) =>
          `apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: ${name}, annotations: { note: "token=hunter2" } }\nspec: { kind: PRODUCTION }\n`,
      )
      .join('---\n');
    const apply = 'mutation ($text: String!) { manifestsApply(input: { text: $text }) { userErrors { message } } }';
    const { body } = await guarded.ask(ADMIN, apply, { text });
    expect(body.data).toEqual({ manifestsApply: { userErrors: [] } });
    const entry = await newest('manifestsApply');
    expect(entry.objects.map(({ name }) => name)).toEqual(['one', 'two']);
    expect(entry.after).toHaveLength(2);
    expect(JSON.stringify(entry)).not.toContain('hunter2');
  });

  test('when it is refused, with the reason', async () => {
    await guarded.ask(ADMIN, CREATE, { input: { name: 'dev', kind: 'PRODUCTION' } });
    const entry = await newest('environmentCreate');
    expect(entry).toMatchObject({ outcome: 'REFUSED', reasons: [expect.stringContaining('already')], objects: [] });
  });

  test('when the caller may not', async () => {
    expect(codeOf(await guarded.ask(releaser, CREATE, { input: { name: 'x', kind: 'PRODUCTION' } }))).toBe('FORBIDDEN');
    expect(await newest('environmentCreate')).toMatchObject({
      outcome: 'FORBIDDEN',
      actor: expect.stringContaining('releaser'),
    });
  });

  test('when it changes nothing', async () => {
    const report = 'mutation { healthReport(input: { application: "billing-eu", status: HEALTHY }) { accepted } }';
    await guarded.ask(releaser, report);
    expect(await newest('healthReport')).toMatchObject({ outcome: 'DONE' });
  });

  test('and a token that is made is not in it', async () => {
    const make = `mutation { apiTokenCreate(input: { name: "n", subject: "s", scope: [{ role: VIEWER }] }) { secret apiToken { id } } }`;
    const { body } = await guarded.ask(ADMIN, make);
    const { secret, apiToken } = body.data!['apiTokenCreate'] as { secret: string; apiToken: { id: string } };
    const entry = await newest('apiTokenCreate');
    expect(entry.objects).toEqual([{ kind: 'Token', name: apiToken.id }]);
    expect(JSON.stringify(entry)).not.toContain(secret.slice(19));
    expect(JSON.stringify(entry)).not.toContain('hash');
  });
});

test('an entry and its change are one: when the entry cannot be written, nothing is changed', async () => {
  const { dataSource } = guarded.engine.app;
  await dataSource.query(
    `ALTER TABLE audit_log ADD CONSTRAINT no_more CHECK (action <> 'environmentCreate') NOT VALID`,
  );
  try {
    const answer = await guarded.ask(ADMIN, CREATE, { input: { name: 'never', kind: 'PRODUCTION' } });
    expect(codeOf(answer)).toBe('INTERNAL_SERVER_ERROR');
  } finally {
    await dataSource.query('ALTER TABLE audit_log DROP CONSTRAINT no_more');
  }
  const { body } = await guarded.ask(ADMIN, '{ environment(name: "never") { name } }');
  expect(body.data).toEqual({ environment: null });
});

describe('the log', () => {
  test('is read in pages, newest first, each entry once', async () => {
    const ids: number[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { nodes, pageInfo } = await log({}, 3, after);
      ids.push(...nodes.map(({ id }) => Number(id)));
      ({ hasNextPage: more, endCursor: after } = pageInfo);
    }
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => b - a));
    expect(ids.length).toBeGreaterThan(8);
  });

  test('is filtered by who, what, outcome and time', async () => {
    const by = await log({ actor: 'service-account/admin', outcomes: ['DONE'] });
    expect(by.nodes.length).toBeGreaterThan(0);
    for (const { actor, outcome } of by.nodes) expect([actor, outcome]).toEqual(['service-account/admin', 'DONE']);
    expect((await log({ until: '2020-01-01T00:00:00Z' })).nodes).toEqual([]);
    expect((await log({ object: { kind: 'Environment', name: 'two' } })).nodes).toHaveLength(1);
  });

  test('is for those who may read it', async () => {
    const query = '{ auditLog { nodes { id } } }';
    for (const role of ['VIEWER', 'OPERATOR'] as const) {
      expect(codeOf(await guarded.ask(await guarded.token(role), query))).toBe('FORBIDDEN');
    }
    const limited = await guarded.token('ADMIN', { products: { names: ['billing'] } });
    expect(codeOf(await guarded.ask(limited, query))).toBe('FORBIDDEN');
  });
});

test('events name the caller', async () => {
  const log = '{ releaseEventLog(first: 1, filter: { types: [ReleaseQueued] }) { edges { node { actor } } } }';
  // The log shows what is written once no older transaction of the server is open, of another database neither.
  await expect
    .poll(async () => (await guarded.ask(releaser, log)).body.data)
    .toEqual({
      releaseEventLog: { edges: [{ node: { actor: expect.stringMatching(/^service-account\/releaser-/) } }] },
    });
});
