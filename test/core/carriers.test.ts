import { describe, expect, test } from 'vitest';
import { carriedBy } from '../../src/core/advance.ts';
import type { Outcome, Stimulus } from '../../src/core/release.ts';
import { flowOf, SECOND } from './support/builders.ts';
import { started } from './support/play.ts';
import type { Play } from './support/play.ts';

const DONE: Outcome = { kind: 'succeeded' };

/** What a job reports of the first step that runs there. */
const said = (play: Play, environment: string, job?: string, outcome: Outcome = DONE): Stimulus => ({
  ...play.outcome(environment, play.running(environment)[0] as number, outcome),
  ...(job !== undefined && { job }),
});

/** Reports one step after the other, until nothing of it runs. */
function carry(play: Play, environment: string, job: string): void {
  while (play.running(environment).length > 0) play.tell(said(play, environment, job));
}

const carriersOf = (play: Play, environment: string): unknown[] => [
  ...new Set(play.steps(environment).map(({ carrier }) => carrier)),
];

describe('who reports the end of an environment', () => {
  test('goes on with the next one: the state names it, and no job is asked for', () => {
    const play = started('dev > staging > eu');
    carry(play, 'dev', 'j');
    expect(play.promotion('staging').status).toBe('RUNNING');
    expect(play.dispatched).toEqual([]);
    expect(carriedBy(play.state, 'j').dispatches).toEqual([{ promotion: 1, attempt: 1, dispatch: 1 }]);
    expect(carriedBy(play.state, 'another')).toEqual({ dispatches: [], groups: [] });
    carry(play, 'staging', 'j');
    expect(carriersOf(play, 'staging')).toEqual(['j']);
    expect(carriedBy(play.state, 'j').dispatches).toEqual([{ promotion: 2, attempt: 1, dispatch: 1 }]);
    carry(play, 'eu', 'j');
    expect(play.state.status).toBe('SUCCEEDED');
    expect(carriedBy(play.state, 'j')).toEqual({ dispatches: [], groups: [] });
  });

  test('without a name a job is asked for, as by versions that know no carriers', () => {
    const play = started('dev > staging');
    play.succeed('dev');
    expect(play.dispatched).toEqual(['staging']);
    expect(carriersOf(play, 'staging')).toEqual([null]);
  });

  test('what begins side by side is a flow of jobs, and its join goes on with what the answer begins', () => {
    const play = started('dev > {us-east, eu} as regions > asia-2');
    carry(play, 'dev', 'j');
    expect(play.dispatched).toEqual(['eu', 'us-east']);
    expect(play.last.work).toMatchObject([{ join: true, promotions: [{ joined: true }, { joined: true }] }]);
    play.succeed('us-east', 'eu');
    expect(play.asked).toEqual([]);
    const { generation } = play.group('regions');
    const health = [1, 2].map((promotion) => ({ promotion, status: 'HEALTHY' as const }));
    play.tell({ kind: 'group-answer', group: 0, generation, health, job: 'join' });
    expect(play.dispatched).toEqual([]);
    expect(carriedBy(play.state, 'join').dispatches).toEqual([{ promotion: 3, attempt: 1, dispatch: 1 }]);
  });

  test('asks the group itself where no join does, and not once more', () => {
    const play = started('dev > {eu} as regions > asia-2');
    carry(play, 'dev', 'j');
    carry(play, 'eu', 'j');
    expect(play.asked).toEqual([]);
    expect(carriedBy(play.state, 'j').groups).toEqual([0]);
    // It cannot tell yet: the question comes again later, and is another job's.
    play.answer('regions', { eu: 'PROGRESSING' });
    expect(play.group('regions').status).toBe('WAITING');
    play.later(10 * SECOND);
    expect(play.asked).toEqual(['regions']);
    expect(carriedBy(play.state, 'j').groups).toEqual([]);
  });

  test('is given nothing while its own environment goes on', () => {
    const apart = (): Play => {
      const play = started(flowOf('dev > {a, b} > c', { steps: { c: { dependsOn: ['b'] } } }));
      carry(play, 'dev', 'j');
      while (play.running('b').length > 0 && play.steps('b').filter((each) => each.status !== 'SUCCEEDED').length > 1)
        play.tell(said(play, 'b'));
      return play;
    };
    const last = apart();
    last.tell(said(last, 'b', 'of b'), said(last, 'a', 'of a'));
    expect(last.promotion('a').status).toBe('RUNNING');
    expect(carriersOf(last, 'c')).toContain('of b');
    const none = apart();
    none.tell(said(none, 'b'), said(none, 'a', 'of a'));
    expect(none.dispatched).toEqual(['c']);
    expect(carriersOf(none, 'c')).toEqual([null]);
  });

  test('of an older dispatch is given nothing', () => {
    const play = started('dev > staging');
    const report = said(play, 'dev', 'old');
    play.tell({ kind: 'lost-dispatch', promotion: 0, dispatch: 1 });
    play.tell(report);
    expect(play.promotion('dev').status).toBe('SUCCEEDED');
    expect(play.dispatched).toEqual(['staging']);
  });
});

describe('an environment that is carried', () => {
  const carried = (): Play => {
    const play = started('dev > staging > eu');
    carry(play, 'dev', 'j');
    return play;
  };

  test('and has to wait is asked for when it is due', () => {
    const play = carried();
    play.tell(said(play, 'staging', 'j', { kind: 'pending', reason: 'not yet', recheckAfter: SECOND }));
    expect(carriedBy(play.state, 'j').dispatches).toEqual([]);
    play.wake();
    expect(play.dispatched).toEqual(['staging']);
    expect(carriedBy(play.state, 'j').dispatches).toEqual([]);
  });

  test('and is lost gets a job of its own', () => {
    const play = carried();
    play.tell({ kind: 'lost-dispatch', promotion: 1, dispatch: 1 });
    expect(play.last.work).toMatchObject([{ kind: 'dispatch', promotions: [{ promotion: 1, dispatch: 2 }] }]);
    expect(carriedBy(play.state, 'j').dispatches).toEqual([]);
  });

  test('what was due when another environment ended is no beginning', () => {
    const play = started('dev > {a, b}');
    carry(play, 'dev', 'j');
    play.tell(said(play, 'b', 'of b', { kind: 'pending', reason: 'not yet', recheckAfter: SECOND }));
    while (play.steps('a').filter((each) => each.status !== 'SUCCEEDED').length > 1) play.tell(said(play, 'a'));
    play.now += SECOND;
    play.tell(said(play, 'a', 'of a'));
    expect(play.dispatched).toEqual(['b']);
    expect(carriersOf(play, 'b')).toEqual([null]);
  });
});
