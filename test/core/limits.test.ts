import { describe, expect, test } from 'vitest';
import { DAY } from '../../src/core/definitions.ts';
import { lateWarnings } from '../../src/core/late.ts';
import { diesAt, spent } from '../../src/core/limits.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Facts } from '../../src/core/release.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { approvalOf, flowOf, MINUTE, person, planOf, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const HOUR = 60 * MINUTE;
const moved = (release: Play): number => spent(release.state.moving, release.now);
const hold = { id: 'h', product: null, reason: 'audit', by: 'grace', since: 0, until: null, rollback: null };
const closed: Facts['windows'] = {
  eu: [
    {
      name: 'never',
      spec: {
        kind: 'DENY',
        timeZone: 'UTC',
        from: '2026-01-01T00:00:00Z',
        to: '2026-02-20T00:00:00Z',
        selector: { environments: {}, products: {} },
        holds: ['PROMOTE'],
        onClose: 'FINISH',
        runway: false,
      },
    },
  ],
};

describe('what does not use up the time of a flow', () => {
  const waits: [string, Partial<Facts>][] = [
    ['a closed window', { windows: closed }],
    ['a hold', { holds: { eu: [{ ...hold, environment: 'eu' }] } }],
    ['another release that is at work there', { heldBy: { eu: { id: 'r-0', called: 'billing#1' } } }],
  ];
  test.each(waits)('%s', (_, facts) => {
    const release = started(flowOf('dev > eu', { timeout: HOUR }));
    release.facts = { ...NO_FACTS, ...facts };
    release.succeed('dev');
    release.later(10 * DAY);
    expect(release.picture).toBe('dev SUCCEEDED, eu WAITING');
    expect(moved(release)).toBe(0);
    release.facts = NO_FACTS;
    release.later(0);
    expect(release.picture).toContain('eu RUNNING');
    expect(release.state.wakeAt).toBe(release.now + HOUR);
  });

  test('an approval', () => {
    const approval = approvalOf('1', { expiry: 20 * DAY });
    const release = started(flowOf('dev > eu', { timeout: HOUR, steps: { eu: { approval } } })).succeed('dev');
    release.later(10 * DAY);
    expect(release.decide('approve', 'eu', person('grace'))).toBeNull();
    expect(release.picture).toContain('eu RUNNING');
  });

  test('a health that somebody outside has to tell', () => {
    const release = started(flowOf('dev > eu', { timeout: HOUR }));
    release.report('dev', { kind: 'pending', reason: 'waiting for a health report' });
    release.later(20 * HOUR);
    release.report('dev', { kind: 'pending', reason: 'waiting for a health report' });
    expect(release.picture).toBe('dev SUSPENDED');
  });

  test('its turn', () => {
    const release = started(flowOf('dev > eu', { timeout: HOUR }));
    release.now += 40 * MINUTE;
    release.fail('dev');
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    release.tell({ kind: 'retry', by: 'ada' });
    release.later(2 * DAY);
    expect(release.state.status).toBe('QUEUED');
    release.facts = NO_FACTS;
    release.later(0);
    expect(release.state.status).toBe('RUNNING');
    expect(release.state.wakeAt).toBe(release.now + HOUR);
  });
});

describe('what does', () => {
  test('a step that runs and one that is tried again: together they reach the limit, however often it waited between', () => {
    const release = started(flowOf('dev > eu > asia', { timeout: HOUR }));
    release.now += 40 * MINUTE;
    release.facts = { ...NO_FACTS, windows: closed };
    release.succeed('dev');
    release.later(DAY);
    release.facts = NO_FACTS;
    release.later(0);
    expect(moved(release)).toBe(40 * MINUTE);
    expect(release.state.deadline).toBe(release.now + 20 * MINUTE);
    release.later(20 * MINUTE - 1);
    expect(release.state.status).toBe('RUNNING');
    release.later(1);
    expect(release.state.status).toBe('TERMINATING');
  });

  test('a soak', () => {
    const release = started(flowOf('dev > eu', { timeout: HOUR, steps: { eu: { soak: 2 * HOUR } } })).succeed('dev');
    while (release.promotion('eu').status === 'RUNNING') release.report('eu', { kind: 'succeeded' });
    expect(release.picture).toContain('eu WAITING');
    release.later(HOUR);
    expect(release.state.status).toBe('TERMINATED');
  });

  test("an environment's own time counts what moves there alone, and begins anew with a retry", () => {
    const release = started(flowOf('dev > {eu, asia}', { steps: { eu: { timeout: HOUR } } })).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    release.later(5 * HOUR);
    expect(release.picture).toContain('eu SUSPENDED');
    release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    release.tell({ kind: 'health-reported', environment: 'eu', application: 'billing-eu', status: 'HEALTHY' });
    release.later(HOUR);
    release.report('eu', { kind: 'aborted' });
    expect(release.picture).toContain('eu FAILED');
    release.succeed('asia');
    release.tell({ kind: 'retry', by: 'ada' });
    release.later(HOUR - 1);
    expect(release.picture).toContain('eu RUNNING');
  });
});

describe('an end of its own', () => {
  test('a report that nobody brings fails the promotion after a day, and takes nothing back', () => {
    const release = started(
      flowOf('dev > eu', {
        timeout: HOUR,
        rollbackPolicies: [
          {
            when: {},
            targets: [{ siblings: true, condition: 'ALWAYS', mode: 'AUTOMATIC' }],
            observeFor: 0,
            maxFailureAge: HOUR,
            onTargetFailure: 'CONTINUE',
            markBad: { scope: 'NONE' },
          },
        ],
      }),
    ).succeed('dev');
    release.report('eu', { kind: 'succeeded' });
    release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    while (release.promotion('eu').status === 'SUSPENDED') {
      release.wake();
      if (release.running('eu').length > 0)
        release.report('eu', { kind: 'pending', reason: 'waiting for a health report' });
    }
    expect(release.state.status).toBe('FAILED');
    expect(release.now - (release.promotion('eu').startedAt ?? 0)).toBe(DAY);
    expect(release.state.firstProblem?.message).toBe(
      'billing-eu: no report came within 24h: waiting for a health report',
    );
    expect(release.last.work).toEqual([]);
  });

  test('maxAge ends whatever is left, also what waits for its turn', () => {
    const release = started(flowOf('dev > eu', { maxAge: 3 * DAY }));
    release.facts = { ...NO_FACTS, windows: closed };
    release.succeed('dev');
    expect(release.state.deadline).toBe(diesAt(release.plan, release.state));
    release.later(3 * DAY);
    expect(release.last.events.at(-1)?.event).toMatchObject({
      type: 'ReleaseTerminated',
      reason: 'it is older than 3d, its maxAge',
    });
    release.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.state.status).toBe('QUEUED');
    expect(release.state.wakeAt).toBe(release.now + 3 * DAY);
    release.wake();
    expect(release.state.status).toBe('TERMINATED');
  });

  test('a day where the flow says nothing of how long it may move', () => {
    const release = started('dev > eu');
    release.later(DAY - 1);
    expect(release.state.status).toBe('RUNNING');
    release.later(1);
    expect(release.last.events.map(({ event }) => event)).toContainEqual(
      expect.objectContaining({ type: 'ReleaseTerminating', reason: "the flow's limit of 24h is over" }),
    );
  });

  test('30 days where the flow says nothing', () => {
    const release = started('dev > eu');
    expect(diesAt(release.plan, release.state)).toBe(release.state.createdAt + 30 * DAY);
  });
});

describe('what cannot come in time says so', () => {
  const windowsOf = (environment: string) => closed[environment] ?? [];
  const warningsOf = (options: Parameters<typeof flowOf>[1]) =>
    lateWarnings(planOf(flowOf('dev > eu > asia', options)), windowsOf, Date.parse('2026-01-05T10:00:00Z'));

  test('when it is triggered: a window that opens after its maxAge, and not before', () => {
    expect(warningsOf({ maxAge: 60 * DAY })).toEqual([]);
    expect(warningsOf({})).toEqual([
      '"eu" opens 2026-02-20T00:00:00.000Z, and the release ends 2026-02-04T10:00:00.000Z, at its maxAge of 30d',
    ]);
  });

  test('while it waits', () => {
    const release = started('dev > eu');
    release.facts = { ...NO_FACTS, windows: closed };
    release.succeed('dev');
    const [window] = waitingFor(release.plan, release.state, release.facts, release.now);
    expect(window?.message).toMatch(/; the release ends before that, 2026-02-04T10:00:00.000Z, at its maxAge$/);
  });

  test('soaks that take longer than the flow or the environment may move', () => {
    const steps = { eu: { soak: 20 * HOUR, timeout: HOUR }, asia: { soak: 10 * HOUR } };
    expect(warningsOf({ maxAge: 60 * DAY, steps })).toEqual([
      '"eu" soaks for 20h, and its timeout of 1h ends it before',
      "what soaks one after the other takes 30h, and the flow's timeout is 24h",
    ]);
  });
});

describe('a limit is told as it was written', () => {
  test.each([
    [20 * SECOND, '20s'],
    [30, '30ms'],
    [1_500, '1s500ms'],
    [90 * MINUTE, '1h30m'],
    [14 * DAY, '14d'],
  ])('%i ms', (timeout, words) => {
    const release = started(flowOf('dev > eu', { timeout }));
    release.later(timeout);
    expect(release.state.terminating?.reason).toBe(`the flow's limit of ${words} is over`);
  });
});

describe('what was told to stop', () => {
  const late = (): Play => {
    const release = started(flowOf('dev > eu', { steps: { eu: { timeout: MINUTE } } })).succeed('dev');
    release.later(MINUTE);
    return release;
  };

  test('has failed once its effect has ended, whatever came of it', () => {
    for (const outcome of [
      { kind: 'aborted' },
      { kind: 'failed', message: 'broken' },
      { kind: 'transient', message: 'no route' },
      { kind: 'pending', reason: 'not yet' },
    ] as const) {
      const release = late();
      expect(release.aborted).toEqual(['eu']);
      release.report('eu', outcome);
      expect(release.state.firstProblem?.message).toBe('the limit of 1m for eu is over');
      expect(release.steps('eu')[0]).toMatchObject({ status: 'FAILED', unclear: true, stop: null });
    }
  });

  test('an effect that came first is in the records, and no success', () => {
    const release = late();
    const decision = release.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: true });
    expect(release.picture).toContain('eu FAILED');
    expect(decision.deployments).toMatchObject([{ commit: 'c0ffee', verified: null }]);
    expect(release.eventTypes()).toContain('ActionCommitted');
  });

  test('the log says of what failed whether its change was made all the same', () => {
    const failed = (release: Play): unknown =>
      release.last.events.map(({ event }) => event).find(({ type }) => type === 'StepFailed');
    const release = late();
    // A target without commits: nothing else in the log would tell of it.
    release.report('eu', { kind: 'succeeded' });
    expect(failed(release)).toMatchObject({ applied: true });
    for (const outcome of [{ kind: 'aborted' }, { kind: 'failed', message: 'broken' }] as const) {
      const other = late();
      other.report('eu', outcome);
      expect(failed(other)).not.toHaveProperty('applied');
    }
  });

  test('has failed after half a minute if nobody says that it ended', () => {
    const release = late();
    expect(release.state.wakeAt).toBe(release.now + 30 * SECOND);
    release.wake();
    expect(release.picture).toContain('eu FAILED');
  });

  test('a lost job of it is asked for again', () => {
    const release = late();
    const [step] = release.steps('eu');
    release.tell({ kind: 'lost-dispatch', promotion: release.position('eu'), dispatch: step?.dispatch ?? 0 });
    expect(release.dispatched).toEqual(['eu']);
  });
});
