import { describe, expect, test } from 'vitest';
import type { EnvironmentGroupSpec } from '../../src/core/definitions.ts';
import type { Stimulus } from '../../src/core/release.ts';
import { flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const regions = (group: Partial<EnvironmentGroupSpec> = {}, more: Parameters<typeof flowOf>[1] = {}): Play =>
  started(flowOf('dev > {us, eu, asia} as regions > asia-2', { groups: { regions: group }, ...more })).succeed('dev');

describe('the gate of a group', () => {
  test('members start together, and the gate is asked when the last one is through', () => {
    const release = regions();
    expect(release.dispatched).toEqual(['asia', 'eu', 'us']);
    release.succeed('us', 'eu');
    expect(release.group('regions').status).toBe('OPEN');
    release.succeed('asia');
    expect(release.group('regions').status).toBe('ASKING');
    expect(release.picture).not.toContain('asia-2');
    expect(release.state.status).toBe('RUNNING');
    release.answer('regions');
    expect(release.picture).toContain('asia-2 RUNNING');
  });

  test('the last member leaves the question to the join of its jobs', () => {
    expect(regions().succeed('us', 'eu', 'asia').asked).toEqual([]);
  });

  test('a member that ended without a job leaves nobody to ask: a question is put', () => {
    const release = regions({ gate: { policy: 'ANY' }, maxFailures: 2 }).succeed('us');
    expect(release.asked).toEqual(['regions']);
  });

  test('healthy an hour ago does not count: degraded now fails the gate', () => {
    const release = regions().succeed('us', 'eu', 'asia');
    release.now += 60 * MINUTE;
    release.answer('regions', { eu: 'DEGRADED' });
    expect(release.group('regions').status).toBe('FAILED');
    expect(release.state).toMatchObject({
      status: 'FAILED',
      firstProblem: { message: '2 of 3 in regions are healthy, 3 needed: eu is DEGRADED' },
    });
    expect(release.picture).toContain('asia-2 SKIPPED');
  });

  test('UNKNOWN waits, is asked again, and tells it once', () => {
    const release = regions().succeed('us', 'eu', 'asia');
    release.answer('regions', { eu: 'UNKNOWN' });
    expect(release.eventTypes()).toEqual(['GroupGateWaiting']);
    expect(release.state).toMatchObject({ status: 'SUSPENDED', wakeAt: release.now + 5 * SECOND });
    expect(release.wake().events).toEqual([]);
    expect(release.asked).toEqual(['regions']);
    expect(release.state.status).toBe('SUSPENDED');
    release.answer('regions', { eu: 'UNKNOWN' });
    expect(release.eventTypes()).toEqual([]);
    release.wake();
    release.answer('regions');
    expect(release.picture).toContain('asia-2 RUNNING');
  });

  test('UNKNOWN for too long fails', () => {
    const release = regions({ gate: { policy: 'ALL', unknownTimeout: MINUTE } }).succeed('us', 'eu', 'asia');
    const first = release.now;
    release.answer('regions', { eu: 'UNKNOWN' });
    while (release.group('regions').status === 'WAITING') {
      release.wake();
      release.answer('regions', { eu: 'UNKNOWN' });
    }
    expect(release.now - first).toBe(MINUTE);
    expect(release.group('regions').reason).toContain('gave up waiting');
  });

  test('the clock of UNKNOWN stands still while a member is still on its way', () => {
    const gate = { policy: 'AT_LEAST', count: 2, unknownTimeout: MINUTE } as const;
    const release = regions({ gate }).succeed('us', 'eu');
    release.answer('regions', { eu: 'DEGRADED' });
    for (let minutes = 0; minutes < 30; minutes += 1) {
      release.later(MINUTE);
      release.answer('regions', { eu: 'DEGRADED' });
    }
    expect(release.group('regions').status).toBe('WAITING');
    release.succeed('asia');
    release.wake();
    release.answer('regions', { eu: 'DEGRADED' });
    expect(release.group('regions').status).toBe('PASSED');
  });

  test.each([
    ['ANY', { policy: 'ANY' }, 1],
    ['AT_LEAST 2', { policy: 'AT_LEAST', count: 2 }, 2],
    ['AT_LEAST 50 %', { policy: 'AT_LEAST', percent: 50 }, 2],
    ['ALL', { policy: 'ALL' }, 3],
  ] as const)('%s is asked as early as it can pass', (_, gate, needed) => {
    const release = regions({ gate });
    ['asia', 'us', 'eu'].slice(0, needed).forEach((name) => {
      expect(release.group('regions').status).toBe('OPEN');
      release.succeed(name);
    });
    release.answer('regions');
    expect(release.picture).toContain('asia-2 RUNNING');
  });

  test('an old answer is not an answer', () => {
    const release = regions().succeed('us', 'eu', 'asia');
    const old: Stimulus = { kind: 'group-answer', group: 0, generation: 0, health: [] };
    expect(release.tell(old)).toMatchObject({ events: [], work: [], changed: [] });
  });

  test('a lost question is put again, once', () => {
    const release = regions().succeed('us', 'eu', 'asia');
    const lost = { kind: 'lost-question', group: 0, generation: 1 } as const;
    expect(release.tell(lost).work).toEqual([{ kind: 'ask-group', group: 0, generation: 2 }]);
    expect(release.tell(lost).work).toEqual([]);
  });

  test('a group is not asked, answered or looked for after the release has ended', () => {
    const release = regions().succeed('us', 'eu', 'asia');
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    expect(release.state.status).toBe('TERMINATED');
    release.answer('regions');
    expect(release.last).toMatchObject({ events: [], work: [] });
    release.tell({ kind: 'lost-question', group: 0, generation: 1 });
    expect(release.last).toMatchObject({ events: [], work: [] });
  });

  test('a member that succeeds while the release is terminating asks nothing', () => {
    const release = regions({ gate: { policy: 'ANY' } });
    release.report('us', { kind: 'succeeded' });
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    release.report('us', { kind: 'succeeded' });
    expect(release.asked).toEqual([]);
    expect(release.group('regions').status).toBe('OPEN');
  });
});

test('a gate that waits does not wake a release that is terminating', () => {
  const release = regions({ gate: { policy: 'ANY' } }).succeed('us');
  release.answer('regions', { us: 'UNKNOWN' });
  release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
  expect(release.state).toMatchObject({ status: 'TERMINATING', wakeAt: null });
});

describe('limits of a group', () => {
  test('maxParallel: the next member starts when one is through', () => {
    const release = regions({ maxParallel: 2 });
    expect(release.dispatched).toEqual(['asia', 'eu']);
    expect(release.picture).toBe('dev SUCCEEDED, asia RUNNING, eu RUNNING, us WAITING');
    expect(release.succeed('eu').picture).toBe('dev SUCCEEDED, asia RUNNING, eu SUCCEEDED, us RUNNING');
  });

  test('maxFailures: none may fail, so the others do not start', () => {
    const release = regions({ maxParallel: 1, gate: { policy: 'ANY' } }).fail('asia');
    expect(release.picture).toBe('dev SUCCEEDED, asia FAILED, eu SKIPPED, us SKIPPED, asia-2 SKIPPED');
  });

  test('maxFailures: a failure that is tolerated lets the others go on', () => {
    const release = regions({ maxParallel: 1, gate: { policy: 'AT_LEAST', count: 2 }, maxFailures: 1 }).fail('asia');
    release.succeed('eu', 'us');
    release.answer('regions');
    expect(release.succeed('asia-2').picture).toContain('asia-2 SUCCEEDED');
    expect(release.state.status).toBe('FAILED');
  });

  test('maxFailures: also when the gate can no longer pass, which is then told at the end', () => {
    const release = regions({ maxParallel: 1, maxFailures: 1 }).fail('asia');
    expect(release.picture).toBe('dev SUCCEEDED, asia FAILED, eu RUNNING, us WAITING');
    release.succeed('eu', 'us');
    expect(release.picture).toBe('dev SUCCEEDED, asia FAILED, eu SUCCEEDED, us SUCCEEDED, asia-2 SKIPPED');
    expect(release.group('regions').reason).toBe('2 of 3 in regions succeeded, 3 needed');
  });
});
