import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cursorOf } from '../../src/events/cursor.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { createLog } from '../../src/log.ts';
import type { EventFilter, LoggedEvent } from '../../src/store/event-log.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { LogWriter, newRelease, steps } from './support/writer.ts';

const log = createLog({ level: 'silent' });
let database: TestDatabase;
let pool: pg.Pool;
let writer: LogWriter;
let opened: EventLog[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 5 });
  pool.on('error', () => undefined);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  writer = await LogWriter.connect(database.url);
});
afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  opened = [];
  await writer.close();
  await pool.query('TRUNCATE release_event');
});

async function open(options: { ringSize?: number; pollMs?: number } = {}): Promise<EventLog> {
  // Slow polling: what arrives in time arrived by a notice.
  const eventLog = await EventLog.open({ pool, databaseUrl: database.url, log, pollMs: 30_000, ...options });
  opened.push(eventLog);
  return eventLog;
}

/** The next `count` events that a subscriber sees. */
async function take(events: AsyncIterator<LoggedEvent>, count: number): Promise<LoggedEvent[]> {
  const taken: LoggedEvent[] = [];
  while (taken.length < count) {
    const { done, value } = await events.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

const sequences = (events: LoggedEvent[]): number[] => events.map((each) => each.sequence);
const oneTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('a subscriber', () => {
  test('is told nothing that was taken from its view, not even what was read ahead before that', async () => {
    const release = newRelease();
    await writer.many(release, steps(30), 'shop');
    const eventLog = await open({ ringSize: 1 });
    let products = ['shop', 'billing'];
    const visible = () => ({
      products: new Map(products.map((each) => [each, null])),
      environments: new Set<string>(),
    });
    const events = await eventLog.subscribe({ visible }, '');
    expect(sequences(await take(events, 3))).toEqual([1, 2, 3]);
    products = ['billing'];
    const other = newRelease();
    await writer.many(other, steps(1), 'billing');
    expect((await take(events, 1)).map(({ product }) => product)).toEqual(['billing']);
  });

  test('sees what is written from now on, and nothing from before', async () => {
    const release = newRelease();
    await writer.many(release, steps(3));
    // What is written is passed on once no older transaction of the server is open, of another database neither.
    await take(await (await open()).subscribe({ releaseId: release }, ''), 3);
    const events = await (await open()).subscribe({});
    await writer.many(release, steps(2));
    expect(sequences(await take(events, 2))).toEqual([4, 5]);
  });

  test('with the empty cursor sees the log from its beginning, then what comes', async () => {
    const release = newRelease();
    await writer.many(release, steps(250));
    const events = await (await open({ ringSize: 20 })).subscribe({ releaseId: release }, '');
    const past = await take(events, 250);
    await writer.many(release, steps(2));
    expect(sequences([...past, ...(await take(events, 2))])).toEqual(oneTo(252));
  });

  test('goes on after its cursor, wherever the server reads it from', async () => {
    const release = newRelease();
    await writer.many(release, steps(60));
    const eventLog = await open({ ringSize: 10 });
    const all = await take(await eventLog.subscribe({}, ''), 60);
    for (const index of [0, 7, 48, 49, 50, 55, 58]) {
      const resumed = await eventLog.subscribe({}, cursorOf(all[index]!));
      expect(sequences(await take(resumed, 59 - index))).toEqual(oneTo(60).slice(index + 1));
    }
  });

  test.each<[string, (release: string) => EventFilter, number[]]>([
    ['release', (releaseId) => ({ releaseId }), [1, 2, 3]],
    ['product', () => ({ product: 'shop' }), [1, 2, 3]],
    ['environment', () => ({ environment: 'eu' }), [2]],
    ['type', () => ({ types: ['ReleaseSucceeded'] }), [3]],
    ['product and type', () => ({ product: 'shop', types: ['ReleaseStarted'] }), [1]],
  ])('sees by %s only what fits, from the database and live alike', async (_, filterOf, expected) => {
    const [shop, other] = [newRelease(), newRelease()];
    const filter = filterOf(shop);
    const eventLog = await open();
    const live = await eventLog.subscribe(filter);
    const at = { attempt: 1, before: 'PENDING', status: 'RUNNING' } as const;
    for (const event of [
      { type: 'ReleaseStarted' } as const,
      { type: 'PromotionStarted', environment: 'eu', ...at } as const,
      { type: 'ReleaseSucceeded' } as const,
    ]) {
      await writer.write(other, { type: 'ReleaseTerminating', reason: 'noise' }, 'billing');
      await writer.write(shop, event, 'shop');
    }
    const fresh = await open({ ringSize: 1 });
    const past = await fresh.subscribe(filter, '');
    expect(sequences(await take(live, expected.length))).toEqual(expected);
    expect(sequences(await take(past, expected.length))).toEqual(expected);
    const page = await eventLog.read(filter, null, 100);
    expect(page.events.map(({ event }) => event.sequence)).toEqual(expected);
  });

  test('that reads slowly is served from the database and costs no memory', async () => {
    const release = newRelease();
    const eventLog = await open({ ringSize: 50 });
    const slow = await eventLog.subscribe({ releaseId: release });
    const quick = await eventLog.subscribe({ releaseId: release });
    await writer.many(release, steps(1_000));
    expect(sequences(await take(quick, 1_000))).toEqual(oneTo(1_000));
    // What it holds now is its place: the ring has moved on by 950 events.
    expect(sequences(await take(slow, 1_000))).toEqual(oneTo(1_000));
  });

  test('for whom nothing came for a long time needs no search when something comes', async () => {
    const [quiet, busy] = [newRelease(), newRelease()];
    const eventLog = await open({ ringSize: 10 });
    const events = await eventLog.subscribe({ releaseId: quiet });
    const next = take(events, 1);
    const noise = await eventLog.subscribe({ releaseId: busy });
    await writer.many(busy, steps(100));
    await take(noise, 100);
    const query = vi.spyOn(pool, 'query');
    await writer.write(quiet);
    expect(sequences(await next)).toEqual([1]);
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
  });

  test('that waits ends at once when it is ended, and when the log closes', async () => {
    const eventLog = await open();
    const [one, two] = [await eventLog.subscribe({}), await eventLog.subscribe({ releaseId: newRelease() })];
    const waiting = [one.next(), two.next()];
    await one.return();
    expect((await waiting[0]!).done).toBe(true);
    await eventLog.close();
    expect((await waiting[1]!).done).toBe(true);
    expect(eventLog.health().subscribers).toBe(0);
  });

  test('ends when its signal is aborted', async () => {
    const abort = new AbortController();
    const events = await (await open()).subscribe({}, null, abort.signal);
    const waiting = events.next();
    abort.abort();
    expect((await waiting).done).toBe(true);
  });
});

describe('no event is skipped', () => {
  test('a transaction that began first and commits last comes first, and holds back the others until then', async () => {
    const [early, late] = [newRelease(), newRelease()];
    const eventLog = await open();
    const events = await eventLog.subscribe({}, '');
    const slow = await LogWriter.connect(database.url);
    await slow.client.query('BEGIN');
    await slow.write(early);
    await writer.write(late);
    const first = take(events, 2);
    await held(eventLog);
    await slow.client.query('COMMIT');
    expect((await first).map((each) => each.releaseId)).toEqual([early, late]);
    await slow.close();
  });

  test('an open transaction that writes nothing and is rolled back holds nothing back for good', async () => {
    const release = newRelease();
    const eventLog = await open();
    const events = await eventLog.subscribe({});
    const idle = await LogWriter.connect(database.url);
    await idle.client.query('BEGIN; SELECT pg_current_xact_id()');
    await writer.write(release);
    const next = take(events, 1);
    await held(eventLog);
    // Nobody is told of this.
    await idle.client.query('ROLLBACK');
    expect(sequences(await next)).toEqual([1]);
    await idle.close();
  });

  test('what is written while the listening connection is broken arrives all the same', async () => {
    const release = newRelease();
    const eventLog = await open();
    const events = await eventLog.subscribe({ releaseId: release });
    await writer.write(release);
    expect(sequences(await take(events, 1))).toEqual([1]);
    for (const round of [0, 1, 2]) {
      const killed = await pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name IN ('sluice-listener', 'sluice-event-log')`,
      );
      expect(killed.rowCount).toBeGreaterThan(0);
      await writer.many(release, steps(2));
      expect(sequences(await take(events, 2))).toEqual([2 + round * 2, 3 + round * 2]);
    }
  });

  test('a notice that never came is made up for by looking now and then', async () => {
    const release = newRelease();
    const events = await (await open({ pollMs: 50 })).subscribe({});
    await pool.query(
      `INSERT INTO release_event (release_id, sequence, position, at, product, release_status, event)
       VALUES ($1, 1, pg_current_xact_id()::text::bigint, now(), 'billing', 'RUNNING', '{"type": "ReleaseStarted"}')`,
      [release],
    );
    expect((await take(events, 1))[0]).toMatchObject({ releaseId: release });
  });

  test('many writers at once, many subscribers cut at random places: each sees every event once, in order', async () => {
    const eventLog = await open({ ringSize: 100 });
    const releases = Array.from({ length: 8 }, newRelease);
    const total = releases.length * 40;
    const cut = async (seed: number): Promise<LoggedEvent[]> => {
      const seen: LoggedEvent[] = [];
      let random = seed;
      while (seen.length < total) {
        const last = seen.at(-1);
        const events = await eventLog.subscribe({}, last ? cursorOf(last) : '');
        random = (random * 48_271) % 2_147_483_647;
        seen.push(...(await take(events, Math.min(total - seen.length, 1 + (random % 30)))));
        await events.return();
      }
      return seen;
    };
    const readers = [11, 222, 3_333].map(cut);
    await Promise.all(
      releases.map(async (release) => {
        const own = await LogWriter.connect(database.url);
        for (let count = 0; count < 40; count += 1) await own.write(release);
        await own.close();
      }),
    );
    const [first, ...others] = await Promise.all(readers);
    for (const release of releases) {
      expect(sequences(first!.filter((each) => each.releaseId === release))).toEqual(oneTo(40));
    }
    const order = first!.map((each) => `${each.releaseId} ${each.sequence}`);
    for (const other of others) expect(other.map((each) => `${each.releaseId} ${each.sequence}`)).toEqual(order);
  });
});

describe('a cursor', () => {
  test.each(['nonsense', 'YWZ0ZXIuMS4y', 'x'.repeat(5_000), '💥'])('that is none is refused (%#)', async (text) => {
    await expect((await open()).subscribe({}, text)).rejects.toThrow('is not a cursor');
  });

  test('of an event that is no longer kept is expired; the oldest one goes on with the oldest event', async () => {
    const release = newRelease();
    await writer.many(release, steps(4));
    await writer.many(release, steps(6));
    const eventLog = await open({ ringSize: 2 });
    const all = await take(await eventLog.subscribe({}, ''), 10);
    await pool.query('DELETE FROM release_event WHERE sequence <= 4');
    const expired = await eventLog.subscribe({}, cursorOf(all[1]!)).catch((error: unknown) => error);
    expect(expired).toMatchObject({ name: 'CursorExpiredError' });
    const { oldest } = expired as { oldest: string };
    expect(sequences(await take(await eventLog.subscribe({}, oldest), 6))).toEqual([5, 6, 7, 8, 9, 10]);
  });

  test('of another log is expired, even at a place that this log has', async () => {
    const release = newRelease();
    await writer.many(release, steps(2));
    const eventLog = await open();
    const [, event] = await take(await eventLog.subscribe({}, ''), 2);
    const foreign = cursorOf({ ...event!, releaseId: newRelease() });
    await expect(eventLog.subscribe({}, foreign)).rejects.toMatchObject({ name: 'CursorExpiredError' });
  });

  test('of an empty log that had events before is expired, and its oldest one is the beginning', async () => {
    const cursor = cursorOf({ position: 5, id: 7, releaseId: newRelease() });
    await expect((await open()).subscribe({}, cursor)).rejects.toMatchObject({
      name: 'CursorExpiredError',
      oldest: '',
    });
  });

  test('of a server that has read further is taken by one that has not yet', async () => {
    const [other, release] = [newRelease(), newRelease()];
    const [ahead, behind] = [await open(), await open({ pollMs: 30_000 })];
    await writer.write(other);
    const [known] = await take(await ahead.subscribe({}, ''), 1);
    await writer.many(release, steps(3));
    const [, , second] = await take(await ahead.subscribe({}, cursorOf(known!)), 3);
    const resumed = await behind.subscribe({}, cursorOf(second!));
    await writer.write(release);
    expect(sequences(await take(resumed, 1))).toEqual([4]);
  });

  test('pages through the log to its end, and then subscribes without a gap', async () => {
    const release = newRelease();
    await writer.many(release, steps(7));
    const eventLog = await open();
    await take(await eventLog.subscribe({}, ''), 7);
    const seen: number[] = [];
    let after: string | null = null;
    for (let more = true; more;) {
      const page = await eventLog.read({}, after, 3);
      seen.push(...page.events.map(({ event }) => event.sequence));
      after = page.events.at(-1)!.cursor;
      more = page.hasMore;
    }
    await writer.write(release);
    const live = await take(await eventLog.subscribe({}, after), 1);
    expect([...seen, ...sequences(live)]).toEqual(oneTo(8));
  });

  test('of a release as it was loaded is found by the number of its last event', async () => {
    const release = newRelease();
    await writer.many(release, steps(4));
    const eventLog = await open();
    const [cursor, none] = await eventLog.cursorsOf([
      { releaseId: release, sequence: 3 },
      { releaseId: release, sequence: 9 },
    ]);
    expect(none).toBeNull();
    expect(sequences(await take(await eventLog.subscribe({}, cursor), 1))).toEqual([4]);
  });
});

/** Resolves when events wait for an older transaction. */
async function held(eventLog: EventLog): Promise<void> {
  while (eventLog.health().heldForMs === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}
