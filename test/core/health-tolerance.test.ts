import { describe, expect, test } from 'vitest';
import type { HealthSourceSpec, HealthStatus } from '../../src/core/definitions.ts';
import { countLook, DEFAULT_FAILURE_THRESHOLD, toleranceOf } from '../../src/core/health-tolerance.ts';
import type { Outcome } from '../../src/core/release.ts';
import { fc } from './property.ts';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const http = (more: { grace?: number; failureThreshold?: number } = {}): HealthSourceSpec => ({
  type: 'http',
  url: 'http://x/',
  ...more,
});
const seen = (status: HealthStatus, message?: string): Outcome => ({
  kind: 'observed',
  health: { status, message },
  recheckAfter: 5 * SECOND,
});
/** eu waits for its health; its change was made just now. */
const waiting = (health: HealthSourceSpec): Play => {
  const release = started('dev > eu', { health: () => health }).succeed('dev');
  release.report('eu', { kind: 'succeeded', changed: true }, 'ACTION');
  return release;
};

describe('how often', () => {
  test.each<[HealthSourceSpec, number, number]>([
    [http(), DEFAULT_FAILURE_THRESHOLD, 0],
    [http({ failureThreshold: 1, grace: MINUTE }), 1, MINUTE],
    [{ type: 'simulate' }, 1, 0],
    [{ type: 'simulate', failureThreshold: 2, grace: SECOND }, 2, SECOND],
    [{ type: 'report' }, 1, 0],
    [{ type: 'none' }, 1, 0],
  ])('%j is bad after %i looks, and after %i ms', (health, failureThreshold, grace) => {
    expect(toleranceOf(health)).toEqual({ failureThreshold, grace });
  });

  test.each<[string, HealthStatus, number, number, number, boolean]>([
    ['the first of three', 'DEGRADED', 0, 60, 1, false],
    ['the second', 'DEGRADED', 1, 60, 2, false],
    ['the third', 'DEGRADED', 2, 60, 3, true],
    ['a good one in between', 'HEALTHY', 2, 60, 0, false],
    ['one that is still rolling out', 'PROGRESSING', 2, 60, 0, false],
    ['no answer', 'UNKNOWN', 2, 60, 2, false],
    ['one within the grace', 'DEGRADED', 2, 29, 0, false],
    ['one at its very end', 'DEGRADED', 2, 30, 3, true],
  ])('%s', (_name, status, before, seconds, badLooks, final) => {
    const tolerance = { failureThreshold: 3, grace: 30 * SECOND };
    const look = countLook(tolerance, before, status, { changedAt: 0, now: seconds * SECOND });
    expect(look).toMatchObject({ badLooks, final });
  });
});

describe('after a change', () => {
  test('the first 502 of a restarting pod fails nothing, and says how often it was', () => {
    const release = waiting(http());
    release.report('eu', seen('DEGRADED', 'answered 502'));
    expect(release.stepsOf('eu')).toContain('HEALTH WAITING');
    expect(release.last.events.at(-1)?.event).toMatchObject({
      type: 'StepWaiting',
      reason: 'billing-eu is DEGRADED: answered 502 (1 of 3 times in a row)',
    });
    release.wake();
    release.report('eu', seen('HEALTHY'));
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED');
  });

  test('three times in a row fail it, with the last message', () => {
    const release = waiting(http());
    for (const code of [502, 503]) {
      release.report('eu', seen('DEGRADED', `answered ${code}`));
      release.wake();
    }
    release.report('eu', seen('DEGRADED', 'answered 500'));
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
    expect(release.state.lastProblem?.message).toContain('billing-eu is DEGRADED: answered 500');
  });

  test('within its grace nothing is counted', () => {
    const release = waiting(http({ failureThreshold: 1, grace: 12 * SECOND }));
    for (let look = 0; look < 3; look += 1) {
      release.report('eu', seen('DEGRADED'));
      expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
      release.wake();
    }
    release.report('eu', seen('DEGRADED'));
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
  });

  test('a retry begins to count anew', () => {
    const release = waiting(http({ failureThreshold: 2 }));
    release.report('eu', seen('DEGRADED'));
    release.wake();
    release.report('eu', seen('DEGRADED'));
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
    release.tell({ kind: 'retry', by: null });
    release.report('eu', seen('DEGRADED'));
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
  });

  test('what somebody reports counts at once', () => {
    const release = waiting({ type: 'report' });
    release.report('eu', seen('DEGRADED'));
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
  });

  test('a soak begins anew after one bad look, and fails after three', () => {
    const flow = flowOf('dev > eu', { steps: { eu: { soak: 10 * MINUTE } } });
    const release = started(flow, { health: () => http() }).succeed('dev');
    release.report('eu', { kind: 'succeeded', changed: true }, 'ACTION');
    release.report('eu', seen('HEALTHY'));
    const look = (status: HealthStatus): void => {
      release.wake();
      release.report('eu', seen(status));
    };
    look('DEGRADED');
    look('HEALTHY');
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    look('DEGRADED');
    look('DEGRADED');
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    look('DEGRADED');
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED');
  });

  test('a group asks again while a member was bad once or twice', () => {
    const flow = flowOf('dev > {a, b} as both > eu');
    const release = started(flow, { health: () => http() }).succeed('dev', 'a', 'b');
    for (let asked = 0; asked < 2; asked += 1) {
      release.answer('both', { a: 'DEGRADED' });
      expect(release.group('both')).toMatchObject({ status: 'WAITING', badLooks: [asked + 1, 0] });
      release.wake();
    }
    release.answer('both', { a: 'DEGRADED' });
    expect(release.group('both').status).toBe('FAILED');
  });
});

test('whatever is seen, health fails a promotion exactly when it was bad often enough in a row after the grace', () => {
  const reached = { failed: 0, succeeded: 0, waiting: 0, graced: 0 };
  const statuses = fc.array(
    fc.constantFrom<HealthStatus>('DEGRADED', 'DEGRADED', 'UNKNOWN', 'PROGRESSING', 'HEALTHY'),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 20 }), statuses, (threshold, grace, all) => {
      const release = waiting(http({ failureThreshold: threshold, grace: grace * SECOND }));
      const changed = release.now;
      let run = 0;
      for (const status of all) {
        release.report('eu', seen(status));
        // Told without a counter: the newest looks that were answers, after the grace, are all bad.
        if (status === 'DEGRADED') {
          if (release.now >= changed + grace * SECOND) run += 1;
          else reached.graced += 1;
        } else if (status !== 'UNKNOWN') run = 0;
        const expected = status === 'HEALTHY' ? 'SUCCEEDED' : run >= threshold ? 'FAILED' : 'RUNNING';
        expect(release.picture).toBe(`dev SUCCEEDED, eu ${expected}`);
        if (expected === 'FAILED') return void (reached.failed += 1);
        if (expected === 'SUCCEEDED') return void (reached.succeeded += 1);
        release.wake();
      }
      reached.waiting += 1;
    }),
    { numRuns: 500 },
  );
  console.info(`health tolerance reached ${JSON.stringify(reached)}`);
  for (const count of Object.values(reached)) expect(count).toBeGreaterThan(10);
});
