import { parse, validate } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApiSchema } from '../../src/schema/build.ts';
import { costOf } from '../../src/server/cost.ts';
import { LIMIT_RULES } from '../../src/server/operation.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';
import { overEventStream, overWebSocket, post } from './support/clients.ts';
import { cyclesOf, edgesOf, operationOf, path } from './support/cycles.ts';

/** Enough that two rounds of a cycle are more than the small budget of these tests. */
const WIDTH = 40;

let api: TestApi;
let releaseId: string;
const servers: ApiServer[] = [];

beforeAll(async () => {
  api = await openTestApi();
  const environments = Array.from({ length: WIDTH }, (_, index) => `e${index}`);
  for (const name of ['dev', ...environments]) await api.save('Environment', name, { kind: 'NON_PRODUCTION' });
  await api.save('EnvironmentGroup', 'all', {
    environments: { names: environments.slice(1) },
    gate: { policy: 'ALL' },
    maxFailures: 0,
  });
  await api.save('PromotionFlow', 'wide', {
    triggerEnvironment: 'dev',
    productSelector: {},
    onFailure: 'FINISH_RUNNING',
    steps: [
      { environment: 'e0', dependsOn: ['dev'] },
      { group: 'all', dependsOn: ['e0'] },
    ],
  });
  await api.save('Product', 'wide', { promotionFlows: [], concurrency: 'PIPELINE', queueLimit: 50 });
  for (const environment of ['dev', ...environments]) {
    await api.save('Application', `wide-${environment}`, {
      product: 'wide',
      environment,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
  }
  for (const version of ['1', '2', '3']) releaseId = await api.trigger({ product: 'wide', version });
}, 60_000);
afterAll(async () => {
  for (const server of servers) await server.close();
  await api.close();
});

async function serve(settings: Partial<TestApi['app']['config']['limits']['budget']>): Promise<string> {
  const { config } = api.app;
  const limits = { ...config.limits, budget: { ...config.limits.budget, ...settings } };
  const server = await startServer({ ...api.app, config: { ...config, limits } });
  servers.push(server);
  return server.url;
}

const ROUNDS =
  '{ product(name: "wide") { applications { product { applications { product { applications { name } } } } } } }';

describe('what an operation turns out to be', () => {
  test.each([
    ['applications > product > applications', ROUNDS],
    [
      'promotions > release > promotions',
      '{ releases(first: 3, filter: { product: "wide" }) { nodes { promotions { name release { promotions { name status release { promotions { name } } } } } } } }',
    ],
  ])('%s ends at the limit, and says which and how to ask for less', async (_name, query) => {
    expect(costOf(buildApiSchema(), { document: parse(query) })).toBeLessThan(50_000);
    const { data, errors, spent } = await api.within({ values: 5_000 }, query);
    expect(data).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors![0]!.extensions).toEqual({ code: 'TOO_EXPENSIVE', limit: 'values', most: 5_000 });
    expect(errors![0]!.message).toMatch(/more than 5000 values.*ask for fewer fields below lists, for smaller pages/);
    // The list that broke it was paid for and not begun.
    expect(spent.bytes).toBeLessThan(500_000);
  });

  test('an object costs 1 and each of its fields 1, a list what it holds', async () => {
    const { errors, spent } = await api.within(
      {},
      '{ product(name: "wide") { applications { name labels { key } } } }',
    );
    expect(errors).toBeUndefined();
    // The product and its field; each application, its name and its labels.
    expect(spent.values).toBe(1 + 1 + (WIDTH + 1) * 3);
  });

  test('bytes are counted as they come', async () => {
    const query = '{ product(name: "wide") { applications { name } } }';
    const { data, errors } = await api.within({ bytes: 400 }, query);
    expect([data, errors?.[0]?.extensions]).toEqual([null, { code: 'TOO_EXPENSIVE', limit: 'bytes', most: 400 }]);
    const whole = await api.within({}, query);
    const written = JSON.stringify(whole.data).length;
    expect(whole.spent.bytes).toBeGreaterThan(written / 2);
    expect(whole.spent.bytes).toBeLessThan(written * 2);
  });

  test('a mutation says that it was done, and the one after it is not begun', async () => {
    const query = `mutation ($a: ReleaseTerminateInput!, $b: ReleaseTerminateInput!) {
      first: releaseTerminate(input: $a) { release { promotions { release { promotions { name } } } } }
      second: releaseTerminate(input: $b) { release { status } }
    }`;
    const a = await api.trigger({ product: 'wide', version: 'a' });
    const b = await api.trigger({ product: 'wide', version: 'b' });
    const { data, errors } = await api.within({ values: 1_000 }, query, { a: { releaseId: a }, b: { releaseId: b } });
    expect([data, errors?.length, errors?.[0]?.extensions['code']]).toEqual([null, 1, 'TOO_EXPENSIVE']);
    expect(errors![0]!.message).toContain('including `first` has been done and stays done; nothing after it was begun');
    const status = async (id: string) =>
      (await api.ask('query ($id: ID!) { release(id: $id) { status } }', { id })).release.status;
    expect([await status(a), await status(b)]).toEqual(['TERMINATED', expect.not.stringMatching(/^TERMINAT/)]);
  });

  test('on every transport the answer is the reason alone', async () => {
    const url = await serve({ values: 5_000 });
    const { status, body } = await post(url, { query: ROUNDS });
    expect([status, body.data, body.errors?.length]).toEqual([200, null, 1]);
    expect(body.errors![0]!.extensions).toEqual({ code: 'TOO_EXPENSIVE', limit: 'values', most: 5_000 });
    for (const transport of [overWebSocket, overEventStream]) {
      const watcher = await transport(url, {}, ROUNDS);
      await watcher.has(1);
      expect(watcher.results[0]!.errors![0]!.extensions).toMatchObject({ code: 'TOO_EXPENSIVE', most: 5_000 });
      watcher.destroy();
    }
  });

  test('each event of a subscription has a budget of its own, and the stream goes on', async () => {
    const url = await serve({ values: 1_000 });
    const EVENTS = `subscription ($after: String, $filter: ReleaseEventFilterInput) {
      releaseEvents(after: $after, filter: $filter) { cursor node { sequence release { promotions { release { promotions { name } } } } } }
    }`;
    for (const transport of [overWebSocket, overEventStream]) {
      const watcher = await transport(url, { after: '', filter: { releaseId } }, EVENTS);
      await watcher.has(2);
      expect(watcher.results.slice(0, 2).map(({ errors }) => errors?.[0]?.extensions?.['code'])).toEqual([
        'TOO_EXPENSIVE',
        'TOO_EXPENSIVE',
      ]);
      watcher.destroy();
    }
  });

  test('an operation that takes long lets others have their turn', async () => {
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    const from = performance.now();
    const { errors } = await api.within({ sliceMs: 2 }, ROUNDS);
    const took = performance.now() - from;
    clearInterval(ticking);
    expect(errors).toBeUndefined();
    expect(took).toBeGreaterThan(20);
    expect(turns).toBeGreaterThan(3);
  });
});

test('no cycle of types multiplies: each ends at the budget, or is small', async () => {
  const schema = buildApiSchema();
  const values = {
    from: '"dev"',
    id: `"${Buffer.from(`Release:${releaseId}`).toString('base64url')}"`,
    name: '"wide"',
    environment: '"e1"',
    releaseId: `"${releaseId}"`,
    input: '{ product: "wide" }',
    product: '"wide"',
    key: '"x"',
    draft: '{ saved: "flow" }',
    'from: DateTime': '"2026-01-01T00:00:00Z"',
    'to: DateTime': '"2026-01-02T00:00:00Z"',
    environments: '["e1"]',
    kind: 'Product',
    edits: '[]',
    lists: '[TRIGGERS]',
    repository: '"https://git.example.com/nobody/nothing.git"',
  };
  const edges = edgesOf(schema, values).filter(({ from }) => from !== 'Mutation' && from !== 'Subscription');
  const cycles = cyclesOf(edges);
  // The one id that is given is a release's: as anything else nothing is there, and nothing would be counted.
  const ways = edges.filter(({ from, field, to }) => from !== 'Query' || field !== 'node' || to === 'Release');
  const fields = new Set(cycles.map(([edge]) => `${edge!.from}.${edge!.field}`));
  expect([...fields]).toEqual(
    expect.arrayContaining(['Release.promotions', 'Product.applications', 'EnvironmentPromotion.dependsOn']),
  );
  const most = 3_000;
  const ended = new Map<string, number>();
  for (const cycle of cycles) {
    const way = path(ways, 'Query', cycle[0]!.from);
    if (!way) continue;
    let query = '';
    // As many rounds as the depth of an operation allows.
    for (let rounds = 1; rounds <= 8; rounds += 1) {
      const longer = operationOf([...way, ...Array.from({ length: rounds }, () => cycle).flat()]);
      if (validate(schema, parse(longer), LIMIT_RULES).length > 0) break;
      query = longer;
    }
    const name = cycle.map(({ field }) => field).join(' > ');
    if (query === '') {
      ended.set('deeper than an operation may be', (ended.get('deeper than an operation may be') ?? 0) + 1);
      continue;
    }
    expect(validate(schema, parse(query)), query).toEqual([]);
    const { errors, spent } = await api.within({ values: most }, query);
    const codes = (errors ?? []).map((error) => error.extensions['code']);
    const how = codes.includes('TOO_EXPENSIVE') ? 'TOO_EXPENSIVE' : 'small';
    if (how === 'small') expect(spent.values, `${name}: ${query}`).toBeLessThanOrEqual(most);
    else {
      expect(errors, name).toHaveLength(1);
      // What was begun was paid for: the lists beside the one that broke it were counted, and none of them was looked at.
      expect(spent.values, `${name}: ${query}`).toBeLessThan(3 * most);
    }
    ended.set(how, (ended.get(how) ?? 0) + 1);
  }
  console.info(`${cycles.length} cycles through ${fields.size} lists:`, Object.fromEntries(ended));
  expect(cycles.length).toBeGreaterThan(30);
  expect(ended.get('TOO_EXPENSIVE')).toBeGreaterThanOrEqual(5);
}, 120_000);
