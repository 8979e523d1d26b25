import { describe, expect, test } from 'vitest';
import { NO_FACTS } from '../../src/core/release.ts';
import { earliestNextStart, earliestStarts, waitingFor } from '../../src/core/waiting.ts';
import { at, flowOf, MINUTE, planOf, SECOND } from './support/builders.ts';
import { Play, started } from './support/play.ts';

function told(play: Play): string[] {
  return waitingFor(play.plan, play.state, play.facts, play.now).map(
    ({ kind, promotion, earliest }) =>
      `${promotion === null ? 'release' : play.plan.promotions[promotion]?.name} ${kind} ${clock(earliest)}`,
  );
}

function next(play: Play): string {
  return clock(earliestNextStart(play.plan, play.state, play.facts, play.now));
}

const clock = (time: number | null): string => (time === null ? 'unknown' : new Date(time).toISOString().slice(11, 19));

describe('what a release waits for', () => {
  test('before its turn: the release that goes first, and nobody can say until when', () => {
    const play = new Play(planOf('dev > staging'));
    play.facts = { ...NO_FACTS, behind: { id: 'r-0', called: 'billing#1' } };
    play.tell({ kind: 'tick' });
    const [turn] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(turn).toMatchObject({
      kind: 'TURN',
      release: 'r-0',
      who: 'release billing#1',
      earliest: null,
      promotion: null,
    });
    expect(next(play)).toBe('unknown');
  });

  test('work that runs is not waiting; what comes behind it is', () => {
    const play = started('dev > staging > eu');
    expect(told(play)).toEqual(['staging DEPENDENCIES unknown', 'eu DEPENDENCIES unknown']);
  });

  test('only the dependencies that are still open are named', () => {
    const play = started('dev > {us-east, eu} > asia').succeed('dev', 'eu');
    const reasons = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(reasons.map(({ message }) => message)).toEqual(['asia: waits for us-east']);
    expect(reasons[0]).toMatchObject({ on: [{ promotion: play.position('us-east') }], who: 'us-east' });
  });

  test('a soak: until when, and the next start is its end', () => {
    const flow = flowOf('dev > staging > eu', { steps: { staging: { soak: 30 * MINUTE } } });
    const play = started(flow).succeed('dev');
    while (play.running('staging').length > 0) play.report('staging', { kind: 'succeeded' });
    expect(told(play)).toEqual(['staging SOAK 10:30:00', 'eu DEPENDENCIES 10:30:00']);
    expect(next(play)).toBe('10:30:00');
    play.later(30 * MINUTE);
    play.succeed('staging');
    expect(play.picture).toContain('eu RUNNING');
  });

  test('a soak that has not begun yet counts, too', () => {
    const flow = flowOf('dev > staging > eu', { steps: { staging: { soak: 30 * MINUTE } } });
    expect(told(started(flow))).toEqual(['staging DEPENDENCIES unknown', 'eu DEPENDENCIES 10:30:00']);
  });

  test('a health that somebody must report: who, and no time', () => {
    const play = started('dev > staging');
    play.report('dev', { kind: 'pending', reason: 'billing-dev is PROGRESSING' });
    const [health] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(health).toMatchObject({
      kind: 'HEALTH',
      who: 'a report of the health of billing-dev',
      message: 'dev: billing-dev/HEALTH billing-dev is PROGRESSING',
      earliest: null,
    });
    expect(next(play)).toBe('unknown');
  });

  test('a try that failed on the way: the error, and when it is tried again', () => {
    const play = started('dev > staging').succeed('dev');
    play.report('staging', { kind: 'transient', message: 'connection refused', retryAfter: 20 * SECOND });
    const [retry] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(retry).toMatchObject({ kind: 'RETRY', earliest: play.now + 20 * SECOND });
    expect(retry?.message).toContain('connection refused');
  });

  test('every unmet gate at once: the room in its group, and the release that holds the environment', () => {
    const flow = flowOf('dev > {us-east, eu} as regions', { groups: { regions: { maxParallel: 1 } } });
    const play = started(flow);
    play.facts = { ...NO_FACTS, heldBy: { eu: { id: 'r-0', called: 'billing#1' } } };
    play.succeed('dev');
    expect(told(play)).toEqual(['eu GROUP unknown', 'eu ENVIRONMENT unknown']);
    expect(next(play)).toBe('unknown');
    play.facts = NO_FACTS;
    expect(told(play)).toEqual(['eu GROUP unknown']);
  });

  test('a group whose members are not healthy now: when it is asked again', () => {
    const play = started('dev > {us-east, eu} as regions > asia').succeed('dev', 'us-east', 'eu');
    play.answer('regions', { eu: 'PROGRESSING' });
    const [gate, dependent] = waitingFor(play.plan, play.state, play.facts, play.now);
    expect(gate).toMatchObject({ kind: 'GROUP_HEALTH', group: 0, earliest: play.now + 5 * SECOND });
    expect(gate?.message).toContain('eu is PROGRESSING');
    expect(dependent).toMatchObject({ kind: 'DEPENDENCIES', on: [{ group: 0 }], earliest: play.now + 5 * SECOND });
  });

  test('of a quorum the members that are first decide, whoever else needs a person', () => {
    const flow = flowOf('dev > {a, b, c} as some > z', {
      groups: { some: { gate: { policy: 'AT_LEAST', count: 2 } } },
    });
    const play = started(flow).succeed('dev');
    play.report('a', { kind: 'pending', reason: 'not yet' });
    play.report('b', { kind: 'pending', reason: 'not yet', recheckAfter: 10 * SECOND });
    play.report('c', { kind: 'pending', reason: 'not yet', recheckAfter: 40 * SECOND });
    expect(earliestStarts(play.plan, play.state, play.facts, play.now)[play.position('z')]).toBe(at('10:00:40'));
  });

  test('nothing: when it has ended, and what never starts after a failure is not waiting', () => {
    const play = started('dev > {us-east, eu} > asia').succeed('dev').fail('us-east');
    expect(told(play)).toEqual([]);
    play.succeed('eu');
    expect(play.state.status).toBe('FAILED');
    expect(told(play)).toEqual([]);
    expect(next(play)).toBe('unknown');
  });
});

test('whenever a release neither runs nor has ended, it says for what it waits', () => {
  const flow = flowOf('dev > staging > {us-east, eu} as regions > asia', { steps: { staging: { soak: MINUTE } } });
  const play = started(flow);
  let suspended = 0;
  let answers = 0;
  for (let round = 0; round < 40 && play.state.endedAt === null; round += 1) {
    if (play.state.status === 'SUSPENDED') {
      suspended += 1;
      const causes = waitingFor(play.plan, play.state, play.facts, play.now).filter(
        ({ kind }) => kind !== 'DEPENDENCIES',
      );
      expect(causes).not.toEqual([]);
      // What it says is what happens: it wakes no later than the earliest of them.
      expect(play.state.wakeAt).toBeLessThanOrEqual(Math.min(...causes.map(({ earliest }) => earliest ?? Infinity)));
      play.wake();
    }
    for (const { name } of play.plan.promotions) {
      if (play.running(name).length > 0) play.report(name, { kind: 'succeeded' });
    }
    if (play.group('regions').status === 'ASKING') play.answer('regions', (answers += 1) > 2 ? {} : { eu: 'UNKNOWN' });
  }
  expect(play.state.status).toBe('SUCCEEDED');
  expect(suspended).toBeGreaterThan(1);
});

test('a chain of a thousand environments is forecast without a deep recursion, whatever the order of its steps', () => {
  const flow = flowOf(Array.from({ length: 1000 }, (_, index) => `e-${index}`).join(' > '));
  flow.spec.steps.reverse();
  const play = started(flow);
  expect(waitingFor(play.plan, play.state, play.facts, play.now)).toHaveLength(999);
  const starts = earliestStarts(play.plan, play.state, play.facts, play.now);
  expect(starts).toEqual(play.plan.promotions.map((_, position) => (position === 0 ? null : play.now)));
});
