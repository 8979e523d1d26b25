import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FACTS } from '../../src/store/load-facts.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let newest: string;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
  await engine.saveBilling('billing', { concurrency: 'PIPELINE' });
  newest = await engine.trigger({ product: 'billing', version: '1' });
});
afterAll(() => engine.close());

/** As many more releases of the product, each behind the other in every environment; answers the newest one's id. */
async function overlap(more: number): Promise<string> {
  const { rows } = await engine.app.pool.query<{ id: string }>(
    `WITH copies AS (
       INSERT INTO release (id, kind, product, flow, flow_revision, version, digest, concurrency, trigger, status, revision, sequence,
         last_position, created_at, started_at, wake_at, rest)
       SELECT gen_random_uuid(), kind, product, flow, flow_revision, version, digest, concurrency, trigger, status, revision, sequence,
         last_position, created_at, started_at, null, rest
       FROM release, generate_series(1, $2) WHERE id = $1 RETURNING id, number
     ), promoted AS (
       INSERT INTO promotion (release_id, position, number, product, environment, status, holds, attempt, dispatch, steps)
       SELECT copies.id, p.position, copies.number, p.product, p.environment, 'WAITING', false, 1, 0, p.steps
       FROM copies, promotion p WHERE p.release_id = $1
     )
     SELECT id FROM copies ORDER BY number DESC LIMIT 1`,
    [newest, more],
  );
  return (rows[0] as { id: string }).id;
}

interface Node {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Join Filter'?: number;
  Plans?: Node[];
}

/** How many rows of tables the question looks at. */
async function rowsFor(id: string): Promise<number> {
  const client = await engine.app.pool.connect();
  try {
    await client.query('ANALYZE release; ANALYZE promotion; SET enable_seqscan = off; SET enable_bitmapscan = off');
    const { rows } = await client.query<{ 'QUERY PLAN': { Plan: Node }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${FACTS.replace('$1', `ARRAY['${id}']::uuid[]`)}`,
    );
    const count = (node: Node): number => {
      const removed = (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Join Filter'] ?? 0);
      const own = node['Relation Name'] ? (node['Actual Rows'] + removed) * node['Actual Loops'] : 0;
      return own + (node.Plans ?? []).reduce((sum, each) => sum + count(each), 0);
    };
    return count((rows[0] as { 'QUERY PLAN': [{ Plan: Node }] })['QUERY PLAN'][0].Plan);
  } finally {
    await client.query('RESET ALL');
    client.release();
  }
}

test('a decision reads what concerns its own release, however many others are open', async () => {
  const few = await rowsFor(await overlap(10));
  const many = await rowsFor(await overlap(400));
  expect(few).toBeGreaterThan(0);
  expect(many).toBeLessThanOrEqual(few + 20);
});
