import { readFileSync } from 'node:fs';
import { migrate } from '../src/entities/data-source.ts';
import { toNodeId } from '../src/schema/node-id.ts';
import { LogWriter, newRelease } from '../test/events/support/writer.ts';
import type { Announced } from './bare-sockets.ts';
import { asked, forked } from './children.ts';
import type { Figure } from './figure.ts';
import { openLoop } from './loop.ts';
import { startServing } from './serving.ts';
import { median, percentile, rounded } from './stats.ts';
import type { Received, SubscribersOrder } from './subscribers.ts';

const SERVERS = 2;
const SOCKETS = 100;
const SUBSCRIPTIONS = 10;
const PER_SECOND = 50;
const SECONDS = { warmUp: 4, measured: 8 };

const QUERY = `subscription ($filter: ReleaseEventFilterInput) {
  releaseEvents(filter: $filter) { cursor node { __typename sequence releaseId ... on ReleaseTerminating { reason } } }
}`;

/** What the subscriptions follow. */
interface Crowd {
  name: string;
  releases: number;
  follow: 'ONE' | 'ALL';
  deaf: number;
  /** In milliseconds, of the p99. */
  aim?: number;
}

const CROWDS: Crowd[] = [
  { name: 'each following one release', releases: SOCKETS * SUBSCRIPTIONS, follow: 'ONE', deaf: 0, aim: 25 },
  { name: 'all following everything', releases: 20, follow: 'ALL', deaf: 0 },
  { name: 'all following everything, two that never read', releases: 20, follow: 'ALL', deaf: SERVERS },
];

/** MiB. */
const MEMORY_AIM = 400;

/**
 * From before an event is written until subscribers have it: 1,000 subscriptions on 100 sockets at two servers, 50 events a second. The
 * floor sends what PostgreSQL announces to as many sockets, from as many processes.
 */
export async function measureSubscriptions(
  newDatabase: (name: string) => Promise<string>,
  rounds: number,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const crowd of CROWDS) {
    const [own, floor]: Heard[][] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      floor!.push(await hear(crowd, await bareSockets(await newDatabase(`bench_sockets_${figures.length}_${round}`))));
      own!.push(await hear(crowd, await sluice(await newDatabase(`bench_events_${figures.length}_${round}`))));
      console.error(`${crowd.name}: ${told(own!.at(-1)!)}; floor ${told(floor!.at(-1)!)}`);
    }
    const add = (unit: string, reading: (heard: Heard) => number, aim?: number): void => {
      const [value, bare] = [median(own!.map(reading)), median(floor!.map(reading))];
      const [rest, ratio] = [{ name: 'event', backend: null }, rounded(value / bare)];
      figures.push({
        ...rest,
        value: rounded(value),
        unit: `${unit}, ${crowd.name}`,
        floor: rounded(bare),
        ratio,
        aim,
      });
    };
    add('ms p50', ({ delays }) => percentile(delays, 0.5));
    add('ms p99', ({ delays }) => percentile(delays, 0.99), crowd.aim);
    add('messages/s', ({ perSecond }) => perSecond);
    add('MiB of a server', ({ memory }) => memory, MEMORY_AIM);
  }
  return figures;
}

interface Heard {
  delays: number[];
  perSecond: number;
  /** Of the larger server, at its largest. */
  memory: number;
}

const told = ({ delays, perSecond, memory }: Heard): string =>
  `p99 ${percentile(delays, 0.99).toFixed(1)} ms, ${perSecond.toFixed(0)} messages/s, ${memory.toFixed(0)} MiB`;

/** Servers with what writes to them. */
interface System {
  servers: { url: string; pid: number }[];
  /** @param sentAt goes with the event, as its reason */
  write(releaseId: string, sentAt: string): Promise<void>;
  close(): Promise<void>;
}

async function sluice(databaseUrl: string): Promise<System> {
  await migrate(databaseUrl);
  const settings = { DATABASE_URL: databaseUrl };
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => startServing(settings, 'api')));
  const writer = await LogWriter.connect(databaseUrl);
  return {
    servers,
    write: (releaseId, reason) => writer.write(releaseId, { type: 'ReleaseTerminating', reason }),
    close: async () => {
      await writer.close();
      await Promise.all(servers.map((each) => each.close()));
    },
  };
}

async function bareSockets(databaseUrl: string): Promise<System> {
  const children = Array.from({ length: SERVERS }, () => forked('bare-sockets'));
  const servers = await Promise.all(
    children.map(async (child) => ({
      url: `http://127.0.0.1:${await asked<number>(child, databaseUrl)}`,
      pid: child.pid!,
    })),
  );
  const writer = await LogWriter.connect(databaseUrl);
  let sequence = 0;
  return {
    servers,
    write: async (uuid, reason) => {
      const releaseId = toNodeId('Release', uuid);
      const node = { __typename: 'ReleaseTerminating', sequence: (sequence += 1), releaseId, reason };
      const announced: Announced = { releaseId, payload: { data: { releaseEvents: { cursor: newRelease(), node } } } };
      await writer.client.query({
        name: 'announce',
        text: `SELECT pg_notify('bench_announced', $1)`,
        values: [JSON.stringify(announced)],
      });
    },
    close: async () => {
      await writer.close();
      for (const child of children) child.disconnect();
    },
  };
}

async function hear({ releases, follow, deaf }: Crowd, system: System): Promise<Heard> {
  const uuids = Array.from({ length: releases }, newRelease);
  const order: SubscribersOrder = {
    urls: system.servers.map(({ url }) => url),
    sockets: SOCKETS,
    subscriptions: SUBSCRIPTIONS,
    query: QUERY,
    releaseIds: follow === 'ONE' ? uuids.map((uuid) => toNodeId('Release', uuid)) : [],
    deaf,
  };
  const subscribers = forked('subscribers');
  try {
    await asked<'open'>(subscribers, order);
    let written = 0;
    const write = (): Promise<void> =>
      system.write(uuids[(written += 1) % releases]!, String(performance.timeOrigin + performance.now()));
    await openLoop({ perSecond: PER_SECOND, seconds: SECONDS.warmUp }, write);
    subscribers.send('begin');
    const began = performance.now();
    await openLoop({ perSecond: PER_SECOND, seconds: SECONDS.measured }, write);
    const { messages, delays, surprises } = await asked<Received>(subscribers, 'end');
    const seconds = (performance.now() - began) / 1_000;
    if (surprises.length > 0) throw new Error(`a subscription got what is no event: ${surprises[0]}`);
    const memory = Math.max(...system.servers.map(({ pid }) => peakMiB(pid)));
    return { delays, perSecond: messages / seconds, memory };
  } finally {
    subscribers.disconnect();
    await system.close();
  }
}

/** Resident memory of a process at its largest. */
function peakMiB(pid: number): number {
  const [, kB] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))!;
  return Number(kB) / 1_024;
}
