import { Session } from 'node:inspector/promises';
import { Pool } from 'pg';
import { Engine } from './engine.ts';
import { Floor } from './floor.ts';
import { closedLoop, oneByOne, openLoop } from './loop.ts';
import type { LoopOrder } from './loop.ts';
import { CpuWatch, postmasterOf, redisPid, rssMiB } from './machine.ts';
import type { Cpu, Used } from './machine.ts';
import { summarize } from './profile.ts';
import { countTraffic } from './traffic.ts';
import type { Asked } from './traffic.ts';

/** What one process measures: each cell of the table is a process of its own, so that no cell warms up or fills another. */
export interface CellOrder extends LoopOrder {
  system: 'floor' | 'engine';
  databaseUrl: string;
  redisUrl?: string;
  alone: number;
  profile: boolean;
}

export interface CellResult {
  perSecond: number;
  /** With every lane busy, in milliseconds. */
  busy: number[];
  /** One alone, in a process that is warm, in milliseconds. */
  alone: number[];
  /** From the end of an environment to the start of the next one, in milliseconds: one release alone, and at half of the throughput. */
  hops: { alone: number[]; half: number[] };
  /** With every lane busy: from a job being handed over to its start, in milliseconds. */
  waits: number[];
  /** Per release of the measured time. CPU in milliseconds. */
  cost: { cpu: Cpu; asked: Asked; jobs: Record<string, number> };
  /** Per release, warm-up and run-out included: PostgreSQL tells of them late. */
  written: { transactions: number; walKB: number };
  cores: Used['cores'];
  memory: { idle: number; busy: number };
  profile?: string;
}

process.once('message', (order: CellOrder) => {
  void (order.system === 'floor' ? measureFloor(order) : measureEngine(order)).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
// Whoever asked is gone: nobody will read the answer.
process.once('disconnect', () => process.exit(1));

async function measureFloor(order: CellOrder): Promise<CellResult> {
  const asked = countTraffic(order.databaseUrl, order.redisUrl);
  const floor = await Floor.open(order.databaseUrl);
  const idle = rssMiB();
  const measured = await underLoad(order, asked, {}, () => floor.sequential());
  const busy = rssMiB();
  const alone = await oneByOne(order.alone, () => floor.release());
  await floor.close();
  return { ...measured, alone, hops: { alone: [], half: [] }, waits: [], memory: { idle, busy } };
}

async function measureEngine(order: CellOrder): Promise<CellResult> {
  const asked = countTraffic(order.databaseUrl, order.redisUrl);
  const engine = await Engine.open({ ...order, products: order.lanes });
  await oneByOne(10, () => engine.release(0));
  const idle = rssMiB();
  let peak = idle;
  const watch = setInterval(() => (peak = Math.max(peak, rssMiB())), 100);
  const session = new Session();
  let waits: number[] = [];
  const on = {
    begin: () => {
      engine.waits = [];
      if (order.profile) void begin(session);
    },
    end: () => (waits = [...engine.waits]),
  };
  const measured = await underLoad(order, asked, engine.jobs, (lane) => engine.release(lane), on);
  const profile = order.profile ? summarize((await session.post('Profiler.stop')).profile) : undefined;
  clearInterval(watch);
  const hopsOf = async (run: () => Promise<unknown>): Promise<number[]> => {
    engine.hops = [];
    await run();
    return [...engine.hops];
  };
  let alone: number[] = [];
  const hops = {
    half: await hopsOf(() =>
      openLoop({ perSecond: measured.perSecond / 2, seconds: order.seconds }, (index) =>
        engine.release(index % order.lanes),
      ),
    ),
    alone: await hopsOf(async () => (alone = await oneByOne(order.alone, () => engine.release(0)))),
  };
  await engine.close();
  return { ...measured, alone, hops, waits, memory: { idle, busy: peak }, profile };
}

async function begin(session: Session): Promise<void> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
}

type UnderLoad = Pick<CellResult, 'perSecond' | 'busy' | 'cost' | 'written' | 'cores'>;

async function underLoad(
  order: CellOrder,
  asked: Asked,
  jobs: Record<string, number>,
  one: (lane: number) => Promise<void>,
  on: { begin?: () => void; end?: () => void } = {},
): Promise<UnderLoad> {
  const pool = new Pool({ connectionString: order.databaseUrl, max: 1 });
  const redis = order.redisUrl === undefined ? undefined : await redisPid(order.redisUrl);
  const watch = new CpuWatch({ node: [process.pid], postmaster: await postmasterOf(pool), redis });
  const before = await writtenBy(pool);
  const counted = (): Record<string, number> => ({ ...asked, ...jobs });
  let end: () => Used = () => {
    throw new Error('the measured time has not begun');
  };
  let from: Record<string, number> = {};
  let to: Record<string, number> = {};
  let used: Used | undefined;
  const { perSecond, latencies, ended } = await closedLoop(order, one, {
    begin: () => {
      on.begin?.();
      from = counted();
      end = watch.begin();
    },
    end: () => {
      used = end();
      to = counted();
      on.end?.();
    },
  });
  const after = await writtenBy(pool);
  await pool.end();
  const { cpu, cores } = used!;
  const each = (value: number): number => value / latencies.length;
  const perRelease = <K extends string>(names: K[]): Record<K, number> =>
    Object.fromEntries(names.map((name) => [name, each((to[name] ?? 0) - (from[name] ?? 0))])) as Record<K, number>;
  return {
    perSecond,
    busy: latencies,
    cost: {
      cpu: { node: each(cpu.node * 1_000), postgres: each(cpu.postgres * 1_000), redis: each(cpu.redis * 1_000) },
      asked: perRelease(['statements', 'queueStatements', 'exchanges', 'queueExchanges']),
      jobs: perRelease(Object.keys(jobs)),
    },
    written: {
      transactions: (after.transactions - before.transactions) / ended,
      walKB: (after.wal - before.wal) / 1_000 / ended,
    },
    cores,
  };
}

async function writtenBy(pool: Pool): Promise<{ transactions: number; wal: number }> {
  // Backends report what they committed at most once a second.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  const { rows } = await pool.query<{ transactions: string; wal: string }>(
    `SELECT xact_commit AS transactions, pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS wal
     FROM pg_stat_database WHERE datname = current_database()`,
  );
  return { transactions: Number(rows[0]?.transactions), wal: Number(rows[0]?.wal) };
}
