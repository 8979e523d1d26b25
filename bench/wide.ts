import { Engine, saveAll } from './engine.ts';
import type { Figure } from './figure.ts';
import { CpuWatch, postmasterOf, redisPid, sumOf } from './machine.ts';
import { median, rounded } from './stats.ts';
import { wideFlow } from './workload.ts';

/** Environments side by side, and how many releases make a measurement that is long enough. */
const WIDE = { width: 1_000, releases: 1 };
const NARROW = { width: 10, releases: 100 };
const AIM = 1.2;

/** CPU of Node, PostgreSQL and Redis for each environment of a release that goes to 1,000 side by side; the floor goes to 10. */
export async function measureWide(order: {
  backend: 'redis' | 'postgres';
  databaseUrl: string;
  redisUrl?: string;
  rounds: number;
}): Promise<Figure> {
  const { backend, databaseUrl, redisUrl, rounds } = order;
  const engine = await Engine.open({ databaseUrl, redisUrl, products: 1 });
  const each: Record<'wide' | 'narrow', number[]> = { wide: [], narrow: [] };
  try {
    await saveAll(engine.app, [...wideFlow('wide', WIDE.width), ...wideFlow('narrow', NARROW.width)]);
    const watch = new CpuWatch({
      node: [process.pid],
      postmaster: await postmasterOf(engine.app.pool),
      redis: redisUrl === undefined ? undefined : await redisPid(redisUrl),
    });
    // The first round is the compiler's.
    for (let round = -1; round < rounds; round += 1) {
      for (const [product, { width, releases }] of [
        ['narrow', NARROW],
        ['wide', WIDE],
      ] as const) {
        const end = watch.begin();
        for (let index = 0; index < releases; index += 1) await engine.releaseOf(product);
        const milliseconds = (sumOf(end().cpu) * 1_000) / (width * releases);
        if (round >= 0) each[product].push(milliseconds);
        console.error(`${backend}, ${width} side by side: ${milliseconds.toFixed(2)} ms of CPU an environment`);
      }
    }
  } finally {
    await engine.close();
  }
  const [value, floor] = [median(each.wide), median(each.narrow)];
  const unit = `ms of CPU per environment, ${WIDE.width} of them (floor: ${NARROW.width})`;
  const ratio = rounded(value / floor);
  return {
    name: 'wide flow',
    backend,
    value: rounded(value),
    unit,
    floor: rounded(floor),
    ratio,
    aim: rounded(floor * AIM),
  };
}
