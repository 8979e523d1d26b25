import pg from 'pg';
import { startServer } from '../src/server.ts';
import { fillHistory } from '../test/support/history.ts';
import { Engine } from './engine.ts';
import type { Figure } from './figure.ts';
import { median, rounded } from './stats.ts';

/** A long history, and a short one that it is held against. */
const LONG = { releases: 100_000, entries: 100_000, events: 20 };
const SHORT = { releases: 1_000, entries: 1_000, events: 20 };

const MATRIX = `{ releases(first: 20, filter: { product: "product-1" }) { nodes { uuid status version { label } promotions { name status steps { status } } } } }`;

/** What a portal asks, and what somebody asks who means harm. */
const QUESTIONS: Record<string, string> = {
  'first page of releases': '{ releases(first: 50) { nodes { id status version { label } counts { succeeded } } } }',
  matrix: MATRIX,
  'what failed': '{ releases(first: 50, filter: { status: [FAILED] }) { nodes { id } } }',
  'into an environment that few go to': '{ releases(first: 50, filter: { environment: "seldom" }) { nodes { id } } }',
  deployments: '{ deployments(first: 100) { nodes { version { label } at } } }',
  'event replay': '{ releaseEventLog(first: 100) { edges { cursor node { sequence } } } }',
  'events of a product that is none': '{ releaseEventLog(first: 1, filter: { product: "none" }) { edges { cursor } } }',
  'events of a rare type': '{ releaseEventLog(first: 1, filter: { types: [RollbackStarted] }) { edges { cursor } } }',
  'events that no index finds':
    '{ releaseEventLog(first: 1, filter: { product: "product-1", environment: "none" }) { edges { cursor } } }',
};

/** Each question over HTTP on both histories, p50 in milliseconds; the floor is the short one. */
export async function measureHistory(
  newDatabase: (name: string) => Promise<string>,
  rounds: number,
): Promise<Figure[]> {
  const short = await timesOn(await newDatabase('bench_history_short'), SHORT, rounds);
  const long = await timesOn(await newDatabase('bench_history_long'), LONG, rounds);
  return Object.keys(QUESTIONS).map((question) => {
    const [value, floor] = [long[question] as number, short[question] as number];
    return {
      name: 'history',
      backend: null,
      value: rounded(value),
      unit: `ms p50 ${question}`,
      floor: rounded(floor),
      ratio: rounded(value / floor),
    };
  });
}

async function timesOn(databaseUrl: string, order: typeof LONG, rounds: number): Promise<Record<string, number>> {
  const engine = await Engine.open({ databaseUrl, products: 20 });
  for (let lane = 0; lane < 3; lane += 1) await engine.release(lane);
  await engine.stopWorking();
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const began = performance.now();
  await fillHistory(client, order);
  await client.query('VACUUM ANALYZE');
  const seconds = (performance.now() - began) / 1_000;
  console.error(`history of ${order.releases} releases: made in ${seconds.toFixed(0)} s`);
  await client.end();
  const server = await startServer({ ...engine.app, config: { ...engine.app.config, port: 0 } });
  const found: Record<string, number> = {};
  for (const [question, query] of Object.entries(QUESTIONS)) {
    const times: number[] = [];
    // The first ones are the compiler's, and the disk's.
    for (let round = -5; round < rounds * 10; round += 1) {
      const from = performance.now();
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      });
      const { errors } = (await response.json()) as { errors?: unknown };
      if (errors) throw new Error(`${question}: ${JSON.stringify(errors)}`);
      if (round >= 0) times.push(performance.now() - from);
    }
    found[question] = median(times);
  }
  await server.close();
  await engine.close();
  return found;
}
