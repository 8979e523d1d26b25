import type pg from 'pg';

// A long history, made of a real one: the releases that are there are repeated under new ids, numbers and products.

export interface HistoryOrder {
  releases: number;
  /** Of other tables that grow: holds, marks, rollbacks, the audit log, deliveries, hints, pauses. */
  entries: number;
  /** Of each release, the first so many; all when left out. */
  events?: number;
  /** Indexes are made when the rows are in, which is faster by half; PostgreSQL counts the rows of a table then. */
  indexesAfter?: boolean;
}

/** Products of such a history: many of the same size, one with few releases, one that ended long ago. */
export const PRODUCTS = [...Array.from({ length: 20 }, (_, index) => `product-${index}`), 'rare', 'retired'];

const PRODUCT = `CASE WHEN n % 1000 = 7 THEN 'rare' WHEN n < $1::int * 3 / 10 AND n % 3 = 0 THEN 'retired' ELSE 'product-' || n % 20 END`;

/** Tables that grow with what happens, and not with what is defined. */
export const GROWING = [
  'release',
  'release_plan',
  'release_commit',
  'promotion',
  'release_event',
  'deployment',
  'rollback',
  'bad_version',
  'environment_hold',
  'audit_log',
  'webhook_delivery',
  'candidate',
  'trigger_pause',
  'pull_request',
  'commit_status',
  'hint',
  'action_log',
] as const;

/** Sorts of wide rows stay in memory. */
const MEMORY = ['work_mem', 'maintenance_work_mem'];

/** Nothing is analysed or vacuumed: whoever wants statistics asks for them. */
export async function fillHistory(
  client: pg.ClientBase,
  { releases, entries, events = 1_000_000, indexesAfter = false }: HistoryOrder,
): Promise<void> {
  const run = (text: string, values: unknown[] = [releases]): Promise<unknown> => client.query(text, values);
  await run('SET synchronous_commit = off', []);
  for (const setting of MEMORY) await run(`SET ${setting} = '512MB'`, []);
  for (const table of GROWING) await run(`ALTER TABLE "${table}" SET (autovacuum_enabled = off)`, []);
  const indexes = indexesAfter ? await dropIndexes(client) : [];
  await run(
    `CREATE TEMP TABLE template AS SELECT id, row_number() OVER (ORDER BY number) - 1 AS place, count(*) OVER () AS all_of FROM release`,
    [],
  );
  await run(
    `CREATE TEMP TABLE copy AS
     SELECT n, t.id AS was, md5('release ' || n)::uuid AS id, ${PRODUCT} AS product, 1000 + n AS number,
       date_trunc('milliseconds', now()) - ($1::int - n) * interval '1 minute' AS at, n % 500 = 21 AS failed, n > $1::int - 30 AS open
     FROM generate_series(1, $1::int) AS n JOIN template t ON t.place = n % t.all_of`,
  );
  await run(
    `INSERT INTO release (id, number, kind, product, flow, flow_revision, version, digest, concurrency, trigger, status, revision, sequence,
       last_position, created_at, started_at, ended_at, deadline, wake_at, rest)
     SELECT c.id, c.number, kind, c.product, flow, flow_revision, 'v' || c.n, md5('digest ' || c.n), concurrency, trigger,
       CASE WHEN open THEN 'SUSPENDED' WHEN failed THEN 'FAILED' ELSE status END, revision, sequence, 1, c.at, c.at,
       CASE WHEN open THEN NULL ELSE c.at + interval '1 minute' END, deadline, NULL, rest
     FROM copy c JOIN release r ON r.id = c.was`,
    [],
  );
  await run(
    `INSERT INTO release_plan SELECT c.id, plan, contents FROM copy c JOIN release_plan l ON l.release_id = c.was`,
    [],
  );
  // Every ten bring one commit.
  await run(`INSERT INTO release_commit SELECT md5('commit ' || n / 10) || 'abcdef01', c.number FROM copy c`, []);
  const environment = (column: string): string =>
    `CASE WHEN c.n % 500 = 11 AND ${column} = 'eu' THEN 'seldom' ELSE ${column} END`;
  await run(
    `INSERT INTO promotion (release_id, position, number, product, environment, status, holds, attempt, dispatch, started_at, ended_at, steps,
       problem, evidence, approval, overrides)
     SELECT c.id, position, c.number, c.product, ${environment('environment')},
       CASE WHEN open AND position > 1 THEN 'SUSPENDED' ELSE status END, false, attempt, dispatch,
       CASE WHEN open AND position > 1 THEN NULL ELSE c.at END, CASE WHEN open AND position > 1 THEN NULL ELSE c.at + interval '30 seconds' END,
       steps, problem, evidence,
       CASE WHEN open AND position > 1 THEN '{"requestedAt":0,"expiresAt":99999999999999,"expiredAt":null,"decisions":[]}'::jsonb END, overrides
     FROM copy c JOIN promotion p ON p.release_id = c.was ORDER BY c.n`,
    [],
  );
  await run(
    `INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
     SELECT c.id, e.sequence, 1 + c.n * 300 / $1::int, c.at, c.product, e.release_status, e.actor,
       CASE WHEN c.failed AND e.sequence = 2 THEN jsonb_build_object('type', 'PromotionFailed', 'environment', 'eu', 'reason', 'so', 'attempt', 1)
         WHEN c.n % 500 = 11 AND coalesce(e.event->0, e.event)->>'environment' = 'eu'
           THEN (SELECT jsonb_agg(each || '{"environment":"seldom"}') FROM jsonb_path_query(e.event, '$[*]') AS each) ELSE e.event END
     FROM copy c JOIN release_event e ON e.release_id = c.was AND e.sequence <= $2::int ORDER BY c.n, e.sequence`,
    [releases, events],
  );
  await run(
    `INSERT INTO deployment (release_id, product, environment, application, version, digest, commit_id, at, verified_at)
     SELECT c.id, c.product, ${environment('d.environment')}, d.application || '-of-' || c.product, 'v' || c.n, md5('digest ' || c.n), NULL, c.at, c.at
     FROM copy c JOIN deployment d ON d.release_id = c.was ORDER BY c.n`,
    [],
  );
  await run(
    `INSERT INTO action_log (release_id, position, step, attempt, try, chunk, sequence, total, at, text)
     SELECT c.id, position, 'billing-staging/PRE_ACTION/' || step, 1, 1, chunk, position * 12 + step * 4 + chunk, 0, c.at, 'so'
     FROM copy c, generate_series(0, 1) AS position, generate_series(0, 2) AS step, generate_series(1, 4) AS chunk WHERE c.n % 10 = 0
     ORDER BY c.n, position, step, chunk`,
    [],
  );
  await run(
    `INSERT INTO rollback (id, product, release_id, cause, digest, included, origins, created_at, settled_at)
     SELECT c.id, c.product, c.id, jsonb_build_object('kind', 'MANUAL', 'environment', 'eu', 'reason', 'so', 'at', 0, 'by', 'ada', 'release', o.id),
       md5('digest ' || c.n), '{}', ARRAY[o.id], c.at, c.at FROM copy c JOIN copy o ON o.n = c.n - 1 WHERE c.n % greatest($1::int / $2::int, 1) = 0`,
    [releases, entries],
  );
  await run(
    `INSERT INTO candidate (id, key, product, flow, environment, state, kind, status, reason, facts, created_at, coalesced_at, expires_at,
       ended_at, release_id)
     SELECT md5('candidate ' || n)::uuid, 'key ' || n, product, 'to-production', CASE WHEN n % 500 = 11 THEN 'seldom' ELSE 'dev' END, '{}', 'PUSH',
       CASE WHEN n % 300 = 0 THEN 'FAILED' WHEN n % 3 = 0 THEN 'SUPERSEDED' ELSE 'RELEASED' END, 'so', '{"since":0,"commits":[],"deliveries":[],"explanation":[]}',
       date_trunc('milliseconds', at), at, at, at, CASE WHEN n % 3 > 0 THEN id END FROM copy ORDER BY n`,
    [],
  );
  await run(
    `INSERT INTO pull_request (key, release_id, position, step, attempt, product, environment, repository, forge, number, branch, base, head_sha,
       state, opened_at, merged_at)
     SELECT 'request ' || n, p.release_id, p.position, 0, 1, p.product, p.environment, 'https://git.example.com/' || p.product, 'GITHUB', n, 'sluice/' || n,
       'main', md5('commit ' || n), CASE WHEN open THEN 'CLOSED' ELSE 'MERGED' END, c.at, CASE WHEN NOT open THEN c.at + interval '10 seconds' END
     FROM copy c JOIN promotion p ON p.release_id = c.id AND p.position = 1 ORDER BY n`,
    [],
  );
  await run(
    `INSERT INTO commit_status (repository, sha, context, about, release_id, position, state, description, applied, applied_state, applied_at)
     SELECT 'https://git.example.com/' || product, md5('commit ' || n), 'sluice/' || product, 'RELEASE', id, NULL, 'SUCCESS', 'so', 1, 'SUCCESS', at
     FROM copy ORDER BY n`,
    [],
  );
  const each = `FROM generate_series(1, $1::int) AS n`;
  const time = `date_trunc('milliseconds', now()) - ($1::int - n) * interval '1 minute'`;
  await run(
    `INSERT INTO bad_version (id, product, digest, label, scope, environments, reason, actor, since, unmarked_at)
     SELECT md5('mark ' || n)::uuid, ${PRODUCT}, md5('digest ' || n), 'v' || n, 'ENVIRONMENT', '["eu"]', 'so', 'ada', ${time},
       CASE WHEN n % 50 > 0 THEN now() END ${each}`,
    [entries],
  );
  await run(
    `INSERT INTO environment_hold (id, product, environment, reason, actor, since, lifted_at)
     SELECT md5('hold ' || n)::uuid, CASE WHEN n % 10 > 0 THEN ${PRODUCT} END, 'eu', 'so', 'ada', ${time}, CASE WHEN n % 50 > 0 THEN now() END ${each}`,
    [entries],
  );
  await run(
    `INSERT INTO audit_log (command, at, actor, action, transport, input, outcome, objects)
     SELECT gen_random_uuid(), ${time}, CASE WHEN n % 100 = 0 THEN 'grace' ELSE 'ada' END, CASE WHEN n % 700 = 0 THEN 'secretSet' ELSE 'releaseTrigger' END,
       'HTTP', '{}', 'DONE', jsonb_build_array(jsonb_build_object('kind', 'Release', 'name', n::text)) ${each}`,
    [entries],
  );
  await run(
    `INSERT INTO webhook_delivery (id, source, webhook_id, headers, body, received_at, verified_by, status, outcome, due_at)
     SELECT md5('delivery ' || n)::uuid, CASE WHEN n % 100 = 0 THEN 'other' ELSE 'argo' END, n::text, '{}', '{}', date_trunc('milliseconds', ${time}), 'key',
       CASE WHEN n % 300 = 0 THEN 'FAILED' ELSE 'DONE' END, 'done', now() ${each}`,
    [entries],
  );
  await run(
    `INSERT INTO trigger_pause (id, product, reason, since, until, resumed_at)
     SELECT md5('pause ' || n)::uuid, CASE WHEN n % 10 > 0 THEN ${PRODUCT} END, 'so', ${time}, ${time}, CASE WHEN n % 3 = 0 THEN now() END ${each}`,
    [entries],
  );
  await run(
    `INSERT INTO hint (repository, kind, ref, delivery_id, via)
     SELECT 'https://git.example.com/' || ${PRODUCT}, 'PUSH', 'main', md5('delivery ' || n)::uuid, 'PUSH' ${each}`,
    [entries],
  );
  await run('DROP TABLE copy, template', []);
  for (const index of indexes) await run(index, []);
  for (const setting of MEMORY) await run(`RESET ${setting}`, []);
}

/**
 * All but those of keys.
 * @returns the statements that make them again, in the order in which they were made
 */
async function dropIndexes(client: pg.ClientBase): Promise<string[]> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT format('%I', c.relname) AS name, pg_get_indexdef(c.oid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = ANY($1::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = c.oid) ORDER BY c.oid`,
    [GROWING],
  );
  await client.query(`DROP INDEX ${rows.map(({ name }) => name).join(', ')}`);
  return rows.map(({ definition }) => definition);
}
