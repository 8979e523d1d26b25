import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { toNodeId } from '../src/schema/node-id.ts';
import type { Constants } from './bare-apollo.ts';
import { asked, forked } from './children.ts';
import { Engine } from './engine.ts';
import type { Figure } from './figure.ts';
import { closedLoop } from './loop.ts';
import { startServing } from './serving.ts';
import { median, percentile, rounded } from './stats.ts';

const SCHEMA = fileURLToPath(new URL('../../schema.graphql', import.meta.url));
const CLIENTS = 16;
const LOOP = { lanes: CLIENTS, warmUp: 3_000, seconds: 4 };

/** What a dashboard asks again and again, and what a page about one release asks to show it whole. */
const questions = (releaseId: string): Record<string, string> => ({
  'a simple query': '{ environments(first: 10) { nodes { name kind } } }',
  'a release page': `{ release(id: "${releaseId}") {
    id number status createdAt endedAt version { label digest } product { name }
    promotions {
      name status phase startedAt endedAt waitingFor { message earliest } applications { name commit }
      steps { name status startedAt endedAt }
    } } }`,
});

/** Queries per second over HTTP at one server process; the floor is a bare Apollo server that answers with the same as constants. */
export async function measureApi(databaseUrl: string, rounds: number): Promise<Figure[]> {
  const closers: (() => unknown)[] = [];
  try {
    const engine = await Engine.open({ databaseUrl, products: 20 });
    closers.push(() => engine.close());
    for (let lane = 0; lane < 20; lane += 1) await engine.release(lane);
    await engine.stopWorking();
    const { rows } = await engine.app.pool.query<{ id: string }>('SELECT id FROM release ORDER BY number LIMIT 1');
    const asks = questions(toNodeId('Release', rows[0]!.id));
    const serving = await startServing({ DATABASE_URL: databaseUrl, SLUICE_RATE_LIMIT: '0' }, 'api');
    closers.push(() => serving.close());
    const own = new Pool(serving.url, { connections: CLIENTS });
    closers.push(() => own.close());
    const answers: Constants['answers'] = {};
    for (const query of Object.values(asks)) answers[query] = await ask(own, query);
    const bare = forked('bare-apollo');
    closers.push(() => bare.disconnect());
    const port = await asked<number>(bare, { typeDefs: readFileSync(SCHEMA, 'utf8'), answers } satisfies Constants);
    const floor = new Pool(`http://127.0.0.1:${port}`, { connections: CLIENTS });
    closers.push(() => floor.close());
    const figures: Figure[] = [];
    for (const [name, query] of Object.entries(asks))
      figures.push(...(await compared(name, query, own, floor, rounds)));
    return figures;
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function compared(name: string, query: string, own: Pool, bare: Pool, rounds: number): Promise<Figure[]> {
  // Constants that are not the answer would make a floor of something else.
  if (JSON.stringify(await ask(own, query)) !== JSON.stringify(await ask(bare, query)))
    throw new Error(`${name}: the floor answers otherwise`);
  const [rates, floors]: { perSecond: number; p99: number }[][] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    floors!.push(await measured(bare, query));
    rates!.push(await measured(own, query));
  }
  const figure = (unit: string, of: 'perSecond' | 'p99'): Figure => {
    const [value, floor] = [median(rates!.map((each) => each[of])), median(floors!.map((each) => each[of]))];
    const rest = { name: 'api', backend: null, value: rounded(value), unit: `${unit}, ${name}` };
    return { ...rest, floor: rounded(floor), ratio: rounded(value / floor) };
  };
  return [figure('queries/s', 'perSecond'), figure('ms p99', 'p99')];
}

async function measured(pool: Pool, query: string): Promise<{ perSecond: number; p99: number }> {
  const { perSecond, latencies } = await closedLoop(LOOP, async () => void (await ask(pool, query)));
  return { perSecond, p99: percentile(latencies, 0.99) };
}

async function ask(pool: Pool, query: string): Promise<object> {
  const { body } = await pool.request({
    path: '/graphql',
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = (await body.json()) as { data?: object; errors?: unknown };
  if (!data || errors) throw new Error(JSON.stringify(errors));
  return data;
}
