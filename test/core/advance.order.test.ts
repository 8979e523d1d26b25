import { describe, expect, test } from 'vitest';
import { ownedSteps } from '../../src/core/advance.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { Play, started } from './support/play.ts';
import { advance } from './support/advance.ts';

describe('what starts, and when', () => {
  test('a release starts with its trigger environment', () => {
    const release = started('dev > staging');
    expect(release.picture).toBe('dev RUNNING');
    expect(release.last.work).toEqual([
      { kind: 'dispatch', promotions: [{ promotion: 0, attempt: 1, dispatch: 1 }], join: false },
    ]);
  });

  test('one after the other: each starts when the one before it has succeeded', () => {
    const release = started('dev > staging > eu');
    expect(release.succeed('dev').picture).toBe('dev SUCCEEDED, staging RUNNING');
    expect(release.succeed('staging').picture).toBe('dev SUCCEEDED, staging SUCCEEDED, eu RUNNING');
    expect(release.succeed('eu').state.status).toBe('SUCCEEDED');
  });

  test('side by side: what becomes ready together is one dispatch with a join', () => {
    const release = started('dev > {us-east, eu} > asia');
    release.succeed('dev');
    expect(release.dispatched).toEqual(['us-east', 'eu']);
    expect(release.last.work).toMatchObject([{ kind: 'dispatch', join: true }]);
  });

  test('joined: the next one waits for the last of those before it', () => {
    const release = started('dev > {us-east, eu} > asia').succeed('dev', 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, us-east RUNNING, eu SUCCEEDED');
    expect(release.succeed('us-east').picture).toContain('asia RUNNING');
  });

  const policies: [string, { policy: 'ALL' | 'ANY' | 'AT_LEAST'; count?: number }, number][] = [
    ['ALL', { policy: 'ALL' }, 3],
    ['ANY', { policy: 'ANY' }, 1],
    ['AT_LEAST 2', { policy: 'AT_LEAST', count: 2 }, 2],
    ['AT_LEAST 9 of 3', { policy: 'AT_LEAST', count: 9 }, 3],
  ];
  test.each(policies)('dependsOnPolicy %s starts after enough of a, b and c', (_, dependsOnPolicy, needed) => {
    const release = started(flowOf('dev > {a, b, c} > z', { steps: { z: { dependsOnPolicy } } })).succeed('dev');
    const order = ['c', 'a', 'b'];
    order.forEach((name, index) => {
      expect(release.picture.includes('z RUNNING')).toBe(index >= needed);
      release.succeed(name);
    });
    expect(release.picture).toContain('z RUNNING');
  });

  test('a workflow step is a promotion without an environment', () => {
    const release = started('dev > {[tests], [image]} > staging').succeed('dev', 'tests');
    expect(release.picture).toBe('dev SUCCEEDED, tests SUCCEEDED, image RUNNING');
    expect(release.succeed('image').picture).toContain('staging RUNNING');
    expect(release.last.deployments).toEqual([]);
  });

  test('a workflow without actions succeeds as soon as it may start', () => {
    const release = started(flowOf('dev > [nothing] > staging'), { workflows: { nothing: [] } }).succeed('dev');
    expect(release.picture).toBe('dev SUCCEEDED, nothing SUCCEEDED, staging RUNNING');
  });
});

describe('the steps of an environment', () => {
  const withWorkflows = flowOf('dev > eu', {
    steps: { eu: { policy: { preAction: 'checks', postAction: 'announce' }, soak: MINUTE } },
  });
  const workflows = { checks: ['lint > report', 'scan'], announce: ['mail'] };

  test('run phase after phase, parallel actions side by side', () => {
    const release = started(withWorkflows, { workflows }).succeed('dev');
    const seen: string[] = [];
    while (release.running('eu').length > 0) {
      seen.push(
        release
          .running('eu')
          .map((step) => release.plan.promotions[1]?.steps[step]?.id)
          .join(' + '),
      );
      release.report('eu', { kind: 'succeeded' });
      if (release.promotion('eu').status === 'WAITING') release.wake();
    }
    expect(seen).toEqual([
      'billing-eu/PRE_ACTION/lint + billing-eu/PRE_ACTION/scan',
      'billing-eu/PRE_ACTION/report',
      'billing-eu/ACTION',
      'billing-eu/HEALTH',
      'billing-eu/SOAK',
      'billing-eu/POST_ACTION/mail',
    ]);
    expect(release.state.status).toBe('SUCCEEDED');
  });

  test('a job goes on under its own dispatch', () => {
    const release = started('dev > eu').succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    expect(release.last.work).toEqual([]);
    expect(ownedSteps(release.state, 1, 1)).toEqual([1]);
  });

  test('every application is promoted; the environment succeeds when all did', () => {
    const release = started(flowOf('dev > eu'), { applications: { dev: 2, eu: 2 } }).succeed('dev');
    release.report('eu', { kind: 'succeeded' }, 'billing-eu/ACTION');
    release.report('eu', { kind: 'succeeded' }, 'billing-eu/HEALTH');
    expect(release.picture).toContain('eu RUNNING');
    expect(release.succeed('eu').state.status).toBe('SUCCEEDED');
    expect(release.last.deployments).toMatchObject([
      { application: 0, verified: 'HEALTH_ONLY' },
      { application: 1, verified: 'HEALTH_ONLY' },
    ]);
  });

  test('a commit is told, and recorded as a deployment that is not yet verified', () => {
    const release = started('dev > eu').succeed('dev');
    release.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: true });
    expect(release.eventTypes()).toEqual(['ActionCommitted', 'StepSucceeded', 'StepStarted']);
    expect(release.last.deployments).toMatchObject([{ promotion: 1, commit: 'c0ffee', verified: null }]);
  });
});

describe('other releases', () => {
  test('a release waits for its turn', () => {
    const release = new Play(planOf('dev > eu'));
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    expect(release.tell({ kind: 'tick' }).events).toEqual([]);
    expect(release.state.status).toBe('QUEUED');
    release.facts = NO_FACTS;
    release.tell({ kind: 'tick' });
    expect(release.state.status).toBe('RUNNING');
  });

  test('an environment that another release holds is waited for, by name, and taken when it is free', () => {
    const release = started('dev > eu');
    release.facts = { ...NO_FACTS, heldBy: { eu: { id: 'r-0', called: 'billing#1' } } };
    release.succeed('dev');
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    expect(release.state.status).toBe('SUSPENDED');
    expect(release.last.events.at(-1)?.event).toMatchObject({
      type: 'PromotionWaiting',
      reason: expect.stringContaining('billing#1'),
    });
    release.facts = NO_FACTS;
    release.later(SECOND);
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    expect(release.promotion('eu').evidence).toMatchObject([
      { gate: 'DEPENDENCIES', verdict: 'pass' },
      { gate: 'ENVIRONMENT', verdict: 'pass' },
    ]);
  });

  test('facts are asked for exactly when something could start', () => {
    const { plan, state } = new Play(planOf('dev > eu'));
    expect(advance(plan, state, [{ kind: 'tick' }], null, 0)).toBe('NEEDS_FACTS');
    const release = started('dev > eu');
    const [apply] = [release.outcome('dev', 0, { kind: 'pending', reason: 'not yet', recheckAfter: 1000 })];
    expect(advance(release.plan, release.state, [apply], null, release.now)).not.toBe('NEEDS_FACTS');
    const success = release.outcome('dev', 0, { kind: 'succeeded' });
    expect(advance(release.plan, release.state, [success], null, release.now)).toBe('NEEDS_FACTS');
  });
});
