import { describe, expect, test } from 'vitest';
import type { EnvironmentGroupSpec, HealthStatus } from '../../src/core/definitions.ts';
import { judgeGroup } from '../../src/core/group-gate.ts';
import type { HealthClock } from '../../src/core/health-clock.ts';
import type { PlannedGroup } from '../../src/core/plan.ts';
import type { GroupState } from '../../src/core/release.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const STATUS: Record<string, HealthStatus> = { H: 'HEALTHY', D: 'DEGRADED', U: 'UNKNOWN', P: 'PROGRESSING' };

describe('is the group healthy?', () => {
  /** `H3` has been healthy for three minutes by now. */
  const judge = (said: string, gate: Partial<PlannedGroup> = {}, waited = 0) => {
    const release = started('dev > {a, b, c} as regions').succeed('dev');
    const group = { ...(release.plan.groups[0] as PlannedGroup), unknownTimeout: MINUTE, ...gate };
    const words = said.split(' ');
    const health = words.flatMap((word, index) => {
      if (word === 'open') return [];
      release.succeed(['a', 'b', 'c'][index] as string);
      const status = STATUS[word.slice(0, 1)];
      return status ? [{ promotion: index + 1, status }] : [];
    });
    const clocks = words.map((word): HealthClock | null => {
      const healthyFor = Number(/\d+/.exec(word)?.[0] ?? Number.NaN) * MINUTE;
      const { now } = release;
      if (Number.isNaN(healthyFor)) return null;
      return { status: 'HEALTHY', since: now, healthyFor, lookedAt: now, standsUntil: now + MINUTE, unhealthyAt: [] };
    });
    const before = { ...(release.state.groups[0] as GroupState), unknownSince: release.now - waited, clocks };
    return judgeGroup(release.plan, group, release.state, before, health, release.now);
  };

  test.each([
    ['H H H', {}, 0, 'pass'],
    ['H D H', {}, 0, 'fail'],
    ['H U H', {}, 0, 'wait'],
    ['H P H', {}, 0, 'wait'],
    ['H U H', {}, MINUTE - 1, 'wait'],
    ['H U H', {}, MINUTE, 'fail'],
    ['H nobody H', {}, 0, 'wait'],
    ['H D H', { required: 2 }, 0, 'pass'],
    ['H D U', { required: 2 }, 0, 'wait'],
    ['D D H', { required: 2 }, 0, 'fail'],
    ['H D open', { required: 2 }, MINUTE, 'wait'],
    ['U D open', { required: 2 }, MINUTE, 'fail'],
    ['H H open', { required: 2 }, 0, 'pass'],
    ['H H H', { soak: MINUTE }, 0, 'wait'],
    ['H5 H5 H5', { soak: 5 * MINUTE }, 0, 'pass'],
    ['H5 H4 H5', { soak: 5 * MINUTE }, 0, 'wait'],
    ['H5 D4 H5', { soak: 5 * MINUTE }, 0, 'fail'],
    ['H5 H4 H5', { soak: 5 * MINUTE, required: 2 }, 0, 'pass'],
    ['H5 H4 D5', { soak: 5 * MINUTE, required: 2 }, 0, 'wait'],
    ['H5 H4 open', { soak: 5 * MINUTE, required: 2 }, MINUTE, 'wait'],
    ['H1 H1 H1', { soak: 5 * MINUTE }, 30 * MINUTE, 'wait'],
    ['H5 U5 H5', { soak: 5 * MINUTE }, MINUTE, 'fail'],
  ] as const)('members %s, %j, after %i ms: %s', (said, gate, waited, verdict) => {
    expect(judge(said, gate, waited).verdict).toBe(verdict);
  });

  test('the reason counts, and names who is not healthy', () => {
    expect(judge('H D U').reason).toBe('1 of 3 in regions are healthy, 3 needed: b is DEGRADED, c is UNKNOWN');
  });

  test('a soak is told with its end, which is when it is looked at again at the latest', () => {
    const { reason, recheckAt } = judge('H5 H3 H4', { soak: 5 * MINUTE });
    expect(reason).toBe('3 of 3 in regions are healthy, 3 needed; soaks until 2026-01-05T10:02:00.000Z');
    expect(recheckAt).toBe(Date.UTC(2026, 0, 5, 10, 0, 5));
    const almost = judge('H5 H5 H5', { soak: 5 * MINUTE + 300 });
    expect(almost.recheckAt).toBe(Date.UTC(2026, 0, 5, 10, 0, 0, 300));
  });

  test('UNKNOWN gives up at the very moment', () => {
    expect(judge('H U H', {}, MINUTE - 300).recheckAt).toBe(Date.UTC(2026, 0, 5, 10, 0, 0, 300));
  });
});

describe('a gate that soaks', () => {
  const regions = (gate: Partial<EnvironmentGroupSpec['gate']> = {}): Play => {
    const groups = { regions: { gate: { policy: 'ALL' as const, soak: 10 * MINUTE, ...gate } } };
    return started(flowOf('dev > {us, eu, asia} as regions > asia-2', { groups })).succeed('dev', 'us', 'eu', 'asia');
  };
  /** Looks whenever it wants to be looked at, for `minutes` at the most. */
  const soak = (release: Play, minutes = 60, health: Record<string, HealthStatus> = {}): number => {
    const began = release.now;
    while (release.group('regions').status === 'WAITING') {
      const next = release.state.wakeAt as number;
      if (next - began > minutes * MINUTE) return minutes * MINUTE;
      release.wake();
      release.answer('regions', health);
    }
    return release.now - began;
  };

  test('passes when all have been healthy for the soak, at that very moment', () => {
    const release = regions();
    release.answer('regions');
    expect(release.group('regions')).toMatchObject({ status: 'WAITING', recheckAt: release.now + 10 * SECOND });
    expect(release.state.status).toBe('SUSPENDED');
    expect(soak(release)).toBe(10 * MINUTE);
    expect(release.picture).toContain('asia-2 RUNNING');
  });

  test('tells its end once, however often it is looked at', () => {
    const release = regions();
    release.answer('regions');
    soak(release);
    const told = release.events.flatMap(({ event }) => (event.type === 'GroupGateWaiting' ? event.reason : []));
    expect(told).toEqual(['3 of 3 in regions are healthy, 3 needed; soaks until 2026-01-05T10:10:00.000Z']);
  });

  test('UNKNOWN stops the clock, and what was counted stays', () => {
    const release = regions();
    release.answer('regions');
    soak(release, 4);
    release.wake();
    release.answer('regions', { eu: 'UNKNOWN' });
    soak(release, 3, { eu: 'UNKNOWN' });
    release.wake();
    release.answer('regions');
    const left = soak(release);
    // Four minutes and the last look's pause were counted.
    expect(Math.abs(left - 6 * MINUTE)).toBeLessThanOrEqual(20 * SECOND);
    expect(release.group('regions').status).toBe('PASSED');
  });

  test('UNKNOWN for too long fails it, also in the middle of a soak', () => {
    const release = regions({ unknownTimeout: MINUTE });
    release.answer('regions');
    soak(release, 4);
    release.wake();
    release.answer('regions', { eu: 'UNKNOWN' });
    expect(soak(release, 60, { eu: 'UNKNOWN' })).toBe(MINUTE);
    expect(release.group('regions').status).toBe('FAILED');
  });

  test('whose members are taken back meanwhile looks at nothing before others are through', () => {
    const groups = { regions: { gate: { policy: 'AT_LEAST' as const, count: 2, soak: 10 * MINUTE } } };
    const release = started(flowOf('dev > {a, b, c} as regions > e', { groups })).succeed('dev', 'a', 'b');
    release.answer('regions');
    const back = { environment: 'a', standing: 'ROLLED_BACK' as const, reason: null };
    release.tell({
      kind: 'rollback-told',
      rollback: 'rb',
      called: 'billing#2',
      sequence: 3,
      reason: 'a: it failed',
      targets: [back],
    });
    release.wake();
    expect(release.group('regions')).toMatchObject({ status: 'WAITING', recheckAt: null });
    expect(release.group('regions').reason).toBe('1 of 3 in regions succeeded, 2 needed');
    expect(release.state.wakeAt).toBeGreaterThan(release.now);
    release.succeed('c');
    expect(release.group('regions').status).toBe('ASKING');
  });

  test('where others are enough, DEGRADED begins the soak of a member anew', () => {
    const release = regions({ policy: 'AT_LEAST', count: 2 });
    release.answer('regions', { us: 'DEGRADED' });
    soak(release, 5, { us: 'DEGRADED' });
    release.wake();
    release.answer('regions', { eu: 'DEGRADED' });
    expect(soak(release, 60, { eu: 'DEGRADED' })).toBe(10 * MINUTE);
  });

  test('bad news that came and went between two looks begins it anew', () => {
    const release = regions();
    release.answer('regions');
    release.later(10 * SECOND);
    release.answer('regions', {}, { eu: { unhealthyAt: release.now - SECOND } });
    expect(soak(release, 60)).toBe(10 * MINUTE);
  });

  test('a report is looked at at once, when it is news', () => {
    const release = regions();
    release.answer('regions');
    const report = { kind: 'health-reported', environment: 'eu', application: 'billing-eu' } as const;
    expect(release.tell({ ...report, status: 'HEALTHY' }).work).toEqual([]);
    release.tell({ ...report, status: 'DEGRADED' });
    expect(release.asked).toEqual(['regions']);
    expect(release.answer('regions', { eu: 'DEGRADED' }).state.status).toBe('FAILED');
  });

  test('what waits is told with the end of the soak, also while it is looked at', () => {
    const release = regions();
    release.answer('regions');
    const end = release.now + 10 * MINUTE;
    const what = () => waitingFor(release.plan, release.state, NO_FACTS, release.now);
    const gate = { kind: 'GROUP_HEALTH', group: 0, earliest: end };
    expect(what()).toMatchObject([gate, { kind: 'DEPENDENCIES', earliest: end }]);
    release.wake();
    expect(release.group('regions').status).toBe('ASKING');
    expect(what()).toMatchObject([gate, { kind: 'DEPENDENCIES', earliest: end }]);
  });

  test('before the gate is asked, its soak is a part of the forecast', () => {
    const groups = { regions: { gate: { policy: 'ALL' as const, soak: 10 * MINUTE } } };
    const release = started(flowOf('dev > {us, eu} as regions > asia', { groups })).succeed('dev');
    const reasons = waitingFor(release.plan, release.state, NO_FACTS, release.now);
    expect(reasons).toMatchObject([{ kind: 'DEPENDENCIES', earliest: release.now + 10 * MINUTE }]);
  });

  test('a retry soaks from the start', () => {
    const release = regions();
    release.answer('regions');
    soak(release, 9);
    release.wake();
    release.answer('regions', { eu: 'DEGRADED' });
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.group('regions')).toMatchObject({ status: 'ASKING', clocks: [] });
    release.answer('regions');
    expect(soak(release)).toBe(10 * MINUTE);
  });

  test('a health that was seen too long ago counts as UNKNOWN, and the reason says so', () => {
    const release = regions({ soak: 0, freshness: 5 * MINUTE });
    release.answer('regions', {}, { eu: { at: release.now - 5 * MINUTE } });
    expect(release.group('regions')).toMatchObject({
      status: 'WAITING',
      reason: '2 of 3 in regions are healthy, 3 needed: eu is UNKNOWN (last told 2026-01-05T09:55:00.000Z)',
    });
    release.wake();
    release.answer('regions', {}, { eu: { at: release.now - 5 * MINUTE + 1 } });
    expect(release.group('regions').status).toBe('PASSED');
  });
});
