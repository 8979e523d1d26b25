import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rounds, SharedClock, systemClock } from '../src/clock.ts';
import type { Clock } from '../src/clock.ts';
import { readiness } from '../src/readiness.ts';
import { isWrong, watchClock } from '../src/watch-clock.ts';
import type { Backend } from './support/backends.ts';
import { openTestEngine } from './support/engine.ts';

const HOUR = 3_600_000;
const backend: Backend = { name: 'postgres', queuePrefix: 'clock' };

/** A machine: `now` can be set by anybody, `elapsed` by nobody. */
class Machine implements Clock {
  real = 1_000_000;
  off = 0;
  now = (): Date => new Date(this.real + this.off);
  elapsed = (): number => this.real - 400_000;
  after: Clock['after'] = (...given) => systemClock.after(...given);
  sleep: Clock['sleep'] = (...given) => systemClock.sleep(...given);
  limit: Clock['limit'] = (...given) => systemClock.limit(...given);
}

test('a clock is as right as the slowest answer is quick, and no answer makes it worse', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -2 * HOUR, max: 2 * HOUR }),
      fc.array(fc.tuple(fc.nat(20_000), fc.nat(20_000), fc.nat(10_000)), { minLength: 1, maxLength: 8 }),
      async (off, answers) => {
        const machine = new Machine();
        machine.off = off;
        const clock = new SharedClock(machine);
        let quickest = Infinity;
        let error = Math.abs(off);
        for (const [there, back, pause] of answers) {
          machine.real += pause;
          await clock.ask(async () => {
            machine.real += there;
            const told = machine.real;
            machine.real += back;
            return told;
          });
          quickest = Math.min(quickest, there + back);
          const now = Math.abs(clock.now().getTime() - machine.real);
          expect(now).toBeLessThanOrEqual(Math.max(0, Math.min(quickest, error)));
          error = now;
        }
      },
    ),
  );
});

test('news begins a round at once, and one more after the round that is under way, however often it comes', async () => {
  const ends: (() => void)[] = [];
  const rounds = new Rounds(systemClock, 'news', HOUR, () => new Promise((resolve) => ends.push(resolve)));
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  rounds.start();
  for (let times = 0; times < 3; times += 1) rounds.hurry();
  expect(ends).toHaveLength(1);
  ends[0]!();
  await settle();
  expect(ends).toHaveLength(2);
  ends[1]!();
  await settle();
  expect(ends).toHaveLength(2);
  rounds.hurry();
  expect(ends).toHaveLength(3);
  rounds.hurry();
  const closed = rounds.close();
  ends[2]!();
  await closed;
  rounds.hurry();
  expect(ends).toHaveLength(3);
});

test('a time of day that is set while the process lives changes nothing, and is told once, and once more when it is right', async () => {
  const machine = new Machine();
  const clock = new SharedClock(machine);
  const told: string[] = [];
  const log = {
    warn: (_: unknown, text: string) => told.push(text),
    info: (text: string) => told.push(text),
    debug: () => undefined,
  };
  const look = async (): Promise<void> => {
    const rounds = await watchClock(clock, async () => machine.real, log as never);
    await rounds.close();
  };
  await look();
  machine.off = 2 * HOUR;
  expect(clock.now().getTime()).toBe(machine.real);
  expect(clock.ahead()).toBe(2 * HOUR);
  await look();
  expect(told).toEqual([
    "the clock of this machine is 2h ahead of that of PostgreSQL: PostgreSQL's counts; set this one right",
  ]);
  machine.off = -4_000;
  expect(isWrong(clock)).toBe(false);
});

test('a worker whose machine is two hours ahead decides at the time of PostgreSQL, says so, and is not ready', async () => {
  const engine = await openTestEngine(backend);
  try {
    let off = 2 * HOUR;
    const other = await engine.another({ clock: { ...systemClock, now: () => new Date(Date.now() + off) } });
    expect(Math.abs(other.clock.now().getTime() - Date.now())).toBeLessThan(2_000);
    const { ready, parts } = await readiness(other, null);
    expect(ready).toBe(false);
    expect(parts['clock']).toEqual({
      ok: false,
      needed: true,
      detail: 'the clock of this machine is 2h ahead of that of PostgreSQL',
    });
    // An API serves its readers, and says it.
    const served = await readiness({ ...other, config: { ...other.config, role: 'api' } }, null);
    expect(served.parts['clock']).toMatchObject({ ok: true, detail: parts['clock']?.detail });
    await engine.startWorker(other);
    await engine.saveBilling();
    const began = Date.now();
    const id = await engine.trigger({ product: 'billing', version: '1' });
    off = -HOUR;
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    for (const at of [state.startedAt, state.endedAt, state.lastEventAt]) {
      expect(at).toBeGreaterThan(began - 2_000);
      expect(at).toBeLessThan(Date.now() + 2_000);
    }
  } finally {
    await engine.close();
  }
});

test("what PostgreSQL's own clock set hours ahead before it was put right is looked at again soon", async () => {
  const engine = await openTestEngine(backend);
  try {
    await engine.saveBilling('ahead', {
      health: (environment) =>
        environment === 'staging'
          ? { type: 'simulate', sequence: ['PROGRESSING', 'HEALTHY'], interval: 1_000 }
          : { type: 'none' },
    });
    const id = await engine.trigger({ product: 'ahead', version: '1' });
    const worker = await engine.startWorker();
    await engine.reached(id, (state) => state.promotions[1]?.steps.some((step) => step.status === 'WAITING') ?? false);
    await worker.close();
    // As a clock that was two hours ahead would have written it.
    const { pool, releaseEngine } = engine.app;
    await pool.query(
      `UPDATE promotion SET steps = (SELECT jsonb_agg(CASE WHEN step->>'status' = 'WAITING' THEN step || jsonb_build_object(
         'waitingSince', (step->>'waitingSince')::bigint + 7200000, 'recheckAt', (step->>'recheckAt')::bigint + 7200000) ELSE step END
         ORDER BY place) FROM jsonb_array_elements(steps) WITH ORDINALITY AS s(step, place)) WHERE release_id = $1 AND position = 1`,
      [id],
    );
    await pool.query(
      `UPDATE release SET wake_at = wake_at + interval '2 hours', revision = revision + 1,
         last_event_at = last_event_at + interval '2 hours' WHERE id = $1`,
      [id],
    );
    releaseEngine.forget();
    await engine.startWorker();
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  } finally {
    await engine.close();
  }
});

test('a timer of a year is none of a millisecond', async () => {
  const year = 365 * 24 * HOUR;
  const over: string[] = [];
  const timer = systemClock.after('year', year, () => over.push('timer'));
  const awake = new AbortController();
  const sleeping = systemClock.sleep('year', year, awake.signal).then(
    () => over.push('sleep'),
    () => undefined,
  );
  const limit = systemClock.limit('year', year);
  await new Promise((resolve) => setTimeout(resolve, 50));
  if (limit.aborted) over.push('limit');
  expect(over).toEqual([]);
  timer.cancel();
  awake.abort();
  await sleeping;
});
