import { NO_FACTS } from '../../src/core/release.ts';
import { describe, expect, test } from 'vitest';
import { nextSteps, ownedSteps, siblingSteps } from '../../src/core/advance.ts';
import type { Outcome, Stimulus } from '../../src/core/release.ts';
import { flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { Play, started } from './support/play.ts';

const nothing = { events: [], work: [], changed: [], deployments: [], lifted: [] };
const terminate: Stimulus = { kind: 'terminate', reason: 'wrong version', by: 'ada' };

describe('onFailure', () => {
  const forked = (onFailure: 'FINISH_RUNNING' | 'CONTINUE' | 'STOP'): Play => {
    const release = started(
      flowOf('dev > {us, eu} > us-2', {
        onFailure,
        steps: { 'us-2': { dependsOn: ['us'] } },
      }),
    );
    return release.succeed('dev').fail('eu');
  };

  test('FINISH_RUNNING: what runs finishes, nothing new starts', () => {
    const release = forked('FINISH_RUNNING');
    expect(release.picture).toBe('dev SUCCEEDED, us RUNNING, eu FAILED, us-2 SKIPPED');
    expect(release.aborted).toEqual([]);
    expect(release.succeed('us').state.status).toBe('FAILED');
  });

  test('CONTINUE: branches that do not depend on it go on', () => {
    const release = forked('CONTINUE').succeed('us', 'us-2');
    expect(release.picture).toBe('dev SUCCEEDED, us SUCCEEDED, eu FAILED, us-2 SUCCEEDED');
    expect(release.state.status).toBe('FAILED');
  });

  test('STOP: what runs is aborted', () => {
    const release = forked('STOP');
    expect(release.aborted).toEqual(['us']);
    release.report('us', { kind: 'aborted' });
    expect(release.picture).toBe('dev SUCCEEDED, us TERMINATED, eu FAILED, us-2 SKIPPED');
    expect(release.state).toMatchObject({ status: 'FAILED', firstProblem: { message: 'broken', environment: 'eu' } });
  });

  test('an environment fails once nothing of it runs any more', () => {
    const release = started('dev > eu', { applications: { dev: 2, eu: 2 } }).succeed('dev');
    release.report('eu', { kind: 'failed', message: 'broken' }, 'billing-eu/ACTION');
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    release.report('eu', { kind: 'succeeded' });
    expect(release.stepsOf('eu')).toBe('ACTION FAILED, HEALTH PENDING, ACTION SUCCEEDED, HEALTH PENDING');
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
  });
});

describe('transient errors', () => {
  const flow = flowOf('dev > [tests]');
  const retry = { limit: 3, backoff: SECOND, maxDelay: 3 * SECOND };

  test('are tried again with backoff up to the limit; the first and the last are kept', () => {
    const release = started(flow, { retry }).succeed('dev');
    const pauses: number[] = [];
    for (const message of ['one', 'two', 'three', 'four']) {
      release.report('tests', { kind: 'transient', message });
      if (release.state.status !== 'RUNNING') break;
      pauses.push((release.state.wakeAt as number) - release.now);
      release.wake();
    }
    [1 * SECOND, 2 * SECOND, 3 * SECOND].forEach((longest, index) => {
      expect(pauses[index]).toBeLessThanOrEqual(longest);
      expect(pauses[index]).toBeGreaterThanOrEqual(0.75 * longest);
    });
    expect(release.steps('tests')[0]).toMatchObject({
      status: 'FAILED',
      tries: 4,
      firstError: 'one',
      lastError: 'four',
    });
    expect(release.state.status).toBe('FAILED');
  });

  test('of many steps at once come back spread over the last quarter of their pause, and the same for every process', () => {
    const many = { workflows: { tests: [...Array(40).keys()].map((each) => `t${each}`) }, retry };
    const pausesOf = (): number[] => {
      const release = started(flow, many).succeed('dev');
      release.report('tests', { kind: 'transient', message: 'no route' });
      return release.steps('tests').map(({ recheckAt }) => (recheckAt as number) - release.now);
    };
    const pauses = pausesOf();
    expect(new Set(pauses).size).toBeGreaterThan(20);
    expect(Math.max(...pauses) - Math.min(...pauses)).toBeGreaterThan(0.15 * SECOND);
    expect(pausesOf()).toEqual(pauses);
  });

  test('wait at least as long as the other side asked for', () => {
    const release = started(flow, { retry }).succeed('dev');
    release.report('tests', { kind: 'transient', message: '429', retryAfter: MINUTE });
    expect(release.state.wakeAt).toBe(release.now + MINUTE);
  });

  test('that a limit is the reason of are no tries: the step waits for room as long as it takes, and says so once', () => {
    const many = { workflows: { tests: [...Array(40).keys()].map((each) => `t${each}`) }, retry };
    const release = started(flow, many).succeed('dev');
    const throttled: Outcome = { kind: 'transient', message: 'no room', retryAfter: MINUTE, throttled: true };
    for (let look = 0; look < 20; look += 1) {
      release.report('tests', throttled);
      const pauses = release.steps('tests').map(({ recheckAt }) => (recheckAt as number) - release.now);
      expect(Math.min(...pauses)).toBeGreaterThan(MINUTE);
      expect(new Set(pauses).size).toBeGreaterThan(20);
      release.now = Math.max(...release.steps('tests').map(({ recheckAt }) => recheckAt as number));
      release.tell({ kind: 'tick' });
    }
    expect(release.steps('tests')[0]).toMatchObject({ status: 'RUNNING', tries: 0, reason: 'no room' });
    expect(release.events.filter(({ event }) => event.type === 'StepWaiting')).toHaveLength(40);
    release.succeed('tests');
    expect(release.state.status).toBe('SUCCEEDED');
  });
});

describe('terminate', () => {
  test('while queued: nothing has started, nothing will', () => {
    const release = new Play(planOf('dev > eu'));
    release.tell(terminate);
    expect(release.picture).toBe('dev TERMINATED, eu TERMINATED');
    expect(release.state).toMatchObject({ status: 'TERMINATED', wakeAt: null });
  });

  test('while running: aborts, and ends when nothing runs any more', () => {
    const release = started('dev > eu');
    release.tell(terminate);
    expect(release.aborted).toEqual(['dev']);
    expect(release.state.status).toBe('TERMINATING');
    expect(release.picture).toBe('dev RUNNING, eu TERMINATED');
    release.report('dev', { kind: 'aborted' });
    expect(release.state.status).toBe('TERMINATED');
    expect(release.promotion('dev').problem?.message).toBe('wrong version');
  });

  test('a success that was on its way counts, and nothing follows it', () => {
    const release = started('dev > eu').succeed('dev');
    release.tell(terminate);
    release.report('eu', { kind: 'succeeded', commit: 'c0ffee' });
    expect(release.last.deployments).toHaveLength(1);
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH PENDING');
    expect(release.state.status).toBe('TERMINATED');
  });

  test('while waiting: ends at once', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'pending', reason: 'nobody told yet' });
    release.tell(terminate);
    expect(release.picture).toBe('dev TERMINATED, eu TERMINATED');
    expect(release.state.status).toBe('TERMINATED');
  });

  test('twice, and after the end: changes nothing', () => {
    const release = started('dev > eu');
    release.tell(terminate);
    expect(release.tell(terminate)).toMatchObject(nothing);
    release.report('dev', { kind: 'aborted' });
    expect(release.tell(terminate)).toMatchObject(nothing);
  });
});

describe('retry', () => {
  test('begins at the exact point of failure, as a new attempt', () => {
    const release = started('dev > eu > asia').succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.fail('eu');
    expect(release.state.status).toBe('FAILED');
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH RUNNING');
    expect(release.promotion('eu')).toMatchObject({ attempt: 2, dispatch: 2 });
    expect(release.promotion('dev')).toMatchObject({ attempt: 1, status: 'SUCCEEDED' });
    expect(release.promotion('asia')).toMatchObject({ attempt: 1, status: 'PENDING' });
    expect(release.succeed('eu', 'asia').state.status).toBe('SUCCEEDED');
  });

  test('after a terminate goes on with what was cut off', () => {
    const release = started('dev > eu').succeed('dev');
    release.tell(terminate);
    release.report('eu', { kind: 'aborted' });
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    expect(release.state.terminating).toBeNull();
  });

  test('waits for its turn like a new release', () => {
    const release = started('dev > eu').fail('dev');
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.state.status).toBe('QUEUED');
  });

  test('of a gate that failed asks it again; its members are not run again', () => {
    const release = started('dev > {asia, eu} as regions > asia-2').succeed('dev', 'asia', 'eu');
    release.answer('regions', { eu: 'DEGRADED' });
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.asked).toEqual(['regions']);
    release.answer('regions');
    expect(release.picture).toBe('dev SUCCEEDED, asia SUCCEEDED, eu SUCCEEDED, asia-2 RUNNING');
  });

  test('of what runs or has succeeded changes nothing', () => {
    const release = started('dev > eu');
    expect(release.tell({ kind: 'retry', by: 'ada' })).toMatchObject(nothing);
    release.succeed('dev', 'eu');
    expect(release.tell({ kind: 'retry', by: 'ada' })).toMatchObject(nothing);
  });
});

describe('jobs that are lost, late or double', () => {
  test('a lost dispatch is asked for again, once', () => {
    const release = started('dev > eu');
    const lost: Stimulus = { kind: 'lost-dispatch', promotion: 0, dispatch: 1 };
    expect(release.tell(lost).work).toEqual([
      { kind: 'dispatch', promotions: [{ promotion: 0, attempt: 1, dispatch: 2 }], join: false },
    ]);
    expect(release.tell(lost)).toMatchObject(nothing);
  });

  test('what was lost and what is due at the same moment share one job', () => {
    const release = started('dev > eu', { applications: { dev: 2, eu: 2 } });
    release.report('dev', { kind: 'pending', reason: 'not yet', recheckAfter: SECOND }, 'billing-dev/HEALTH');
    release.now += SECOND;
    release.tell({ kind: 'lost-dispatch', promotion: 0, dispatch: 1 });
    expect(release.last.work).toMatchObject([{ kind: 'dispatch', promotions: [{ promotion: 0, dispatch: 2 }] }]);
    expect(ownedSteps(release.state, 0, 2)).toEqual([0, 1]);
  });

  test('a sibling that comes again goes on with what came after the step that it began with, and with nothing beside it', () => {
    const release = started('dev > eu', { applications: { eu: 2 } }).succeed('dev');
    expect(ownedSteps(release.state, 1, 1)).toEqual([0, 2]);
    expect(siblingSteps(release.state, 1, 1, 2)).toEqual([2]);
    release.report('eu', { kind: 'succeeded' }, 'billing-api-eu/ACTION');
    expect(siblingSteps(release.state, 1, 1, 2)).toEqual([3]);
    expect(siblingSteps(release.state, 1, 1, 0)).toEqual([0]);
    expect(siblingSteps(release.state, 1, 2, 2)).toEqual([]);
  });

  test('a success of a job that was given up is true all the same; the new job finds nothing left', () => {
    const release = started('dev > eu').succeed('dev');
    const success = release.outcome('eu', 0, { kind: 'succeeded' });
    release.tell({ kind: 'lost-dispatch', promotion: 1, dispatch: 1 });
    release.tell(success);
    expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH RUNNING');
    expect(nextSteps(release.state, 1, 0, 1)).toEqual([1]);
    expect(ownedSteps(release.state, 1, 2)).toEqual([]);
  });

  test.each([
    { kind: 'failed', message: 'no' },
    { kind: 'transient', message: 'no' },
    { kind: 'pending', reason: 'no' },
    { kind: 'aborted' },
  ] as const)('$kind of a job that was given up says nothing about the one that took over', (outcome) => {
    const release = started('dev > eu');
    const late = release.outcome('dev', 0, outcome);
    release.tell({ kind: 'lost-dispatch', promotion: 0, dispatch: 1 });
    expect(release.tell(late)).toMatchObject(nothing);
  });

  test('an outcome of an old attempt is not one of the new', () => {
    const release = started('dev > eu');
    const old = release.outcome('dev', 0, { kind: 'succeeded' });
    release.fail('dev').tell({ kind: 'retry', by: 'ada' });
    expect(release.tell(old)).toMatchObject(nothing);
  });

  test('an outcome told twice counts once', () => {
    const release = started('dev > eu').succeed('dev');
    const success = release.outcome('eu', 0, { kind: 'succeeded' });
    release.tell(success);
    expect(release.tell(success)).toMatchObject(nothing);
  });

  test('an abort that nobody asked for (a worker that shuts down) hands the step to a new job', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'aborted' });
    expect(release.dispatched).toEqual(['dev']);
    expect(release.picture).toBe('dev RUNNING');
  });

  test('an outcome for something that is not in the plan changes nothing', () => {
    const release = started('dev > eu');
    const nowhere = {
      kind: 'outcome',
      promotion: 9,
      attempt: 1,
      step: 9,
      dispatch: 1,
      outcome: { kind: 'aborted' },
    } as const;
    expect(release.tell(nowhere)).toMatchObject(nothing);
  });
});
