import { describe, expect, test } from 'vitest';
import { pauses } from '../../src/core/gates/answer.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { Outcome, ReleaseState } from '../../src/core/release.ts';
import { hasUnseenEffect, isGivenUp, mayWork, takenBackBy } from '../../src/core/steps.ts';
import { allow } from './windows/support.ts';
import { approvalOf, flowOf, MINUTE, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';
import { advance } from './support/advance.ts';

const rolledBack = (more: Partial<ReleaseState['rollbacks'][string]>): ReleaseState['rollbacks'] => ({
  'r-9': { reason: 'pods crash', sequence: 1, stop: [], over: false, ...more },
});

const toEu = (onFailure: 'STOP' | 'FINISH_RUNNING' = 'STOP'): Play =>
  started(flowOf('dev > eu', { onFailure, steps: { eu: { timeout: MINUTE } } })).succeed('dev');
const job = (release: Play) => ({
  promotion: release.position('eu'),
  attempt: release.promotion('eu').attempt,
  dispatch: release.steps('eu')[0]?.dispatch ?? 0,
});

describe('a job may do a step', () => {
  test.each<[string, (release: Play) => Partial<ReturnType<typeof job>>, number, boolean]>([
    ['that is its own', () => ({}), 0, true],
    ['of another attempt', () => ({ attempt: 2 }), 0, false],
    ['of another job', () => ({ dispatch: 7 }), 0, false],
    ['that has not begun', () => ({ dispatch: 0 }), 1, false],
    ['that is not there', () => ({}), 9, false],
    ['of a promotion that is not there', () => ({ promotion: 9 }), 0, false],
    ['that was told to stop', (release) => (release.later(MINUTE), {}), 0, false],
    [
      'of a release that ends',
      (release) => (release.tell({ kind: 'terminate', reason: 'no', by: null }), {}),
      0,
      false,
    ],
    ['that a rollback takes back', ({ state }) => ((state.rollbacks = rolledBack({ stop: [1] })), {}), 0, false],
    [
      'beside one that a rollback takes back',
      ({ state }) => ((state.rollbacks = rolledBack({ stop: [0] })), {}),
      0,
      true,
    ],
    ['after a failure elsewhere', ({ state }) => ((state.halted = true), {}), 0, false],
  ])('%s', (_name, change, step, expected) => {
    const release = toEu();
    const more = change(release);
    expect(mayWork(release.plan, release.state, { ...job(release), ...more }, step)).toBe(expected);
  });

  test('after a failure elsewhere, where what runs is finished', () => {
    const release = toEu('FINISH_RUNNING');
    release.state.halted = true;
    expect(mayWork(release.plan, release.state, job(release), 0)).toBe(true);
  });
});

describe('a step whose effect has to be taken back', () => {
  type Case = (release: Play) => { attempt?: number; promotion?: number };
  test.each<[string, Case, number, boolean]>([
    ['is none that this run has', () => ({}), 0, false],
    ['is none that another job has', ({ state }) => ((state.promotions[1]!.steps[0]!.dispatch += 1), {}), 0, false],
    [
      'is none that has succeeded',
      ({ state }) => ((state.promotions[1]!.steps[0]!.status = 'SUCCEEDED'), {}),
      0,
      false,
    ],
    ['is none that waits', ({ state }) => ((state.promotions[1]!.steps[0]!.status = 'WAITING'), {}), 0, false],
    ['is of another attempt', () => ({ attempt: 2 }), 0, true],
    ['is not there', () => ({}), 9, true],
    ['is of a promotion that is not there', () => ({ promotion: 9 }), 0, true],
    ['has failed', ({ state }) => ((state.promotions[1]!.steps[0]!.status = 'FAILED'), {}), 0, true],
    ['was terminated', ({ state }) => ((state.promotions[1]!.steps[0]!.status = 'TERMINATED'), {}), 0, true],
    ['is of a promotion that has ended', ({ state }) => ((state.promotions[1]!.status = 'SUCCEEDED'), {}), 0, true],
    ['was told to stop', (release) => (release.later(MINUTE), {}), 0, true],
    [
      'is of a release that ends',
      (release) => (release.tell({ kind: 'terminate', reason: 'no', by: null }), {}),
      0,
      true,
    ],
  ])('%s', (_name, change, step, expected) => {
    const release = toEu();
    const more = change(release);
    expect(isGivenUp(release.plan, release.state, { ...job(release), ...more }, step)).toBe(expected);
  });
});

describe('a change that was begun and did not succeed', () => {
  const SUCCEEDED: Outcome = { kind: 'succeeded' };
  const FAILED: Outcome = { kind: 'failed', message: 'broken' };
  const two = (): Play => started(flowOf('dev > eu'), { applications: { dev: 2, eu: 2 } });

  test.each<[string, (release: Play) => void, boolean, boolean]>([
    ['not begun', () => {}, false, false],
    ['under way', (release) => release.succeed('dev'), true, true],
    ['of one of two', (release) => release.succeed('dev').report('eu', SUCCEEDED, 'billing-eu/ACTION'), false, true],
    ['of the other', (release) => release.succeed('dev').report('eu', SUCCEEDED, 'billing-api-eu/ACTION'), true, false],
    ['failed', (release) => release.succeed('dev').report('eu', FAILED, 'billing-eu/ACTION'), true, true],
    [
      'made, and its health is not known yet',
      (release) => release.succeed('dev').report('eu', SUCCEEDED),
      false,
      false,
    ],
  ])('%s', (_name, play, web, api) => {
    const release = two();
    play(release);
    const unseen = (name: string, environment = 'eu'): boolean =>
      hasUnseenEffect(release.plan, release.state, environment, name);
    expect([unseen('billing-eu'), unseen('billing-api-eu')]).toEqual([web, api]);
    expect(unseen('billing-mars')).toBe(false);
    expect(unseen('billing-eu', 'mars')).toBe(false);
  });
});

test.each([
  [{ called: 'billing#9', over: false }, 'rollback billing#9 takes it back: pods crash'],
  // As an older version saved it.
  [{ over: false }, 'a rollback takes it back: pods crash'],
  [{ over: true }, null],
])('a rollback that is over keeps nothing from starting: %j', (more, expected) => {
  const { state } = started('dev > eu');
  expect(takenBackBy({ ...state, rollbacks: rolledBack(more) })).toBe(expected);
});

describe('facts are asked for where they decide, and only there', () => {
  const pausing = { eu: [allow({ cron: '* * * * *', duration: 5 * MINUTE, onClose: 'PAUSE' }, 'office')] };
  const asks = (release: Play, environment: string): boolean =>
    advance(
      release.plan,
      release.state,
      [release.outcome(environment, release.running(environment)[0] as number, { kind: 'succeeded' })],
      null,
      release.now,
    ) === 'NEEDS_FACTS';

  test('the next phase where no window pauses', () => {
    expect(asks(started('dev > eu').succeed('dev'), 'eu')).toBe(false);
    expect(asks(started('dev > [tests]', { workflows: { tests: ['a > b'] } }).succeed('dev'), 'tests')).toBe(false);
  });

  test('the next phase where a window pauses', () => {
    const release = started('dev > eu');
    release.facts = { ...NO_FACTS, windows: pausing };
    release.succeed('dev');
    expect(release.promotion('eu').evidence?.some(pauses)).toBe(true);
    expect(asks(release, 'eu')).toBe(true);
  });

  test.each<[string, ReturnType<typeof flowOf>, boolean]>([
    ['something may start', flowOf('dev > eu'), true],
    ['people would be asked', flowOf('dev > eu', { steps: { eu: { approval: approvalOf('1') } } }), true],
    ['nothing starts', flowOf('dev > {eu, qa} > mars'), false],
  ])('after a success: %s', (_name, flow, expected) => {
    const release = started(flow);
    const one = flow.environments.includes('mars') ? 'eu' : 'dev';
    if (one === 'eu') release.succeed('dev').report('eu', { kind: 'succeeded' });
    expect(asks(release, one)).toBe(expected);
  });
});

describe('what is due', () => {
  test('does not begin where another step of it fails in the same moment', () => {
    const release = started(flowOf('dev > eu'), { applications: { dev: 2, eu: 2 } }).succeed('dev');
    release.report('eu', { kind: 'pending', reason: 'rolling out', recheckAfter: 3 * SECOND }, 'billing-eu/ACTION');
    release.now += 3 * SECOND;
    release.report('eu', { kind: 'failed', message: 'broken' });
    expect(release.dispatched).toEqual([]);
    expect(release.promotion('eu').status).toBe('FAILED');
    expect(release.steps('eu')[0]?.status).toBe('TERMINATED');
  });

  test('is not what waits for no time', () => {
    const release = started('dev > eu');
    release.report('dev', { kind: 'pending', reason: 'rolling out' });
    Object.assign(release.steps('dev')[0] as object, { recheckAt: null });
    release.later(MINUTE);
    expect(release.steps('dev')[0]?.status).toBe('WAITING');
  });
});

test('a window that closes within a phase lets the phase go on, and holds the next', () => {
  const release = started(flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'prepare' } } } }), {
    workflows: { prepare: ['a > b'] },
  });
  const office = allow({ cron: '0 9 * * *', end: '11:00', onClose: 'PAUSE' }, 'office');
  release.facts = { ...NO_FACTS, windows: { eu: [office] } };
  release.succeed('dev');
  release.now += 60 * MINUTE;
  release.report('eu', { kind: 'succeeded' });
  expect(release.stepsOf('eu')).toMatch(/^PRE_ACTION SUCCEEDED, PRE_ACTION RUNNING/);
  release.report('eu', { kind: 'succeeded' });
  expect(release.stepsOf('eu')).toMatch(/^PRE_ACTION SUCCEEDED, PRE_ACTION SUCCEEDED, ACTION PENDING/);
  expect(release.promotion('eu').status).toBe('WAITING');
});

test('what is told of a promotion or a step that is not there changes nothing', () => {
  const release = started('dev > eu');
  const nowhere = { ...release.outcome('dev', 0, { kind: 'succeeded' }), step: 9 };
  const { changed, events } = release.tell({ kind: 'lost-dispatch', promotion: 9, dispatch: 1 }, nowhere);
  expect({ changed, events }).toEqual({ changed: [], events: [] });
});

test('nobody is told to abort where nothing runs', () => {
  const release = started('dev > eu');
  release.report('dev', { kind: 'pending', reason: 'rolling out' });
  expect(release.tell({ kind: 'terminate', reason: 'enough', by: 'ada' }).work).toEqual([]);
  expect(release.state.status).toBe('TERMINATED');
});
