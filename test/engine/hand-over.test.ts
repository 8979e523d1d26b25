import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { App } from '../../src/app.ts';
import { EFFECTS } from '../../src/core/effects.ts';
import type { Work } from '../../src/core/effects.ts';
import { ThrottledError } from '../../src/drivers/driver.ts';
import { DOING } from '../../src/jobs/effects.ts';
import type { Errand } from '../../src/jobs/errands.ts';
import { saveDecisions } from '../../src/store/save-decisions.ts';
import { loadStates } from '../../src/store/load-releases.ts';
import { openErrands } from '../../src/store/outbox.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// No worker runs here: each test says itself when a sweep looks at what is left in the outbox.

/** What the runner `door` is told, and what it does about it. */
const errands: Errand[] = [];
let open: (errand: Errand) => Promise<void>;
const runners = {
  door: (_: unknown, errand: Errand): Promise<void> => {
    errands.push(errand);
    return open(errand);
  },
};

let engine: TestEngine;
let app: App;
let other: App;
let releaseId: string;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {}, { errands: runners });
  app = engine.app;
  other = await engine.another({ errands: runners });
  await engine.saveBilling();
  releaseId = await engine.trigger({ product: 'billing', version: '1' });
});
afterAll(() => engine.close());
beforeEach(async () => {
  await app.handOver.settled();
  await app.pool.query('DELETE FROM outbox');
  errands.length = 0;
  open = () => Promise.resolve();
});
afterEach(() => app.handOver.settled());

test('a process without a sweep deletes what it handed over, though it saves nothing more', async () => {
  await engine.saveBilling('shop');
  const id = await engine.trigger({ product: 'shop', version: '1' });
  const left = async (): Promise<number> => {
    const { rows } = await app.pool.query('SELECT FROM outbox WHERE release_id = $1', [id]);
    return rows.length;
  };
  await expect.poll(left).toBe(0);
  expect(await app.queue.standing(`${id}-p0-a1-d1`)).toBe('pending');
});

const errand = (of: string, data: unknown = {}): Work => ({
  kind: 'errand',
  name: 'door',
  of,
  about: `open door ${of}`,
  promotion: null,
  data,
});

/** A decision that asks for this, saved as the release engine saves one. */
async function decide(...work: Work[]): Promise<void> {
  const to = await app.releaseEngine.look(releaseId, { fresh: true });
  const [loaded] = await loadStates(app.pool, [releaseId]);
  const decision = {
    state: loaded!.state,
    work,
    changed: [],
    events: [],
    deployments: [],
    refused: new Map(),
    lifted: [],
  };
  const saved = await saveDecisions(
    app.pool,
    [{ release: to!.release, before: loaded!.state, expected: loaded!.revision, decision, audit: [] }],
    [],
  );
  expect([...saved]).toEqual([releaseId]);
  app.releaseEngine.forget();
}

interface Row {
  key: string;
  attempts: number;
  last_error: string | null;
  pause: number;
}

/** Each pause that there is, in seconds: what is read late is in a pause all the same, up to the half of it. */
const PAUSES = [...Array(11).keys()].map((each) => 2 ** (each + 1)).concat(60, 3_600);

/** What is in the outbox, without the release's own name; `pause`: seconds until it was due when it was written. */
async function rows(): Promise<Row[]> {
  const found = await app.pool.query<Row>(
    `SELECT replace(key, $1 || '-', '') AS key, attempts, last_error, extract(epoch FROM due_at - now())::float8 AS pause
     FROM outbox ORDER BY key`,
    [releaseId],
  );
  const asWritten = (left: number): number => Math.min(...PAUSES.filter((each) => each >= left));
  return found.rows.map((row) => ({ ...row, pause: asWritten(row.pause) }));
}

const isDue = (): Promise<unknown> => app.pool.query('UPDATE outbox SET due_at = now()');

async function sweep(of = app): Promise<void> {
  await of.handOver.relay();
  await of.handOver.settled();
}

const ask = (generation: number): Work => ({ kind: 'ask-group', group: 0, generation });
const observe: Work = { kind: 'observe', promotion: 0, attempt: 1, until: Date.now() + 60_000 };

test('each kind of work is described once, and done in the lane that it says', () => {
  expect(Object.keys(DOING)).toEqual(Object.keys(EFFECTS));
  for (const [kind, { lane, key }] of Object.entries(EFFECTS)) {
    const doing = DOING[kind as keyof typeof DOING];
    expect(['jobs' in doing, 'run' in doing]).toEqual([lane === 'queue', lane !== 'queue']);
    expect(key === null).toBe(lane === 'notice');
  }
});

test('work that was asked for and is not done keeps no later decision from being saved, and is there once', async () => {
  await decide(errand('a'));
  open = () => Promise.reject(new Error('it is locked'));
  await sweep();
  await decide(errand('a'), errand('b'), errand('b'));
  expect(await rows()).toMatchObject([
    { key: 'errand-door-a', attempts: 1, last_error: 'it is locked' },
    { key: 'errand-door-b', attempts: 0 },
  ]);
});

test('work that is in hand is left alone until it is due; then any process hands it over, once', async () => {
  await decide(ask(1), observe);
  // However slow this is.
  await app.pool.query(`UPDATE outbox SET due_at = due_at + interval '1 minute'`);
  await sweep();
  expect(await rows()).toMatchObject([
    { key: 'g0-q1', attempts: 0 },
    { key: 'p0-a1-observe', attempts: 0 },
  ]);
  await isDue();
  let handed = 0;
  const { queue } = app;
  const handOver = queue.handOver.bind(queue);
  for (const each of [app, other])
    each.queue.handOver = (items) => {
      handed += items.length;
      return handOver(items);
    };
  await Promise.all([sweep(), sweep(other)]);
  expect(await rows()).toEqual([]);
  expect(handed).toBe(1);
  expect(await queue.standing(`${releaseId}-g0-q1`)).toBe('pending');
  expect((await app.pool.query('SELECT FROM observation WHERE release_id = $1', [releaseId])).rowCount).toBe(1);
});

test('a row that fails keeps why, is tried later and later, and holds up no other one', async () => {
  await decide({ kind: 'observe', promotion: 99, attempt: 1, until: 0 }, observe, ask(2));
  await app.pool.query(
    `INSERT INTO outbox (key, release_id, work, due_at) VALUES ('strange', $1, '{"kind":"dance"}', now() - interval '1 hour')`,
    [releaseId],
  );
  await isDue();
  await sweep();
  const left = await rows();
  expect(left).toMatchObject([
    { key: 'p99-a1-observe', attempts: 1, pause: 2, last_error: `release ${releaseId} has no promotion 99` },
    { key: 'strange', attempts: 1, pause: 2, last_error: 'this version of Sluice knows no work of kind "dance"' },
  ]);
  const pauses: number[] = [];
  for (let time = 0; time < 7; time += 1) {
    await isDue();
    await sweep();
    pauses.push((await rows())[1]!.pause);
  }
  expect(pauses).toEqual([4, 8, 16, 32, 60, 60, 60]);
});

test('an errand that finds no room waits for it, and that is no attempt', async () => {
  await decide(errand('full'));
  open = () => Promise.reject(new ThrottledError('no room', { retryAfter: 20_000 }));
  for (let time = 0; time < 4; time += 1) {
    await isDue();
    await sweep();
    await app.handOver.settled();
  }
  const [row] = await rows();
  // Of 20 s and some more, so that not all come back at once.
  expect(row).toMatchObject({ attempts: 0, last_error: 'no room', pause: 32 });
});

test('a row whose process dies over it is due again, later each time', async () => {
  await decide({ kind: 'observe', promotion: 0, attempt: 7, until: Date.now() });
  const look = app.releaseEngine.look.bind(app.releaseEngine);
  // It never answers: as if the process had died here.
  let go: () => void = () => undefined;
  app.releaseEngine.look = (id, how) => new Promise<void>((resolve) => (go = resolve)).then(() => look(id, how));
  await isDue();
  await app.handOver.relay();
  expect(await rows()).toMatchObject([{ attempts: 1, last_error: null, pause: 2 }]);
  await isDue();
  await sweep(other);
  expect(await rows()).toEqual([]);
  app.releaseEngine.look = look;
  go();
});

test('while the queue is away its rows lose no time, and commands go on', async () => {
  await decide(ask(3), { kind: 'observe', promotion: 0, attempt: 8, until: Date.now() });
  await isDue();
  const ping = app.queue.ping.bind(app.queue);
  app.queue.ping = () => Promise.reject(new Error('Redis is away'));
  await sweep();
  expect(await rows()).toMatchObject([{ key: 'g0-q3', attempts: 0, last_error: null }]);
  app.queue.ping = ping;
  await sweep();
  expect(await rows()).toEqual([]);
});

describe('an errand', () => {
  test('is run with its key and what the decision gave along, and is gone when it is done', async () => {
    await decide(errand('a', { number: 12 }));
    expect(await rows()).toMatchObject([{ key: 'errand-door-a', attempts: 0 }]);
    await sweep();
    expect(errands).toMatchObject([{ key: `${releaseId}-errand-door-a`, releaseId, data: { number: 12 } }]);
    expect(await rows()).toEqual([]);
  });

  test('is tried until it is done, however long, with the same key and pauses of an hour at the most', async () => {
    open = () => Promise.reject(new Error('the door sticks'));
    await decide(errand('b'));
    const pauses: number[] = [];
    for (let time = 0; time < 14; time += 1) {
      await isDue();
      await sweep();
      pauses.push((await rows())[0]!.pause);
    }
    expect(pauses).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600, 3_600]);
    const shown = (await openErrands(app.pool, [releaseId])).get(releaseId);
    expect(shown).toMatchObject([
      { name: 'door', about: 'open door b', promotion: null, attempts: 14, lastError: 'the door sticks' },
    ]);
    open = () => Promise.resolve();
    await isDue();
    await sweep();
    expect(new Set(errands.map(({ key }) => key)).size).toBe(1);
    expect(await openErrands(app.pool, [releaseId])).toEqual(new Map());
  });

  test('outlives the end of its release', async () => {
    const ending = await engine.trigger({ product: 'billing', version: 'short' });
    await app.pool.query(
      `INSERT INTO outbox (key, release_id, lane, work) VALUES ($1 || '-errand-door-c', $1::uuid, 'errand', $2)`,
      [ending, errand('c')],
    );
    await app.releaseEngine.tell(ending, { kind: 'terminate', reason: 'enough', by: null });
    expect((await app.releaseEngine.look(ending, { fresh: true }))!.state.status).toBe('TERMINATED');
    await isDue();
    await sweep();
    expect(errands.map(({ releaseId: of }) => of)).toEqual([ending]);
  });

  test('whose process dies after its effect is run once more, with the same key', async () => {
    let go: () => void = () => undefined;
    open = () => new Promise<void>((resolve) => (go = resolve));
    await decide(errand('d'));
    await app.handOver.relay();
    // Nobody else has it while it is under way,
    await sweep(other);
    expect(errands).toHaveLength(1);
    // until its lease is over.
    expect((await rows())[0]?.pause).toBe(60);
    await isDue();
    open = () => Promise.resolve();
    await sweep(other);
    expect(errands.map(({ key }) => key)).toEqual(Array(2).fill(`${releaseId}-errand-door-d`));
    expect(await rows()).toEqual([]);
    go();
  });

  test('that nobody knows how to run says so, and holds up no other one', async () => {
    await decide({ ...errand('e'), name: 'window' } as Work, errand('f'));
    await sweep();
    expect(errands).toHaveLength(1);
    expect(await rows()).toMatchObject([
      { key: 'errand-window-e', last_error: 'this version of Sluice runs no errand "window"' },
    ]);
  });

  test('waits for others where too many run at once', async () => {
    const ends: (() => void)[] = [];
    open = () => new Promise<void>((resolve) => ends.push(resolve));
    await decide(...[...Array(app.limits.errands + 2).keys()].map((each) => errand(`many-${each}`)));
    await app.handOver.relay();
    await app.handOver.relay();
    expect(errands).toHaveLength(app.limits.errands);
    for (const end of ends.splice(0)) end();
    await app.handOver.settled();
    await app.handOver.relay();
    expect(errands).toHaveLength(app.limits.errands + 2);
    for (const end of ends) end();
  });

  test('whose attempt takes too long has failed', async () => {
    open = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const limit = app.clock.limit.bind(app.clock);
    app.clock.limit = (name) => limit(name, 20);
    await decide(errand('g'));
    await sweep();
    app.clock.limit = limit;
    expect(await rows()).toMatchObject([{ attempts: 1, last_error: expect.stringContaining('timeout') as string }]);
  });
});
