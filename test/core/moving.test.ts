import { describe, expect, test } from 'vitest';
import { matchesSelector } from '../../src/core/selectors.ts';
import { approvalOf, flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

describe('a decision', () => {
  test('leaves the state alone that it was made from', () => {
    const release = started('dev > {eu, asia} as regions > z');
    const steps: ((play: Play) => unknown)[] = [
      (play) => play.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: SECOND }),
      (play) => play.wake(),
      (play) => play.report('dev', { kind: 'transient', message: 'no route' }),
      (play) => play.wake(),
      (play) => play.succeed('dev', 'eu', 'asia'),
      (play) => play.answer('regions', { eu: 'PROGRESSING' }),
      (play) => play.wake(),
      (play) => play.answer('regions'),
      (play) => play.succeed('z'),
    ];
    for (const step of steps) {
      const [state, copy] = [release.state, structuredClone(release.state)];
      step(release);
      expect(state).toEqual(copy);
    }
    expect(release.state.status).toBe('SUCCEEDED');
  });

  test('without events does not move the time of the last one', () => {
    const release = started('dev > eu');
    const { lastEventAt } = release.state;
    release.later(MINUTE);
    expect(release.state.lastEventAt).toBe(lastEventAt);
    release.succeed('dev');
    expect(release.state.lastEventAt).toBe(release.now);
  });

  test('tells why something ended, and until when something waits', () => {
    const soaking = started(flowOf('dev > eu', { steps: { eu: { soak: MINUTE } } })).succeed('dev');
    while (soaking.running('eu').length > 0) soaking.report('eu', { kind: 'succeeded' });
    const event = (type: string) => soaking.events.map((each) => each.event).find((each) => each.type === type);
    expect(event('PromotionWaiting')).toMatchObject({ earliest: new Date(soaking.now + MINUTE).toISOString() });
    soaking.tell({ kind: 'terminate', reason: 'enough', by: null });
    expect(event('PromotionTerminated')).toMatchObject({ environment: 'eu', reason: 'enough' });
  });

  test('what is skipped after a failure elsewhere has no problem of its own', () => {
    const release = started('dev > eu > z').succeed('dev').fail('eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, z SKIPPED');
    expect(release.promotion('z').problem).toBeNull();
    const skipped = release.events.map((each) => each.event).find((each) => each.type === 'PromotionSkipped');
    expect(skipped).toMatchObject({ environment: 'z', reason: 'another environment failed' });
  });
});

test('one that fails stops what stands before it in the plan, too', () => {
  const release = started(flowOf('dev > {us, eu} > z', { onFailure: 'STOP' })).succeed('dev');
  release.report('us', { kind: 'pending', reason: 'rolling out', recheckAfter: MINUTE });
  release.fail('eu');
  expect(release.picture).toBe('dev SUCCEEDED, us TERMINATED, eu FAILED, z SKIPPED');
  expect(release.state.status).toBe('FAILED');
});

describe('the plan of a workflow step', () => {
  const plan = planOf(
    flowOf('dev > [tests] > eu', {
      steps: { tests: { approval: approvalOf('1'), timeout: MINUTE, name: 'smoke' }, eu: { dependsOn: ['smoke'] } },
    }),
    { workflows: { tests: ['a > b', 'c'] } },
  );
  const [, smoke, eu] = plan.promotions;

  test('has its own name, its limits and its people, and promotes nothing', () => {
    expect(smoke).toMatchObject({
      name: 'smoke',
      environment: null,
      production: false,
      timeout: MINUTE,
      approval: { rules: [{ count: 1 }] },
    });
    expect(eu).toMatchObject({ approval: null, timeout: null, production: true, dependsOn: [{ promotion: 1 }] });
  });

  test('warns of applications whose health nobody knows, and of no other', () => {
    const health = (environment: string) => ({ type: environment === 'eu' ? 'none' : 'report' }) as const;
    expect(planOf('dev > eu', { health }).warnings).toEqual([
      'application "billing-eu" in "eu" has no health source: it counts as healthy as soon as its change is made',
    ]);
    expect(planOf('dev > eu').warnings).toEqual([]);
    expect(planOf('dev > eu').signsCommits).toBe(true);
  });
});

test('a soak speaks of its own application', () => {
  const flow = flowOf('dev > eu', { steps: { eu: { soak: MINUTE } } });
  const release = started(flow, { applications: { dev: 2, eu: 2 } }).succeed('dev');
  while (release.running('eu').length > 0) release.report('eu', { kind: 'succeeded' });
  const news = { environment: 'eu', application: 'billing-api-eu' } as const;
  release.tell({ kind: 'health-reported', ...news, status: 'PROGRESSING', message: '1 of 3' });
  expect(
    release
      .steps('eu')
      .map((each) => each.reason)
      .filter(Boolean),
  ).toEqual(['soaks for 60 s', 'billing-api-eu is PROGRESSING: 1 of 3']);
  release.tell({ kind: 'health-reported', ...news, status: 'DEGRADED' });
  expect(release.promotion('eu').problem?.message).toBe('billing-api-eu became DEGRADED while soaking');
});

test.each<[Parameters<typeof matchesSelector>[0], boolean]>([
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['gold', 'silver'] }] }, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['silver'] }] }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['pay'] }] }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['gold'] }] }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['silver'] }] }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['pay'] }] }, true],
])('%j selects what is gold: %s', (selector, expected) => {
  expect(matchesSelector(selector, { name: 'eu', labels: { tier: 'gold' } })).toBe(expected);
});
