import { describe, expect, test } from 'vitest';
import type { Hooks } from '../../src/core/definitions.ts';
import { failuresOf } from '../../src/core/failures.ts';
import { waitingFor } from '../../src/core/waiting.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import { approvalOf, flowOf, MINUTE, person } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const WORKFLOWS = { notify: ['tell'], page: ['wake > write'] };
const HOOKS = { onStart: 'notify', onSuccess: 'notify', onFail: 'page' };

function opened(picture = 'dev > eu', hooks: Hooks = HOOKS, more: Parameters<typeof flowOf>[1] = {}): Play {
  return started(flowOf(picture, more), { workflows: WORKFLOWS, hooks });
}

const ended = ({ state }: Play) => `${state.status}: ${state.promotions.map((each) => each.status).join(' ')}`;

describe('steps of the release itself', () => {
  test('stand behind its environments in the plan, and are no environments', () => {
    const { plan, events } = opened();
    expect(plan.promotions.map(({ name, own, environment }) => [name, own, environment])).toEqual([
      ['dev', undefined, 'dev'],
      ['eu', undefined, 'eu'],
      ['ON_START', 'ON_START', null],
      ['ON_SUCCESS', 'ON_SUCCESS', null],
      ['ON_FAIL', 'ON_FAIL', null],
    ]);
    expect(plan.promotions[4]?.steps.map((each) => each.id)).toEqual(['ON_FAIL/wake', 'ON_FAIL/write']);
    expect(events[0]?.event).toMatchObject({ environments: ['dev', 'eu'] });
  });

  test('that come first are waited for by everything else, by name', () => {
    const release = opened();
    expect(release.picture).toBe('ON_START RUNNING');
    expect(waitingFor(release.plan, release.state, NO_FACTS, release.now)).toMatchObject([
      { kind: 'DEPENDENCIES', promotion: 0, message: 'dev: waits for ON_START', on: [{ promotion: 2 }] },
      { kind: 'DEPENDENCIES', promotion: 1 },
    ]);
    release.succeed('ON_START');
    expect(release.picture).toBe('dev RUNNING, ON_START SUCCEEDED');
  });

  test('at the end run as it went', () => {
    const well = opened().succeed('ON_START', 'dev', 'eu');
    expect(well.state.status).toBe('RUNNING');
    expect(well.picture).toContain('ON_SUCCESS RUNNING');
    expect(ended(well.succeed('ON_SUCCESS'))).toBe('SUCCEEDED: SUCCEEDED SUCCEEDED SUCCEEDED SUCCEEDED SKIPPED');

    const badly = opened().succeed('ON_START', 'dev').fail('eu');
    expect([badly.state.status, badly.picture]).toEqual([
      'RUNNING',
      'dev SUCCEEDED, eu FAILED, ON_START SUCCEEDED, ON_SUCCESS SKIPPED, ON_FAIL RUNNING',
    ]);
    expect(ended(badly.succeed('ON_FAIL'))).toBe('FAILED: SUCCEEDED FAILED SUCCEEDED SKIPPED SUCCEEDED');
  });

  test('that fail make the release fail, and the failure is told', () => {
    const first = opened().fail('ON_START');
    expect(first.picture).toBe('dev SKIPPED, eu SKIPPED, ON_START FAILED, ON_SUCCESS SKIPPED, ON_FAIL RUNNING');
    expect(ended(first.succeed('ON_FAIL'))).toBe('FAILED: SKIPPED SKIPPED FAILED SKIPPED SUCCEEDED');
    const last = opened().succeed('ON_START', 'dev', 'eu').fail('ON_SUCCESS', 'no route');
    expect(last.picture).toContain('ON_SUCCESS FAILED, ON_FAIL RUNNING');
    last.fail('ON_FAIL');
    expect([last.state.status, last.state.firstProblem?.message]).toEqual(['FAILED', 'no route']);
  });

  test.each(['FINISH_RUNNING', 'CONTINUE', 'STOP'] as const)(
    'about a failure outlive a flow that says %s, and a termination',
    (onFailure) => {
      const release = opened('dev > {eu, us}', HOOKS, { onFailure }).succeed('ON_START', 'dev').fail('eu');
      if (release.running('us').length > 0) release.report('us', { kind: 'aborted' });
      if (release.running('us').length > 0) release.succeed('us');
      expect(release.picture).toContain('ON_FAIL RUNNING');
      release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
      expect([release.state.status, release.aborted]).toEqual(['TERMINATING', []]);
      release.succeed('ON_FAIL');
      expect(release.state.endedAt).toBe(release.now);
    },
  );

  test('run after a termination, and not for a release that never started', () => {
    const cut = opened().succeed('ON_START', 'dev');
    cut.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    cut.report('eu', { kind: 'aborted' });
    expect([cut.state.status, cut.picture]).toEqual([
      'TERMINATING',
      'dev SUCCEEDED, eu TERMINATED, ON_START SUCCEEDED, ON_SUCCESS TERMINATED, ON_FAIL RUNNING',
    ]);
    expect(cut.succeed('ON_FAIL').state.status).toBe('TERMINATED');

    const queued = opened();
    const fresh = { ...queued.state, status: 'QUEUED' as const, startedAt: null };
    fresh.promotions = fresh.promotions.map((each) => ({
      ...each,
      status: 'PENDING' as const,
      startedAt: null,
      steps: each.steps.map((step) => ({ ...step, status: 'PENDING' as const })),
    }));
    queued.state = fresh;
    queued.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    queued.tell({ kind: 'terminate', reason: 'superseded', by: null });
    expect(ended(queued)).toBe('TERMINATED: TERMINATED TERMINATED TERMINATED TERMINATED SKIPPED');
  });

  test('are tried again, have a limit of their own, and end', () => {
    const release = opened().succeed('ON_START', 'dev').fail('eu');
    release.report('ON_FAIL', { kind: 'transient', message: 'no route' });
    expect(release.stepsOf('ON_FAIL')).toBe('ON_FAIL WAITING, ON_FAIL PENDING');
    release.wake();
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    release.later(11 * MINUTE);
    expect(release.aborted).toEqual(['ON_FAIL']);
    release.report('ON_FAIL', { kind: 'aborted' });
    expect(release.promotion('ON_FAIL').problem?.message).toBe('the limit of 10m for ON_FAIL is over');
    expect(release.state.endedAt).toBe(release.now);
  });

  test('ask people, whose time does not count', () => {
    const release = opened('dev > eu', { onFail: 'notify' }).succeed('dev').fail('eu');
    const approval = approvalOf('1 of grace', { expiry: 60 * MINUTE });
    release.report('ON_FAIL', { kind: 'asked', question: 'Is the ticket closed?', approval });
    expect(release.promotion('ON_FAIL').status).toBe('SUSPENDED');
    // Beyond the ten minutes that it may move.
    release.later(30 * MINUTE);
    expect(release.promotion('ON_FAIL').status).toBe('SUSPENDED');
    expect(release.decide('approve', 'ON_FAIL', person('grace'), null, 0)).toBeNull();
    release.succeed('ON_FAIL');
    expect(ended(release)).toBe('FAILED: SUCCEEDED FAILED SUCCEEDED');
  });

  test('at the end run again after a retry, for that end is another one', () => {
    const release = opened().succeed('ON_START', 'dev').fail('eu').succeed('ON_FAIL');
    release.tell({ kind: 'retry', by: 'ada' });
    expect(release.picture).toBe('dev SUCCEEDED, eu RUNNING, ON_START SUCCEEDED');
    release.fail('eu');
    expect(release.promotion('ON_FAIL')).toMatchObject({ status: 'RUNNING', attempt: 2 });
    release.succeed('ON_FAIL').tell({ kind: 'retry', by: 'ada' });
    expect(ended(release.succeed('eu', 'ON_SUCCESS'))).toBe(
      'SUCCEEDED: SUCCEEDED SUCCEEDED SUCCEEDED SUCCEEDED SKIPPED',
    );
  });

  test('at the end wait for what the end of their members means for groups', () => {
    const release = opened('dev > {eu, us} as regions');
    release.facts = {
      ...NO_FACTS,
      heldBy: { eu: { id: 'r-0', called: 'billing#1' }, us: { id: 'r-0', called: 'billing#1' } },
    };
    release.succeed('ON_START', 'dev');
    release.tell({
      kind: 'rollback-told',
      rollback: 'b-1',
      called: 'billing#2',
      sequence: 1,
      reason: 'bad',
      targets: [],
    });
    expect([release.group('regions').status, release.picture]).toEqual([
      'FAILED',
      'dev SUCCEEDED, eu SKIPPED, us SKIPPED, ON_START SUCCEEDED, ON_SUCCESS SKIPPED, ON_FAIL RUNNING',
    ]);
    expect(release.succeed('ON_FAIL').state.status).toBe('FAILED');
  });

  test('are left out where there is nothing to run', () => {
    expect(opened('dev > eu', {}).plan.promotions).toHaveLength(2);
    expect(opened('dev > eu', { onFail: 'gone' }).plan.promotions).toHaveLength(2);
  });
});

describe('what a hook is told of a failure', () => {
  const told = ({ plan, state }: Play) => failuresOf(plan, state);

  test('the first problem, and every environment that failed, without the hooks', () => {
    const release = opened('dev > {eu, us} as regions', HOOKS, { onFailure: 'CONTINUE' }).succeed('ON_START', 'dev');
    release.fail('us', 'no quota');
    release.later(MINUTE);
    release.fail('eu', 'x'.repeat(2_000));
    expect(told(release)).toEqual({
      message: 'no quota',
      environments: [
        { Name: 'us', Status: 'FAILED', ErrorMessage: 'no quota', Applications: ['billing-us'] },
        { Name: 'eu', Status: 'FAILED', ErrorMessage: 'x'.repeat(500), Applications: ['billing-eu'] },
      ],
    });
    expect(told(opened().fail('ON_START', 'no ticket'))).toEqual({ message: 'no ticket', environments: [] });
  });

  test('the reason of a termination, and what it stopped; what had not begun is not told', () => {
    const release = opened('dev > eu > asia').succeed('ON_START', 'dev');
    release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' });
    release.report('eu', { kind: 'aborted' });
    const { message, environments } = told(release);
    expect([message, environments.map(({ Name, Status }) => `${Name} ${Status}`)]).toEqual([
      'enough',
      ['eu TERMINATED'],
    ]);
  });
});
