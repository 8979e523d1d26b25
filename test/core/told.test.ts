import { describe, expect, test } from 'vitest';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const told = (release: Play, environment: string, status: 'HEALTHY' | 'DEGRADED' | 'UNKNOWN'): void =>
  void release.tell({ kind: 'health-reported', environment, application: `billing-${environment}`, status });
const nothing = { kind: 'pending', reason: 'waiting for a health report' } as const;

/** Whoever looks, and then records what it saw, does not know what was told in between. */
describe('told between a look and its record', () => {
  test.each(['HEALTHY', 'DEGRADED'] as const)('%s: it looks again at once', (status) => {
    const release = started('dev > eu');
    told(release, 'dev', status);
    expect(release.report('dev', nothing).work).toMatchObject([{ kind: 'dispatch', promotions: [{ dispatch: 2 }] }]);
    expect(release.picture).toBe('dev RUNNING');
    // Once: what was told before this look is in the table.
    release.report('dev', nothing);
    expect(release.picture).toBe('dev SUSPENDED');
  });

  test('what it waits for anyway makes no further look', () => {
    const release = started('dev > eu');
    told(release, 'dev', 'UNKNOWN');
    release.report('dev', nothing);
    expect(release.picture).toBe('dev SUSPENDED');
  });

  test('a look in case that a telling was lost: after half a minute, then less and less often; it is no work', () => {
    const release = started('dev > eu');
    const events = release.events.length;
    const pauses: number[] = [];
    release.report('dev', nothing);
    while (pauses.length < 12) {
      pauses.push((release.state.wakeAt as number) - release.now);
      release.wake();
      expect(release.dispatched).toEqual(['dev']);
      expect(release.picture).toBe('dev SUSPENDED');
      expect(release.state.status).toBe('SUSPENDED');
      release.report('dev', nothing);
    }
    expect(pauses[0]).toBe(30 * SECOND);
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(pauses.at(-1)).toBeLessThanOrEqual(10 * MINUTE);
    // That it waits is told once.
    expect(release.events).toHaveLength(events + 2);
    release.wake();
    release.report('dev', { kind: 'succeeded' });
    expect(release.picture).toContain('dev SUCCEEDED');
  });

  test('told while such a look is under way, it is looked at again', () => {
    const release = started('dev > eu');
    release.report('dev', nothing);
    release.wake();
    told(release, 'dev', 'HEALTHY');
    release.report('dev', nothing);
    expect(release.dispatched).toEqual(['dev']);
  });

  test('a soak that is looked at takes bad news at once, and a stale look nothing', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { soak: MINUTE } } })).succeed('dev');
    while (release.promotion('eu').status === 'RUNNING') release.report('eu', { kind: 'succeeded' });
    release.wake();
    const late = release.outcome('eu', 2, { kind: 'observed', health: { status: 'HEALTHY' } });
    told(release, 'eu', 'DEGRADED');
    release.tell(late);
    expect(release.picture).toContain('eu FAILED');
  });

  test('a gate that was answered by looks from before is asked again', () => {
    const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
    told(release, 'eu', 'DEGRADED');
    release.answer('regions');
    expect(release.group('regions').status).toBe('ASKING');
    expect(release.asked).toEqual(['regions']);
    // Nobody was told of anything else: it is what the last event said.
    expect(release.last.events).toEqual([]);
    expect(release.state.status).toBe(release.events.at(-1)?.releaseStatus);
    release.answer('regions', { eu: 'DEGRADED' });
    expect(release.group('regions').status).toBe('FAILED');
  });

  test('a gate whose answer says what was told is through', () => {
    const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
    told(release, 'eu', 'HEALTHY');
    release.answer('regions');
    expect(release.group('regions').status).toBe('PASSED');
  });
});
