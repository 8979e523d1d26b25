import { describe, expect, test } from 'vitest';
import type { AnswerOf } from '../../src/core/gates/answer.ts';
import { askWindow } from '../../src/core/gates/window.ts';
import type { WindowOverride } from '../../src/core/windows/override.ts';
import type { WindowAction } from '../../src/core/definitions.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { BadVersion } from '../../src/core/holds.ts';
import type { Facts, ReleaseState } from '../../src/core/release.ts';
import { changedAt } from '../../src/core/health-tolerance.ts';
import { lookAt, statusOf } from '../../src/core/health-clock.ts';
import type { HealthClock } from '../../src/core/health-clock.ts';
import { earliestStarts, waitingFor } from '../../src/core/waiting.ts';
import { allow, deny } from './windows/support.ts';
import { approvalOf, at, flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

describe('the gate of a window', () => {
  const office = allow({ cron: '0 9 * * *', end: '17:00', holds: ['PROMOTE', 'ROLLBACK'] }, 'office');
  const pausing = allow({ cron: '0 9 * * *', end: '17:00', onClose: 'PAUSE' }, 'pausing');
  const strict = allow({ cron: '0 9 * * *', end: '17:00', runway: true, holds: ['PROMOTE', 'ROLLBACK'] }, 'strict');
  const night = deny({ cron: '0 17 * * *', end: '20:00' }, 'night');
  const jitter = allow({ cron: '0 9 * * *', end: '17:00', jitter: 30 * MINUTE }, 'jitter');
  const { state } = started('dev > eu');
  const ask = (
    windows: Facts['windows'][string],
    now: string,
    action: WindowAction = 'PROMOTE',
    overrides: WindowOverride[] = [],
  ): AnswerOf<'WINDOW'> | null => {
    const facts = { ...NO_FACTS, windows: { eu: windows }, runway: { eu: 60 * MINUTE } };
    return askWindow('eu', state, facts, at(now), action, overrides);
  };
  const override: WindowOverride = { windows: ['office'], reason: 'hotfix', by: 'ada', at: 0, expiresAt: at('23:00') };

  test('none that holds the action is no gate', () => {
    expect(ask([], '18:00')).toBeNull();
    expect(ask([pausing], '18:00', 'ROLLBACK')).toBeNull();
  });

  test('a runway is for promotions', () => {
    expect([ask([strict], '16:30')?.verdict, ask([strict], '16:30', 'ROLLBACK')?.verdict]).toEqual(['wait', 'pass']);
  });

  test.each<[string, Facts['windows'][string], string, boolean]>([
    ['one that pauses, and is the one that is closed', [pausing], '18:00', true],
    ['one that does not pause', [office], '18:00', false],
    [
      'one that pauses, and another is the one that is closed',
      [pausing, deny({ cron: '0 12 * * *', end: '13:00' })],
      '12:30',
      false,
    ],
    ['two that are closed, and one pauses', [office, pausing], '18:00', true],
    ['two that are open, and one pauses', [office, pausing], '10:00', true],
    ['open, and none pauses', [office, night], '10:00', false],
  ])('work on its way is held: %s', (_name, windows, now, pauses) => {
    expect(ask(windows, now)?.pauses).toBe(pauses);
  });

  test('an override is told where it counts, and only there', () => {
    expect(ask([office], '18:00', 'PROMOTE', [override])).toMatchObject({
      verdict: 'pass',
      reason: expect.stringContaining('; ada overrides office until 2026-01-05T23:00:00.000Z: hotfix'),
    });
    expect(ask([office], '10:00')?.reason).toBe('eu is open: inside the ALLOW window office');
    expect(ask([night], '18:00', 'PROMOTE', [override])).toMatchObject({
      verdict: 'wait',
      reason: 'eu is closed: inside the DENY window night; opens 2026-01-05T20:00:00.000Z',
    });
  });

  test('whoever waits starts at its moment after the opening, not before, and at it', () => {
    const closed = ask([jitter], '08:00');
    const starts = closed?.recheckAt ?? 0;
    expect(starts).toBeGreaterThan(at('09:00'));
    expect(closed?.reason).toContain(`, this release starts ${new Date(starts).toISOString()}`);
    const facts = { ...NO_FACTS, windows: { eu: [jitter] } };
    const asked = (now: number) => askWindow('eu', state, facts, now, 'PROMOTE');
    expect(asked(starts - 1)).toMatchObject({
      verdict: 'wait',
      recheckAt: starts,
      reason: expect.stringMatching(/has just opened/),
    });
    expect(asked(starts)).toMatchObject({ verdict: 'pass' });
    expect(ask([jitter], '12:00')?.verdict).toBe('pass');
  });
});

describe('what a look at a health says', () => {
  test.each<[number | undefined, number | undefined, string]>([
    [undefined, undefined, 'HEALTHY'],
    [undefined, 0, 'HEALTHY'],
    [1000, undefined, 'HEALTHY'],
    [1000, 1, 'HEALTHY'],
    [1000, 0, 'UNKNOWN'],
  ])('with a freshness of %s, seen at %s of 1000: %s', (freshness, seenAt, expected) => {
    expect(statusOf({ status: 'HEALTHY', at: seenAt }, freshness, 1000)).toBe(expected);
  });

  const before = (more: Partial<HealthClock> = {}): HealthClock => ({
    status: 'UNKNOWN',
    since: 0,
    healthyFor: 100,
    lookedAt: 1000,
    standsUntil: 1000,
    unhealthyAt: [null, null],
    ...more,
  });
  test.each<[string, number[], number]>([
    ['after the last look, both', [1200, 1300], 100 + 700],
    ['one of them at the last look', [1000, 1300], 100 + 700],
    ['one of them before it', [900, 1300], 100 + 700],
    ['both before it', [900, 950], 100],
    ['the newest at the last look', [900, 1000], 100 + 1000],
  ])('what could not be seen, and is healthy as was seen %s', (_name, times, healthyFor) => {
    const seen = times.map((each) => ({ status: 'HEALTHY' as const, at: each }));
    expect(lookAt(before(), seen, { freshness: undefined, now: 2000 }).healthyFor).toBe(healthyFor);
  });

  test.each([
    ['before the last look', 999, false],
    ['at the last look', 1000, false],
    ['after it', 1001, true],
  ])('that it was bad %s breaks it, where nothing was known before', (_name, unhealthyAt, breaks) => {
    const clock = before({ status: 'HEALTHY', unhealthyAt: [] });
    const { healthyFor } = lookAt(clock, [{ status: 'HEALTHY', unhealthyAt }], { freshness: undefined, now: 2000 });
    expect(healthyFor === 0).toBe(breaks);
  });

  test('the change of an application counts from its own action', () => {
    const release = started('dev > eu', { applications: { dev: 2, eu: 2 } }).succeed('dev');
    const [planned, start] = [release.plan.promotions[1]!, release.now];
    const times = (): number[] => [0, 1].map((each) => changedAt(planned, release.promotion('eu'), each) - start);
    release.now += SECOND;
    release.report('eu', { kind: 'succeeded' }, 'billing-eu/ACTION');
    expect(times()).toEqual([SECOND, 0]);
    release.now += SECOND;
    release.report('eu', { kind: 'succeeded' }, 'billing-api-eu/ACTION');
    expect(times()).toEqual([SECOND, 2 * SECOND]);
    release.now += SECOND;
    release.report('eu', { kind: 'succeeded' }, 'billing-eu/HEALTH');
    expect(times()).toEqual([SECOND, 2 * SECOND]);
  });
});

describe('when a limit counts', () => {
  const limited = (more: Parameters<typeof flowOf>[1] = {}): Play =>
    started(flowOf('dev > eu > z', { timeout: 60 * MINUTE, steps: { eu: { timeout: 10 * MINUTE } }, ...more }));
  const used = (release: Play): [number, boolean] => [
    release.state.limited[release.position('eu')]?.used ?? 0,
    (release.state.limited[release.position('eu')]?.since ?? null) !== null,
  ];

  test('of an environment: from its start to its end, without what is told from outside', () => {
    const release = limited();
    expect(used(release)).toEqual([0, false]);
    release.succeed('dev');
    expect(used(release)).toEqual([0, true]);
    release.now += MINUTE;
    release.report('eu', { kind: 'pending', reason: 'somebody will tell' });
    expect(used(release)).toEqual([MINUTE, false]);
    release.now += 2 * MINUTE;
    release.tell({ kind: 'tick' });
    release.succeed('eu');
    expect(used(release)[1]).toBe(false);
    expect(release.state.limited[release.position('z')]).toBeUndefined();
  });

  test.each<[string, (release: Play) => void, boolean]>([
    ['a gate is asked', () => {}, true],
    ['members soak', (release) => release.answer('regions'), true],
    ['nobody knows a health', (release) => release.answer('regions', { eu: 'UNKNOWN' }), false],
    [
      'a gate has passed, and nothing follows',
      (release) => {
        for (release.answer('regions'); release.state.endedAt === null; release.answer('regions')) release.wake();
      },
      false,
    ],
  ])('of the flow: %s', (_name, play, moves) => {
    const release = started(
      flowOf('dev > {eu, asia} as regions', { groups: { regions: { gate: { policy: 'ALL', soak: MINUTE } } } }),
    ).succeed('dev', 'eu', 'asia');
    play(release);
    expect(release.state.moving.since !== null).toBe(moves);
  });

  test('a report that is awaited ends after a day, what is looked at again does not', () => {
    const day = 24 * 60 * MINUTE;
    const flow = flowOf('dev > eu', { maxAge: 30 * day, timeout: 29 * day });
    const outside = started(flow);
    outside.report('dev', { kind: 'pending', reason: 'somebody will tell' });
    outside.later(day - 1);
    outside.report('dev', { kind: 'pending', reason: 'somebody will tell' });
    expect(outside.picture).toBe('dev SUSPENDED');
    expect(outside.state.wakeAt).toBe(outside.now + 1);
    outside.later(1);
    expect(outside.picture).toBe('dev FAILED, eu SKIPPED');
    const looked = started(flow);
    looked.report('dev', { kind: 'pending', reason: 'rolling out', recheckAfter: 2 * day });
    looked.later(day);
    expect(looked.picture).toBe('dev RUNNING');
    expect(looked.state.wakeAt).toBe(looked.now + day);
  });
});

describe('what a release waits for, case by case', () => {
  const reasons = (release: Play) => waitingFor(release.plan, release.state, release.facts, release.now);
  const startsOf = (release: Play) => earliestStarts(release.plan, release.state, release.facts, release.now);

  test('its turn only before it started', () => {
    const release = started('dev > eu');
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    expect(reasons(release).map(({ kind }) => kind)).toEqual(['DEPENDENCIES']);
  });

  test('the gate of a group while it waits or is asked again, not before and not after', () => {
    const release = started('dev > {eu, asia} as regions > z').succeed('dev', 'eu', 'asia');
    const kinds = (): string[] => reasons(release).map(({ kind }) => kind);
    expect(kinds()).toEqual(['DEPENDENCIES']);
    release.answer('regions', { eu: 'PROGRESSING' });
    expect(kinds()).toEqual(['GROUP_HEALTH', 'DEPENDENCIES']);
    release.wake();
    expect(release.group('regions').status).toBe('ASKING');
    expect(kinds()).toEqual(['GROUP_HEALTH', 'DEPENDENCIES']);
    release.answer('regions');
    expect(kinds()).toEqual([]);
  });

  test.each<[string, Partial<ReleaseState>]>([
    ['ends', { terminating: { reason: 'enough', by: null } }],
    ['is halted', { halted: true }],
    ['is taken back', { rollbacks: { 'r-9': { reason: 'bad', sequence: 1, stop: [], over: false } } }],
    ['has ended', { endedAt: 1 }],
  ])('nothing starts any more in what %s', (_name, more) => {
    const release = started('dev > eu');
    Object.assign(release.state, more);
    expect(reasons(release)).toEqual([]);
    expect(startsOf(release)).toEqual([null, null]);
  });

  test('whoever holds the environment, the marks and the end of an approval are named', () => {
    const approval = approvalOf('1', { expiry: 10 * MINUTE });
    const release = started(flowOf('dev > eu', { steps: { eu: { approval } } })).succeed('dev');
    const bad = { id: 'b-1', label: '1.4.2', reason: 'bad', expiresAt: null } as BadVersion;
    release.facts = { ...NO_FACTS, heldBy: { eu: { id: 'r-0', called: 'billing#1' } }, badVersions: { eu: [bad] } };
    expect(reasons(release)).toMatchObject([
      { kind: 'ENVIRONMENT', release: 'r-0' },
      { kind: 'VERSION', badVersions: ['b-1'] },
      { kind: 'APPROVAL', expiresAt: release.now + 10 * MINUTE },
    ]);
  });

  test.each<[string, (release: Play) => void, string, string | null]>([
    ['a retry', (release) => release.report('eu', { kind: 'transient', message: 'no route' }), 'RETRY', null],
    [
      'an action that somebody ends',
      (release) => release.report('eu', { kind: 'pending', reason: 'in review' }),
      'ACTION',
      'the outside system that ends billing-eu/ACTION',
    ],
    [
      'an action that is looked at again',
      (release) => release.report('eu', { kind: 'pending', reason: 'queued', recheckAfter: SECOND }),
      'ACTION',
      null,
    ],
    [
      'an action that was tried again and waits for something else now',
      (release) => {
        release.report('eu', { kind: 'transient', message: 'no route' });
        release.wake();
        release.report('eu', { kind: 'pending', reason: 'queued', recheckAfter: SECOND });
      },
      'ACTION',
      null,
    ],
    [
      'an action that was tried again and that somebody ends',
      (release) => {
        release.report('eu', { kind: 'transient', message: 'no route' });
        release.wake();
        release.report('eu', { kind: 'pending', reason: 'no route' });
      },
      'ACTION',
      'the outside system that ends billing-eu/ACTION',
    ],
    [
      'a health that somebody reports',
      (release) => {
        release.report('eu', { kind: 'succeeded' });
        release.report('eu', { kind: 'observed', health: { status: 'PROGRESSING' } });
      },
      'HEALTH',
      'a report of the health of billing-eu',
    ],
    [
      'a health that is looked at again',
      (release) => {
        release.report('eu', { kind: 'succeeded' });
        release.report('eu', { kind: 'observed', health: { status: 'PROGRESSING' }, recheckAfter: SECOND });
      },
      'HEALTH',
      null,
    ],
    [
      'a soak',
      (release) => {
        release.report('eu', { kind: 'succeeded' });
        release.report('eu', { kind: 'succeeded' });
      },
      'SOAK',
      null,
    ],
    [
      'a soak of what is not well',
      (release) => {
        release.report('eu', { kind: 'succeeded' });
        release.report('eu', { kind: 'succeeded' });
        const news = { environment: 'eu', application: 'billing-eu', status: 'PROGRESSING' } as const;
        release.tell({ kind: 'health-reported', ...news });
      },
      'SOAK',
      'a report of the health of billing-eu',
    ],
  ])('%s', (_name, play, kind, who) => {
    const retry = { limit: 3, backoff: 10 * SECOND, maxDelay: MINUTE };
    const release = started(flowOf('dev > eu', { steps: { eu: { soak: 10 * MINUTE } } }), { retry }).succeed('dev');
    play(release);
    expect(reasons(release)).toMatchObject([{ kind, who }]);
  });

  test('room in a group comes with the first member that ends, whoever has not begun', () => {
    const flow = flowOf('dev > {a, b, c} as some', { groups: { some: { maxParallel: 2 } } });
    const release = started(flow).succeed('dev');
    release.report('a', { kind: 'pending', reason: 'rolling out', recheckAfter: 40 * SECOND });
    release.report('b', { kind: 'pending', reason: 'rolling out', recheckAfter: 10 * SECOND });
    expect(startsOf(release)[release.position('c')]).toBe(release.now + 10 * SECOND);
  });

  test('a gate that needs nobody is passed by now', () => {
    const plan = planOf('dev > {a, b} as some > z');
    const release = started('dev > {a, b} as some > z');
    Object.assign(release.plan.groups[0] as object, { required: 0 });
    expect(plan.groups[0]?.required).toBe(2);
    expect(startsOf(release)[release.position('z')]).toBe(release.now);
  });
});

describe('how a release ends', () => {
  test.each<[string, (release: Play) => void, string]>([
    ['all succeeded', (release) => (release.succeed('a', 'b'), release.answer('some')), 'SUCCEEDED'],
    [
      'terminated while its group was asked',
      (release) => release.succeed('a', 'b').tell({ kind: 'terminate', reason: 'enough', by: null }),
      'TERMINATED',
    ],
    [
      'terminated while members ran',
      (release) => {
        release.tell({ kind: 'terminate', reason: 'enough', by: null });
        for (const each of ['a', 'b']) release.report(each, { kind: 'aborted' });
      },
      'TERMINATED',
    ],
  ])('%s', (_name, play, status) => {
    const release = started('dev > {a, b} as some').succeed('dev');
    play(release);
    expect(release.state.status).toBe(status);
  });

  test('terminated, and every group had passed', () => {
    const release = started('dev > {a, b} as some > {c, d} as more').succeed('dev', 'a', 'b');
    release.answer('some');
    release.succeed('c', 'd').tell({ kind: 'terminate', reason: 'enough', by: null });
    expect(release.state.status).toBe('TERMINATED');
  });

  test('what is at the end of its time is failed, and nobody can say whether it was done', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { timeout: MINUTE } } })).succeed('dev');
    release.later(MINUTE);
    release.wake();
    expect(release.steps('eu')[0]).toMatchObject({ status: 'FAILED', unclear: true });
  });
});
