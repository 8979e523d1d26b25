import { fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import type { CellOrder, CellResult } from './cell.ts';
import { measureEdit } from './edit.ts';
import { busySeconds, cpuSeconds, describeMachine } from './machine.ts';
import { measureHistory } from './history.ts';
import { figuresOf, report } from './report.ts';
import type { Figure, Measured } from './report.ts';
import { measureStarts } from './start.ts';
import { measureTriggers } from './triggers.ts';

// `npm run bench -- [--json FILE] [--rounds N] [--seconds N] [--profile] [--only redis|postgres|edit|history|triggers]`
//
// Its own PostgreSQL (fsync on) and Redis, on loopback. Each round measures floor, Redis and PostgreSQL one after the other, so
// that a slow minute of the machine is everybody's; medians over the rounds are told, and how far the rounds lie apart.

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    // The first thousand releases of a process are mostly the compiler's.
    'warm-up': { type: 'string', default: '12' },
    lanes: { type: 'string', default: '100' },
    alone: { type: 'string', default: '60' },
    profile: { type: 'boolean', default: false },
    only: { type: 'string' },
    'skip-start': { type: 'boolean', default: false },
  },
});

const ended = new AbortController();
process.once('SIGINT', () => ended.abort());
process.once('SIGTERM', () => ended.abort());

const postgres = await startPostgres({ durable: true, settings: { shared_buffers: '256MB' } });
// The history takes minutes to make, and triggers take their time: they are measured when they are asked for.
const isApart = ['edit', 'history', 'triggers'].includes(options.only ?? '');
const needsRedis = !isApart && options.only !== 'postgres';
const redis = needsRedis ? await startRedis({ appendOnly: true }).catch(tellMissing) : null;
try {
  const measured = isApart ? [] : await measureRounds();
  const starts =
    ended.signal.aborted || options['skip-start'] || isApart ? [] : await measureStarts(Number(options.rounds));
  const isEdit = !isApart || options.only === 'edit';
  const edits = ended.signal.aborted || !isEdit ? [] : await measureEdit(Number(options.rounds));
  const history = options.only === 'history' ? await measureHistory(createDatabase, Number(options.rounds)) : [];
  const triggers =
    options.only === 'triggers' ? await measureTriggers(await createDatabase('bench_triggers'), ended.signal) : [];
  const figures: Figure[] = [...figuresOf(measured), ...starts, ...edits, ...history, ...triggers];
  console.log(report(describeMachine(), measured, figures));
  if (needsRedis && redis === null) console.log('Redis was not measured: it is missing (see above).');
  if (options.json) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await Promise.all([postgres.stop(), redis?.stop()]);
}
process.exit(ended.signal.aborted ? 130 : options.only === 'redis' && redis === null ? 1 : 0);

function tellMissing(error: Error): null {
  console.error(`Missing: Redis. ${error.message}\nWhat needs no Redis is measured without it.`);
  return null;
}

async function measureRounds(): Promise<Measured[]> {
  const systems = (['floor', 'redis', 'postgres'] as const).filter(
    (each) => (each === 'floor' || !options.only || each === options.only) && (each !== 'redis' || redis !== null),
  );
  const measured: Measured[] = [];
  for (let round = 0; round < Number(options.rounds); round += 1) {
    for (const system of systems) {
      if (ended.signal.aborted) return measured;
      const name = `bench_${round}_${system}`;
      const databaseUrl = await createDatabase(name);
      const before = { busy: busySeconds(), own: cpuSeconds(process.pid), at: performance.now() };
      const result = await runCell({
        system: system === 'floor' ? 'floor' : 'engine',
        databaseUrl,
        redisUrl: system === 'redis' ? redis?.url : undefined,
        lanes: Number(options.lanes),
        alone: Number(options.alone),
        warmUp: Number(options['warm-up']),
        seconds: Number(options.seconds),
        profile: options.profile && round === 0,
      });
      const seconds = (performance.now() - before.at) / 1_000;
      measured.push({ system, round, result, cores: (busySeconds() - before.busy) / seconds });
      console.error(`round ${round + 1}, ${system}: ${result.perSecond.toFixed(0)} releases/s`);
      await dropDatabase(name);
      await redis?.flushall();
    }
  }
  return measured;
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
