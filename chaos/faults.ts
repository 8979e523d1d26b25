import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_POINTS } from '../src/faults.ts';
import type { TestPostgres, TestRedis } from '../test/support/servers.ts';
import type { SluiceProcess } from './processes.ts';
import type { Random } from './random.ts';
import type { Subscriber } from './subscriber.ts';

export interface Victims {
  processes: SluiceProcess[];
  subscribers: Subscriber[];
  postgres: TestPostgres;
  redis: TestRedis | null;
  lockDurationMs: number;
}

export interface FaultRecord {
  kind: string;
  /** Milliseconds since the epoch. */
  at: number;
  on: string;
}

type Fault = (victims: Victims, random: Random) => Promise<string>;

const one = (victims: Victims, random: Random, role?: 'api' | 'worker'): SluiceProcess =>
  random.pick(victims.processes.filter((each) => role === undefined || each.role === role));

/** What can go wrong, and how often beside the others. Each answers what it hit. */
const FAULTS: Record<string, { weight: number; needsRedis?: true; run: Fault }> = {
  'kill -9 worker': { weight: 4, run: (victims, random) => kill(one(victims, random, 'worker')) },
  'kill -9 server': { weight: 2, run: (victims, random) => kill(one(victims, random, 'api')) },
  'kill -9 everything': {
    weight: 1,
    run: async ({ processes }) => {
      await Promise.all(processes.map((each) => each.kill()));
      return 'all';
    },
  },
  'kill -9 at a point': {
    weight: 5,
    run: (victims, random) =>
      kill(
        one(victims, random, random.chance(0.8) ? 'worker' : 'api'),
        `${random.pick(FAULT_POINTS)}:${random.whole(1, 15)}`,
      ),
  },
  'SIGSTOP past the lock': {
    weight: 2,
    run: async (victims, random) => {
      const process = one(victims, random);
      // It goes on in the background: a frozen process is one fault, a quiet run meanwhile would be none.
      void process.freeze(victims.lockDurationMs + random.between(500, 2_500));
      return process.name;
    },
  },
  'clock stepped': {
    weight: 2,
    run: async (victims, random) => {
      const process = one(victims, random);
      const hours = random.pick([-3, -1, 1, 3]);
      void process.stepClock(hours * 3_600_000, random.between(500, 6_000));
      return `${process.name} by ${hours} h`;
    },
  },
  FLUSHALL: { weight: 2, needsRedis: true, run: ({ redis }) => redis!.flushall().then(() => 'redis') },
  'Redis restart': { weight: 1, needsRedis: true, run: ({ redis }) => redis!.restart().then(() => 'redis') },
  'Redis kill -9': {
    weight: 1,
    needsRedis: true,
    run: async ({ redis }, random) => {
      await redis!.kill();
      await sleep(random.between(100, 1_500));
      await redis!.restart();
      return 'redis';
    },
  },
  'PostgreSQL restart, fast': { weight: 1, run: ({ postgres }) => postgres.restart('fast').then(() => 'postgres') },
  'PostgreSQL restart, immediate': {
    weight: 1,
    run: ({ postgres }) => postgres.restart('immediate').then(() => 'postgres'),
  },
  'connections cut': {
    weight: 3,
    run: async (victims, random) => {
      const process = one(victims, random);
      const wire = process.redis && random.chance(0.4) ? process.redis : process.postgres;
      wire.cut();
      return process.name;
    },
  },
  'answers lost': {
    weight: 3,
    run: async (victims, random) => {
      const process = one(victims, random);
      await process.postgres.swallow(random.between(20, 400));
      return process.name;
    },
  },
  'subscriber cut': {
    weight: 6,
    run: async ({ subscribers }, random) => {
      const subscriber = random.pick(subscribers);
      subscriber.cut();
      return subscriber.name;
    },
  },
};

async function kill(process: SluiceProcess, armed?: string): Promise<string> {
  await (armed === undefined ? process.kill() : process.kill(armed));
  return armed ? `${process.name} ${armed}` : process.name;
}

/** Injects faults until `until`; the first ones are given, and come in any case: a short run has seen what it must see. */
export async function injectFaults(
  victims: Victims,
  random: Random,
  options: { until: number; every: number; first: string[]; signal: AbortSignal },
): Promise<FaultRecord[]> {
  const records: FaultRecord[] = [];
  const possible = Object.entries(FAULTS).filter(([, each]) => !each.needsRedis || victims.redis);
  const first = options.first.filter((kind) => possible.some(([each]) => each === kind));
  while ((first.length > 0 || Date.now() < options.until) && !options.signal.aborted) {
    await sleep(random.between(0.3, 1.7) * options.every);
    const kind = first.shift() ?? drawn(possible, random);
    const at = Date.now();
    records.push({ kind, at, on: await (FAULTS[kind] as { run: Fault }).run(victims, random) });
  }
  return records;
}

function drawn(possible: [string, { weight: number }][], random: Random): string {
  let left = random.next() * possible.reduce((sum, [, { weight }]) => sum + weight, 0);
  for (const [kind, { weight }] of possible) {
    left -= weight;
    if (left < 0) return kind;
  }
  return (possible[0] as [string, unknown])[0];
}
