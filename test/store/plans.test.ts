import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FACTS } from '../../src/store/load-facts.ts';
import { SAVE } from '../../src/store/save-decisions.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// The engine's statements are prepared once per connection, in a new installation while every table is empty. What is planned then
// is kept for hours, until PostgreSQL has counted the rows for the first time.

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
});
afterAll(() => engine.close());

interface Node {
  'Node Type': string;
  'Relation Name'?: string;
  Plans?: Node[];
}

const GROWS = ['release', 'promotion', 'release_event', 'deployment', 'outbox', 'environment_hold', 'bad_version'];

test.each([
  ['facts', FACTS, 1],
  ['save', SAVE, 9],
])('the plan of "%s" in an empty database goes through no table that grows', async (name, text, parameters) => {
  const nothing = Array.from({ length: parameters }, () => 'NULL').join(', ');
  const client = await engine.app.pool.connect();
  try {
    await client.query(`SET plan_cache_mode = force_generic_plan; PREPARE ${name} AS ${text}`);
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Node }] }>(
      `EXPLAIN (FORMAT JSON) EXECUTE ${name}(${nothing})`,
    );
    const all = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(all)];
    const reads = all(rows[0]!['QUERY PLAN'][0].Plan).filter((each) => GROWS.includes(each['Relation Name'] ?? ''));
    const scans = reads.filter((each) => each['Node Type'].includes('Scan'));
    expect(scans.map((each) => each['Relation Name'])).toContain('release');
    expect(scans.filter((each) => each['Node Type'] === 'Seq Scan')).toEqual([]);
  } finally {
    client.release(true);
  }
});
