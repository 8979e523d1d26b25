import { describe, expect, test } from 'vitest';
import { handOn, MOST_CONTEXT } from '../../src/core/context.ts';
import { failuresOf } from '../../src/core/failures.ts';
import { outputsBefore } from '../../src/core/outputs.ts';
import type { Hooks } from '../../src/core/definitions.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Stimulus } from '../../src/core/release.ts';
import { earliestNextStart } from '../../src/core/waiting.ts';
import { flowOf, MINUTE } from './support/builders.ts';
import type { Drawn } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

// Hooks of environments: onStart and onSuccess are phases of the promotion, onFail runs beside it.

const WORKFLOWS = { greet: ['tell'], close: ['tell'], page: ['wake'], checks: ['a', 'b'] };
const HOOKS: Hooks = { onStart: 'greet', onSuccess: 'close', onFail: 'page' };

function drawn(picture: string, hooked: string[], more: Parameters<typeof flowOf>[1] = {}): Drawn {
  return flowOf(picture, { ...more, steps: Object.fromEntries(hooked.map((each) => [each, { hooks: HOOKS }])) });
}

function opened(picture = 'dev > eu', hooked = ['eu'], more: Parameters<typeof flowOf>[1] = {}, hooks?: Hooks): Play {
  return started(drawn(picture, hooked, more), {
    workflows: WORKFLOWS,
    ...(hooks && { hooks }),
    health: () => ({ type: 'none' }),
  });
}

const FAILED = { kind: 'failed', message: 'broken' } as const;
const jobs = ({ last }: Play) =>
  last.work.flatMap((each) => (each.kind === 'dispatch' ? [each.promotions.map(({ promotion }) => promotion)] : []));

describe('hooks of an environment', () => {
  test('come before and after all of its applications, and what is done about its failure stands behind all', () => {
    const { plan } = started(drawn('dev > eu', ['eu']), {
      workflows: WORKFLOWS,
      applications: { eu: 2 },
      hooks: { onFail: 'page' },
    });
    const eu = plan.promotions[1];
    expect(eu?.steps.map(({ id, needs }) => [id, ...needs.map((each) => eu.steps[each]?.id)])).toEqual([
      ['ON_START/tell'],
      ['billing-eu/ACTION', 'ON_START/tell'],
      ['billing-eu/HEALTH', 'billing-eu/ACTION'],
      ['billing-api-eu/ACTION', 'ON_START/tell'],
      ['billing-api-eu/HEALTH', 'billing-api-eu/ACTION'],
      ['ON_SUCCESS/tell', 'billing-eu/HEALTH', 'billing-api-eu/HEALTH'],
    ]);
    expect(plan.promotions.slice(2).map(({ name, own, of, timeout }) => [name, own, of, timeout])).toEqual([
      ['eu/ON_FAIL', 'ON_FAIL', 1, 10 * MINUTE],
      ['ON_FAIL', 'ON_FAIL', undefined, 10 * MINUTE],
    ]);
  });

  test('are those of each member of a group, and of a step without an environment', () => {
    const { plan } = started(drawn('dev > [checks] > {eu, us} as regions', ['checks', 'regions']), {
      workflows: WORKFLOWS,
    });
    expect(plan.promotions[1]?.steps.map(({ id }) => id)).toEqual([
      'ON_START/tell',
      'WORKFLOW/a',
      'WORKFLOW/b',
      'ON_SUCCESS/tell',
    ]);
    expect(plan.promotions.slice(4).map(({ name, of }) => [name, of])).toEqual([
      ['checks/ON_FAIL', 1],
      ['eu/ON_FAIL', 2],
      ['us/ON_FAIL', 3],
    ]);
  });

  test('hold up what comes after, and nothing is told of a failure where there was none', () => {
    const release = opened('dev > eu > asia').succeed('dev');
    for (let left = 3; left > 0; left -= 1) release.report('eu', { kind: 'succeeded' });
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING');
    release.report('eu', { kind: 'succeeded' });
    expect(release.picture).toBe('dev SUCCEEDED, eu SUCCEEDED, asia RUNNING, eu/ON_FAIL SKIPPED');
    expect(release.succeed('asia').state.status).toBe('SUCCEEDED');
  });

  test('that fail at the start or at the end fail their environment, and its onFail runs', () => {
    const first = opened().succeed('dev').fail('eu');
    expect(first.picture).toBe('dev SUCCEEDED, eu FAILED, eu/ON_FAIL RUNNING');
    expect(first.stepsOf('eu')).toBe('ON_START FAILED, ACTION PENDING, HEALTH PENDING, ON_SUCCESS PENDING');
    const last = opened('dev > eu > asia').succeed('dev');
    for (let left = 3; left > 0; left -= 1) last.report('eu', { kind: 'succeeded' });
    last.fail('eu', 'no ticket');
    expect(last.picture).toBe('dev SUCCEEDED, eu FAILED, asia SKIPPED, eu/ON_FAIL RUNNING');
    expect([last.succeed('eu/ON_FAIL').state.status, last.state.firstProblem?.message]).toEqual([
      'FAILED',
      'no ticket',
    ]);
  });

  test("of the release wait for those of environments, and a failing one changes no other's fate", () => {
    const release = opened('dev > {eu, us}', ['eu'], { onFailure: 'CONTINUE' }, { onFail: 'page' })
      .succeed('dev')
      .fail('eu');
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, us RUNNING, eu/ON_FAIL RUNNING');
    release.succeed('us');
    expect(release.picture).not.toContain(', ON_FAIL RUNNING');
    release.fail('eu/ON_FAIL', 'no pager');
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, us SUCCEEDED, eu/ON_FAIL FAILED, ON_FAIL RUNNING');
    expect(release.state).toMatchObject({ halted: false, firstProblem: { message: 'broken' } });
    expect(release.succeed('ON_FAIL').state.status).toBe('FAILED');
  });

  test('run for what a termination stops, not for what had not begun, and outlive it', () => {
    const release = opened('dev > eu > asia', ['eu', 'asia']).succeed('dev');
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    release.report('eu', { kind: 'aborted' });
    expect(release.picture).toBe(
      'dev SUCCEEDED, eu TERMINATED, asia TERMINATED, eu/ON_FAIL RUNNING, asia/ON_FAIL SKIPPED',
    );
    expect([release.state.status, release.succeed('eu/ON_FAIL').state.status]).toEqual(['TERMINATING', 'TERMINATED']);
  });

  test('run for an environment that was not approved', () => {
    const release = started(
      flowOf('dev > eu', {
        steps: {
          eu: { hooks: HOOKS, approval: { rules: [], forbidInitiator: false, expiry: MINUTE, onExpiry: 'FAIL' } },
        },
      }),
      { workflows: WORKFLOWS },
    ).succeed('dev');
    release.later(2 * MINUTE);
    expect(release.picture).toBe('dev SUCCEEDED, eu FAILED, eu/ON_FAIL RUNNING');
  });

  test('run again with what failed, once for each failure', () => {
    const release = opened('dev > {eu, us}', ['eu', 'us']).succeed('dev', 'us').fail('eu').succeed('eu/ON_FAIL');
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING, us SUCCEEDED, us/ON_FAIL SKIPPED');
    expect(release.events.at(-1)?.event.type).not.toBe('PromotionSkipped');
    release.fail('eu');
    expect(release.promotion('eu/ON_FAIL')).toMatchObject({ status: 'RUNNING', attempt: 2 });
  });

  test('begin again with an environment that is retried alone, once they have ended, and are not told of what is skipped', () => {
    const release = opened('dev > {eu, us}', ['eu', 'us'], { onFailure: 'CONTINUE' }).succeed('dev').fail('eu');
    const retry = { kind: 'retry', promotion: 1, by: 'ada' } as const;
    expect(release.tell(retry).refused.get(retry)?.message).toContain('eu/ON_FAIL runs');
    release.succeed('eu/ON_FAIL').tell(retry);
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING, us RUNNING');
    expect(release.promotion('eu/ON_FAIL')).toMatchObject({ status: 'PENDING', attempt: 2 });
    release.tell({ kind: 'skip', promotion: 2, reason: 'no need', by: 'ada' });
    release.report('us', { kind: 'aborted' });
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING, us SKIPPED, us/ON_FAIL SKIPPED');
  });

  test('that come at the end have no earliest start', () => {
    const release = opened('dev > eu', ['eu'], {}, { onFail: 'page' });
    expect(earliestNextStart(release.plan, { ...release.state }, NO_FACTS, release.now)).toBe(release.now);
    release.succeed('dev');
    expect(earliestNextStart(release.plan, release.state, NO_FACTS, release.now)).toBeNull();
  });

  test('have jobs of their own: no group waits for one', () => {
    const release = opened('dev > {asia, eu, us} as regions', ['regions'], {
      groups: { regions: { maxParallel: 1, maxFailures: 2, gate: { policy: 'ANY' } } },
    }).succeed('dev');
    release.fail('asia');
    expect(release.picture).toContain('asia FAILED, eu RUNNING, us WAITING, asia/ON_FAIL RUNNING');
    expect(jobs(release)).toEqual([[2], [4]]);
  });

  test('are told of a rollback that took back what had succeeded, and so is the end of the release', () => {
    const release = opened('dev > {eu, us}', ['eu'], {}, { onFail: 'page' }).succeed('dev', 'eu');
    release.tell({
      kind: 'rollback-told',
      rollback: 'rb',
      called: 'billing#2',
      sequence: 1,
      reason: 'eu: it leaks',
      targets: [{ environment: 'eu', standing: 'ROLLED_BACK', reason: null }],
    });
    release.succeed('us');
    const why = 'rollback billing#2 takes it back: eu: it leaks';
    expect(release.promotion('ON_FAIL').status).toBe('RUNNING');
    expect(failuresOf(release.plan, release.state)).toEqual({
      message: why,
      environments: [{ Name: 'eu', Status: 'ROLLED_BACK', ErrorMessage: why, Applications: ['billing-eu'] }],
    });
    release.succeed('ON_FAIL');
    expect(release.last.events.at(-1)?.event).toEqual({ type: 'ReleaseFailed', reason: why });
  });

  test('also while they wait for a person, are ended before their environment is retried or skipped', () => {
    const release = opened('dev > {eu, us}', ['eu'], { onFailure: 'CONTINUE' }).succeed('dev').fail('eu');
    const hook = release.plan.promotions.findIndex(({ own }) => own === 'ON_FAIL');
    release.report('eu/ON_FAIL', { kind: 'pending', reason: 'a person resumes it', waitsFor: 'PERSON' });
    expect(release.state.promotions[hook]!.status).toBe('SUSPENDED');
    const retry: Stimulus = { kind: 'retry', by: 'ada', promotion: release.position('eu') };
    expect(release.tell(retry).refused.get(retry)?.message).toContain('its hook eu/ON_FAIL runs');
  });

  test('are told of it also after something else was retried', () => {
    const release = opened('dev > {eu, us}', [], {}, { onFail: 'page' }).succeed('dev');
    release.tell({ kind: 'skip', promotion: 2, reason: 'it moves', by: 'ada' });
    release.succeed('eu');
    release.tell({
      kind: 'rollback-told',
      rollback: 'rb',
      called: 'billing#2',
      sequence: 1,
      reason: 'eu: it leaks',
      targets: [{ environment: 'eu', standing: 'ROLLED_BACK', reason: null }],
    });
    release.succeed('ON_FAIL');
    release.tell({ kind: 'retry', by: 'ada', promotion: 2 });
    release.succeed('us', 'ON_FAIL');
    const why = 'rollback billing#2 takes it back: eu: it leaks';
    expect(release.last.events.at(-1)?.event).toEqual({ type: 'ReleaseFailed', reason: why });
  });

  test('are told of their environment alone', () => {
    const release = opened('dev > {eu, us}', ['eu', 'us'], { onFailure: 'CONTINUE' })
      .succeed('dev')
      .fail('us', 'no quota');
    release.fail('eu');
    expect(failuresOf(release.plan, release.state, 1)).toEqual({
      message: 'broken',
      environments: [{ Name: 'eu', Status: 'FAILED', ErrorMessage: 'broken', Applications: ['billing-eu'] }],
    });
  });
});

describe('the version, when a hook fails after it was found good', () => {
  const policy = (causes?: ('HOOK' | 'FAILED')[]) => ({
    when: causes ? { causes } : {},
    targets: [],
    maxFailureAge: MINUTE,
    onTargetFailure: 'CONTINUE' as const,
    markBad: { scope: 'NONE' as const },
  });
  const failing = (causes?: ('HOOK' | 'FAILED')[]): Play => {
    const release = opened('dev > eu', ['eu'], { rollbackPolicies: [policy(causes)] }).succeed('dev');
    for (let left = 3; left > 0; left -= 1) release.report('eu', { kind: 'succeeded' });
    return release;
  };

  test('is recorded as verified before the hook runs', () => {
    const release = failing();
    expect(release.last.deployments).toMatchObject([{ promotion: 1, verified: 'HEALTH_ONLY' }]);
    release.report('eu', { kind: 'succeeded' });
    expect(release.last.deployments).toEqual([]);
  });

  test('stays where it is, unless a policy names HOOK', () => {
    for (const [causes, asked] of [
      [undefined, []],
      [['FAILED'], []],
      [['FAILED', 'HOOK'], [{ kind: 'roll-back', cause: 'HOOK', promotion: 1 }]],
    ] as const) {
      const release = failing(causes && [...causes]);
      release.report('eu', FAILED);
      expect(release.last.work.filter(({ kind }) => kind === 'roll-back')).toMatchObject(asked);
    }
  });
});

describe('what hooks hand on', () => {
  const handing = (value: unknown) => ({
    kind: 'succeeded' as const,
    outputs: { PROMOTION_CONTEXT: typeof value === 'string' ? value : JSON.stringify(value) },
  });

  test('is known to later hooks of the release, a later value instead of an earlier one, and outlives a retry', () => {
    const release = opened('dev > eu', ['eu'], {}, { onStart: 'greet', onFail: 'page' });
    release.report('ON_START', handing({ TICKET: 'OPS-1', OPEN: true, AT: { room: 7 } }));
    release.succeed('dev').report('eu', handing({ TICKET: 'OPS-2' }));
    expect(release.state.context).toEqual({ TICKET: 'OPS-2', OPEN: 'true', AT: '{"room":7}' });
    release.fail('eu').succeed('eu/ON_FAIL', 'ON_FAIL').tell({ kind: 'retry', by: 'ada' });
    expect(release.state.context).toEqual({ TICKET: 'OPS-2', OPEN: 'true', AT: '{"room":7}' });
  });

  test('comes from hooks alone: the output of another action means nothing else', () => {
    const release = started(flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'page' } } } }), {
      workflows: WORKFLOWS,
    }).succeed('dev');
    release.report('eu', handing('none'));
    expect([release.state.context, release.promotion('eu').steps[0]?.status]).toEqual([{}, 'SUCCEEDED']);
  });

  test.each([
    ['no JSON', 'TICKET=1', /is not the text of a JSON object/],
    ['a list', '[1]', /is not the text of a JSON object/],
    ['a name that no action can name', '{"a b": 1}', /has the name "a b"/],
    ['a name of the language', '{"__proto__": "x", "": 1}', /has the name ""/],
  ])('that is %s fails the hook', (_, text, message) => {
    const release = opened('dev > eu', ['eu']).succeed('dev');
    release.report('eu', handing(text));
    expect(release.state.context).toEqual({});
    expect(release.promotion('eu').problem?.message).toMatch(message);
    expect(release.picture).toContain('eu FAILED, eu/ON_FAIL RUNNING');
  });

  test('has an end: 64 KiB of all together, counted in bytes', () => {
    const half = 'é'.repeat(MOST_CONTEXT / 4 - 20);
    const first = handOn({}, JSON.stringify({ ONE: half }));
    expect(first).toHaveProperty('context');
    const { context } = first as { context: Record<string, string> };
    expect(handOn(context, JSON.stringify({ ONE: half }))).toEqual({ context });
    expect(handOn(context, JSON.stringify({ TWO: `${half}${half}` }))).toEqual({
      wrong: expect.stringMatching(/has \d+ bytes, and at most 65536 are kept/),
    });
    expect(handOn({}, '{"NUL": "a\\u0000b"}')).toEqual({ context: { NUL: 'a\ufffdb' } });
  });
});

describe('what steps without an environment leave', () => {
  const left = (outputs: Record<string, string>) => ({ kind: 'succeeded' as const, outputs });
  const at = (release: Play, name: string) =>
    outputsBefore(
      release.plan,
      release.state,
      release.plan.promotions.findIndex((each) => each.name === name),
    );

  test('is known to all that comes after them, groups and hooks included, and to nothing else', () => {
    const picture = 'dev > {[tests], [image]} > {eu, us} as regions > asia';
    const release = opened(picture, ['asia'], {}, { onStart: 'greet', onSuccess: 'close' }).succeed('ON_START', 'dev');
    release.report('image', left({ IMAGE: 'billing@sha256:1', BY: 'image' }));
    expect([at(release, 'tests'), at(release, 'eu')]).toEqual([{}, { IMAGE: 'billing@sha256:1', BY: 'image' }]);
    release.later(MINUTE);
    release.report('tests', left({ PASSED: '7', BY: 'tests' }));
    const all = { IMAGE: 'billing@sha256:1', PASSED: '7', BY: 'tests' };
    expect(['eu', 'asia', 'asia/ON_FAIL', 'ON_SUCCESS'].map((name) => at(release, name))).toEqual([all, all, all, all]);
    expect([at(release, 'dev'), at(release, 'image')]).toEqual([{}, {}]);
  });
});
