import { expect, test } from 'vitest';
import type { StoredDefinition } from '../../../src/core/definitions.ts';
import { arrive } from '../../../src/core/trigger/arrive.ts';
import type { Changed } from '../../../src/core/trigger/arrive.ts';
import { EXPIRY, nextStep } from '../../../src/core/trigger/next-step.ts';
import { repositoryKey } from '../../../src/core/trigger/repository.ts';
import { triggerSettings } from '../../../src/core/trigger/settings.ts';
import { triggerSources } from '../../../src/core/trigger/sources.ts';

type Product = StoredDefinition<'Product'>;
type Flow = StoredDefinition<'PromotionFlow'>;

const product = (spec: Partial<Product['spec']> = {}): Product =>
  ({
    kind: 'Product',
    metadata: { name: 'shop', labels: {}, annotations: {} },
    spec: { promotionFlows: [], ...spec },
  }) as unknown as Product;
const flow = (name: string, spec: Partial<Flow['spec']> = {}): Flow =>
  ({
    kind: 'PromotionFlow',
    metadata: { name, labels: {}, annotations: {} },
    spec: { triggerEnvironment: 'dev', steps: [], productSelector: {}, ...spec },
  }) as unknown as Flow;
const commit = (id: string, message: string, date = '2026-01-01T00:00:00Z') => ({
  commit: id.padEnd(40, '0'),
  author: 'Ada <ada@example.com>',
  message,
  date,
});
const changed = (application: string, commits: ReturnType<typeof commit>[], touched?: string[]): Changed => ({
  application,
  branch: 'main',
  verdict: { commits, chain: 0, ...(touched && { touched }) },
});

test('the newest commit chooses the flow, and the notes tell of all that came, newest first', () => {
  const hotfix = {
    name: 'fast',
    gitTriggerSelectors: [{ key: 'commitMessage' as const, operator: 'In' as const, values: ['*hotfix*'] }],
  };
  const arrived = arrive({
    product: product({ promotionFlows: [hotfix] }),
    flows: [flow('fast', { productSelector: undefined }), flow('slow')],
    environment: 'dev',
    changed: [
      changed('api', [commit('a', 'a feature', '2026-01-02T00:00:00Z')]),
      changed('web', [commit('b', 'a hotfix\n\nnow', '2026-01-03T00:00:00Z'), commit('c', 'older')]),
    ],
  });
  expect(arrived).toMatchObject({ kind: 'CANDIDATE', flow: 'fast', coalesce: 2_000, branch: 'main' });
  expect(
    arrived.kind === 'CANDIDATE' && arrived.notes.map(({ application, subject }) => [application, subject]),
  ).toEqual([
    ['web', 'a hotfix'],
    ['api', 'a feature'],
    ['web', 'older'],
  ]);
});

test.each([
  ['off for the product', { trigger: { automatic: false } }, {}, 'automatic triggers are off'],
  [
    'off for the flow',
    { trigger: { automatic: true } },
    { trigger: { automatic: false } },
    'automatic triggers are off',
  ],
  ['another branch', {}, { trigger: { branches: ['release-*'] } }, 'changes on branch "main" do not trigger'],
  [
    'ignored by both together',
    { trigger: { ignorePaths: ['*.md'] } },
    { trigger: { ignorePaths: ['docs/*'] } },
    'all paths that changed are ignored',
  ],
])('nothing becomes of a change that is %s', (_name, own, shared, why) => {
  const arrived = arrive({
    product: product(own),
    flows: [flow('slow', shared)],
    environment: 'dev',
    changed: [changed('api', [commit('a', 'x')], ['README.md', 'docs/a.txt'])],
  });
  expect(arrived).toMatchObject({ kind: 'NOTHING', why: expect.stringContaining(why) });
});

test('each field of the product goes before that of the flow', () => {
  const said = triggerSettings(
    { trigger: { coalesce: 0 } },
    { trigger: { coalesce: 5_000, interval: 30_000, branches: ['main'] } },
  );
  expect(said).toEqual({ automatic: true, branches: ['main'], coalesce: 0, interval: 30_000, ignorePaths: [] });
});

test('an application is looked at as often as the flow that asks for it most, and not where nothing may travel', () => {
  const git = { type: 'git' as const, repoURL: 'https://git.example.com/shop.git', branch: 'main', path: 'dev' };
  const application = (name: string, environment: string) =>
    ({
      kind: 'Application',
      metadata: { name, labels: {}, annotations: {} },
      spec: { product: 'shop', environment, driver: git },
    }) as unknown as StoredDefinition<'Application'>;
  const sources = triggerSources({
    products: new Map([['shop', product()]]),
    flows: [
      flow('a', { trigger: { interval: 30_000 } }),
      flow('b'),
      flow('c', { triggerEnvironment: 'qa', productSelector: { names: ['other'] } }),
    ],
    applicationsOf: () => [application('shop-dev', 'dev'), application('shop-qa', 'qa'), application('shop-eu', 'eu')],
  });
  expect(sources.map(({ application: name, interval }) => [name, interval])).toEqual([['shop-dev', 30_000]]);
});

test.each([
  ['https://Git.Example.com/acme/shop.git', 'https://git.example.com/acme/shop'],
  ['https://bot:secret@git.example.com/acme/shop/', 'https://git.example.com/acme/shop'],
  ['git@git.example.com:acme/shop.git', 'ssh://git.example.com/acme/shop'],
  ['ssh://git@git.example.com/acme/shop.git', 'ssh://git.example.com/acme/shop'],
  ['/srv/git/shop.git', '/srv/git/shop'],
])('%s is %s', (spelled, key) => expect(repositoryKey(spelled)).toBe(key));

const open = { status: 'WAITING' as const, coalescedAt: 1_000, expiresAt: EXPIRY, attempts: 0 };
const standing = { application: 'shop-dev', synced: true, health: 'HEALTHY' as const, message: '' };

test('a candidate waits for pushes, then for the end of a pause, then for its environment, and is released then', () => {
  expect(nextStep({ ...open, status: 'COALESCING' }, { now: 500, pause: null })).toMatchObject({
    kind: 'WAIT',
    status: 'COALESCING',
    dueAt: 1_000,
  });
  const pause = { reason: 'freeze', by: 'ada', until: 2_000 };
  expect(nextStep(open, { now: 1_000, pause })).toMatchObject({
    kind: 'WAIT',
    reason: 'automatic triggers are paused until 1970-01-01T00:00:02.000Z by ada: freeze',
    dueAt: 2_000,
    expiresAt: 1_000 + EXPIRY,
  });
  expect(nextStep(open, { now: 1_000, pause: null })).toEqual({ kind: 'ASK' });
  const late = {
    ...standing,
    application: 'shop-web',
    synced: false,
    message: 'shop-web runs 1, not 2',
    recheckAfter: 4_000,
  };
  expect(nextStep(open, { now: 1_000, pause: null, standing: [standing, late] })).toMatchObject({
    kind: 'WAIT',
    reason: 'waits for the trigger environment: shop-web runs 1, not 2',
    dueAt: 5_000,
  });
  expect(nextStep(open, { now: 1_000, pause: null, standing: [standing] })).toEqual({ kind: 'RELEASE' });
});

test('a source that asks for a pause gets it, after a failure and between two looks', () => {
  const failed = { now: 1_000, pause: null, failed: 'too many requests' };
  expect(nextStep(open, { ...failed, retryAfter: 120_000 })).toMatchObject({ kind: 'WAIT', dueAt: 121_000 });
  expect(nextStep(open, failed)).toMatchObject({ kind: 'WAIT', dueAt: 3_000 });
  const busy = { ...standing, health: 'UNKNOWN' as const, recheckAfter: 120_000 };
  expect(nextStep(open, { now: 1_000, pause: null, standing: [busy] })).toMatchObject({ dueAt: 121_000 });
  const reported = { ...standing, health: 'UNKNOWN' as const };
  expect(nextStep(open, { now: 1_000, pause: null, standing: [busy, reported] })).toMatchObject({ dueAt: 31_000 });
});

test('of one application the order is that of git, whatever the clocks of its committers say', () => {
  const ahead = commit('b', 'from a clock that is ahead', '2036-01-01T00:00:00Z');
  const arrived = arrive({
    product: product(),
    flows: [flow('main')],
    environment: 'dev',
    changed: [
      changed('api', [commit('c', 'the newest', '2026-01-02T00:00:00Z'), ahead, commit('a', 'the oldest')]),
      changed('web', [commit('d', 'between', '2026-01-01T12:00:00Z')]),
    ],
  });
  expect(arrived).toMatchObject({ kind: 'CANDIDATE', newest: { message: 'the newest' } });
  expect(arrived.kind === 'CANDIDATE' && arrived.notes.map(({ subject }) => subject)).toEqual([
    'the newest',
    'from a clock that is ahead',
    'between',
    'the oldest',
  ]);
});

test('what it waits for has an end, and what fails is tried less and less often until then', () => {
  const sick = { ...standing, health: 'DEGRADED' as const };
  expect(nextStep(open, { now: EXPIRY, pause: null, standing: [sick] })).toEqual({
    kind: 'END',
    status: 'FAILED',
    reason: 'given up after 24 hours; it waits for the trigger environment: shop-dev is DEGRADED',
  });
  const tries = [0, 1, 2, 30].map((attempts) =>
    nextStep({ ...open, attempts }, { now: 0, pause: null, failed: 'no route' }),
  );
  expect(tries.map((each) => each.kind === 'WAIT' && each.dueAt)).toEqual([2_000, 4_000, 8_000, 300_000]);
  expect(nextStep(open, { now: EXPIRY, pause: null, failed: 'no route' })).toMatchObject({
    kind: 'END',
    status: 'FAILED',
  });
});
