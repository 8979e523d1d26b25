import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDataSource, migrate } from '../../src/entities/data-source.ts';
import { EventLog } from '../../src/events/event-log.ts';
import { createLog } from '../../src/log.ts';
import type { LoggedEvent } from '../../src/store/event-log.ts';
import { LogWriter, steps } from '../events/support/writer.ts';
import { oldDatabase } from './old.ts';
import type { OldDatabase } from './old.ts';

// Until a row of the log could hold many events, each event had a row. Such rows stay, and so do the cursors that clients keep.

interface Row {
  release_id: string;
  sequence: number;
  position: string;
  id: string;
  event: unknown;
}

const COLUMNS = 'release_id, sequence, position, id, event';

let old: OldDatabase;
let pool: pg.Pool;
let eventLog: EventLog;
/** As the table had it before it was migrated. */
let flat: Row[];
beforeAll(async () => {
  old = await oldDatabase();
  pool = new pg.Pool({ connectionString: old.url, max: 4 });
  flat = (await pool.query<Row>(`SELECT ${COLUMNS} FROM release_event ORDER BY position, id`)).rows;
  await migrate(old.url);
  eventLog = await EventLog.open({ pool, databaseUrl: old.url, log: createLog({ level: 'silent' }), ringSize: 20 });
}, 60_000);
afterAll(async () => {
  await eventLog?.close();
  await pool?.end();
  await old?.drop();
});

const plain = ({ releaseId, sequence, position, id, event }: LoggedEvent): Row => ({
  release_id: releaseId,
  sequence,
  position: String(position),
  id: String(id),
  event,
});

/** As earlier versions gave them out. */
const cursorOf = ({ position, id, release_id }: Row): string =>
  Buffer.from(`after.${position}.${id}.${release_id.slice(0, 8)}`).toString('base64url');

test('the log of before is read as it was, and every cursor of before goes on where it stood', async () => {
  expect(flat.length).toBeGreaterThan(100);
  const { events } = await eventLog.read({}, null, 1_000);
  expect(events.map(({ event }) => plain(event))).toEqual(flat);
  expect(events.map(({ cursor }) => cursor)).toEqual(flat.map(cursorOf));
  for (const [index, row] of flat.entries()) {
    const page = await eventLog.read({}, cursorOf(row), 3);
    expect(page.events.map(({ event }) => event.id)).toEqual(
      flat.slice(index + 1, index + 4).map(({ id }) => Number(id)),
    );
  }
  const environment = (row: Row): boolean => (row.event as { environment?: string }).environment === 'prod';
  const found = await eventLog.read({ environment: 'prod' }, null, 1_000);
  expect(found.events.map(({ event }) => String(event.id))).toEqual(flat.filter(environment).map(({ id }) => id));
  expect(found.events.length).toBeGreaterThan(0);
});

test('what comes later is told after it, by new servers and by workers of before', async () => {
  const last = flat.at(-1) as Row;
  const writer = await LogWriter.connect(old.url);
  const subscription = await eventLog.subscribe({}, cursorOf(last));
  const [release, other] = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
  await writer.many(release, steps(3));
  await writer.apart(other, steps(2));
  await writer.many(release, steps(2));
  await writer.close();
  const told: string[] = [];
  while (told.length < 7) {
    const { value } = await subscription.next();
    told.push(`${(value as LoggedEvent).releaseId.slice(0, 1)}/${(value as LoggedEvent).sequence}`);
  }
  await subscription.return();
  expect(told).toEqual(['1/1', '1/2', '1/3', '2/1', '2/2', '1/4', '1/5']);
});

test('the migration is undone to a row per event, with the same places', async () => {
  const { rows: listed } = await pool.query<Row>(`SELECT ${COLUMNS} FROM logged_event ORDER BY position, id`);
  expect(listed.length).toBe(flat.length + 7);
  const dataSource = await createDataSource(old.url).initialize();
  try {
    for (let last = ''; last !== 'EventsInRows1765400000000';) {
      const done = await dataSource.query<{ name: string }[]>(
        'SELECT name FROM sluice_migration ORDER BY id DESC LIMIT 1',
      );
      last = done[0]?.name as string;
      await dataSource.undoLastMigration({ transaction: 'each' });
    }
  } finally {
    await dataSource.destroy();
  }
  const { rows: apart } = await pool.query<Row>(`SELECT ${COLUMNS} FROM release_event ORDER BY position, id`);
  expect(apart).toEqual(listed);
  await migrate(old.url);
  expect((await pool.query(`SELECT ${COLUMNS} FROM logged_event ORDER BY position, id`)).rows).toEqual(listed);
}, 60_000);
