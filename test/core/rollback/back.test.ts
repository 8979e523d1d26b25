import { describe, expect, test } from 'vitest';
import type { ApprovalSpec, RollbackPolicySpec } from '../../../src/core/definitions.ts';
import type { Expected } from '../../../src/core/plan.ts';
import { NO_FACTS } from '../../../src/core/release.ts';
import type { Facts, PromotionState } from '../../../src/core/release.ts';
import { limitGate, liveGate } from '../../../src/core/rollback/gates.ts';
import type { RollbackTarget } from '../../../src/core/rollback/rollback.ts';
import { tellingOf } from '../../../src/core/rollback/standing.ts';
import { targetStatuses } from '../../../src/core/rollback/target-status.ts';
import { distinct, named, sameVersion } from '../../../src/core/rollback/words.ts';
import { approvalOf, flowOf, MINUTE, person } from '../support/builders.ts';
import { Play, started } from '../support/play.ts';
import { goesBack, rollbackOf } from './created.ts';
import { NOW, policyOf, versionOf } from './support.ts';

const application = 'billing-us-east';
const live = (text: string): Facts['live'] => ({ [application]: { ...versionOf(text), id: `of-${text}` } });

describe('a rollback asks whether what it takes back is live still', () => {
  test.each<[string, Expected | undefined, Facts['live'], string]>([
    ['nothing is asked', undefined, live('3.0'), 'pass: 2.0 is still to be taken back'],
    ['the deployment', { deployment: 'of-2.0', digests: [] }, live('2.0'), 'pass: 2.0 is still to be taken back'],
    [
      'another deployment of the content',
      { deployment: 'first', digests: ['sha-of-2.0'] },
      live('2.0'),
      'pass: 2.0 is still to be taken back',
    ],
    [
      'another content',
      { deployment: 'of-2.0', digests: ['sha-of-2.0'] },
      live('2.1'),
      'fail: 2.1 is live in us-east by now, so there is nothing to take back',
    ],
    [
      'nothing, where something was',
      { deployment: 'of-2.0', digests: ['sha-of-2.0'] },
      {},
      'fail: nothing is live in us-east by now, so there is nothing to take back',
    ],
    ['nothing, where nothing was', { deployment: null, digests: [] }, {}, 'pass: 2.0 is still to be taken back'],
    [
      'something, where nothing was',
      { deployment: null, digests: [] },
      live('2.1'),
      'fail: 2.1 is live in us-east by now, so there is nothing to take back',
    ],
  ])('%s', (_, expects, facts, answer) => {
    const { plan, state } = rollbackOf([goesBack('us-east')], { expects: expects && { 'us-east': expects } });
    const first = liveGate.ask({ plan, state, position: 0, facts: { ...NO_FACTS, live: facts }, now: 0 });
    expect(`${first?.verdict}: ${first?.reason}`).toBe(answer);
  });
});

describe('so many go back at once', () => {
  const all = ['us-east', 'eu', 'asia'];
  test.each<[string, number | null, string[], string]>([
    ['without a limit', null, ['us-east', 'eu'], 'pass: 2 go back now'],
    ['below the limit', 2, ['us-east'], 'pass: 1 go back now'],
    ['at the limit', 2, ['us-east', 'eu'], 'wait: us-east, eu go back first, 2 may at once'],
    ['the one that is asked about does not count', 1, ['asia'], 'pass: 0 go back now'],
  ])('%s', (_, maxParallel, going, answer) => {
    const { plan, state } = rollbackOf(
      all.map((each) => goesBack(each)),
      { maxParallel },
    );
    for (const each of going)
      Object.assign(state.promotions[all.indexOf(each)]!, { startedAt: NOW, status: 'RUNNING' });
    const limit = limitGate.ask({ plan, state, position: 2, facts: NO_FACTS, now: 0 });
    expect(`${limit?.verdict}: ${limit?.reason}`).toBe(answer);
  });

  test('what has ended makes room', () => {
    const { plan, state } = rollbackOf(
      all.map((each) => goesBack(each)),
      { maxParallel: 1 },
    );
    Object.assign(state.promotions[0]!, { startedAt: NOW, status: 'SUCCEEDED' });
    expect(limitGate.ask({ plan, state, position: 1, facts: NO_FACTS, now: 0 })).toMatchObject({ verdict: 'pass' });
  });
});

describe('where a target of a rollback is', () => {
  const problem = { message: 'git is away', at: '', environment: 'us-east' };
  const approval = (decided: boolean): Partial<PromotionState> => ({
    approval: {
      requestedAt: NOW,
      expiresAt: NOW + MINUTE,
      expiredAt: null,
      decisions: decided ? [{ kind: 'APPROVED', by: 'ann', at: NOW, comment: null, via: 'API', rules: [0] }] : [],
    },
  });
  const proposed: Partial<RollbackTarget> = { decision: 'PROPOSED', approval: approvalOf('1') };
  test.each<[string, Partial<RollbackTarget>, Partial<PromotionState>, string]>([
    ['it waits', {}, { status: 'WAITING' }, 'WAITING: us-east goes back'],
    ['nobody was asked yet', proposed, { status: 'PENDING' }, 'PROPOSED: us-east goes back'],
    ['somebody is asked', proposed, { status: 'SUSPENDED', ...approval(false) }, 'PROPOSED: us-east goes back'],
    ['somebody has agreed', proposed, { status: 'WAITING', ...approval(true) }, 'WAITING: us-east goes back'],
    ['it goes back', {}, { status: 'RUNNING', startedAt: NOW, problem }, 'ROLLING_BACK: us-east goes back'],
    ['it is back', {}, { status: 'SUCCEEDED', startedAt: NOW, problem }, 'ROLLED_BACK: us-east goes back'],
    ['it was taken back itself', {}, { status: 'ROLLED_BACK', startedAt: NOW }, 'ROLLED_BACK: us-east goes back'],
    ['it was skipped', {}, { status: 'SKIPPED', problem }, 'LEFT_ALONE: git is away'],
    ['it was stopped before', {}, { status: 'TERMINATED', problem }, 'LEFT_ALONE: git is away'],
    ['it failed', {}, { status: 'FAILED', startedAt: NOW, problem }, 'FAILED: git is away'],
    ['it failed without a word', {}, { status: 'FAILED', startedAt: NOW }, 'FAILED: us-east goes back'],
    ['it never should', { decision: 'LEFT_ALONE', to: null }, {}, 'LEFT_ALONE: us-east goes back'],
    ['it never can', { decision: 'IMPOSSIBLE', to: null }, {}, 'IMPOSSIBLE: us-east goes back'],
  ])('%s', (_, decided, promotion, expected) => {
    const { plan, state } = rollbackOf([goesBack('us-east', decided)]);
    Object.assign(state.promotions[0] ?? {}, promotion);
    expect(targetStatuses(plan, state).map(({ status, reason }) => `${status}: ${reason}`)).toEqual([expected]);
  });

  test('of an environment without a promotion', () => {
    const { plan, state } = rollbackOf([goesBack('us-east'), goesBack('eu', { decision: 'LEFT_ALONE', to: null })]);
    expect(targetStatuses(plan, state).map(({ status }) => status)).toEqual(['WAITING', 'LEFT_ALONE']);
    expect(targetStatuses({ ...plan, promotions: [] }, state).map(({ status }) => status)).toEqual([
      'LEFT_ALONE',
      'LEFT_ALONE',
    ]);
    expect(targetStatuses({ ...plan, rollback: undefined }, state)).toEqual([]);
  });
});

describe('a rollback before it starts', () => {
  const standing = (approval: ApprovalSpec | null, more: object, promotion: Partial<PromotionState> = {}) => {
    const { plan, state } = rollbackOf([goesBack('us-east', { approval })]);
    Object.assign(state, more);
    Object.assign(state.promotions[0]!, { status: 'WAITING', ...promotion });
    return tellingOf(plan, state, 'billing#2')?.targets[0]?.standing;
  };

  test('holds what runs there, unless it stops', () => {
    expect(standing(null, {})).toBe('STOP');
    expect(standing(null, { halted: true })).toBe('NONE');
    expect(standing(null, { terminating: { reason: 'enough', by: null, at: '' } })).toBe('NONE');
  });

  test('holds nothing until who has to agree has agreed', () => {
    const asked = { requestedAt: NOW, expiresAt: NOW, expiredAt: null, decisions: [] };
    const yes = { kind: 'APPROVED' as const, by: 'ann', at: NOW, comment: null, via: 'API' as const, rules: [0] };
    expect(standing(approvalOf('1'), {}, { approval: asked })).toBe('NONE');
    expect(standing(approvalOf('1'), {}, { approval: { ...asked, decisions: [yes] } })).toBe('STOP');
  });
});

test('what goes back is planned, and what cannot is the first problem', () => {
  const all = rollbackOf([goesBack('us-east'), goesBack('eu', { decision: 'IMPOSSIBLE', to: null })]);
  expect(all.plan.promotions.map(({ name, production, steps }) => [name, production, steps.length])).toEqual([
    ['us-east', true, 2],
  ]);
  expect(all.plan.onFailure).toBe('CONTINUE');
  expect(rollbackOf([goesBack('us-east')], { onTargetFailure: 'STOP' }).plan.onFailure).toBe('FINISH_RUNNING');
  expect(all.state.firstProblem?.message).toBe('eu cannot go back: eu goes back');
  expect(rollbackOf([goesBack('us-east')]).state.firstProblem).toBeNull();
});

describe('a rollback tells what becomes of its targets', () => {
  const begun = (): Play => {
    const play = new Play(rollbackOf([goesBack('us-east')]).plan, NOW);
    play.tell({ kind: 'tick' });
    return play;
  };
  const at = { target: 'us-east', from: '2.0', to: '1.4' };
  const told = (play: Play) => play.last.events.map(({ event }) => event).filter(({ type }) => /Target/.test(type));

  test('it starts and is back, without a reason', () => {
    const play = begun();
    expect(told(play)).toEqual([{ type: 'RollbackTargetStarted', ...at }]);
    play.succeed('us-east');
    expect(told(play)).toEqual([{ type: 'RollbackTargetSucceeded', ...at }]);
  });

  test('it fails, with one, and takes nothing back itself', () => {
    const play = begun().fail('us-east', 'git is away');
    expect(told(play)).toEqual([
      { type: 'RollbackTargetFailed', ...at, reason: expect.stringContaining('git is away') },
    ]);
    expect(play.last.work).toEqual([]);
  });

  test('no other release does', () => {
    const play = started('dev > eu').succeed('dev');
    expect(play.events.filter(({ event }) => /RollbackTarget/.test(event.type))).toEqual([]);
  });
});

describe('what a promotion that has ended asks for', () => {
  const ended = (policy: Partial<RollbackPolicySpec>, picture = 'dev > eu'): Play =>
    started(flowOf(picture, { rollbackPolicies: [policyOf({ targets: [], ...policy })] })).succeed('dev');
  const works = (play: Play): string[] =>
    play.last.work.map(({ kind }) => kind).filter((kind) => /roll|obs/.test(kind));

  test('to go back, when the change was made', () => {
    const play = ended({});
    play.report('eu', { kind: 'succeeded' });
    expect(works(play.fail('eu', 'pods crash'))).toEqual(['roll-back']);
    expect(play.last.work.find(({ kind }) => kind === 'roll-back')).toMatchObject({
      reason: expect.stringContaining('pods crash'),
    });
  });

  test('nothing, when no change was made', () => {
    expect(works(ended({}).fail('eu'))).toEqual([]);
  });

  test('nothing, when no policy is for it', () => {
    const play = ended({ when: { causes: ['DEGRADED'] } });
    play.report('eu', { kind: 'succeeded' });
    expect(works(play.fail('eu'))).toEqual([]);
  });

  test('nothing, when it is in no environment', () => {
    const play = started(
      flowOf('dev > [tests]', { rollbackPolicies: [policyOf({ targets: [], observeFor: MINUTE })] }),
      { workflows: { tests: ['a > b'] } },
    ).succeed('dev');
    play.report('tests', { kind: 'succeeded' }, 'a');
    expect(works(play.fail('tests'))).toEqual([]);
    const fine = started(
      flowOf('dev > [tests]', { rollbackPolicies: [policyOf({ targets: [], observeFor: MINUTE })] }),
    ).succeed('dev', 'tests');
    expect(works(fine)).toEqual([]);
  });

  test('to be looked at, as long as the policy says, after its success', () => {
    expect(works(ended({}).succeed('eu'))).toEqual([]);
    const play = ended({ observeFor: MINUTE }).succeed('eu');
    expect(play.last.work.find(({ kind }) => kind === 'observe')).toMatchObject({ until: play.now + MINUTE });
  });
});

describe('the words for versions', () => {
  const of = (label: string, digest: string) => ({ label, digest });
  test('its label, or its digest', () => {
    expect([of('2.0', 'abc'), of('', 'sha-0123456789'), of('', '')].map(named)).toEqual([
      '2.0',
      'sha-01234567',
      'an unknown version',
    ]);
  });

  test.each([
    [of('2.0', 'a'), of('2.1', 'a'), ['2.0', '2.1']],
    [of('2.0', 'a'), of('2.0', 'a'), ['2.0', '2.0']],
    [of('2.0', 'a'), of('2.0', 'b'), ['2.0 (a)', '2.0 (b)']],
  ])('%j and %j', (one, other, words) => {
    expect(distinct(one, other)).toEqual(words);
  });

  test('the same is what has one content that is known', () => {
    expect(sameVersion(of('a', 'x'), of('b', 'x'))).toBe(true);
    expect(sameVersion(of('a', 'x'), of('a', 'y'))).toBe(false);
    expect(sameVersion(of('a', ''), of('a', ''))).toBe(false);
    expect([sameVersion(null, of('a', 'x')), sameVersion(of('a', 'x'), undefined), sameVersion(null, null)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

test('a rejected proposal leaves its environment alone', () => {
  const play = new Play(
    rollbackOf([goesBack('us-east', { decision: 'PROPOSED', approval: approvalOf('1') })]).plan,
    NOW,
  );
  play.tell({ kind: 'tick' });
  play.decide('reject', 'us-east', person('ann'));
  expect(targetStatuses(play.plan, play.state)).toEqual([
    { status: 'LEFT_ALONE', reason: expect.stringContaining('rejected by ann') },
  ]);
});
