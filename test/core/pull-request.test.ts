import { describe, expect, test } from 'vitest';
import { CLOSE_PULL_REQUEST } from '../../src/core/pull-request.ts';
import type { Decision } from '../../src/core/decision.ts';
import type { Work } from '../../src/core/effects.ts';
import { NO_FACTS } from '../../src/core/release.ts';
import type { DeploymentFact, Facts, PullRequestNews, Stimulus } from '../../src/core/release.ts';
import type { EnvironmentHold } from '../../src/core/holds.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import type { PullRequestPolicy } from '../../src/core/definitions.ts';
import type { ReleasePlan } from '../../src/core/plan.ts';
import { planRelease } from '../../src/core/planner.ts';
import { at, flowOf, inputOf, MINUTE, planOf } from './support/builders.ts';
import { Play } from './support/play.ts';

const NEWS: PullRequestNews = { state: 'OPEN', number: 7, url: 'https://forge.example.com/7', branch: 'sluice/x' };
const OUTPUTS = { PULL_REQUEST_NUMBER: '7', PULL_REQUEST_URL: NEWS.url };

const flow = (pullRequest: Partial<PullRequestPolicy> = {}) =>
  flowOf('dev > eu', {
    steps: { eu: { policy: { action: 'pr', pullRequest: { ...DEFAULT_PULL_REQUEST, ...pullRequest } } } },
  });

/** A release by hand, with all that its decisions asked for. */
class Told extends Play {
  readonly work: Work[] = [];
  readonly deployments: DeploymentFact[] = [];

  override tell(...stimuli: Stimulus[]): Decision {
    const decision = super.tell(...stimuli);
    this.work.push(...decision.work);
    this.deployments.push(...decision.deployments);
    return decision;
  }
}

function begun(pullRequest: Partial<PullRequestPolicy> = {}): Told {
  const play = new Told(planOf(flow(pullRequest)));
  play.tell({ kind: 'tick' });
  return play.succeed('dev');
}

/** The pull request for eu is open, and waits for its merge. */
function opened(pullRequest: Partial<PullRequestPolicy> = {}): Told {
  const play = begun(pullRequest);
  play.report('eu', { kind: 'succeeded', outputs: OUTPUTS, pullRequest: NEWS });
  play.report('eu', { kind: 'pending', reason: 'waits', recheckAfter: 5 * MINUTE, waitsFor: 'PERSON' });
  return play;
}

const types = ({ events }: Told): string[] => events.map(({ event }) => event.type);

test('opening it deploys nothing; its merge does, once', () => {
  const play = opened();
  expect(types(play)).toContain('PullRequestOpened');
  expect(play.deployments.filter(({ promotion }) => promotion === 1)).toEqual([]);
  play.tell({ kind: 'pull-request-told', promotion: 1, attempt: 1, via: 'PUSH' });
  const merged = { kind: 'succeeded' as const, commit: 'c0ffee', pullRequest: { ...NEWS, state: 'MERGED' as const } };
  play.report('eu', merged);
  expect(play.deployments.filter(({ promotion }) => promotion === 1)).toMatchObject([{ commit: 'c0ffee' }]);
  const [told] = play.events.flatMap(({ event }) => (event.type === 'PullRequestMerged' ? [event] : []));
  expect(told).toMatchObject({ number: 7, noticedBy: 'PUSH', commit: 'c0ffee' });
});

test('trap 4: who tells of it while a look is under way does not take that look from whoever was first', () => {
  const play = opened();
  const tell = (via: 'WEBHOOK' | 'PUSH' | 'POLL') =>
    play.tell({ kind: 'pull-request-told', promotion: 1, attempt: 1, via });
  tell('WEBHOOK');
  play.later(1_000);
  expect(play.state.promotions[1]?.steps.map(({ status }) => status)).toContain('RUNNING');
  tell('PUSH');
  tell('POLL');
  play.report('eu', { kind: 'succeeded', commit: 'c0ffee', pullRequest: { ...NEWS, state: 'MERGED' } });
  const told = play.events.flatMap(({ event }) => (event.type === 'PullRequestMerged' ? [event.noticedBy] : []));
  expect(told).toEqual(['WEBHOOK']);
});

test('while people review it is SUSPENDED and uses up no time; its expiry ends it', () => {
  const play = opened({ expiry: 60 * MINUTE });
  expect(play.state.promotions[1]?.status).toBe('SUSPENDED');
  expect(play.state.moving.since).toBeNull();
  play.later(59 * MINUTE);
  expect(play.state.promotions[1]?.status).not.toBe('FAILED');
  play.report('eu', { kind: 'pending', reason: 'waits', recheckAfter: 5 * MINUTE, waitsFor: 'PERSON' });
  play.later(2 * MINUTE);
  expect(play.state.promotions[1]).toMatchObject({ status: 'FAILED' });
  expect(play.state.firstProblem?.message).toContain('its pull request was not merged within 1h');
});

test('the decision that ends it without a merge asks for the errand that closes it', () => {
  const play = opened();
  play.tell({ kind: 'terminate', reason: 'not today', by: 'ada' });
  const errands = play.work.filter((each) => each.kind === 'errand');
  expect(errands).toMatchObject([
    { name: CLOSE_PULL_REQUEST, of: 'p1-a1-s0', data: { promotion: 1, attempt: 1, step: 0, reason: 'not today' } },
  ]);
});

test('what a person has closed is left to that person', () => {
  const play = opened();
  play.tell({ kind: 'pull-request-told', promotion: 1, attempt: 1, via: 'WEBHOOK' });
  const closed = { ...NEWS, state: 'CLOSED' as const, by: 'grace' };
  play.report('eu', { kind: 'failed', message: 'closed by grace', pullRequest: closed });
  expect(play.state.promotions[1]?.status).toBe('FAILED');
  expect(play.work.filter((each) => each.kind === 'errand')).toEqual([]);
  expect(types(play)).toContain('PullRequestClosed');
});

test('a merge that is found after the end is recorded as a deployment, and once', () => {
  const play = opened();
  play.tell({ kind: 'terminate', reason: 'not today', by: 'ada' });
  const late = {
    kind: 'pull-request-closed' as const,
    key: 'closed',
    promotion: 1,
    attempt: 1,
    step: 0,
    pullRequest: { ...NEWS, state: 'MERGED' as const, by: 'grace' },
    landed: [{ application: 0, commit: 'c0ffee' }],
  };
  play.tell(late);
  play.tell(late);
  expect(play.deployments.filter(({ promotion }) => promotion === 1)).toMatchObject([{ commit: 'c0ffee' }]);
  expect(types(play).filter((each) => each === 'PullRequestMerged')).toHaveLength(1);
  expect(play.state.status).toBe('TERMINATED');
});

test('its change on the branch without its merge is a success, and it is closed', () => {
  const play = opened();
  play.tell({ kind: 'pull-request-told', promotion: 1, attempt: 1, via: 'PUSH' });
  play.report('eu', { kind: 'succeeded', commit: 'c0ffee', pullRequest: NEWS });
  expect(play.work.filter((each) => each.kind === 'errand')).toHaveLength(1);
  expect(play.deployments.filter(({ promotion }) => promotion === 1)).toHaveLength(1);
});

test.each([
  ['while it is open', NEWS, undefined],
  ['after a person has closed it', { ...NEWS, state: 'CLOSED' as const, by: 'grace' }, undefined],
  ['by its merge', { ...NEWS, state: 'MERGED' as const, by: 'grace' }, 'grace'],
])('its change on the branch %s is outside the gates, and only who merged is named', (_, pullRequest, by) => {
  const play = opened({ onMergeOutsideGates: 'ROLL_BACK' });
  const hold = { id: 'h-1', product: null, environment: 'eu', reason: 'audit', by: 'ada', until: null, rollback: null };
  play.facts = { ...NO_FACTS, holds: { eu: [{ ...hold, since: play.now }] } };
  play.tell({ kind: 'pull-request-told', promotion: 1, attempt: 1, via: 'PUSH' });
  play.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: true, pullRequest });
  const told = play.events.flatMap(({ event }) => (event.type === 'PullRequestMergedOutsideGates' ? [event] : []));
  expect(told.map((each) => each.by)).toEqual([by]);
  expect(play.work.flatMap((each) => (each.kind === 'roll-back' ? [each.reason] : []))).toEqual([
    expect.stringContaining(by === undefined ? 'its change came to the branch outside' : 'merged by grace outside'),
  ]);
});

test('a retry opens anew what was not merged', () => {
  const play = opened();
  play.tell({ kind: 'terminate', reason: 'not today', by: 'ada' });
  play.tell({ kind: 'retry', by: 'ada' });
  expect(play.state.promotions[1]?.steps.map(({ status }) => status)).toEqual(['RUNNING', 'PENDING', 'PENDING']);
});

test('only one that waits makes way for a newer release, and only where the flow says so', () => {
  const end = { kind: 'terminate' as const, reason: 'newer', by: null, onlyIf: { inReviewIn: 'eu' } };
  expect(opened().tell(end).state.terminating).toBeNull();
  expect(begun({ onNewer: 'REPLACE' }).tell(end).state.terminating).toBeNull();
  expect(opened({ onNewer: 'REPLACE' }).tell(end).state.terminating).not.toBeNull();
});

/** The plan of a flow with so many applications in eu, of which all after the second are in another repository. */
function sharing(drawn: ReturnType<typeof flow>, applications: number): ReleasePlan {
  const input = inputOf(drawn, { applications: { eu: applications }, workflows: { check: ['run'] } });
  input.applications.forEach(({ spec }, index) => {
    spec.driver = {
      type: 'git',
      repoURL: `https://example.com/${index < 3 ? 'one' : 'other'}`,
      branch: 'main',
      path: `${index}`,
    };
  });
  const planned = planRelease(input);
  if (!('plan' in planned)) throw new Error('it is refused');
  return planned.plan;
}

test('trap 12: one for the environment is opened once all are ready, and each application has a merge of its own', () => {
  const drawn = flow({ group: 'ENVIRONMENT' });
  drawn.spec.steps[0]!.policy!.preAction = 'check';
  const { steps } = sharing(drawn, 3).promotions[1]!;
  const opens = steps.flatMap(({ work }, index) => (work.kind === 'propose' ? [{ index, of: work.applications }] : []));
  expect(opens.map(({ of }) => of)).toEqual([[0, 1], [2]]);
  const [both] = opens;
  expect(steps[both!.index]?.needs.map((each) => steps[each]?.application)).toEqual([0, 1]);
  const merges = steps.filter(({ work }) => work.kind === 'merge');
  expect(merges.map(({ application, needs }) => [application, needs])).toEqual([
    [0, [both!.index]],
    [1, [both!.index]],
    [2, [opens[1]!.index]],
  ]);
});

test('the branch of one that applications share is deleted by one errand', () => {
  const play = new Told(sharing(flow({ group: 'ENVIRONMENT' }), 2));
  play.tell({ kind: 'tick' });
  play.succeed('dev');
  play.report('eu', { kind: 'succeeded', outputs: OUTPUTS, pullRequest: NEWS });
  const merged = { ...NEWS, state: 'MERGED' as const, branchLeft: true as const };
  play.report('eu', { kind: 'succeeded', commit: 'c0ffee', pullRequest: merged });
  expect(types(play).filter((each) => each === 'PullRequestMerged')).toHaveLength(2);
  expect(play.work.filter((each) => each.kind === 'errand')).toMatchObject([
    { name: CLOSE_PULL_REQUEST, of: 'p1-a1-s0' },
  ]);
});

describe('one that applications share, of which one has its content already', () => {
  const HELD: EnvironmentHold = {
    id: 'h-1',
    product: null,
    environment: 'eu',
    reason: 'audit',
    by: 'grace',
    since: at('10:00'),
    until: null,
    rollback: null,
  };

  /** The open pull request of two applications; nothing of the first one was to be changed. `facts`: as they are once it is open. */
  function halfThere(facts: Partial<Facts> = {}): Told {
    const play = new Told(sharing(flow({ group: 'ENVIRONMENT', onMergeOutsideGates: 'ROLL_BACK' }), 2));
    play.tell({ kind: 'tick' });
    play.succeed('dev');
    play.report('eu', { kind: 'succeeded', outputs: OUTPUTS, pullRequest: NEWS });
    play.facts = { ...NO_FACTS, ...facts };
    const first = play.plan.promotions[1]!.steps.find(({ work }) => work.kind === 'merge');
    play.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: false, pullRequest: NEWS }, first!.id);
    return play;
  }
  const errands = (play: Told) => play.work.filter((each) => each.kind === 'errand');

  test('stays open for the other one, and is not closed once it is merged', () => {
    const play = halfThere();
    expect(errands(play)).toEqual([]);
    play.report('eu', { kind: 'succeeded', commit: 'c0ffee', pullRequest: { ...NEWS, state: 'MERGED' } });
    play.report('eu', { kind: 'succeeded' });
    expect(errands(play)).toEqual([]);
  });

  test('is closed when the change of the other one came by another way', () => {
    const play = halfThere();
    play.report('eu', { kind: 'succeeded', commit: 'c0ffee', pullRequest: NEWS });
    expect(errands(play)).toMatchObject([{ name: CLOSE_PULL_REQUEST, of: 'p1-a1-s0' }]);
  });

  test('is closed when the change of the other one came by another way before the first one was looked at', () => {
    const play = new Told(sharing(flow({ group: 'ENVIRONMENT' }), 2));
    play.tell({ kind: 'tick' });
    play.succeed('dev');
    play.report('eu', { kind: 'succeeded', outputs: OUTPUTS, pullRequest: NEWS });
    const [first, second] = play.plan.promotions[1]!.steps.filter(({ work }) => work.kind === 'merge');
    play.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: true, pullRequest: NEWS }, second!.id);
    play.report('eu', { kind: 'succeeded', commit: 'old', changed: false, pullRequest: NEWS }, first!.id);
    expect(errands(play)).toMatchObject([{ name: CLOSE_PULL_REQUEST, of: 'p1-a1-s0' }]);
  });

  test('is not recorded anew for that one by a merge that is found after the end', () => {
    const play = halfThere();
    const there = play.deployments.filter(({ promotion }) => promotion === 1);
    expect(there).toMatchObject([{ application: 0, commit: 'c0ffee' }]);
    play.tell({ kind: 'terminate', reason: 'not today', by: 'ada' });
    play.tell({
      kind: 'pull-request-closed',
      key: 'closed',
      promotion: 1,
      attempt: 1,
      step: 0,
      pullRequest: { ...NEWS, state: 'MERGED', by: 'grace' },
      landed: [0, 1].map((application) => ({ application, commit: 'late' })),
    });
    const both = play.deployments.filter(({ promotion }) => promotion === 1);
    expect(both).toMatchObject([...there, { application: 1, commit: 'late' }]);
  });

  test('is no merge of that one: while a gate is shut nothing of it is told, and nothing goes back', () => {
    const play = halfThere({ holds: { eu: [HELD] } });
    expect(play.state.promotions[1]!.steps.filter(({ unchanged }) => unchanged)).toHaveLength(1);
    expect(types(play)).not.toContain('PullRequestMergedOutsideGates');
    expect(play.work.filter(({ kind }) => kind === 'roll-back')).toEqual([]);
    const merged = { ...NEWS, state: 'MERGED' as const, by: 'grace' };
    play.report('eu', { kind: 'succeeded', commit: 'c0ffee', changed: true, pullRequest: merged });
    expect(types(play).filter((each) => each === 'PullRequestMergedOutsideGates')).toHaveLength(1);
    expect(play.work.filter(({ kind }) => kind === 'roll-back')).toHaveLength(1);
  });

  test('closed by a person, that is told by the one that waited for it, and nobody is said to have merged', () => {
    const play = halfThere({ holds: { eu: [HELD] } });
    const closed = { ...NEWS, state: 'CLOSED' as const, by: 'grace' };
    const second = play.plan.promotions[1]!.steps.findLast(({ work }) => work.kind === 'merge');
    play.report('eu', { kind: 'failed', message: 'closed by grace', pullRequest: closed }, second!.id);
    expect(types(play).filter((each) => each === 'PullRequestClosed')).toHaveLength(1);
    expect(types(play)).not.toContain('PullRequestMergedOutsideGates');
  });

  test('is closed when its promotion ends', () => {
    const play = halfThere();
    play.report('eu', { kind: 'pending', reason: 'waits', recheckAfter: 5 * MINUTE, waitsFor: 'PERSON' });
    play.tell({ kind: 'terminate', reason: 'not today', by: 'ada' });
    expect(errands(play)).toMatchObject([{ name: CLOSE_PULL_REQUEST, of: 'p1-a1-s0' }]);
  });
});
