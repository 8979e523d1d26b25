import { expect, test } from 'vitest';
import type { AnyDefinition } from '../../src/core/definitions.ts';
import { spell } from '../../src/core/duration.ts';
import { checkDefinition } from '../../src/core/validate.ts';
import { doubtfulDurations } from '../../src/core/validate/durations.ts';
import { flowOf, metadata } from './support/builders.ts';

const workflow = (duration: unknown): AnyDefinition => ({
  kind: 'PromotionWorkflow',
  metadata: metadata('checks'),
  spec: { actions: [{ name: 'wait', type: 'simulate', parameters: { duration } }] },
});

test('a stored flow says where a bare number was read as milliseconds, and what to write', () => {
  const { spec } = flowOf('dev > eu', { timeout: 30, steps: { eu: { soak: 10, timeout: 60_000 } } });
  const found = doubtfulDurations({ kind: 'PromotionFlow', metadata: metadata('f'), spec });
  expect(found.map(({ path }) => path.join('.')).sort()).toEqual(['spec.steps.0.soak', 'spec.timeout']);
  expect(found.find(({ path }) => path.length === 2)?.message).toBe(
    'timeout is 30ms: a bare number was read as milliseconds; write 30s, 30m or 30h',
  );
});

test('a window of eight milliseconds is one of them', () => {
  const spec = { cron: '0 9 * * *', duration: 8, kind: 'ALLOW', timeZone: 'UTC', holds: ['PROMOTE'] } as never;
  const found = doubtfulDurations({ kind: 'ReleaseWindow', metadata: metadata('w'), spec });
  expect(found.map(({ path }) => path)).toEqual([['spec', 'duration']]);
});

test('nothing, a whole second and what is no length are not doubted', () => {
  const spec = { timeout: 0, maxAge: 1_000, soak: '5', maxParallel: 5 } as never;
  expect(doubtfulDurations({ kind: 'PromotionFlow', metadata: metadata('f'), spec })).toEqual([]);
});

test('what may be short is not doubted: pauses between tries, what an application is asked', () => {
  const { spec } = workflow('2s') as Extract<AnyDefinition, { kind: 'PromotionWorkflow' }>;
  const action = { ...spec.actions[0], retry: { limit: 3, backoff: 100, maxDelay: 900 } } as never;
  expect(
    doubtfulDurations({ kind: 'PromotionWorkflow', metadata: metadata('w'), spec: { actions: [action] } }),
  ).toEqual([]);
});

test.each([2000, '2000', ' 5 '])(
  'a parameter that is the bare number %j is refused when it is saved, and listed where it is',
  (bare) => {
    const path = ['spec', 'actions', 0, 'parameters', 'duration'];
    expect(checkDefinition(workflow(bare))).toMatchObject([{ path }]);
    expect(doubtfulDurations(workflow(bare))).toMatchObject([{ path }]);
  },
);

test.each(['2s', '${PAUSE}', 0, '0', undefined])('the parameter %j is taken', (duration) => {
  expect(checkDefinition(workflow(duration))).toEqual([]);
  expect(doubtfulDurations(workflow(duration))).toEqual([]);
});

test.each([
  [20_000, '20s'],
  [86_400_000, '24h'],
  [2 * 86_400_000, '2d'],
  [0, '0s'],
])('%i ms are told as %s', (milliseconds, words) => {
  expect(spell(milliseconds)).toBe(words);
});
