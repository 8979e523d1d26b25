import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../src/core/decision.ts';
import { createRelease } from '../../../src/core/create.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type { PromotionStatus, ReleaseState, RollbackStanding, Stimulus } from '../../../src/core/release.ts';
import { tellingOf } from '../../../src/core/rollback/standing.ts';
import { overBy } from '../../../src/core/rollback/take-back.ts';
import { approvalOf } from '../support/builders.ts';
import { started } from '../support/play.ts';
import type { Play } from '../support/play.ts';
import { flow, goesBack, place, rollbackOf } from './created.ts';
import { NOW, versionOf } from './support.ts';
import { advance } from '../support/advance.ts';

test('a rollback has a promotion for what goes back, now or when somebody agrees, and none for the rest', () => {
  const proposed = goesBack('eu', { decision: 'PROPOSED', approval: approvalOf('1') });
  const alone = goesBack('asia', { decision: 'LEFT_ALONE', reason: 'asia runs 1.9', to: null });
  const { plan, contents, events } = rollbackOf([goesBack('us-east'), proposed, alone]);
  expect(plan.promotions.map(({ name, dependsOn, approval }) => [name, dependsOn, approval !== null])).toEqual([
    ['us-east', [], false],
    ['eu', [], true],
  ]);
  expect(plan.promotions[0]?.steps.map((each) => each.phase)).toEqual(['ACTION', 'HEALTH']);
  expect(plan.promotions[0]?.restores).toEqual({ from: versionOf('2.0'), to: versionOf('1.4'), origin: 'r2' });
  expect(Object.values(contents)).toEqual(['1.4 of billing-us-east', '1.4 of billing-eu']);
  expect(events.map(({ event }) => event.type)).toEqual([
    'ReleaseQueued',
    'RollbackStarted',
    'RollbackTargetProposed',
    'RollbackTargetLeftAlone',
  ]);
  expect(events[0]?.event).toMatchObject({ kind: 'ROLLBACK' });
});

test('an environment whose applications were not there with the earlier version cannot go back, and the release says so', () => {
  const { plan, state } = rollbackOf([goesBack('us-east'), goesBack('eu')], { without: ['billing-eu'] });
  expect(plan.promotions.map((each) => each.name)).toEqual(['us-east']);
  const reason = 'none of the applications of eu was there with 1.4';
  expect(plan.rollback?.targets[1]).toMatchObject({ decision: 'IMPOSSIBLE', reason, to: null });
  expect(state.firstProblem).toMatchObject({ environment: 'eu', message: `eu cannot go back: ${reason}` });
});

test('of several applications those go back that were there, one after the other each', () => {
  const { plan } = rollbackOf([goesBack('asia')], { without: ['billing-asia'] });
  expect(plan.rollback?.targets[0]).toMatchObject({ decision: 'INCLUDED' });
  expect(plan.promotions[0]?.applications.map(({ name }) => name)).toEqual(['billing-api-asia']);
  const both = rollbackOf([goesBack('asia')]).plan.promotions[0];
  expect(both?.steps.map(({ application, needs }) => [application, needs])).toEqual([
    [0, []],
    [0, [0]],
    [1, []],
    [1, [2]],
  ]);
  expect(plan.signsCommits).toBe(true);
});

test('a proposal that nothing could come of is none', () => {
  const proposed = goesBack('eu', { decision: 'PROPOSED', approval: approvalOf('1') });
  const alone = goesBack('us-east', { decision: 'LEFT_ALONE', to: null });
  const { plan, events } = rollbackOf([proposed, alone], { without: ['billing-eu', 'billing-us-east'] });
  expect(plan.promotions).toEqual([]);
  expect(plan.rollback?.targets.map(({ decision, approval }) => [decision, approval])).toEqual([
    ['IMPOSSIBLE', null],
    ['LEFT_ALONE', null],
  ]);
  expect(events[1]?.event).toMatchObject({
    type: 'RollbackStarted',
    origin: 'r2',
    version: '2.0',
    causedIn: 'us-east',
  });
});

test('over a change by hand is frozen into the one promotion that may', () => {
  const { plan } = rollbackOf([goesBack('us-east', { overChange: true }), goesBack('eu')]);
  expect(plan.promotions.map((each) => each.restores?.overChange)).toEqual([true, undefined]);
});

// What each promotion of a rollback is, and what those whom it takes back are told of it.
const standings: [string, Partial<{ status: PromotionStatus; started: boolean; asked: boolean }>, RollbackStanding][] =
  [
    ['it will go back: what is at work there has to end', { status: 'WAITING' }, 'STOP'],
    ['somebody is asked: nothing is stopped yet', { status: 'SUSPENDED', asked: true }, 'NONE'],
    ['it never will', { status: 'SKIPPED' }, 'NONE'],
    ['it goes back', { status: 'RUNNING', started: true }, 'ROLLING_BACK'],
    ['it is back', { status: 'SUCCEEDED', started: true }, 'ROLLED_BACK'],
    ['it failed', { status: 'FAILED', started: true }, 'ROLLBACK_FAILED'],
    ['it was stopped on its way', { status: 'TERMINATED', started: true }, 'ROLLBACK_FAILED'],
    ['it was stopped before it began', { status: 'TERMINATED' }, 'NONE'],
  ];

test.each(standings)('%s', (_name, { status = 'PENDING', started = false, asked = false }, standing) => {
  const { plan, state } = rollbackOf([goesBack('us-east', asked ? { approval: approvalOf('1') } : {})]);
  Object.assign(state.promotions[0]!, { status, startedAt: started ? NOW : null });
  expect(tellingOf(plan, state, 'billing#2')?.targets).toEqual([{ environment: 'us-east', standing, reason: null }]);
});

test('a release that is no rollback has nothing to tell', () => {
  const { state } = createRelease('r2', flow, '2.0', NOW, null);
  expect(tellingOf(flow, state, 'billing#2')).toBeNull();
});

/** A release of which every region has succeeded, unless `more` says otherwise; it has ended. */
function released(more: Record<string, PromotionStatus> = {}): ReleaseState {
  const { state } = createRelease('r2', flow, '2.0', NOW, null);
  const promotions = state.promotions.map((each, at) => {
    const status = more[flow.promotions[at]!.name] ?? 'SUCCEEDED';
    const never = status === 'SKIPPED' || status === 'PENDING';
    return { ...each, status, startedAt: never ? null : NOW, endedAt: NOW };
  });
  return { ...state, status: 'SUCCEEDED', startedAt: NOW, endedAt: NOW, deadline: null, promotions };
}

const told = (sequence: number, standing: RollbackStanding, reason: string | null = null): Stimulus => ({
  kind: 'rollback-told',
  rollback: 'rb',
  called: 'billing#2',
  sequence,
  reason: 'us-east: it failed',
  targets: [{ environment: 'us-east', standing, reason }],
});

const take = (state: ReleaseState, ...stimuli: Stimulus[]): Decision =>
  advance(flow, state, stimuli, NO_FACTS, NOW) as Decision;

const at = (state: ReleaseState, name: string): PromotionStatus => state.promotions[place(name)]!.status;

test('a release that has ended shows what becomes of its environment, and is FAILED in the end', () => {
  const going = take(released(), told(3, 'ROLLING_BACK'));
  expect([going.state.status, at(going.state, 'us-east'), at(going.state, 'eu')]).toEqual([
    'RUNNING',
    'ROLLING_BACK',
    'SUCCEEDED',
  ]);
  const back = take(going.state, told(5, 'ROLLED_BACK'));
  expect([back.state.status, at(back.state, 'us-east'), back.state.endedAt]).toEqual(['FAILED', 'ROLLED_BACK', NOW]);
  expect(back.events.map(({ event }) => event.type)).toEqual(['PromotionRolledBack', 'ReleaseFailed']);
});

test('what is told again, or late, changes nothing', () => {
  const { state } = take(released(), told(3, 'ROLLING_BACK'), told(5, 'ROLLED_BACK'));
  for (const late of [told(5, 'ROLLED_BACK'), told(3, 'ROLLING_BACK')]) {
    const again = take(state, late);
    expect([again.events, again.changed, at(again.state, 'us-east')]).toEqual([[], [], 'ROLLED_BACK']);
  }
});

test('a rollback that failed leaves its reason with the environment', () => {
  const { state } = take(released(), told(3, 'ROLLBACK_FAILED', 'git is away'));
  expect(at(state, 'us-east')).toBe('ROLLBACK_FAILED');
  expect(state.promotions[place('us-east')]?.problem?.message).toBe('the rollback failed: git is away');
});

test('what never began stays as it is', () => {
  const { state } = take(released({ 'us-east': 'SKIPPED' }), told(3, 'ROLLED_BACK'));
  expect(at(state, 'us-east')).toBe('SKIPPED');
});

test.each(['NONE', 'STOP'] as const)('%s says nothing about what has ended', (standing) => {
  const { state, events } = take(released(), told(3, standing));
  expect([at(state, 'us-east'), state.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  expect(events.map(({ event }) => event.type)).toEqual(['ReleaseTakenBack']);
});

test('what stands as it stood is told once', () => {
  const { state } = take(released(), told(3, 'ROLLED_BACK'));
  expect(take(state, told(5, 'ROLLED_BACK')).events).toEqual([]);
});

/** A release that is at work in us-east. */
function working(): Play {
  const play = started('dev > us-east').succeed('dev');
  expect(play.picture).toBe('dev SUCCEEDED, us-east RUNNING');
  return play;
}

test('what is at work is stopped once, when the rollback needs its environment, and not before', () => {
  const play = working();
  play.tell(told(3, 'NONE'));
  expect([play.aborted, play.state.rollbacks['rb']]).toEqual([[], expect.objectContaining({ stop: [], over: false })]);
  play.tell(told(4, 'STOP'));
  expect([play.aborted, play.state.rollbacks['rb']?.stop]).toEqual([['us-east'], [1]]);
  play.tell(told(5, 'STOP'));
  expect([play.aborted, play.state.rollbacks['rb']?.stop]).toEqual([[], [1]]);
});

test('what was told before the promotion ended is not told anew by the same words', () => {
  const play = working();
  play.tell(told(3, 'ROLLING_BACK'));
  play.report('us-east', { kind: 'aborted' });
  const { picture } = play;
  play.tell(told(3, 'ROLLING_BACK'));
  expect(play.picture).toBe(picture);
  play.tell(told(4, 'ROLLING_BACK'));
  expect(play.picture).toBe('dev SUCCEEDED, us-east ROLLING_BACK');
});

test('what is history stays history, whatever it tells later', () => {
  const { state } = take(released(), told(3, 'STOP'));
  const later = take({ ...state, rollbacks: overBy(state.rollbacks) }, told(5, 'STOP'));
  expect(later.state.rollbacks['rb']).toMatchObject({ sequence: 5, over: true });
});

test('after a retry the rollbacks so far are history', () => {
  const { state } = take(released(), told(3, 'STOP'));
  expect(overBy(state.rollbacks)).toEqual({
    rb: { called: 'billing#2', reason: 'us-east: it failed', sequence: 3, stop: [], over: true },
  });
});

describe('a release that is taken back while it is at work', () => {
  const runs = (): ReleaseState => {
    const { state } = createRelease('r2', flow, '2.0', NOW, null);
    const promotions = state.promotions.map((each, position) => {
      if (position !== place('us-east')) return { ...each };
      const steps = each.steps.map((step, index) => (index === 0 ? { ...step, status: 'RUNNING' as const } : step));
      return { ...each, status: 'RUNNING' as const, startedAt: NOW, steps };
    });
    return { ...state, status: 'RUNNING', startedAt: NOW, promotions };
  };
  const aborted = ({ work }: Decision): number[] =>
    work.flatMap((each) => (each.kind === 'abort' ? each.promotions : []));

  test('stops what runs where the rollback has to work, once', () => {
    const stopped = take(runs(), told(3, 'STOP'));
    expect(aborted(stopped)).toEqual([place('us-east')]);
    expect(stopped.state.rollbacks['rb']).toMatchObject({ sequence: 3, stop: [place('us-east')], over: false });
    const again = take(stopped.state, told(4, 'STOP'));
    expect(aborted(again)).toEqual([]);
    expect(again.state.rollbacks['rb']).toMatchObject({ sequence: 4, stop: [place('us-east')] });
  });

  test('stops nothing while somebody is asked, and starts nothing either', () => {
    const waits = take(runs(), told(3, 'NONE'));
    expect(aborted(waits)).toEqual([]);
    expect(waits.state.rollbacks['rb']).toMatchObject({ stop: [], over: false });
    expect(waits.events.map(({ event }) => event.type)).toContain('ReleaseTakenBack');
    expect(take(waits.state, told(3, 'STOP')).state.rollbacks['rb']?.stop).toEqual([]);
  });

  test('what is over by a retry stays over', () => {
    const { state } = take(runs(), told(3, 'NONE'));
    const after = take({ ...state, rollbacks: overBy(state.rollbacks) }, told(4, 'NONE'));
    expect(after.state.rollbacks['rb']).toMatchObject({ sequence: 4, over: true });
  });
});

test('a standing that changes nothing is not told', () => {
  for (const standing of ['NONE', 'STOP'] as const) {
    const { state, events } = take(released(), told(3, standing));
    expect([at(state, 'us-east'), events.map(({ event }) => event.type)]).toEqual(['SUCCEEDED', ['ReleaseTakenBack']]);
  }
  const { state } = take(released(), told(3, 'ROLLED_BACK'));
  expect(take(state, told(4, 'ROLLED_BACK')).events).toEqual([]);
});

test('a rollback with nothing but what cannot go back has failed, and says where', () => {
  const one = rollbackOf([goesBack('us-east'), goesBack('eu', { decision: 'IMPOSSIBLE', to: null })]);
  expect(one.state.firstProblem?.message).toBe('eu cannot go back: eu goes back');
  expect(one.plan.onFailure).toBe('CONTINUE');
  expect(one.plan.promotions[0]?.steps.map(({ needs }) => needs)).toEqual([[], [0]]);
  expect(one.events.find(({ event }) => event.type === 'RollbackStarted')?.event).toMatchObject({ origin: 'r2' });
});
