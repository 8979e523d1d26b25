import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { parse, print, separateOperations } from 'graphql';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { toNodeId } from '../../src/schema/node-id.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { ENVIRONMENTS } from '../support/engine.ts';
import { ERRORS, openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';
import { overEventStream, overWebSocket } from './support/clients.ts';
import type { Transport } from './support/clients.ts';
import { eventually } from '../support/eventually.ts';

/** An operation of the web app with its fragments, as the app sends it. */
function operationOfTheApp(name: string): string {
  const folder = fileURLToPath(new URL('../../web/app/src', import.meta.url));
  const texts = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((each) => each.endsWith('.graphql'))
    .map((each) => readFileSync(`${folder}/${each}`, 'utf8'));
  return print(separateOperations(parse(texts.join('\n')))[name]!);
}

// One release, seen while it moves: what a live page asks for, and how little is read and sent for it.

let api: TestApi;
beforeAll(async () => {
  api = await openTestApi();
  await api.saveBilling();
});
afterAll(() => api?.close());

/** How many rows of promotions the statements of a question bring. */
async function promotionsRead(question: () => Promise<unknown>): Promise<number> {
  const { pool } = api.app;
  const ask = pool.query.bind(pool) as (...given: unknown[]) => Promise<pg.QueryResult>;
  let count = 0;
  pool.query = (async (...given: unknown[]) => {
    const result = await ask(...given);
    for (const { promotions } of result.rows as { promotions?: unknown }[])
      if (Array.isArray(promotions)) count += promotions.length;
    return result;
  }) as never;
  try {
    await question();
    return count;
  } finally {
    delete (pool as { query?: unknown }).query;
  }
}

describe('one promotion', () => {
  const ONE = `query ($id: ID!) { node(id: $id) { id ... on EnvironmentPromotion { name sequence status phase startedAt endedAt
    steps { name status } waitingFor { message } earliestStart approval { status } } } }`;
  let release: string;
  let ids: Record<string, string>;

  beforeAll(async () => {
    release = await api.trigger({ product: 'billing', version: '1' });
    const worker = await api.startWorker();
    await api.ended(release);
    await worker.close();
    const found = await api.ask('query ($id: ID!) { release(id: $id) { promotions { id name } } }', { id: release });
    ids = Object.fromEntries(found.release.promotions.map(({ id, name }: Record<string, string>) => [name, id]));
  });

  test('is read alone by its id: one statement once the plan is known, and one row of the release', async () => {
    const ask = (): Promise<unknown> => api.ask(ONE, { id: ids['eu'] });
    expect(await ask()).toMatchObject({ node: { id: ids['eu'], name: 'eu', status: 'SUCCEEDED', waitingFor: [] } });
    expect(await api.statements(ask)).toBe(1);
    expect(await promotionsRead(ask)).toBe(1);
    expect(
      await promotionsRead(() =>
        api.ask('query ($id: ID!) { release(id: $id) { promotions { status } } }', { id: release }),
      ),
    ).toBe(ENVIRONMENTS.length);
  });

  test('says the same as in the whole release, and so do those that it depends on', async () => {
    const fields = `name sequence status phase attempt steps { name status } dependsOn { name sequence status dependsOn { name } }
      dependsOnGroups { name status required members { name status } } group { name members { name status } } waitingFor { message } earliestStart`;
    const whole = await api.ask(`query ($id: ID!) { release(id: $id) { promotions { id ${fields} } } }`, {
      id: release,
    });
    for (const each of whole.release.promotions) {
      const alone = await api.ask(
        `query ($id: ID!) { node(id: $id) { id ... on EnvironmentPromotion { ${fields} } } }`,
        { id: each.id },
      );
      expect(alone.node).toEqual(each);
    }
  });

  test('is carried by its events, and a page of them reads it once', async () => {
    const log = `query ($id: ID!) { releaseEventLog(first: 100, filter: { releaseId: $id, environment: "eu" }) { edges { node { __typename sequence
      ... on PromotionEvent { promotion { name sequence status } } ... on StepEvent { promotion { name sequence status } } } } } }`;
    await eventually(async () => {
      const { edges } = (await api.ask(log, { id: release })).releaseEventLog;
      expect(edges.at(-1)?.node.__typename).toBe('PromotionSucceeded');
    });
    const { edges } = (await api.ask(log, { id: release })).releaseEventLog;
    for (const { node } of edges) {
      expect(node.promotion).toMatchObject({ name: 'eu', status: 'SUCCEEDED' });
      expect(node.promotion.sequence).toBeGreaterThanOrEqual(node.sequence);
    }
    // The events, and the promotion.
    expect(await api.statements(() => api.ask(log, { id: release }))).toBe(2);
    expect(await promotionsRead(() => api.ask(log, { id: release }))).toBe(1);
  });

  test('of another release, of no release and at no position is nothing', async () => {
    for (const what of [
      `${release}/99`,
      `${release}/-1`,
      `${release}/x`,
      `${release}/0.5`,
      `${release.replace(/./g, '0')}/0`,
      '/0',
    ])
      expect((await api.ask(ONE, { id: toNodeId('EnvironmentPromotion', what) })).node, what).toBeNull();
  });

  test('and some of them are asked for by name, status, number and place in the flow', async () => {
    const some = async (args: string): Promise<string[]> => {
      const found = await api.ask(`query ($id: ID!) { release(id: $id) { promotions(${args}) { name } } }`, {
        id: release,
      });
      return found.release.promotions.map(({ name }: { name: string }) => name);
    };
    expect(await some('names: ["eu", "staging", "nowhere"]')).toEqual(['staging', 'eu']);
    expect(await some('first: 2')).toEqual(['dev', 'staging']);
    expect(await some('first: 2, after: "staging"')).toEqual(['asia', 'eu']);
    expect(await some('status: [SUCCEEDED], after: "us-east"')).toEqual(['asia-2']);
    expect(await some('status: [FAILED, WAITING]')).toEqual([]);
    const read = () =>
      api.ask('query ($id: ID!) { release(id: $id) { promotions(names: ["eu"]) { status steps { status } } } }', {
        id: release,
      });
    expect(await promotionsRead(read)).toBe(1);
    const wrong = await api.errorsOf('query ($id: ID!) { release(id: $id) { promotions(after: "x") { name } } }', {
      id: release,
    });
    expect(wrong[0]?.message).toBe('the release has no promotion "x"');
  });

  test('what the release froze is found by an id of its own, and reads nothing of where it is', async () => {
    const SKELETON = `id promotions { name environment production group dependsOn requiredDependencies applications }
      groups { name members required maxParallel }`;
    const { release: found } = await api.ask(`query ($id: ID!) { release(id: $id) { skeleton { ${SKELETON} } } }`, {
      id: release,
    });
    const again = (): Promise<{ node: unknown }> =>
      api.ask(`query ($id: ID!) { node(id: $id) { ... on ReleaseSkeleton { ${SKELETON} } } }`, {
        id: found.skeleton.id,
      });
    expect((await again()).node).toEqual(found.skeleton);
    expect(await api.statements(again)).toBe(0);
    expect(found.skeleton).toMatchObject({
      promotions: [
        { name: 'dev', dependsOn: [] },
        { name: 'staging', dependsOn: ['dev'] },
        { name: 'asia', group: 'regions', production: true, dependsOn: ['staging'] },
        { name: 'eu' },
        { name: 'us-east' },
        { name: 'asia-2', dependsOn: ['regions'], applications: ['billing-asia-2'] },
      ],
      groups: [{ name: 'regions', members: ['asia', 'eu', 'us-east'], required: 3 }],
    });
    const part = await api.askAs(
      'vi',
      `query ($id: ID!) { release(id: $id) { skeleton { promotions { name dependsOn } groups { members } } } }`,
      { id: release },
      'VIEWER',
      {
        products: {},
        environments: { names: ['eu'] },
      },
    );
    expect(part.release.skeleton).toEqual({
      promotions: [{ name: 'eu', dependsOn: [] }],
      groups: [{ members: ['eu'] }],
    });
  });
});

describe('a release of 500 environments', () => {
  const COUNT = 500;
  const environments = Array.from({ length: COUNT - 2 }, (_, index) => `region-${String(index).padStart(3, '0')}`);
  const OPEN = `query ($id: ID!) { release(id: $id) { id shortId status sequence lastCursor version { label } startedAt endedAt
    skeleton { id promotions { name environment production group dependsOn requiredDependencies applications } groups { name members required } }
    promotions { name sequence status phase since earliestStart waitingFor { __typename message who earliest } }
    groups { name status reason recheckAt } } }`;
  const CHANGED = `subscription ($id: ID!, $after: String) { releaseChanged(id: $id, after: $after) { cursor sequence
    release { status sequence endedAt earliestNextStart } groups { name status reason }
    promotions { name sequence status phase since earliestStart waitingFor { __typename message who earliest } } } }`;
  interface Seen {
    name: string;
    sequence: number;
    status: string;
  }
  interface Change {
    cursor: string;
    sequence: number;
    release: { status: string };
    promotions: Seen[];
  }
  let server: ApiServer;
  let release: string;
  const open = async (): Promise<{ lastCursor: string; promotions: Seen[] }> =>
    (await api.ask(OPEN, { id: release })).release;
  const approve = (environment: string): Promise<unknown> =>
    api.ask(
      `mutation { promotionApprove(input: { releaseId: "${release}", environment: "${environment}" }) { ${ERRORS} } }`,
    );

  beforeAll(async () => {
    const text = [
      ...['start', 'middle', ...environments].map((name) => ({
        kind: 'Environment',
        metadata: { name, labels: { wide: 'yes' } },
        spec: { kind: 'NON_PRODUCTION' },
      })),
      {
        kind: 'EnvironmentGroup',
        metadata: { name: 'all' },
        spec: { environments: { names: environments }, gate: { policy: 'ALL' }, maxFailures: 0 },
      },
      {
        kind: 'PromotionFlow',
        metadata: { name: 'wide' },
        spec: {
          triggerEnvironment: 'start',
          steps: [
            { environment: 'middle', dependsOn: ['start'] },
            {
              group: 'all',
              dependsOn: ['middle'],
              approval: { rules: [{ count: 1 }], forbidInitiator: false, expiry: '24h' },
            },
          ],
        },
      },
      { kind: 'Product', metadata: { name: 'wide' }, spec: { promotionFlows: [{ name: 'wide' }] } },
      ...['start', 'middle', ...environments].map((environment) => ({
        kind: 'Application',
        metadata: { name: `wide-${environment}` },
        spec: { product: 'wide', environment, driver: { type: 'simulate' }, health: { type: 'none' } },
      })),
    ];
    // Applications name what is applied before them.
    for (const part of [text.slice(0, -COUNT), text.slice(-COUNT)]) {
      const manifests = part.map((each) => JSON.stringify({ apiVersion: 'sluice.dev/v1', ...each })).join('\n---\n');
      expect((await applyManifests(api.app, { text: manifests, dryRun: false }, 'ada')).errors).toEqual([]);
    }
    server = await startServer(api.app);
    release = await api.trigger({ product: 'wide', version: '1', flow: 'wide' });
    await api.startWorker();
    await api.reached(
      release,
      ({ promotions }) => promotions.filter(({ approval }) => approval !== null).length === environments.length,
    );
  }, 120_000);
  afterAll(() => server?.close());

  test.each([
    ['a portal that shows what is moving', OPEN, CHANGED],
    ['the page of a release', operationOfTheApp('Release'), operationOfTheApp('ReleaseChanged')],
  ])('costs %s at most 60 KiB to open and 2 KiB for a change, as they are sent', async (_, opening, changing) => {
    const body = JSON.stringify({ query: opening, variables: { id: release } });
    const headers = { 'content-type': 'application/json', 'accept-encoding': 'gzip' };
    const asked = request(`${server.url}/graphql`, { method: 'POST', headers }).end(body);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const sent = await buffer(answer);
    const { data } = JSON.parse(gunzipSync(sent).toString()) as {
      data: { release: { lastCursor: string; promotions: unknown[] } };
    };
    let next = opening === OPEN ? 0 : 2;
    expect(data.release.promotions).toHaveLength(COUNT);
    expect(sent.length).toBeLessThan(60 * 1_024);
    for (const transport of [overWebSocket, overEventStream]) {
      const { lastCursor } = await open();
      const watcher = await transport(server.url, { id: release, after: lastCursor }, changing);
      await approve(environments[next++]!);
      await eventually(() => expect(JSON.stringify(watcher.results)).toContain('SUCCEEDED'));
      for (const each of watcher.results) expect(Buffer.byteLength(JSON.stringify(each))).toBeLessThan(2 * 1_024);
      watcher.destroy();
    }
  });

  test('what changes painted over what was opened is what is read anew, also after a cut, and five times a second at most', async () => {
    const { promotions, lastCursor } = await open();
    const shown = new Map(promotions.map((each) => [each.name, each]));
    let cursor = lastCursor;
    let changes = 0;
    const paint = (results: { data?: unknown }[]): void => {
      for (const { data } of results) {
        const change = (data as { releaseChanged: Change }).releaseChanged;
        cursor = change.cursor;
        changes += 1;
        for (const each of change.promotions)
          if (each.sequence > (shown.get(each.name)?.sequence ?? 0)) shown.set(each.name, each);
      }
    };
    const watchFor = async (names: string[], transport: Transport): Promise<void> => {
      const from = performance.now();
      changes = 0;
      const watcher = await transport(server.url, { id: release, after: cursor }, CHANGED);
      await Promise.all(names.map(approve));
      await eventually(() => {
        paint(watcher.results.splice(0));
        expect(names.filter((each) => shown.get(each)?.status !== 'SUCCEEDED')).toEqual([]);
      });
      expect(changes).toBeLessThanOrEqual(Math.ceil((performance.now() - from) / 200) + 1);
      watcher.destroy();
    };
    await watchFor(environments.slice(10, 40), overWebSocket);
    // Nobody watches; what came meanwhile comes with the cursor.
    await Promise.all(environments.slice(40, 60).map(approve));
    await watchFor(environments.slice(60, 70), overEventStream);
    const read = await open();
    const without = ({ sequence: _, ...rest }: Seen): object => rest;
    const touched = new Set(environments.slice(10, 70));
    for (const each of read.promotions.filter(({ name }) => touched.has(name)))
      expect(without(shown.get(each.name)!)).toEqual(without(each));
  });
});
