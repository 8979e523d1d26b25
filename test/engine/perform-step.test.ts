import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { PermanentError, ThrottledError, TransientError } from '../../src/drivers/driver.ts';
import { performStep } from '../../src/jobs/perform-step.ts';
import type { StepPlace } from '../../src/jobs/perform-step.ts';
import type { Hands } from '../../src/jobs/runners/runner.ts';
import { flowOf, MINUTE } from '../core/support/builders.ts';
import { started } from '../core/support/play.ts';
import type { Play } from '../core/support/play.ts';

/** The change of `eu` is made, and it is to be looked at; it soaks afterwards. */
function acted(): Play {
  const flow = flowOf('dev > eu', { steps: { eu: { soak: MINUTE } } });
  const health = { type: 'http', url: 'https://example.com' } as const;
  const play = started(flow, { health: () => health }).succeed('dev');
  play.report('eu', { kind: 'succeeded' });
  return play;
}

function placeOf({ plan, state }: Play, step: number): StepPlace {
  const release = { id: state.id, product: 'billing', plan, contents: {} } as unknown as StepPlace['release'];
  return { release, state, promotion: 1, step, controller: new AbortController() };
}

function handsThat(fail: Error): Hands {
  const drivers = { checkHealth: () => Promise.reject(fail) } as unknown as Hands['drivers'];
  return { drivers, clock: systemClock } as unknown as Hands;
}

test('a sync is asked for by a worker that holds the lock of its job alone', async () => {
  const asked: boolean[] = [];
  const drivers = {
    checkSync: async (_source: unknown, context: { stillMine: () => Promise<boolean> }) => {
      asked.push(await context.stillMine());
      return { synced: false, message: 'not yet' };
    },
  };
  const hands = { drivers, clock: systemClock } as unknown as Hands;
  const flow = flowOf('dev > eu');
  const play = started(flow, { sync: (name) => (name === 'eu' ? { type: 'simulate' } : undefined) }).succeed('dev');
  play.report('eu', { kind: 'succeeded', changed: true });
  const sync = play.plan.promotions[1]!.steps.findIndex(({ work }) => work.kind === 'sync');
  const yes = (): Promise<boolean> => Promise.resolve(true);
  const no = (): Promise<boolean> => Promise.resolve(false);
  await performStep(hands, { ...placeOf(play, sync), stillMine: yes, holdsLock: yes });
  await performStep(hands, { ...placeOf(play, sync), stillMine: yes, holdsLock: no });
  await performStep(hands, { ...placeOf(play, sync), stillMine: no, holdsLock: yes });
  expect(asked).toEqual([true, false, false]);
});

test('when the time of a step is over while there is no room for it, nothing was done: it is no failure and no try', async () => {
  const flow = flowOf('dev > eu');
  const play = started(flow, { sync: (name) => (name === 'eu' ? { type: 'simulate' } : undefined) }).succeed('dev');
  play.report('eu', { kind: 'succeeded', changed: true });
  const sync = play.plan.promotions[1]!.steps.findIndex(({ work }) => work.kind === 'sync');
  const outcomeOf = (error: Error): Promise<unknown> => {
    const place = placeOf(play, sync);
    const checkSync = (): Promise<never> => {
      place.controller.abort('overdue');
      return Promise.reject(error);
    };
    return performStep({ drivers: { checkSync }, clock: systemClock } as unknown as Hands, place);
  };
  const fetching = new ThrottledError('the repository is still being fetched', { retryAfter: 5_000 });
  expect(await outcomeOf(fetching)).toEqual({
    kind: 'transient',
    message: fetching.message,
    retryAfter: 5_000,
    throttled: true,
  });
  expect(await outcomeOf(new TransientError('no route'))).toMatchObject({ kind: 'failed', unclear: true });
});

describe('a look at a health that could not be made', () => {
  test('whatever kept it from being made, it judges nothing', async () => {
    const gone = handsThat(new PermanentError('there is no secret "hook"'));
    expect(await performStep(gone, placeOf(acted(), 1))).toEqual({
      kind: 'failed',
      message: 'there is no secret "hook"',
      unclear: true,
    });
    const away = handsThat(new TransientError('no route'));
    expect(await performStep(away, placeOf(acted(), 1))).toMatchObject({ kind: 'transient', message: 'no route' });
    const full = handsThat(new ThrottledError('no room', { retryAfter: 1_000 }).saying('here: no room'));
    expect(await performStep(full, placeOf(acted(), 1))).toEqual({
      kind: 'transient',
      message: 'here: no room',
      retryAfter: 1_000,
      throttled: true,
    });
  });

  test('while it soaks it is UNKNOWN', async () => {
    const gone = handsThat(new PermanentError('there is no secret "hook"'));
    expect(await performStep(gone, placeOf(acted(), 2))).toMatchObject({
      kind: 'observed',
      health: { status: 'UNKNOWN', message: 'there is no secret "hook"' },
    });
  });
});
