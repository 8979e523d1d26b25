import { describe, expect, test } from 'vitest';
import { DAY } from '../../../src/core/definitions.ts';
import type { HealthSourceSpec, HealthStatus, RollbackPolicySpec } from '../../../src/core/definitions.ts';
import type { Outcome } from '../../../src/core/release.ts';
import { flowOf, MINUTE, SECOND } from '../support/builders.ts';
import { started } from '../support/play.ts';
import type { Play } from '../support/play.ts';

const policy: RollbackPolicySpec = {
  when: {},
  targets: [{ siblings: true, condition: 'ALWAYS', mode: 'AUTOMATIC' }],
  maxFailureAge: DAY,
  onTargetFailure: 'CONTINUE',
  markBad: { scope: 'NONE' },
};

const HTTP: HealthSourceSpec = { type: 'http', url: 'https://example.com', failureThreshold: 1 };
const sees = (status: HealthStatus): Outcome => ({
  kind: 'observed',
  health: { status },
  recheckAfter: 5 * SECOND,
});
const noRoute: Outcome = { kind: 'transient', message: 'no route' };

/** The change of `eu` is made, and its health is looked at; an hour at the most. */
function acted(health: HealthSourceSpec = HTTP): Play {
  const flow = flowOf('dev > eu', {
    rollbackPolicies: [policy],
    steps: { eu: { soak: 30 * MINUTE, timeout: 60 * MINUTE } },
  });
  const release = started(flow, { health: () => health }).succeed('dev');
  release.report('eu', { kind: 'succeeded' });
  expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH RUNNING, SOAK PENDING');
  return release;
}

/** The same, and its soak has begun. */
function soaks(health?: HealthSourceSpec): Play {
  const release = acted(health);
  release.report('eu', sees('HEALTHY'));
  expect(release.stepsOf('eu')).toBe('ACTION SUCCEEDED, HEALTH SUCCEEDED, SOAK WAITING');
  return release;
}

/** Whoever looks sees the same, again and again, until it has failed. */
function until(release: Play, outcome: Outcome): Play {
  for (let looks = 0; release.promotion('eu').status !== 'FAILED'; looks += 1) {
    expect(looks).toBeLessThan(5_000);
    if (release.running('eu').length > 0) release.report('eu', outcome);
    else release.wake();
  }
  return release;
}

function tell(release: Play, status: HealthStatus): Play {
  release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status });
  return release;
}

function reported(release: Play): Play {
  const told = { environment: 'eu', attempt: release.promotion('eu').attempt, status: 'FAILED' } as const;
  release.tell({ kind: 'rollout-reported', ...told, message: 'pods crash', by: 'argo' });
  return release;
}

/** The limit is over while somebody looks; what that look says comes after it. */
function overInLook(release: Play, outcome: Outcome): Play {
  while (release.running('eu').length === 0) release.wake();
  release.later(60 * MINUTE);
  release.report('eu', outcome);
  return release;
}

describe('what nobody knows takes nothing back', () => {
  test.each<[string, () => Play]>([
    ['UNKNOWN for 15 minutes, while it soaks', () => until(soaks(), sees('UNKNOWN'))],
    ['the same, as somebody told', () => until(tell(soaks({ type: 'report' }), 'UNKNOWN'), sees('UNKNOWN'))],
    ['its limit is over, and it is UNKNOWN', () => until(acted(), sees('UNKNOWN'))],
    [
      'its limit is over in a look, and it was UNKNOWN before',
      () => {
        const release = acted();
        release.report('eu', sees('UNKNOWN'));
        return overInLook(release, { kind: 'aborted' });
      },
    ],
    ['its limit is over before anybody could look', () => overInLook(acted(), { kind: 'aborted' })],
    [
      'its limit is over after a look that was cut off, and it was UNKNOWN before',
      () => {
        const release = acted();
        release.report('eu', sees('UNKNOWN'));
        release.wake();
        release.report('eu', { kind: 'aborted' });
        return overInLook(release, { kind: 'aborted' });
      },
    ],
    ['it could not be asked, until all tries were used up', () => until(acted(), noRoute)],
    ['a look took too long', () => until(acted(), { kind: 'failed', message: 'not done within 60 s', unclear: true })],
  ])('%s', (_, play) => {
    const release = play();
    expect(release.promotion('eu').status).toBe('FAILED');
    expect(release.last.work.filter(({ kind }) => kind === 'roll-back')).toEqual([]);
  });
});

describe('what is known does', () => {
  test.each<[string, () => Play]>([
    ['DEGRADED after its change', () => until(acted(), sees('DEGRADED'))],
    ['DEGRADED while it soaks', () => until(soaks(), sees('DEGRADED'))],
    [
      'UNKNOWN, and then DEGRADED',
      () => {
        const release = soaks();
        release.wake();
        release.report('eu', sees('UNKNOWN'));
        return until(release, sees('DEGRADED'));
      },
    ],
    [
      'its limit is over after a look that was cut off, and it was PROGRESSING before',
      () => {
        const release = acted();
        release.report('eu', sees('PROGRESSING'));
        release.wake();
        release.report('eu', { kind: 'aborted' });
        return overInLook(release, { kind: 'aborted' });
      },
    ],
    ['its limit is over, and it is PROGRESSING', () => until(acted(), sees('PROGRESSING'))],
    [
      'its limit is over, and it is PROGRESSING again after it was UNKNOWN',
      () => {
        const release = acted();
        release.report('eu', sees('UNKNOWN'));
        return until(release, sees('PROGRESSING'));
      },
    ],
    [
      'its limit is over while it soaks, HEALTHY again after it was UNKNOWN',
      () => {
        const release = tell(soaks({ type: 'report' }), 'UNKNOWN');
        while (release.promotion('eu').status !== 'FAILED') {
          tell(tell(release, 'PROGRESSING'), 'HEALTHY');
          release.later(29 * MINUTE);
        }
        return release;
      },
    ],
    [
      'reported as failed from outside, whatever a look saw before',
      () => {
        const release = acted();
        release.report('eu', sees('UNKNOWN'));
        return reported(release);
      },
    ],
    [
      'reported as failed from outside during a look that cannot tell',
      () => {
        const release = acted();
        release.report('eu', sees('UNKNOWN'));
        release.wake();
        reported(release);
        release.report('eu', sees('UNKNOWN'));
        return release;
      },
    ],
    [
      'nobody can say whether the change was made',
      () => {
        const release = started(flowOf('dev > eu', { rollbackPolicies: [policy] })).succeed('dev');
        return until(release, noRoute);
      },
    ],
  ])('%s', (_, play) => {
    const release = play();
    expect(release.promotion('eu').status).toBe('FAILED');
    expect(release.last.work).toMatchObject([{ kind: 'roll-back', promotion: 1 }]);
  });

  test('of two applications one that was seen is enough', () => {
    const flow = flowOf('dev > eu', { rollbackPolicies: [policy], steps: { eu: { timeout: 60 * MINUTE } } });
    const release = started(flow, { applications: { eu: 2 }, health: () => HTTP }).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', sees('UNKNOWN'), 'billing-eu/HEALTH');
    release.report('eu', sees('DEGRADED'), 'billing-api-eu/HEALTH');
    expect(release.promotion('eu').status).toBe('FAILED');
    expect(release.last.work).toMatchObject([{ kind: 'roll-back' }]);
  });
});
