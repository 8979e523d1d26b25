import { describe, expect, test } from 'vitest';
import { END_ACTION } from '../../src/core/end-action.ts';
import type { Work } from '../../src/core/effects.ts';
import type { Decision } from '../../src/core/decision.ts';
import { ACTIONS, MANNERS } from '../../src/core/kinds/actions.ts';
import type { ActionType } from '../../src/core/kinds/actions.ts';
import type { Outcome, Stimulus } from '../../src/core/release.ts';
import { END } from '../../src/drivers/actions/index.ts';
import { flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { Play } from './support/play.ts';

/** A release by hand, with the errands that its decisions asked for. */
class Told extends Play {
  readonly errands: Work<'errand'>[] = [];

  override tell(...stimuli: Stimulus[]): Decision {
    const decision = super.tell(...stimuli);
    this.errands.push(...decision.work.filter((each) => each.kind === 'errand'));
    return decision;
  }
}

const RUNS: Outcome = { kind: 'pending', reason: 'runs', recheckAfter: 5 * SECOND, progress: { run: 1, uid: 'u-1' } };

/** The workflow before the change of eu is one of Argo, beside an action that only takes its time. */
function begun(looks: Outcome[] = [RUNS], timeout?: number): Told {
  const plan = planOf(flowOf('dev > eu', { steps: { eu: { policy: { preAction: 'checks' } } } }), {
    workflows: { checks: ['smoke: argoWorkflow', 'beside'] },
  });
  if (timeout !== undefined) plan.promotions[1]!.steps[0]!.timeout = timeout;
  const play = new Told(plan);
  play.tell({ kind: 'tick' });
  play.succeed('dev');
  for (const each of looks) {
    if (play.running('eu').length < 2 && each !== looks[0]) play.wake();
    play.report('eu', each, 'smoke');
  }
  return play;
}

const END_SMOKE = { kind: 'errand', name: END_ACTION, of: 'p1-a1-s0', promotion: 1 };
const terminate: Stimulus = { kind: 'terminate', reason: 'changed my mind', by: 'ada' };

describe('the decision that ends a promotion asks for the errand that ends what its action began, when', () => {
  test('its release is terminated', () => {
    const play = begun();
    play.report('eu', { kind: 'succeeded' }, 'beside');
    play.tell(terminate);
    expect(play.state.status).toBe('TERMINATED');
    expect(play.errands).toMatchObject([
      { ...END_SMOKE, about: 'the workflow of action "smoke" for eu is stopped: changed my mind' },
    ]);
    expect(play.errands[0]?.data).toMatchObject({ attempt: 1, step: 0, since: play.now, progress: { uid: 'u-1' } });
  });

  test('its worker has said nothing: it may have died over it', () => {
    const play = begun([]);
    play.tell(terminate);
    play.report('eu', { kind: 'aborted' });
    expect(play.errands).toMatchObject([{ ...END_SMOKE, data: { progress: null } }]);
  });

  test('another action beside it has failed', () => {
    const play = begun();
    play.report('eu', { kind: 'failed', message: 'broken' }, 'beside');
    expect(play.promotion('eu').status).toBe('FAILED');
    expect(play.errands).toMatchObject([END_SMOKE]);
  });

  test('its time is over', () => {
    const play = begun([RUNS], 10 * MINUTE);
    play.report('eu', { kind: 'succeeded' }, 'beside');
    play.later(10 * MINUTE);
    expect(play.promotion('eu').problem?.message).toBe('not done within 10m');
    expect(play.errands).toMatchObject([END_SMOKE]);
  });

  test('a person skips it', () => {
    const play = begun();
    play.report('eu', { kind: 'succeeded' }, 'beside');
    play.tell({ kind: 'skip', promotion: 1, reason: 'not today', by: 'grace' });
    expect(play.promotion('eu').status).toBe('SKIPPED');
    expect(play.errands).toMatchObject([END_SMOKE]);
  });
});

test('nothing is asked for that is over: a success, a workflow that Failed, and an action that only waits', () => {
  const done = begun([RUNS, { kind: 'succeeded' }]);
  done.report('eu', { kind: 'failed', message: 'broken' }, 'beside');
  const failed = begun([RUNS, { kind: 'failed', message: 'ended as Failed', over: true }]);
  failed.report('eu', { kind: 'succeeded' }, 'beside');
  for (const play of [done, failed]) expect([play.promotion('eu').status, play.errands]).toEqual(['FAILED', []]);
});

test('a try keeps which workflow comes next, and what it kept goes with the errand', () => {
  const error: Outcome = { kind: 'transient', message: 'ended as Error', progress: { run: 2 } };
  const play = begun([RUNS, error]);
  expect(play.promotion('eu').steps[0]).toMatchObject({ status: 'WAITING', tries: 1, progress: { run: 2 } });
  play.report('eu', { kind: 'succeeded' }, 'beside');
  play.wake();
  // What could not be looked at keeps what was known before.
  play.report('eu', { kind: 'transient', message: 'no answer' });
  play.tell(terminate);
  expect(play.errands).toMatchObject([{ data: { progress: { run: 2 } } }]);
});

test('a retry is another attempt with an errand of its own', () => {
  const play = begun();
  play.report('eu', { kind: 'failed', message: 'broken' }, 'beside');
  play.tell({ kind: 'retry', by: 'ada' });
  play.report('eu', RUNS, 'smoke');
  play.tell(terminate);
  play.report('eu', { kind: 'aborted' });
  expect(play.errands.map(({ of }) => of)).toEqual(['p1-a1-s0', 'p1-a2-s0']);
});

test('every type of action that outlives its promotion can be ended', () => {
  const types = (Object.keys(ACTIONS) as ActionType[]).filter((type) => MANNERS[type].outlives);
  expect(types).toEqual(Object.keys(END));
});
