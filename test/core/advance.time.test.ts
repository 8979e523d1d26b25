import { describe, expect, test } from 'vitest';
import type { HealthSourceSpec, HealthStatus } from '../../src/core/definitions.ts';
import type { Observation } from '../../src/core/health-clock.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

describe('not there yet', () => {
  test('a health that is looked at again later waits until then, and nothing carries it meanwhile', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: 5 * SECOND });
    expect(release.stepsOf('dev')).toBe('HEALTH WAITING');
    expect(release.picture).toBe('dev RUNNING');
    expect(release.state.wakeAt).toBe(release.now + 5 * SECOND);
    expect(release.wake().work).toMatchObject([{ kind: 'dispatch', promotions: [{ promotion: 0, dispatch: 2 }] }]);
  });

  test('the same reason is told once', () => {
    const release = started('dev > eu');
    const pending = { kind: 'pending', reason: 'rolling out', recheckAfter: SECOND } as const;
    release.report('dev', pending);
    expect(release.eventTypes()).toEqual(['StepWaiting']);
    release.wake();
    release.report('dev', pending);
    expect(release.eventTypes()).toEqual([]);
  });

  test('a health that somebody has to tell suspends the environment; the report wakes it', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'pending', reason: 'nobody told yet' });
    expect(release.last.events.at(-1)?.event).toMatchObject({
      type: 'PromotionWaiting',
      before: 'RUNNING',
      status: 'SUSPENDED',
      reason: 'nobody told yet',
    });
    expect(release.state.status).toBe('SUSPENDED');
    release.tell({ kind: 'health-reported', environment: 'dev', application: 'billing-dev', status: 'HEALTHY' });
    expect(release.dispatched).toEqual(['dev']);
    expect(release.state.status).toBe('RUNNING');
  });

  test('a report for another environment or application wakes nothing', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'pending', reason: 'nobody told yet' });
    release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status: 'HEALTHY' });
    release.tell({ kind: 'health-reported', environment: 'dev', application: 'other', status: 'HEALTHY' });
    expect(release.dispatched).toEqual([]);
    expect(release.picture).toBe('dev SUSPENDED');
  });
});

describe('soak', () => {
  const soaking = (health: HealthSourceSpec = { type: 'report' }) => {
    const flow = flowOf('dev > eu > asia', { steps: { eu: { soak: 10 * MINUTE } } });
    const release = started(flow, { health: () => health }).succeed('dev', 'eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    return release;
  };
  const report = (release: Play, status: HealthStatus, message?: string) =>
    release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status, message });
  const look = (release: Play, status: HealthStatus, more: Partial<Observation> = {}) =>
    release.report('eu', { kind: 'observed', health: { status, ...more } });
  const earliest = (release: Play) => waitingFor(release.plan, release.state, NO_FACTS, release.now)[0]?.earliest;

  test('an environment soaks before it counts: nobody carries it, it wakes by itself', () => {
    const release = soaking();
    expect(release.state.wakeAt).toBe(release.now + 10 * MINUTE);
    expect(release.later(9 * MINUTE).events).toEqual([]);
    release.wake();
    expect(release.dispatched).toEqual(['eu']);
    expect(look(release, 'HEALTHY').state.status).toBe('RUNNING');
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, asia RUNNING');
  });

  test('a report of HEALTHY does not shorten it', () => {
    const release = soaking();
    release.now += 4 * MINUTE;
    expect(report(release, 'HEALTHY').state.wakeAt).toBe(release.now + 6 * MINUTE);
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
  });

  test('UNKNOWN stops its clock, and what was counted stays', () => {
    const release = soaking();
    release.now += 4 * MINUTE;
    report(release, 'UNKNOWN', 'no answer');
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    release.later(7 * MINUTE);
    expect(release.dispatched).toEqual([]);
    expect(report(release, 'HEALTHY').state.wakeAt).toBe(release.now + 6 * MINUTE);
    expect(earliest(release)).toBe(release.now + 6 * MINUTE);
    release.wake();
    expect(look(release, 'HEALTHY').state.promotions[1]?.status).toBe('SUCCEEDED');
  });

  test('UNKNOWN for 15 minutes fails it', () => {
    const release = soaking();
    release.now += 4 * MINUTE;
    expect(report(release, 'UNKNOWN', 'no answer').state.wakeAt).toBe(release.now + 15 * MINUTE);
    release.wake();
    look(release, 'UNKNOWN', { message: 'no answer' });
    expect(release.state.firstProblem?.message).toBe('billing-eu was UNKNOWN for 15 min while soaking: no answer');
  });

  test('PROGRESSING begins it anew, once somebody tells that it is healthy', () => {
    const release = soaking();
    release.now += 4 * MINUTE;
    report(release, 'PROGRESSING');
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    expect(earliest(release)).toBeNull();
    release.now += MINUTE;
    expect(report(release, 'HEALTHY').state.wakeAt).toBe(release.now + 10 * MINUTE);
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
  });

  test('bad news that nobody told begins it anew at the look', () => {
    const release = soaking();
    const began = release.now;
    release.wake();
    expect(look(release, 'HEALTHY', { unhealthyAt: began + MINUTE }).state.wakeAt).toBe(release.now + 10 * MINUTE);
    release.wake();
    look(release, 'HEALTHY', { unhealthyAt: began + MINUTE });
    expect(release.picture).toContain('eu SUCCEEDED');
  });

  test('bad news from before it does not', () => {
    const release = soaking();
    const before = release.now - MINUTE;
    release.wake();
    expect(look(release, 'HEALTHY', { unhealthyAt: before }).state.promotions[1]?.status).toBe('SUCCEEDED');
  });

  test('a source that must be asked is asked now and then, and nothing is told of it', () => {
    const release = soaking({ type: 'http', url: 'https://example.com' });
    const began = release.now;
    const told = release.events.length;
    let looks = 0;
    while (release.promotion('eu').status === 'WAITING') {
      release.wake();
      expect(release.state.status).toBe('SUSPENDED');
      expect(earliest(release)).toBe(began + 10 * MINUTE);
      look(release, 'HEALTHY');
      looks += 1;
      if (release.promotion('eu').status === 'WAITING') expect(release.events).toHaveLength(told);
    }
    expect([looks, release.now - began]).toEqual([60, 10 * MINUTE]);
    expect(release.picture).toContain('eu SUCCEEDED');
  });

  test('a look that finds it DEGRADED fails it', () => {
    const release = soaking({ type: 'http', url: 'https://example.com', failureThreshold: 1 });
    release.wake();
    look(release, 'DEGRADED', { message: 'answered 503' });
    expect(release.state.firstProblem?.message).toBe('billing-eu became DEGRADED while soaking: answered 503');
  });

  test('nobody looked for an hour: that does not count', () => {
    const release = soaking({ type: 'http', url: 'https://example.com' });
    release.later(60 * MINUTE);
    look(release, 'HEALTHY');
    expect(earliest(release)).toBe(release.now + 7 * MINUTE);
  });

  test('a soak that is over and still lacks a report is suspended until somebody tells', () => {
    const release = soaking();
    release.wake();
    release.report('eu', { kind: 'pending', reason: 'nobody told yet' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SUSPENDED');
    release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status: 'HEALTHY' });
    expect(release.dispatched).toEqual(['eu']);
  });

  test('DEGRADED breaks it at once', () => {
    const release = soaking();
    release.tell({
      kind: 'health-reported',
      environment: 'eu',
      application: 'billing-eu',
      status: 'DEGRADED',
      message: 'OOM',
    });
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, asia SKIPPED');
    expect(release.state.firstProblem?.message).toBe('billing-eu became DEGRADED while soaking: OOM');
  });
});

describe('limits', () => {
  test("an environment's limit fails it and aborts what runs", () => {
    const release = started(flowOf('dev > eu > asia', { steps: { eu: { timeout: MINUTE } } })).succeed('dev');
    expect(release.state.wakeAt).toBe(release.now + MINUTE);
    release.wake();
    expect(release.aborted).toEqual(['eu']);
    // Until its effect has ended it keeps the environment.
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    release.report('eu', { kind: 'aborted' });
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, asia SKIPPED');
    expect(release.state).toMatchObject({
      status: 'FAILED',
      firstProblem: { message: 'the limit of 1m for eu is over' },
    });
  });

  test('a success that comes in the same instant as the limit counts', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { timeout: MINUTE } } })).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.now += MINUTE;
    release.report('eu', { kind: 'succeeded' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED');
    expect(release.aborted).toEqual([]);
  });

  test("the flow's limit terminates the release and says why", () => {
    const release = started(flowOf('dev > eu', { timeout: 30 * MINUTE }));
    expect(release.state.wakeAt).toBe(release.now + 30 * MINUTE);
    release.wake();
    expect(release.state.status).toBe('TERMINATING');
    expect(release.aborted).toEqual(['dev']);
    release.report('dev', { kind: 'aborted' });
    expect(release.state).toMatchObject({ status: 'TERMINATED', wakeAt: null });
    expect(release.last.events.at(-1)?.event).toMatchObject({ reason: "the flow's limit of 30m is over" });
  });

  test('a clock that goes back does not take the events with it', () => {
    const release = started('dev > eu');
    release.now -= MINUTE;
    release.succeed('dev');
    const times = release.events.map((each) => each.at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
