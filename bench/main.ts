import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { above, program, someOf, wholeFrom } from '../scripts/program.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import type { CellOrder, CellResult } from './cell.ts';
import { compare, keep, missesOf, readKept } from './earlier.ts';
import { measureApi } from './api.ts';
import { measureEdit } from './edit.ts';
import { measureGit } from './git.ts';
import { measureHistory } from './history.ts';
import { busyCores, describeMachine } from './machine.ts';
import { figuresOf, othersOf, report } from './report.ts';
import type { Measured } from './report.ts';
import type { Figure } from './figure.ts';
import { measureScale } from './scale.ts';
import { measureStarts } from './start.ts';
import { measureSubscriptions } from './subscriptions.ts';
import { measureTriggers } from './triggers.ts';
import { measureUi } from './ui.ts';
import { measureWide } from './wide.ts';

// `npm run bench`: its own PostgreSQL (fsync on) and Redis, on loopback. Each round measures each system right after the floor with as many lanes, so that
// a slow minute of the machine is everybody's; medians over the rounds are told, and how far the rounds lie apart. Beside them stand the
// figures of an earlier run, from bench/figures.json, into which `--keep` writes those of this one.

/** What `--only` knows; the first five are measured when nothing is named, the others take their time. */
const ROWS = {
  redis: true,
  postgres: true,
  start: true,
  edit: true,
  scale: false,
  history: false,
  triggers: false,
  wide: false,
  event: false,
  api: false,
  git: false,
  ui: false,
};
type Row = keyof typeof ROWS;

const ROW_NAMES = Object.keys(ROWS) as Row[];
const options = program(
  'bench',
  'Measures Sluice against a floor of the same minute, and beside the figures of an earlier run.',
)
  .option('--only <rows>', `some of ${ROW_NAMES.join(', ')}`, someOf(ROW_NAMES))
  .option('--rounds <number>', 'how often each is measured; medians are told', wholeFrom(1), 3)
  .option('--seconds <number>', 'how long each is measured', above(0), 8)
  // The first thousands of releases of a process are mostly the compiler's.
  .option('--warm-up <releases>', 'how many releases run before anything is measured', wholeFrom(0), 2_000)
  .option('--lanes <number>', 'how many releases run at once', wholeFrom(1), 100)
  .option('--alone <releases>', 'how many releases run one after the other', wholeFrom(1), 60)
  .option('--profile', 'tell where the time of Node goes in the first round', false)
  .option('--json <file>', 'write the figures to it')
  .option('--keep', 'write the figures into bench/figures.json', false)
  .option('--skip-start', 'leave out the start of a server', false)
  .parse()
  .opts<{
    only?: Row[];
    rounds: number;
    seconds: number;
    warmUp: number;
    lanes: number;
    alone: number;
    profile: boolean;
    json?: string;
    keep: boolean;
    skipStart: boolean;
  }>();
const rows = new Set(
  options.only ?? ROW_NAMES.filter((each) => ROWS[each] && !(each === 'start' && options.skipStart)),
);

const ended = new AbortController();
process.once('SIGINT', () => ended.abort());
process.once('SIGTERM', () => ended.abort());

const { lanes, warmUp, seconds, rounds, alone } = options;
const loop = { lanes, warmUp, seconds };
const postgres = await startPostgres({ durable: true, settings: { shared_buffers: '256MB' } });
const needsRedis = rows.has('redis') || rows.has('scale') || rows.has('wide');
let hasMissed = false;
const redis = needsRedis ? await startRedis({ appendOnly: true }).catch(tellMissing) : null;
try {
  const before = await busyCores();
  const measured = await measureRounds();
  const figures: Figure[] = figuresOf(measured);
  const add = async (row: Row, measure: () => Promise<Figure[]>): Promise<void> => {
    if (rows.has(row) && !ended.signal.aborted) figures.push(...(await measure()));
  };
  await add('start', () => measureStarts(rounds));
  await add('edit', () => measureEdit(rounds));
  for (const each of redis ? [redis, null] : [null]) await add('scale', () => scaleOn(each));
  await add('history', () => measureHistory(createDatabase, rounds));
  await add('triggers', async () => measureTriggers(await createDatabase('bench_triggers'), ended.signal));
  for (const each of redis ? [redis, null] : [null]) {
    const order = { backend: each ? ('redis' as const) : ('postgres' as const), redisUrl: each?.url, rounds };
    await add('wide', async () => [
      await measureWide({ ...order, databaseUrl: await createDatabase(`bench_wide_${order.backend}`) }),
    ]);
  }
  await add('event', () => measureSubscriptions(createDatabase, rounds));
  await add('api', async () => measureApi(await createDatabase('bench_api'), rounds));
  await add('git', () => measureGit(rounds, ended.signal));
  await add('ui', async () => measureUi(await createDatabase('bench_ui'), rounds));
  const others = measured.length > 0 ? othersOf(measured) : Math.max(before, await busyCores());
  console.log(report(describeMachine(), measured, compare(figures, readKept(), others)));
  if (needsRedis && redis === null) console.log('Redis was not measured: it is missing (see above).');
  hasMissed = missesOf(figures).length > 0;
  if (options.json) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  if (options.keep && !ended.signal.aborted) keep(figures, others);
} finally {
  await Promise.all([postgres.stop(), redis?.stop()]);
}
process.exit(ended.signal.aborted ? 130 : hasMissed || (options.only?.join() === 'redis' && redis === null) ? 1 : 0);

function tellMissing(error: Error): null {
  console.error(`Missing: Redis. ${error.message}\nWhat needs no Redis is measured without it.`);
  return null;
}

async function measureRounds(): Promise<Measured[]> {
  const backends = (['redis', 'postgres'] as const).filter(
    (each) => rows.has(each) && (each !== 'redis' || redis !== null),
  );
  const measured: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    for (const backend of backends) {
      if (ended.signal.aborted) return measured;
      const redisUrl = backend === 'redis' ? redis?.url : undefined;
      const floor = await measureCell(`bench_${round}_${backend}_floor`, { system: 'floor' });
      const result = await measureCell(`bench_${round}_${backend}`, {
        system: 'engine',
        redisUrl,
        profile: options.profile && round === 0,
      });
      measured.push({ backend, round, floor, result });
      const [own, bare] = [result.perSecond.toFixed(0), floor.perSecond.toFixed(0)];
      console.error(`round ${round + 1}, ${backend}: ${own} releases/s, floor ${bare}`);
      await redis?.flushall();
    }
  }
  return measured;
}

/** In a database of its own. */
async function measureCell(name: string, order: Partial<CellOrder> & Pick<CellOrder, 'system'>): Promise<CellResult> {
  const databaseUrl = await createDatabase(name);
  const result = await runCell({ ...loop, databaseUrl, alone, profile: false, ...order });
  await dropDatabase(name);
  return result;
}

function scaleOn(queue: typeof redis): Promise<Figure[]> {
  return measureScale({
    ...loop,
    rounds,
    redis: queue,
    newDatabase: createDatabase,
    dropDatabase,
    floor: (databaseUrl) => runCell({ ...loop, system: 'floor', databaseUrl, alone: 1, profile: false }),
    ended: ended.signal,
  });
}

/** A process of its own for each measurement; it ends with this one. */
function runCell(order: CellOrder): Promise<CellResult> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('cell.js', import.meta.url)), { serialization: 'advanced' });
    const stop = (): void => void child.kill('SIGKILL');
    ended.signal.addEventListener('abort', stop, { once: true });
    child.once('message', (result) => resolve(result as CellResult));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      ended.signal.removeEventListener('abort', stop);
      reject(new Error(`measuring ${order.system} ended with ${code ?? signal}`));
    });
    child.send(order);
  });
}

async function createDatabase(name: string): Promise<string> {
  await onServer(`CREATE DATABASE ${name}`);
  const url = new URL(postgres.url);
  url.pathname = `/${name}`;
  return url.href;
}

function dropDatabase(name: string): Promise<void> {
  return onServer(`DROP DATABASE ${name} WITH (FORCE)`);
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url });
  await client.connect();
  await client.query(statement);
  // What a round left to be written is written now, not in somebody else's measurement.
  await client.query('CHECKPOINT');
  await client.end();
}
