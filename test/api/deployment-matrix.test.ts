import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdEnvironment } from '../../src/commands/hold-environment.ts';
import { markVersionBad } from '../../src/commands/mark-version.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { makeFolder, Repository } from '../drivers/repository.ts';
import { ENVIRONMENTS } from '../support/engine.ts';
import { approvalOf } from '../core/support/builders.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

let api: TestApi;
const folder = makeFolder();
let repository: Repository;

const CELLS = `productName cells { environmentName version { label digest } since drifted health { status at }
  release { uuid } inFlight { status startedAt release { uuid } } holds { reason } badVersions { reason }
  applications { applicationName version { label } } comparison { to relation behind ahead reason } }`;
const MATRIX = `query ($first: Int = 20, $after: String, $selector: DeploymentSelectorInput, $compareTo: String) {
  list: deploymentMatrix(first: $first, after: $after, selector: $selector, compareTo: $compareTo) {
    nodes { ${CELLS} } pageInfo { hasNextPage endCursor } } }`;
const HISTORY = `query ($product: String!, $environment: String!, $application: String, $first: Int = 20, $after: String) {
  list: deploymentHistory(product: $product, environment: $environment, application: $application, first: $first, after: $after) {
    nodes { applicationName version { label } since until end reason verifiedAt release { uuid } next { uuid } }
    pageInfo { hasNextPage endCursor } } }`;

// oxlint-disable-next-line typescript/no-explicit-any -- cells as they come
type Cell = any;
const cellsOf = (list: { nodes: { cells: Cell[] }[] }): Record<string, Cell> =>
  Object.fromEntries(list.nodes.flatMap(({ cells }) => cells.map((each) => [each.environmentName, each])));
const matrix = async (product: string, more: object = {}): Promise<Record<string, Cell>> =>
  cellsOf((await api.ask(MATRIX, { selector: { products: [product] }, ...more })).list);

const released: Record<string, string> = {};

beforeAll(async () => {
  repository = new Repository(
    folder,
    'config',
    Object.fromEntries(ENVIRONMENTS.map((each) => [`${each}/values.yaml`, 'tag: 1\n'])),
  );
  api = await openTestApi({ SLUICE_DATA_DIR: folder.path('data'), SLUICE_GIT_PROTOCOLS: 'file' });
  const worker = await api.startWorker();
  for (const product of ['shop', 'billing', 'waits']) await api.saveBilling(product);
  for (const version of ['1', '2']) {
    released[version] = await api.trigger({ product: 'billing', version });
    await api.ended(released[version]);
  }
  await api.saveBilling('waits', { approvals: { regions: approvalOf('1') }, concurrency: 'PIPELINE' });
  for (const version of ['7', '8']) {
    released[version] = await api.trigger({ product: 'waits', version });
    await api.reached(released[version], ({ promotions }) => promotions[1]?.status === 'SUCCEEDED');
  }
  await api.saveBilling('files', {
    driver: (path) => ({ type: 'git', repoURL: repository.url, branch: 'main', path }),
    approvals: { 'asia-2': approvalOf('1') },
    concurrency: 'PIPELINE',
  });
  await api.saveBilling('to-production');
  await worker.close();
}, 120_000);
afterAll(async () => {
  await api?.close();
  folder.remove();
});

describe('the table of products and environments', () => {
  test('says of each place what is live, since when, how it is and which release brought it', async () => {
    const cells = await matrix('billing');
    expect(Object.keys(cells)).toEqual([...ENVIRONMENTS].sort());
    const { eu } = cells;
    expect(eu).toMatchObject({
      version: { label: '2' },
      release: { uuid: released['2'] },
      health: { status: 'HEALTHY' },
      drifted: false,
      inFlight: [],
      holds: [],
      badVersions: [],
      applications: [{ applicationName: 'billing-eu', version: { label: '2' } }],
      comparison: { to: 'dev', relation: 'SAME', behind: 0, ahead: 0, reason: null },
    });
    expect(Date.parse(eu.health.at)).toBeGreaterThanOrEqual(Date.parse(eu.since));
  });

  test('a place to which nothing was brought is there, and says so', async () => {
    const { eu } = await matrix('shop');
    expect(eu).toEqual({
      environmentName: 'eu',
      version: null,
      since: null,
      drifted: false,
      health: null,
      release: null,
      inFlight: [],
      holds: [],
      badVersions: [],
      applications: [],
      comparison: null,
    });
  });

  test('shows what is on its way: the promotion at work first, then by the order of the releases', async () => {
    const { eu, dev } = await matrix('waits');
    expect(eu.inFlight).toMatchObject([
      { status: 'SUSPENDED', startedAt: null, release: { uuid: released['7'] } },
      { status: 'WAITING', startedAt: null, release: { uuid: released['8'] } },
    ]);
    expect(dev).toMatchObject({ version: { label: '8' }, inFlight: [] });
  });

  test('where commits cannot be counted the order of the releases says who is behind, and why no number is there', async () => {
    const { staging } = await matrix('waits', { compareTo: 'eu' });
    expect(staging.comparison).toEqual({
      to: 'eu',
      relation: 'UNKNOWN',
      behind: null,
      ahead: null,
      reason: 'nothing of the product is live in eu',
    });
    const billing = await matrix('billing', { compareTo: 'nowhere' });
    expect(billing['eu'].comparison).toMatchObject({ to: 'nowhere', relation: 'UNKNOWN' });
  });

  test('holds, marks, drift and reports stand at their places', async () => {
    const { app } = api;
    const drift = { since: '2026-03-01T12:00:00.000Z', files: ['values.yaml'] };
    await holdEnvironment(app, { environment: 'eu', product: 'billing', reason: 'an audit' }, 'ada');
    await holdEnvironment(app, { environment: 'asia', reason: 'of all products' }, 'ada');
    await markVersionBad(app, { product: 'billing', version: '2', environment: 'us-east', reason: 'leaks' }, 'ada');
    await app.pool.query(
      `UPDATE deployment SET drift = $1 WHERE product = 'billing' AND environment = 'eu' AND version = '2'`,
      [JSON.stringify(drift)],
    );
    await api.ask(
      `mutation { healthReport(input: { application: "billing-asia", status: DEGRADED, message: "slow" }) { accepted } }`,
    );
    const cells = await matrix('billing');
    expect(cells['eu']).toMatchObject({ holds: [{ reason: 'an audit' }], drifted: true, badVersions: [] });
    expect(cells['asia']).toMatchObject({ holds: [{ reason: 'of all products' }], health: { status: 'DEGRADED' } });
    expect(cells['us-east']).toMatchObject({ holds: [], badVersions: [{ reason: 'leaks' }], drifted: false });
    expect((await matrix('shop'))['eu'].holds).toEqual([]);
  });

  test('pages by product, and the selector leaves out what it does not name', async () => {
    const page = async (after: string | null) => (await api.ask(MATRIX, { first: 2, after })).list;
    const first = await page(null);
    const second = await page(first.pageInfo.endCursor);
    const third = await page(second.pageInfo.endCursor);
    const names = [first, second, third].map((list) =>
      list.nodes.map((each: { productName: string }) => each.productName),
    );
    expect(names).toEqual([['billing', 'files'], ['shop', 'to-production'], ['waits']]);
    expect(third.pageInfo.hasNextPage).toBe(false);
    const selector = { environments: ['eu', 'dev'], applications: ['billing-eu', 'shop-dev'] };
    const { list } = await api.ask(MATRIX, { selector });
    expect(list.nodes.map((each: { cells: Cell[] }) => each.cells.map((cell) => cell.environmentName))).toEqual([
      ['eu'],
      ['dev'],
    ]);
  });

  test('costs the same statements for one product as for all of them', async () => {
    await api.ask(MATRIX);
    const one = await api.statements(() => api.ask(MATRIX, { selector: { products: ['waits'] } }));
    const all = await api.statements(() => api.ask(MATRIX));
    expect(all).toBeLessThanOrEqual(one + 2);
    expect(one).toBeLessThan(15);
  });

  test('is loaded by what is seen: its sides once, then the cells of rows and columns, each part for the same statements', async () => {
    const SIDES = '{ deploymentMatrixAxes { productNames environmentNames productionNames } }';
    const { deploymentMatrixAxes: sides } = await api.ask(SIDES);
    expect(sides).toEqual({
      productNames: ['billing', 'files', 'shop', 'to-production', 'waits'],
      environmentNames: [...ENVIRONMENTS].sort(),
      productionNames: ['asia', 'eu', 'us-east'],
    });
    // Whether definitions have changed.
    expect(await api.statements(() => api.ask(SIDES))).toBeLessThanOrEqual(1);
    const part = (products: string[], environments: string[]) => ({ selector: { products, environments } });
    const whole = (await api.ask(MATRIX)).list.nodes as { productName: string; cells: Cell[] }[];
    const [rows, columns] = [sides.productNames.slice(1, 3), sides.environmentNames.slice(2, 5)];
    const seen = (await api.ask(MATRIX, part(rows, columns))).list.nodes;
    const there = ({ environmentName }: Cell): boolean => columns.includes(environmentName);
    const expected = whole
      .filter(({ productName }) => rows.includes(productName))
      .map((row) => ({ ...row, cells: row.cells.filter(there) }));
    expect(seen).toEqual(expected);
    const cost = (...of: Parameters<typeof part>) => api.statements(() => api.ask(MATRIX, part(...of)));
    expect(await cost(rows, columns)).toBeLessThanOrEqual((await cost(['billing'], ['eu'])) + 2);
    const limited = await api.askAs('vi', SIDES, {}, 'VIEWER', {
      products: { names: ['billing'] },
      environments: { names: ['eu'] },
    });
    expect(limited.deploymentMatrixAxes).toEqual({
      productNames: ['billing'],
      environmentNames: ['eu'],
      productionNames: ['eu'],
    });
  });

  test('is paid for by what it holds', async () => {
    const few = await api.within({}, MATRIX, { selector: { products: ['billing'] } });
    const cells = 6;
    expect(few.spent.values).toBeGreaterThan(cells * 12);
    const { errors } = await api.within({ values: 200 }, MATRIX);
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'TOO_EXPENSIVE' });
  });

  test('a viewer of one environment sees its places, and cannot compare with others', async () => {
    const where = { products: { names: ['billing'] }, environments: { names: ['eu'] } };
    const { list } = await api.askAs('vera', MATRIX, {}, 'VIEWER', where);
    expect(list.nodes).toHaveLength(1);
    const { eu, ...others } = cellsOf(list);
    expect(others).toEqual({});
    expect(eu.comparison).toMatchObject({ relation: 'UNKNOWN', reason: 'nothing of the product is live in dev' });
    expect(
      (await api.askAs('vera', HISTORY, { product: 'billing', environment: 'asia' }, 'VIEWER', where)).list.nodes,
    ).toEqual([]);
  });
});

test('with git the number of commits says how far a place is behind', async () => {
  const worker = await api.startWorker();
  repository.commit({ 'dev/values.yaml': 'tag: 2\n' }, 'Two');
  const first = await api.trigger({ product: 'files' });
  // asia is on hold.
  await api.reached(first, ({ promotions }) => promotions.filter(({ status }) => status === 'SUCCEEDED').length === 4);
  repository.commit({ 'dev/values.yaml': 'tag: 3\n' }, 'Three\n\nFixes #12.');
  repository.commit({ 'dev/values.yaml': 'tag: 4\n' }, 'Four');
  repository.commit({ 'elsewhere/readme': 'x\n' }, 'Elsewhere');
  await holdEnvironment(api.app, { environment: 'staging', product: 'files', reason: 'stay' }, null);
  const second = await api.trigger({ product: 'files' });
  released['second'] = second;
  await api.reached(second, ({ promotions }) => promotions[0]?.status === 'SUCCEEDED');
  await worker.close();
  repository.commit({ 'dev/values.yaml': 'tag: 5\n' }, 'Five');
  const cells = await matrix('files');
  expect(cells['eu'].comparison).toEqual({ to: 'dev', relation: 'BEHIND', behind: 2, ahead: 0, reason: null });
  expect((await matrix('files', { compareTo: 'eu' }))['dev'].comparison).toMatchObject({ relation: 'AHEAD', ahead: 2 });
  expect((await matrix('files', { compareTo: 'us-east' }))['eu'].comparison).toMatchObject({ relation: 'SAME' });
}, 60_000);

const NOTES = `environmentName from { label } to { label } added gone reason authors issues { key } commits { application subject author issues { key } }`;
const OF_RELEASE = `query ($id: ID!, $environments: [String!]) { notes: releaseNotes(releaseId: $id, environments: $environments) { ${NOTES} } }`;
const COMING = `query ($input: ReleaseTriggerInput!, $environments: [String!]) {
  payload: comingReleaseNotes(input: $input, environments: $environments) { notes { ${NOTES} } userErrors { code message path } } }`;

describe('the notes of a release', () => {
  test('are the commits since what was there before, with their authors and issues, per environment', async () => {
    const { notes } = await api.ask(OF_RELEASE, { id: released['second'] });
    const [staging, asia] = ['staging', 'asia'].map((name) =>
      notes.find((each: { environmentName: string }) => each.environmentName === name),
    );
    expect(notes.map((each: { environmentName: string }) => each.environmentName)).not.toContain('dev');
    expect(staging).toMatchObject({
      added: 2,
      gone: 0,
      reason: null,
      authors: ['Ada'],
      issues: [{ key: '#12' }],
      commits: [
        { application: 'files-dev', subject: 'Four', issues: [] },
        { application: 'files-dev', subject: 'Three', issues: [{ key: '#12' }] },
      ],
    });
    expect(asia).toMatchObject({ from: null, added: null, commits: [], reason: 'nothing was there before' });
    const some = await api.ask(OF_RELEASE, { id: released['second'], environments: ['eu'] });
    expect(some.notes).toMatchObject([{ environmentName: 'eu', added: 2 }]);
  });

  test('of a release of old are about what was there before it', async () => {
    const { notes } = await api.ask(OF_RELEASE, { id: released['2'], environments: ['eu'] });
    expect(notes).toMatchObject([
      { from: { label: '1' }, to: { label: '2' }, reason: expect.stringContaining('commit') },
    ]);
  });

  test('that is not triggered yet say what would go', async () => {
    const { payload } = await api.ask(COMING, { input: { product: 'files' }, environments: ['eu', 'asia'] });
    expect(payload.userErrors).toEqual([]);
    expect(payload.notes).toMatchObject([
      { environmentName: 'asia', from: null, reason: 'nothing was there before' },
      {
        environmentName: 'eu',
        to: null,
        added: 3,
        commits: [{ subject: 'Five' }, { subject: 'Four' }, { subject: 'Three' }],
      },
    ]);
    const none = await api.ask(COMING, { input: { product: 'nope' } });
    expect(none.payload).toMatchObject({ notes: [], userErrors: [{ path: ['input', 'product'] }] });
  });

  test('are told to those alone who see the environments', async () => {
    const where = { products: { names: ['files'] }, environments: { names: ['eu'] } };
    const of = async (id: string) => (await api.askAs('vera', OF_RELEASE, { id }, 'VIEWER', where)).notes;
    expect(await of(released['second']!)).toMatchObject([{ environmentName: 'eu' }]);
    expect(await of(released['2']!)).toEqual([]);
    expect(await of('00000000-0000-4000-8000-00000000dead')).toEqual([]);
    const coming = api.askAs('vera', COMING, { input: { product: 'files' } }, 'VIEWER', where);
    await expect(coming).rejects.toThrow(/not allowed to VIEW/);
  });
});

describe('the history of an environment', () => {
  test('says from when to when a version was there, who brought it, and why it went', async () => {
    const worker = await api.startWorker();
    const order = { product: 'billing', environments: ['us-east'], reason: 'it leaks' };
    const { value } = await startManualRollback(api.app, order, 'ada');
    await api.ended(value!.rollbackId);
    await worker.close();
    const { list } = await api.ask(HISTORY, { product: 'billing', environment: 'us-east' });
    expect(list.nodes).toMatchObject([
      {
        version: { label: '1' },
        until: null,
        end: 'LIVE',
        reason: null,
        release: { uuid: value!.rollbackId },
        next: null,
      },
      {
        version: { label: '2' },
        end: 'ROLLED_BACK',
        reason: 'it leaks',
        release: { uuid: released['2'] },
        next: { uuid: value!.rollbackId },
      },
      {
        version: { label: '1' },
        end: 'REPLACED',
        reason: null,
        release: { uuid: released['1'] },
        next: { uuid: released['2'] },
      },
    ]);
    for (const [index, each] of list.nodes.slice(1).entries()) expect(each.until).toBe(list.nodes[index].since);
    // A rollback brings another version to each environment: that one is shown, and is behind where versions begin.
    expect((await matrix('billing'))['us-east']).toMatchObject({ version: { label: '1' }, badVersions: [] });
  });

  test('goes on page by page, also of an application that is not defined any more', async () => {
    await api.app.pool.query(
      `UPDATE deployment SET application = 'gone' WHERE product = 'billing' AND environment = 'asia-2' AND version = '1'`,
    );
    const page = async (after: string | null, more: object = {}) =>
      (await api.ask(HISTORY, { product: 'billing', environment: 'asia-2', first: 1, after, ...more })).list;
    const first = await page(null);
    const second = await page(first.pageInfo.endCursor);
    expect(
      [...first.nodes, ...second.nodes].map((each) => [each.applicationName, each.version.label, each.end]),
    ).toEqual([
      ['billing-asia-2', '2', 'LIVE'],
      ['gone', '1', 'LIVE'],
    ]);
    expect(second.pageInfo.hasNextPage).toBe(false);
    expect((await page(null, { application: 'gone' })).nodes).toHaveLength(1);
    expect((await page(null, { environment: 'nowhere' })).nodes).toEqual([]);
  });
});

test('the four figures of an environment come from what was recorded', async () => {
  const METRICS = `query ($environment: String!, $since: DateTime) {
    figures: deliveryMetrics(product: "billing", environment: $environment, since: $since) {
      deployments deploymentsPerDay leadTime { count } failed changeFailureRate timeToRestore { count } unrestored truncated } }`;
  const of = async (environment: string, since?: string) => (await api.ask(METRICS, { environment, since })).figures;
  expect(await of('us-east')).toEqual({
    deployments: 2,
    deploymentsPerDay: 2 / 30,
    // Simulated targets have no commits.
    leadTime: null,
    failed: 1,
    changeFailureRate: 0.5,
    timeToRestore: { count: 1 },
    unrestored: 0,
    truncated: false,
  });
  expect(await of('nowhere')).toMatchObject({ deployments: 0, changeFailureRate: null });
  await expect(of('eu', '2020-01-01T00:00:00Z')).rejects.toThrow(/400 days/);
});
