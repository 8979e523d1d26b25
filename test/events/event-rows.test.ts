import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Visibility } from '../../src/core/access/index.ts';
import type { NumberedEvent, ReleaseEvent, ReleaseEventType } from '../../src/core/events.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { createLog } from '../../src/log.ts';
import type { EventFilter, LoggedEvent } from '../../src/store/event-log.ts';
import { eventRows, ROOM } from '../../src/store/event-rows.ts';
import { createTestDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { LogWriter, newRelease } from './support/writer.ts';

// Rows of the log hold many events. Readers see the flat list that was written, whatever lies in one row with what.

let database: TestDatabase;
let pool: pg.Pool;
let writer: LogWriter;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 5 });
  writer = await LogWriter.connect(database.url);
});
afterEach(() => pool.query('TRUNCATE release_event'));
afterAll(async () => {
  await writer.close();
  await pool.end();
  await database.drop();
});

const ENVIRONMENTS = ['dev', 'staging', 'eu'];
const PRODUCTS = ['shop', 'mail'];
const FREQUENT = ['PromotionWaiting', 'PromotionSucceeded'] as const;
/** Those that have an index of their own, too. */
const TYPES = [...FREQUENT, 'PromotionFailed', 'PromotionSkipped'] as const;

/** Mostly about one environment, and mostly of types without an index. */
const eventOf = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...FREQUENT).map((type) => at([type, 'eu'])) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...TYPES), fc.constantFrom(...ENVIRONMENTS)).map(at) },
  { weight: 1, arbitrary: fc.constant<ReleaseEvent>({ type: 'ReleaseStarted' }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...ENVIRONMENTS)
      .map((target) => ({ type: 'RollbackTargetStarted', target }) as unknown as ReleaseEvent),
  },
);

function at([type, environment]: [ReleaseEventType, string]): ReleaseEvent {
  return { type, environment, attempt: 1, reason: 'so' } as unknown as ReleaseEvent;
}

/** One of four releases says something; `apart`: as it was written before rows held lists. */
const decisionOf = fc.record({
  release: fc.nat(3),
  events: fc.array(eventOf, { minLength: 1, maxLength: 8 }),
  apart: fc.boolean(),
});

/** Of all that a filter can say, at most two. */
const filterOf = fc
  .record({
    release: fc.nat(3),
    product: fc.constantFrom(...PRODUCTS, 'none'),
    environment: fc.constantFrom(...ENVIRONMENTS, 'none'),
    types: fc.uniqueArray(fc.constantFrom(...TYPES, 'ReleaseStarted' as const), { minLength: 1, maxLength: 2 }),
    sees: fc.constantFrom(visibility('shop', null), visibility('mail', ['eu'])),
    asked: fc.subarray(['release', 'product', 'environment', 'types', 'sees'] as const, { maxLength: 2 }),
  })
  .map(({ asked, ...drawn }): Partial<typeof drawn> => Object.fromEntries(asked.map((each) => [each, drawn[each]])));

function visibility(product: string, environments: string[] | null): Visibility {
  return {
    products: new Map([[product, environments && new Set(environments)]]),
    environments: new Set(ENVIRONMENTS),
  };
}

interface Written {
  releaseId: string;
  product: string;
  sequence: number;
  event: ReleaseEvent;
}

/** What a filter says, in the plainest words. */
function wanted({ event, ...at }: Written, filter: EventFilter): boolean {
  const { environment, target } = event as { environment?: string; target?: string };
  const sees = filter.visible?.()?.products.get(at.product);
  const place = environment ?? target;
  return (
    (filter.releaseId === undefined || filter.releaseId === at.releaseId) &&
    (filter.product === undefined || filter.product === at.product) &&
    (filter.environment === undefined || filter.environment === environment) &&
    (filter.types === undefined || filter.types.includes(event.type)) &&
    (filter.visible === undefined || sees === null || (sees !== undefined && (place === undefined || sees.has(place))))
  );
}

/** Until no older transaction of the server is open. */
async function settled(): Promise<void> {
  const text = `SELECT max(position) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS done FROM release_event`;
  while (!(await pool.query<{ done: boolean }>(text)).rows[0]?.done)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

const plain = ({ releaseId, product, sequence, event }: Written): Written => ({ releaseId, product, sequence, event });

test('by any filter, from any cursor, in pages of any size, a reader sees the flat list', async () => {
  const log = createLog({ level: 'silent' });
  const reached = { rows: 0, events: 0, pages: 0, back: 0, inside: 0, found: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(decisionOf, { minLength: 1, maxLength: 25 }),
      fc.array(fc.record({ filter: filterOf, after: fc.nat(), first: fc.integer({ min: 1, max: 9 }) }), {
        minLength: 3,
        maxLength: 6,
      }),
      fc.record({ ringSize: fc.integer({ min: 1, max: 40 }), entries: fc.integer({ min: 2, max: 12 }) }),
      async (decisions, questions, memory) => {
        await pool.query('TRUNCATE release_event');
        const releases = Array.from({ length: 4 }, newRelease);
        const written: Written[] = [];
        for (const { release, events, apart } of decisions) {
          const [releaseId, product] = [releases[release] as string, PRODUCTS[release % 2] as string];
          await (apart ? writer.apart(releaseId, events, product) : writer.many(releaseId, events, product));
          const before = written.filter((each) => each.releaseId === releaseId).length;
          written.push(...events.map((event, index) => ({ releaseId, product, sequence: before + index + 1, event })));
        }
        await settled();
        const { rows: rowsOf } = await pool.query<{ id: string }>('SELECT id FROM release_event');
        reached.rows += rowsOf.length;
        reached.events += written.length;

        const { rows } = await pool.query<Written>(
          `SELECT release_id AS "releaseId", product, sequence, event FROM logged_event ORDER BY position, id`,
        );
        expect(rows).toEqual(written);

        const eventLog = await EventLog.open({ pool, databaseUrl: database.url, log, pollMs: 30_000, ...memory });
        try {
          const all = await eventLog.read({}, null, 1_000);
          expect(all.events.map(({ event }) => plain(event))).toEqual(written);
          const cursors = all.events.map(({ cursor }) => cursor);
          expect(await eventLog.cursorsOf(written)).toEqual(cursors);
          for (const { filter: drawn, after, first } of questions) {
            const { release, sees, ...rest } = drawn;
            const filter: EventFilter = {
              ...rest,
              ...(release !== undefined && { releaseId: releases[release] }),
              ...(sees && { visible: () => sees }),
            };
            // From the beginning, or after one of the events.
            const from = after % (written.length + 1);
            const cursor = from === 0 ? '' : cursors[from - 1]!;
            const expected = written.slice(from).filter((each) => wanted(each, filter));
            reached.found += expected.length;
            if (from > 0 && !rowsOf.some(({ id }) => Number(id) === all.events[from - 1]!.event.id))
              reached.inside += 1;

            const seen: LoggedEvent[] = [];
            for (let place: string | null = cursor, more = true; more; reached.pages += 1) {
              const page = await eventLog.read(filter, place, first);
              seen.push(...page.events.map(({ event }) => event));
              [place, more] = [page.end ?? place, page.hasMore];
              expect(page.events.length).toBeLessThanOrEqual(first);
            }
            expect(seen.map(plain)).toEqual(expected);

            // And back from there, or from the end.
            const earlier: LoggedEvent[] = [];
            for (let place = from === 0 ? null : cursor, more = true; more; reached.back += 1) {
              const page = await eventLog.readBack(filter, place, first);
              earlier.unshift(...page.events.map(({ event }) => event));
              [place, more] = [page.end ?? place, page.hasMore];
              expect(page.events.length).toBeLessThanOrEqual(first);
            }
            const before = from === 0 ? written : written.slice(0, from - 1);
            expect(earlier.map(plain)).toEqual(before.filter((each) => wanted(each, filter)));

            const subscription = await eventLog.subscribe(filter, cursor);
            const told: Written[] = [];
            while (told.length < expected.length) told.push(plain((await subscription.next()).value as LoggedEvent));
            await subscription.return();
            expect(told).toEqual(expected);
          }
        } finally {
          await eventLog.close();
        }
      },
    ),
    { numRuns: 40 },
  );
  expect(reached.rows).toBeLessThan(reached.events);
  expect(reached.pages).toBeGreaterThan(50);
  expect(reached.back).toBeGreaterThan(50);
  expect(reached.inside).toBeGreaterThan(3);
  expect(reached.found).toBeGreaterThan(50);
}, 300_000);

test('a page that begins in a row whose rest does not fit goes on behind it', async () => {
  const release = newRelease();
  await writer.many(release, [at(['PromotionWaiting', 'eu']), at(['PromotionSucceeded', 'eu'])]);
  for (let count = 0; count < 2; count += 1) await writer.write(release, at(['PromotionWaiting', 'eu']));
  await settled();
  const eventLog = await EventLog.open({ pool, databaseUrl: database.url, log: createLog({ level: 'silent' }) });
  const filter: EventFilter = { types: ['PromotionWaiting'] };
  const [begin] = (await eventLog.read(filter, null, 1)).events;
  const page = await eventLog.read(filter, begin!.cursor, 1);
  expect([page.events.map(({ event }) => event.sequence), page.hasMore]).toEqual([[3], true]);
  await eventLog.close();
});

test('rows of a release follow each other without a gap, which one query shows', async () => {
  const release = newRelease();
  const noise = [at(['PromotionWaiting', 'dev']), at(['PromotionSucceeded', 'dev']), at(['PromotionFailed', 'dev'])];
  for (let count = 0; count < 5; count += 1)
    await (count % 2 ? writer.apart(release, noise) : writer.many(release, noise));
  const gaps = `SELECT sequence FROM (
      SELECT sequence, sequence - CASE jsonb_typeof(event) WHEN 'array' THEN jsonb_array_length(event) ELSE 1 END AS before,
        lag(sequence, 1, 0) OVER (PARTITION BY release_id ORDER BY sequence) AS last FROM release_event) each
    WHERE before <> last`;
  expect((await pool.query(gaps)).rows).toEqual([]);
  await pool.query('DELETE FROM release_event WHERE sequence = 5');
  expect((await pool.query(gaps)).rows).toHaveLength(1);
});

const numbered = (events: ReleaseEvent[], actor: string | null = null): NumberedEvent[] =>
  events.map((event, index) => ({ sequence: index + 1, at: 0, releaseStatus: 'RUNNING', actor, event }));

test.each<[string, NumberedEvent[], number[]]>([
  ['of one environment is one row', numbered(TYPES.slice(0, 2).map((type) => at([type, 'eu']))), [2]],
  ['of two environments is two', numbered(['dev', 'dev', 'eu'].map((name) => at(['PromotionWaiting', name]))), [2, 1]],
  ['of a type with an index has rows of its own', numbered(TYPES.map((type) => at([type, 'eu']))), [2, 1, 1]],
  [
    'of two people is two',
    [...numbered([{ type: 'ReleaseStarted' }]), ...numbered([{ type: 'ReleaseStarted' }], 'ada')],
    [1, 1],
  ],
  [
    'that is too long is several',
    numbered(Array.from({ length: 2 * ROOM + 1 }, () => at(['PromotionWaiting', 'eu']))),
    [ROOM, ROOM, 1],
  ],
])('what a decision says %s', (_, events, sizes) => {
  expect(eventRows(events).map(({ event }) => [event].flat().length)).toEqual(sizes);
  expect(eventRows(events).flatMap(({ event }) => event)).toEqual(events.map(({ event }) => event));
});

test('as many events as a row takes have room before its id', async () => {
  const [one, other] = [newRelease(), newRelease()];
  await writer.write(one);
  await writer.many(
    other,
    Array.from({ length: ROOM }, () => at(['PromotionWaiting', 'eu'])),
  );
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM logged_event ORDER BY position, id');
  expect(rows).toHaveLength(ROOM + 1);
  expect(Number(rows[1]!.id)).toBeGreaterThan(Number(rows[0]!.id));
});
