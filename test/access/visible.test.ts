import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { toNodeId } from '../../src/schema/node-id.ts';
import { type GuardedServer, openGuarded, type Token } from './support.ts';

// Three products, two of which go nowhere near the callers here.
let guarded: GuardedServer;
let billing: Token;
let inEurope: Token;
let everything: Token;
const releases: Record<string, string[]> = {};

beforeAll(async () => {
  guarded = await openGuarded();
  const { engine } = guarded;
  await engine.startWorker();
  for (const product of ['billing', 'shop', 'search']) await engine.saveBilling(product);
  for (let version = 1; version <= 3; version += 1) {
    for (const product of ['billing', 'shop', 'search']) {
      const id = await engine.trigger({ product, version: `${version}.0.0` });
      await engine.ended(id);
      (releases[product] ??= []).push(id);
    }
  }
  billing = await guarded.token('VIEWER', { products: { names: ['billing'] } });
  inEurope = await guarded.token('VIEWER', { products: { names: ['billing'] }, environments: { names: ['eu'] } });
  everything = await guarded.token('VIEWER');
}, 60_000);
afterAll(() => guarded.close());

// oxlint-disable-next-line typescript/no-explicit-any
async function data(token: Token, query: string, variables?: Record<string, unknown>): Promise<any> {
  const { body } = await guarded.ask(token, query, variables);
  expect(body.errors).toBeUndefined();
  return body.data;
}

/** All nodes of a list, read in small pages. */
async function pages(token: Token, list: string, selection: string, first = 2): Promise<Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for (let after: string | null = null, more = true; more;) {
    const query = `query ($after: String) { list: ${list.replace('(', `(first: ${first}, after: $after, `)} {
      edges { node ${selection} } pageInfo { hasNextPage endCursor } } }`;
    const { list: page } = await data(token, query, { after });
    if (page.pageInfo.hasNextPage) expect(page.edges).toHaveLength(first);
    found.push(...page.edges.map((edge: { node: Record<string, unknown> }) => edge.node));
    ({ hasNextPage: more, endCursor: after } = page.pageInfo);
  }
  return found;
}

describe('of one product', () => {
  test('the releases, in full pages', async () => {
    const seen = await pages(billing, 'releases()', '{ productName uuid }');
    expect(seen.map(({ uuid }) => uuid)).toEqual(releases['billing']!.toReversed());
    expect((await pages(everything, 'releases()', '{ uuid }')).length).toBe(9);
  });

  test('products, applications and deployments', async () => {
    expect(await pages(billing, 'products()', '{ name }')).toEqual([{ name: 'billing' }]);
    const applications = await pages(billing, 'applications()', '{ name }');
    expect(applications).toHaveLength(6);
    expect(applications.every(({ name }) => String(name).startsWith('billing-'))).toBe(true);
    const deployments = await pages(billing, 'deployments()', '{ productName }');
    expect(deployments).toHaveLength(6);
    expect(new Set(deployments.map(({ productName }) => productName))).toEqual(new Set(['billing']));
  });

  test('what belongs to others is not there: by name, by id, by global id, as an older revision', async () => {
    const [id] = releases['shop']!;
    const answer = await data(
      billing,
      `query ($id: ID!, $release: ID!, $product: ID!, $promotion: ID!) {
        release(id: $id) { id } product(name: "shop") { name } old: product(name: "shop", revision: 1) { name }
        application(name: "shop-eu") { name }
        a: node(id: $release) { id } b: node(id: $product) { id } c: node(id: $promotion) { id }
      }`,
      {
        id,
        release: toNodeId('Release', id!),
        product: toNodeId('Product', 'shop'),
        promotion: toNodeId('EnvironmentPromotion', `${id}/1`),
      },
    );
    expect(new Set(Object.values(answer))).toEqual(new Set([null]));
  });

  test('the event log, in full pages', async () => {
    // An event is there when nothing that began before it is under way, in other tests on the same server too.
    const seen = async () =>
      (await pages(billing, 'releaseEventLog()', '{ product }', 10)).map(({ product }) => product);
    await expect.poll(async () => new Set(await seen())).toEqual(new Set(['billing']));
    const asked = await data(billing, '{ releaseEventLog(filter: { product: "shop" }) { edges { cursor } } }');
    expect(asked.releaseEventLog.edges).toEqual([]);
  });
});

describe('of one environment', () => {
  test('a release shows what it does there and hides the rest', async () => {
    const { release } = await data(
      inEurope,
      `query ($id: ID!) { release(id: $id) {
        promotions { name dependsOn { name } } counts { succeeded total }
        groups { name members { name } } } }`.replace(' total', ''),
      { id: releases['billing']![0] },
    );
    expect(release.promotions.map(({ name }: { name: string }) => name)).toEqual(['eu']);
    expect(release.promotions[0].dependsOn).toEqual([]);
    expect(release.counts.succeeded).toBe(1);
    expect(release.groups).toEqual([{ name: 'regions', members: [{ name: 'eu' }] }]);
  });

  test('environments, group members, deployments and applications are those there', async () => {
    expect(await pages(inEurope, 'environments()', '{ name }')).toEqual([{ name: 'eu' }]);
    expect(await pages(inEurope, 'deployments()', '{ environmentName }')).toEqual([{ environmentName: 'eu' }]);
    const { product, environmentGroup } = await data(
      inEurope,
      '{ product(name: "billing") { applications { name } } environmentGroup(name: "regions") { members { name } } }',
    );
    expect(product.applications).toEqual([{ name: 'billing-eu' }]);
    expect(environmentGroup.members).toEqual([{ name: 'eu' }]);
  });

  test('asking which releases go elsewhere tells nothing', async () => {
    const { eu, asia } = await data(
      inEurope,
      '{ eu: releases(filter: { environment: "eu" }) { nodes { id } } asia: releases(filter: { environment: "asia" }) { nodes { id } } }',
    );
    expect(eu.nodes).toHaveLength(3);
    expect(asia.nodes).toEqual([]);
  });

  test('events are those there and those of the whole release, without the names of other places', async () => {
    const selection = `{ __typename ... on PromotionEvent { environment } ... on StepEvent { environment }
      ... on ReleaseQueued { environments } }`;
    // An event is there when nothing that began before it is under way, in other tests on the same server too.
    let seen: Awaited<ReturnType<typeof pages>> = [];
    const isQueued = ({ __typename }: (typeof seen)[number]): boolean => __typename === 'ReleaseQueued';
    await expect
      .poll(async () => (seen = await pages(inEurope, 'releaseEventLog()', selection, 10)).filter(isQueued).length)
      .toBe(3);
    const places = seen.flatMap(({ environment }) => (environment === undefined ? [] : [environment]));
    expect(new Set(places)).toEqual(new Set(['eu']));
    for (const each of seen.filter(isQueued)) expect(each).toMatchObject({ environments: ['eu'] });
  });

  test('a window of another environment, or of another product, is not told', async () => {
    const state = (place: string) => guarded.ask(inEurope, `{ windowState(${place}) { closed } }`);
    expect((await state('environment: "eu"')).body.data).toEqual({ windowState: { closed: false } });
    for (const place of ['environment: "asia"', 'environment: "eu", product: "shop"']) {
      expect((await state(place)).body.errors?.[0]?.extensions?.['code']).toBe('NOT_FOUND');
    }
  });
});

// They make releases of their own, which the lists above would count.
describe('rollbacks', () => {
  test('are those of products that are seen, and in each the environments that are', async () => {
    for (const product of ['billing', 'shop']) {
      const input = { product, environments: ['eu', 'asia'], reason: 'a test' };
      const { value } = await startManualRollback(guarded.engine.app, input, 'ada');
      await guarded.engine.ended(value!.rollbackId);
    }
    const seen = (token: Token) => pages(token, 'rollbacks()', '{ productName targets { environment } }', 1);
    const whole = (productName: string) => ({ productName, targets: [{ environment: 'eu' }, { environment: 'asia' }] });
    expect(await seen(everything)).toEqual([whole('shop'), whole('billing')]);
    expect(await seen(billing)).toEqual([whole('billing')]);
    expect(await seen(inEurope)).toEqual([{ productName: 'billing', targets: [{ environment: 'eu' }] }]);
    const nobodys = await guarded.token('VIEWER', { products: { names: ['search'] } });
    expect(await seen(nobodys)).toEqual([]);
    const asked = await data(nobodys, '{ rollbacks(product: "shop") { nodes { id } } }');
    expect(asked.rollbacks.nodes).toEqual([]);
    const started = '{ __typename ... on RollbackStarted { product targets { environment } } }';
    const isStarted = ({ __typename }: Record<string, unknown>): boolean => __typename === 'RollbackStarted';
    // The log shows what is written once no older transaction of the server is open, of another database neither.
    await expect
      .poll(async () => (await pages(inEurope, 'releaseEventLog()', started, 50)).filter(isStarted))
      .toEqual([{ __typename: 'RollbackStarted', product: 'billing', targets: [{ environment: 'eu' }] }]);
  });
});
