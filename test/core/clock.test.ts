import { describe, expect, test } from 'vitest';
import { CLOCK_SLACK, decisionTime } from '../../src/core/clock.ts';
import { DAY } from '../../src/core/definitions.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { approvalOf, at, flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { Play, started } from './support/play.ts';

const HOUR = 60 * MINUTE;

/** What `set` sets going happens while the clock is two hours ahead; then the clock is put right, and somebody looks. */
function wrongly(release: Play, set: () => void): number {
  const right = release.now;
  release.now += 2 * HOUR;
  set();
  release.now = right;
  release.tell({ kind: 'tick' });
  return right;
}

describe('a clock that was ahead and was put right', () => {
  test('leaves a look as far away as it was meant to be', () => {
    const release = started('dev > eu');
    const now = wrongly(release, () =>
      release.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: 3 * SECOND }),
    );
    expect(release.state.wakeAt).toBe(now + 3 * SECOND);
    release.wake();
    release.report('dev', { kind: 'succeeded' });
    expect(release.picture).toContain('eu RUNNING');
  });

  test('leaves a retry, a report that is awaited and a stop where they belong', () => {
    const retry = { limit: 3, backoff: 10 * SECOND, maxDelay: MINUTE };
    const flaky = started('dev > [tests]', { retry }).succeed('dev');
    const now = wrongly(flaky, () => flaky.report('tests', { kind: 'transient', message: 'no route' }));
    expect((flaky.state.wakeAt as number) - now).toBeLessThanOrEqual(10 * SECOND);

    const outside = started('dev > eu');
    const then = wrongly(outside, () => outside.report('dev', { kind: 'pending', reason: 'somebody will tell' }));
    // It had been RUNNING for two hours then, by that clock.
    expect((outside.state.wakeAt as number) - then).toBeLessThanOrEqual(10 * MINUTE);

    const late = started(flowOf('dev > eu', { steps: { eu: { timeout: MINUTE } } })).succeed('dev');
    const stopped = wrongly(late, () => late.tell({ kind: 'tick' }));
    expect(late.aborted).toEqual([]);
    expect(late.state.wakeAt).toBe(stopped + 30 * SECOND);
  });

  test('ends a soak after its own time, and counts what it had', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { soak: 10 * MINUTE } } })).succeed('dev');
    const now = wrongly(release, () => {
      while (release.promotion('eu').status === 'RUNNING') release.report('eu', { kind: 'succeeded' });
    });
    expect(release.state.wakeAt).toBe(now + 10 * MINUTE);
    release.wake();
    release.report('eu', { kind: 'observed', health: { status: 'HEALTHY' } });
    expect(release.picture).toContain('eu SUCCEEDED');
  });

  test('asks a group again after its own pause', () => {
    const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
    const now = wrongly(release, () => release.answer('regions', { eu: 'PROGRESSING' }));
    expect(release.state.wakeAt).toBeLessThanOrEqual(now + 10 * SECOND);
    release.wake();
    release.answer('regions');
    expect(release.picture).toContain('z RUNNING');
  });

  test('gives people the time that they were meant to have, and limits theirs', () => {
    const approval = approvalOf('1', { expiry: HOUR });
    const release = started(flowOf('dev > eu', { steps: { eu: { approval } }, timeout: DAY }));
    const now = wrongly(release, () => release.succeed('dev'));
    expect(release.promotion('eu').approval).toMatchObject({ requestedAt: now, expiresAt: now + HOUR });
    expect(release.state.wakeAt).toBe(now + HOUR);
    expect(release.state.deadline).toBe(release.state.createdAt + 30 * DAY);
  });

  test('tells the commits of a release that it created how the release goes, once', () => {
    const plan = planOf('dev > eu');
    for (const { applications } of plan.promotions)
      for (const { spec } of applications)
        spec.driver = { type: 'git', repoURL: 'https://git.example.com/billing.git', branch: 'main', path: '.' };
    const release = new Play(plan, at('12:00'));
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    release.now = at('10:00');
    release.tell({ kind: 'tick' });
    expect(release.state.status).toBe('QUEUED');
    release.facts = NO_FACTS;
    // It can take longer than the clock was ahead.
    release.now = at('15:00');
    const { work } = release.tell({ kind: 'tick' });
    expect(work.filter((each) => each.kind === 'tell-commit')).toEqual([{ kind: 'tell-commit' }]);
    release.tell({ kind: 'terminate', reason: 'not today', by: null });
    for (const each of release.aborted) release.report(each, { kind: 'aborted' });
    release.now += MINUTE;
    const retried = release.tell({ kind: 'retry', by: null });
    expect(retried.work.filter((each) => each.kind === 'tell-commit')).toEqual([
      { kind: 'tell-commit', since: release.now },
    ]);
  });

  test('events do not go back all the same', () => {
    const release = started('dev > eu');
    wrongly(release, () => release.succeed('dev'));
    release.succeed('eu');
    const times = release.events.map((each) => each.at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(release.state.status).toBe('SUCCEEDED');
  });
});

test('a clock that goes back a little stands still until it is where it was', () => {
  const release = started('dev > eu');
  release.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: 3 * SECOND });
  const { wakeAt } = release.state;
  release.now -= 20 * SECOND;
  release.tell({ kind: 'tick' });
  expect(release.state.wakeAt).toBe(wakeAt);
});

test.each([
  ['behind the last event by the slack', -CLOCK_SLACK, 0],
  ['behind by more', -CLOCK_SLACK - 1, -CLOCK_SLACK - 1],
  ['at it', 0, 0],
  ['after it', 1, 1],
])('a clock that is %s', (_what, now, expected) => {
  const last = Date.UTC(2026, 0, 5);
  expect(decisionTime(last + now, last)).toBe(last + expected);
});

describe('what was set within the slack is left alone', () => {
  test.each([
    ['by the slack', CLOCK_SLACK, false],
    ['by more', CLOCK_SLACK + 1, true],
  ])('ahead %s', (_what, ahead, broughtBack) => {
    const release = started('dev > eu');
    const { now } = release;
    release.now += ahead;
    release.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: 10 * MINUTE });
    release.now = now;
    release.tell({ kind: 'tick' });
    const [waitingSince] = release.steps('dev').flatMap((each) => each.waitingSince ?? []);
    expect(waitingSince).toBe(broughtBack ? now : now + ahead);
  });
});

test('a group whose health nobody knows is UNKNOWN since now, not since a wrong clock', () => {
  const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
  const now = wrongly(release, () => release.answer('regions', { eu: 'UNKNOWN' }));
  expect(release.group('regions')).toMatchObject({ unknownSince: now });
  const [eu, asia] = release.group('regions').clocks;
  for (const each of [eu, asia]) expect(each).toMatchObject({ since: now, lookedAt: now });
});

test('a group that was asked before the clock was wrong keeps its times', () => {
  const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
  release.answer('regions', { eu: 'UNKNOWN' });
  const before = release.group('regions');
  wrongly(release, () => {});
  expect(release.group('regions').clocks).toEqual(before.clocks);
  expect(release.group('regions').unknownSince).toBe(before.unknownSince);
});
