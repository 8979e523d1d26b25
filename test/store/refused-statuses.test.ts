import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RETRY_REFUSED } from '../../src/store/commit-statuses.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` });
});
afterAll(() => engine.close());

test('what a new secret of a forge tries again is found by index among the statuses of many releases', async () => {
  const { pool } = engine.app;
  await pool.query(
    `INSERT INTO commit_status (repository, sha, context, about, release_id, state, description, refused_since)
     SELECT 'https://git.example.com/a', md5(i::text), 'sluice/shop', 'RELEASE', gen_random_uuid(), 'SUCCESS', '',
       CASE WHEN i % 1000 = 0 THEN now() - interval '1 hour' END
     FROM generate_series(1, 20000) AS i`,
  );
  await pool.query('ANALYZE commit_status');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${RETRY_REFUSED}`);
  const plan = rows.map((each) => each['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index.* Scan .*commit_status_refused/);
  expect(plan).not.toContain('Seq Scan');
});
