import { setTimeout } from 'node:timers/promises';
import { openApp } from '../src/app.ts';
import type { App } from '../src/app.ts';
import { triggerRelease } from '../src/commands/trigger-release.ts';
import { loadConfig } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import type { CellResult } from './cell.ts';
import { saveWorkload } from './engine.ts';
import { closedLoop } from './loop.ts';
import type { LoopOrder } from './loop.ts';
import { CpuWatch, isQuiet, postmasterOf, redisPid, sumOf } from './machine.ts';
import type { Used } from './machine.ts';
import type { Figure } from './figure.ts';
import { startServing } from './serving.ts';
import { median, rounded } from './stats.ts';
import { productName } from './workload.ts';

const WORKERS = [1, 2, 4];

export interface ScaleOrder extends LoopOrder {
  rounds: number;
  /** `null`: the queue in PostgreSQL. */
  redis: { url: string; flushall(): Promise<void> } | null;
  newDatabase(name: string): Promise<string>;
  dropDatabase(name: string): Promise<void>;
  floor(databaseUrl: string): Promise<CellResult>;
  ended: AbortSignal;
}

/** Releases/s with so many worker processes beside this one, which triggers; the floor with as many lanes right before each. */
export async function measureScale(order: ScaleOrder): Promise<Figure[]> {
  const backend = order.redis ? 'redis' : 'postgres';
  const figures: Figure[] = [];
  for (const workers of WORKERS) {
    const [rates, floors, costs, floorCosts]: number[][] = [[], [], [], []];
    for (let round = 0; round < order.rounds && !order.ended.aborted; round += 1) {
      const name = `bench_scale_${backend}_${workers}_${round}`;
      const databaseUrl = await order.newDatabase(name);
      const floor = await order.floor(databaseUrl);
      const { perSecond, used } = await measureOnce(order, databaseUrl, workers);
      await order.dropDatabase(name);
      await order.redis?.flushall();
      const noise = isQuiet(used.cores.others) ? '' : `; others used ${used.cores.others.toFixed(2)} cores`;
      console.error(`${backend}, ${workers} workers: ${perSecond.toFixed(0)} releases/s${noise}`);
      rates!.push(perSecond);
      floors!.push(floor.perSecond);
      costs!.push((sumOf(used.cpu) * 1_000) / (perSecond * order.seconds));
      floorCosts!.push(sumOf(floor.cost.cpu));
    }
    const add = (unit: string, values: number[], compared: number[]): void => {
      const [value, floor] = [median(values), median(compared)];
      const ratio = rounded(value / floor);
      figures.push({ name: 'scale', backend, value: rounded(value), unit, floor: rounded(floor), ratio });
    };
    const given = workers === 1 ? '1 worker' : `${workers} workers`;
    add(`releases/s, ${given}`, rates!, floors!);
    add(`ms of CPU per release, ${given}`, costs!, floorCosts!);
  }
  return figures;
}

async function measureOnce(
  order: ScaleOrder,
  databaseUrl: string,
  workers: number,
): Promise<{ perSecond: number; used: Used }> {
  const settings = {
    DATABASE_URL: databaseUrl,
    ...(order.redis && { REDIS_URL: order.redis.url }),
    SLUICE_QUEUE_PREFIX: `scale${process.pid}`,
  };
  const app = await openApp(loadConfig({ ...settings, LOG_LEVEL: 'error' }), createLog({ level: 'error' }));
  const closers: (() => Promise<unknown>)[] = [() => app.close()];
  try {
    await saveWorkload(app, order.lanes);
    const serving = await Promise.all(Array.from({ length: workers }, () => startServing(settings, 'worker')));
    closers.push(() => Promise.all(serving.map((each) => each.close())));
    const ends = new Ends(app);
    closers.push(() => ends.close());
    const watch = new CpuWatch({
      node: [process.pid, ...serving.map(({ pid }) => pid)],
      postmaster: await postmasterOf(app.pool),
      redis: order.redis ? await redisPid(order.redis.url) : undefined,
    });
    let end: (() => Used) | undefined;
    let used: Used | undefined;
    const one = async (lane: number): Promise<void> => {
      const { value, refusals } = await triggerRelease(app, { product: productName(lane), version: '1.0.0' }, null);
      if (refusals) throw new Error(`the release is not accepted: ${JSON.stringify(refusals)}`);
      await ends.of(value.releaseId);
    };
    // Each process has its compiler's work before it.
    const { perSecond } = await closedLoop({ ...order, warmUp: order.warmUp * workers }, one, {
      begin: () => (end = watch.begin()),
      end: () => (used = end?.()),
    });
    return { perSecond, used: used! };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Sees in the database that releases have ended: they may be moved by any process. */
class Ends {
  readonly #open = new Map<string, { resolve: () => void; reject: (error: unknown) => void }>();
  readonly #watching: Promise<void>;
  #isClosed = false;

  constructor(private readonly app: App) {
    this.#watching = this.#watch();
  }

  of(releaseId: string): Promise<void> {
    return new Promise((resolve, reject) => this.#open.set(releaseId, { resolve, reject }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#watching;
  }

  async #watch(): Promise<void> {
    while (!this.#isClosed) {
      await setTimeout(20);
      const { rows } = await this.app.pool.query<{ id: string; status: string }>({
        name: 'bench-ended',
        text: 'SELECT id, status FROM release WHERE id = ANY($1::uuid[]) AND ended_at IS NOT NULL',
        values: [[...this.#open.keys()]],
      });
      for (const { id, status } of rows) {
        const waiting = this.#open.get(id);
        this.#open.delete(id);
        if (status === 'SUCCEEDED') waiting?.resolve();
        else waiting?.reject(new Error(`release ${id} ended ${status}`));
      }
    }
  }
}
