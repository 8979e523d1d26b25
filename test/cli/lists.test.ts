import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvalOf } from '../core/support/builders.ts';
import { openServed, type Served } from './served.ts';

let served: Served;
beforeAll(async () => {
  served = await openServed();
});
afterAll(() => served?.close());

const SITES = ['site-1', 'site-2', 'site-10', 'site-9'];

/** A product that goes to four sites at once, each of which asks people first. */
async function saveSites(): Promise<void> {
  const { engine } = served;
  for (const environment of SITES) await engine.save('Environment', environment, { kind: 'NON_PRODUCTION' });
  await engine.save('EnvironmentGroup', 'sites', {
    environments: { names: SITES },
    gate: { policy: 'ALL' },
    maxFailures: 0,
  });
  await engine.save('PromotionFlow', 'to-sites', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [{ group: 'sites', dependsOn: ['dev'], approval: approvalOf('1', { forbidInitiator: false }) }],
  });
  await engine.save('Product', 'sites', {
    promotionFlows: [{ name: 'to-sites' }],
    concurrency: 'QUEUE',
    queueLimit: 50,
  } as never);
  for (const environment of ['dev', ...SITES])
    await engine.save('Application', `sites-${environment}`, {
      product: 'sites',
      environment,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
}

const ORDER = /site-1\b[^]*site-2\b[^]*site-9\b[^]*site-10\b/;

test('members of a group stand by name as people count, in a release, its plan, the inbox and the matrix', async () => {
  await saveSites();
  const { out } = await served.sluice('release', 'sites', '--version', '1', '--flow', 'to-sites', '-o', 'name');
  const release = out.trim();
  await expect.poll(async () => (await served.sluice('get', 'approvals', '-o', 'name')).out.split('\n').length).toBe(5);
  expect((await served.sluice('get', 'approvals')).out).toMatch(ORDER);
  expect((await served.sluice('get', 'release', release)).out).toMatch(ORDER);
  expect((await served.sluice('plan', 'sites', '--version', '2', '--flow', 'to-sites', '--no-diff')).out).toMatch(
    ORDER,
  );
  expect((await served.sluice('matrix', 'sites')).out).toMatch(ORDER);
});

test.each([
  ['get', 'bad-versions'],
  ['get', 'tokens'],
  ['get', 'holds'],
  ['webhook', 'list'],
])('%s %s -o name prints nothing where there is none', async (...words) => {
  expect(await served.sluice(...words, '-o', 'name')).toEqual({ code: 0, out: '', err: '' });
});

test('more releases are listed than a page has, and a list that is cut says so', async () => {
  for (let version = 1; version <= 105; version += 1)
    await served.engine.trigger({ product: 'billing', version: `${version}` });
  const all = await served.sluice('get', 'releases', '--product', 'billing', '--limit', '200', '-o', 'name');
  expect(all.out.trim().split('\n')).toHaveLength(105);
  expect(new Set(all.out.trim().split('\n')).size).toBe(105);
  expect(all.err).toBe('');
  const cut = await served.sluice('get', 'releases', '--product', 'billing', '-o', 'name');
  expect(cut.out.trim().split('\n')).toHaveLength(100);
  expect(cut.err).toBe('There are more than these 100. See: sluice get releases --limit NUMBER\n');
});

test('what is cut on the way to status is told, too', async () => {
  for (let at = 1; at <= 101; at += 1)
    expect((await served.sluice('hold', at % 2 ? 'eu' : 'asia', '--reason', `r${at}`)).code).toBe(0);
  const { err } = await served.sluice('status');
  expect(err).toBe('There are more than these 100. See: sluice get holds --limit NUMBER\n');
}, 60_000);
