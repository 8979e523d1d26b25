import { describe, expect, test } from 'vitest';
import { flowOf, MINUTE } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const HOUR = 60 * MINUTE;
const http = { type: 'http', url: 'https://example.com' } as const;

/** eu soaks, and is looked at. */
function looked(more: Parameters<typeof started>[1] = {}): Play {
  const flow = flowOf('dev > eu > asia', { steps: { eu: { soak: 10 * MINUTE } } });
  const release = started(flow, { health: () => http, ...more }).succeed('dev');
  while (release.promotion('eu').status === 'RUNNING') release.report('eu', { kind: 'succeeded' });
  release.wake();
  expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
  expect(release.running('eu')).not.toEqual([]);
  return release;
}

describe('what has to end ends in the same decision', () => {
  test('STOP: what waits beside a failure, also where it stands before it in the flow', () => {
    const release = started(flowOf('dev > {eu, asia}', { onFailure: 'STOP' })).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    release.fail('asia');
    expect(release.picture).toBe('dev SUCCEEDED, eu TERMINATED, asia FAILED');
    expect(release.state.status).toBe('FAILED');
  });

  test('a look at a soak is work from the moment at which its release has to stop', () => {
    const release = looked();
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    expect(release.picture).toContain('eu RUNNING');
    expect(release.aborted).toEqual(['eu']);
    release.report('eu', { kind: 'aborted' });
    expect(release.picture).toBe('dev SUCCEEDED, eu TERMINATED, asia TERMINATED');
  });

  test('and from the moment at which something beside it has failed', () => {
    const release = looked({ applications: { dev: 2, eu: 2 } });
    const [first] = release.running('eu');
    release.tell(release.outcome('eu', first as number, { kind: 'failed', message: 'gone' }));
    expect(release.picture).toContain('eu RUNNING');
    release.report('eu', { kind: 'observed', health: { status: 'HEALTHY' } });
    expect(release.picture).toContain('eu FAILED');
  });

  test('of what a person ends in the very moment of its limit nothing fails', () => {
    const flow = flowOf('dev > eu', { steps: { eu: { timeout: HOUR } } });
    const release = started(flow).succeed('dev');
    release.report('eu', { kind: 'transient', message: 'no route', retryAfter: 2 * HOUR });
    release.now += HOUR;
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    expect(release.picture).toBe('dev SUCCEEDED, eu TERMINATED');
    expect(release.stepsOf('eu')).toBe('ACTION TERMINATED, HEALTH PENDING');
    expect(release.state.firstProblem).toBeNull();
  });
});

describe('a soak that is looked at and told of', () => {
  const told = (release: Play, status: 'HEALTHY' | 'UNKNOWN') =>
    release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status });
  const look = (release: Play, status: 'HEALTHY' | 'UNKNOWN') =>
    release.report('eu', { kind: 'observed', health: { status } });

  test('the same as before, and the look found something else: it looks again at once', () => {
    const release = looked();
    told(release, 'HEALTHY');
    look(release, 'UNKNOWN');
    expect(release.dispatched).toEqual(['eu']);
    look(release, 'UNKNOWN');
    expect(release.dispatched).toEqual([]);
  });

  test('healthy again, for long enough, and the look could not tell: the look counts, and nobody looks again at once', () => {
    const release = looked({ health: () => ({ type: 'report' }) });
    look(release, 'UNKNOWN');
    release.wake();
    told(release, 'HEALTHY');
    expect(release.running('eu')).toHaveLength(1);
    look(release, 'UNKNOWN');
    expect(release.dispatched).toEqual([]);
    expect(release.state.wakeAt).toBe(release.now + 15 * MINUTE);
  });
});
