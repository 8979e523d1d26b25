import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// Whatever the shell asks of the outside passes a seam, so that the second ring of the simulation (test/shell) can stand in
// between. This finds what would go past it.

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

interface Way {
  /** What it looks like. */
  found: RegExp;
  /** The only places where it may stand, and why. */
  at: Record<string, string>;
}

/** Not the shell: each has its own clock, or none. */
const AROUND: Record<string, string> = {
  'access/': 'asks an identity provider, and moves no release',
  'cli/': 'a client of the API',
  'drivers/': 'the outside world itself: the ring stands where its interface is',
  'foreign/': 'processes of their own for foreign text; the ring reads it in its own',
  'postgres/': 'starts PostgreSQL',
  'server/': 'the transports of the API',
  'main.ts': 'ends the process',
  'server.ts': 'ends the connections of the API',
};

/** All time is the engine's clock, which is PostgreSQL's; these read their machine's, each for itself. */
const { 'drivers/': _, ...AROUND_BUT_DRIVERS } = AROUND;

const WAYS: Record<string, Way> = {
  'a program': {
    found: /from 'node:child_process'/g,
    at: {
      'programs/': 'starts them all, from a process that holds nothing',
      'foreign/pool.ts': 'readers live long, and a channel belongs to whoever forks',
      'postgres/': 'once, at the beginning',
    },
  },
  'a client or a pool of PostgreSQL': {
    found: /new pg\.(Client|Pool)\b|from 'pg-pool'|extends pg\./g,
    at: { 'connections.ts': 'makes them all' },
  },
  'a data source of TypeORM': {
    found: /new DataSource\(|extends DataSource\b/g,
    at: { 'entities/data-source.ts': 'makes them all, with the driver of connections.ts' },
  },
  'connections without seams': {
    found: /seams: null/g,
    at: {
      'app.ts': 'nobody stands at the seams in production',
      'entities/data-source.ts': 'migrations: before anything runs',
      'postgres/embedded.ts': 'makes the database, before anything runs',
      'jobs/queue.ts': "BullMQ's own: the call of the queue passes a seam",
      'events/event-log.ts': 'the reader of the log, whose notices are hints: it moves no release',
    },
  },
  'a timer': {
    found: /\b(setTimeout|setInterval)\(|AbortSignal\.timeout\(|'node:timers/g,
    at: {
      ...AROUND,
      'clock.ts': 'makes them all',
      'programs/starter.ts': 'a process of its own, which ends what it has started when its process is gone',
      'jobs/queue.ts': "BullMQ's own connections may not end",
      'entities/data-source.ts': 'waits for PostgreSQL before anything runs',
      'events/': 'the live tail: it moves no release',
      'readiness.ts': 'a question of the API',
    },
  },
  'a time of its own': {
    found: /\bDate\.now\(\)|performance\.now\(\)|new Date\(\)/g,
    at: {
      ...AROUND_BUT_DRIVERS,
      'availability.ts': 'for how long something was away, for the log',
      'clock.ts': 'the clock',
      'entities/data-source.ts': 'waits for PostgreSQL before anything runs',
      'events/': 'the live tail: how long ago it looked',
      'schema/budget.ts': 'how long an operation of the API takes',
    },
  },
  BullMQ: {
    found: /from 'bullmq'/g,
    at: {
      'jobs/queue.ts': 'the queue',
      'jobs/lean-postgres-queue.ts': 'its back end in PostgreSQL',
      'jobs/carry.ts': 'the error that says that a job waits for its children',
    },
  },
  'a notice that is heard': {
    found: /\.on\('notification'/g,
    at: { 'store/listener.ts': 'hears them all' },
  },
};

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: withoutComments(readFileSync(join(SRC, file), 'utf8')) }));

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
}

test.each(Object.entries(WAYS))('%s stands where the seams are, and nowhere else', (_, { found, at }) => {
  const past = files.flatMap(({ file, text }) => {
    if (Object.keys(at).some((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))) return [];
    return [...text.matchAll(found)].map(([what]) => `src/${file}: ${what}`);
  });
  expect(past).toEqual([]);
});

test.each(Object.entries(WAYS))('each place that is excused for %s is one', (_, { found, at }) => {
  const idle = Object.keys(at).filter((place) => {
    const there = files.filter(({ file }) => (place.endsWith('/') ? file.startsWith(place) : file === place));
    return AROUND[place] === undefined && !there.some(({ text }) => text.match(found));
  });
  expect(idle.map((place) => `src/${relative('.', place)}`)).toEqual([]);
});

test('a queue is handed to nobody who has not gone through the seams', () => {
  const app = files.find(({ file }) => file === 'app.ts')?.text ?? '';
  expect(app).toMatch(/throughSeams\(\s*await make\.openQueue\(/);
  expect(app.match(/openQueue\(/g)).toHaveLength(2);
});

// A definition may say up to a year. Node takes a timer of more than 24 days for one of a millisecond; the clock does not.
test("a timer of a length that is not written beside it is the clock's", () => {
  const past = files.flatMap(({ file, text }) =>
    [...text.matchAll(/AbortSignal\.timeout\((?!(?:[A-Z][A-Z_]*|[\d_]+)\)).*/g)].map(
      ([what]) => `src/${file}: ${what}`,
    ),
  );
  expect(past.filter((each) => !/^src\/(clock|cli\/watch\/watch)\.ts: /.test(each))).toEqual([]);
});
