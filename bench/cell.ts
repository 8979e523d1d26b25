import { Session } from 'node:inspector/promises';
import { Pool } from 'pg';
import { Engine } from './engine.ts';
import { Floor } from './floor.ts';
import { closedLoop, oneByOne } from './loop.ts';
import type { LoopResult } from './loop.ts';
import { postgresCpuSeconds, rssMiB } from './machine.ts';
import { summarize } from './profile.ts';

/** What one process measures: each cell of the table is a process of its own, so that no cell warms up or fills another. */
export interface CellOrder {
  system: 'floor' | 'engine';
  databaseUrl: string;
  redisUrl?: string;
  lanes: number;
  alone: number;
  warmUp: number;
  seconds: number;
  profile: boolean;
}

export interface CellResult {
  perSecond: number;
  /** With every lane busy, in milliseconds. */
  busy: number[];
  /** One alone, in milliseconds. */
  alone: number[];
  hops: number[];
  /** Per release, run-out and warm-up included. */
  transactions: number;
  jobs: Record<string, number>;
  cpu: { node: number; postgres: number };
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
  const floor = await Floor.open(order.databaseUrl);
  const idle = rssMiB();
  const alone = await oneByOne(order.alone, () => floor.release());
  const measured = await underLoad(floor.pool, () => floor.throughput(order.lanes, order.warmUp, order.seconds));
  await floor.close();
  return { ...measured, alone, hops: [], jobs: {}, memory: { idle, busy: rssMiB() } };
}

async function measureEngine(order: CellOrder): Promise<CellResult> {
  const engine = await Engine.open({ ...order, products: order.lanes });
  const pool = new Pool({ connectionString: order.databaseUrl, max: 1 });
  await oneByOne(10, () => engine.release(0));
  engine.hops = [];
  const alone = await oneByOne(order.alone, () => engine.release(0));
  // A copy: the hops under load are another matter.
  const hops = [...engine.hops];
  const idle = rssMiB();
  let peak = idle;
  const watch = setInterval(() => (peak = Math.max(peak, rssMiB())), 100);
  const session = new Session();
  const before = { ...engine.jobs };
  const onMeasure = (): void => void (order.profile && begin(session));
  const measured = await underLoad(pool, () =>
    closedLoop(order.lanes, order.warmUp, order.seconds, (lane) => engine.release(lane), onMeasure),
  );
  const profile = order.profile ? summarize((await session.post('Profiler.stop')).profile) : undefined;
  clearInterval(watch);
  const jobs = Object.fromEntries(
    Object.entries(engine.jobs).map(([name, count]) => [name, (count - (before[name] ?? 0)) / measured.ended]),
  );
  await pool.end();
  await engine.close();
  return { ...measured, alone, hops, jobs, memory: { idle, busy: peak }, profile };
}

async function begin(session: Session): Promise<void> {
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
}

async function underLoad(
  pool: Pool,
  run: () => Promise<LoopResult>,
): Promise<Pick<CellResult, 'perSecond' | 'busy' | 'transactions' | 'cpu'> & { ended: number }> {
  const commits = async (): Promise<number> => {
    // Backends report what they committed at most once a second.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const { rows } = await pool.query<{ n: string }>(
      'SELECT xact_commit AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0]?.n);
  };
  const commitsBefore = await commits();
  const cpuBefore = { node: process.cpuUsage(), postgres: await postgresCpuSeconds(pool) };
  const { perSecond, latencies, ended } = await run();
  const node = process.cpuUsage(cpuBefore.node);
  const postgres = (await postgresCpuSeconds(pool)) - cpuBefore.postgres;
  const transactions = ((await commits()) - commitsBefore) / ended;
  const cpu = { node: (node.user + node.system) / 1_000 / ended, postgres: (postgres * 1_000) / ended };
  return { perSecond, busy: latencies, ended, transactions, cpu };
}
