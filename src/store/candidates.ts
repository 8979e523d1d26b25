import type { Pool, PoolClient } from 'pg';
import type { Visibility } from '../core/access/index.ts';
import { bounded } from '../core/bounded.ts';
import type { CandidateStatus } from '../core/trigger/candidate.ts';
import type { KeptCandidate } from '../core/trigger/kept.ts';
import type { Db } from './reads.ts';
import { visibleSql, visibleValue } from './visible.ts';
import { newest } from './walk.ts';
import type { Looked, PageSize } from './walk.ts';

export type { KeptCandidate };

const COLUMNS = `id, key, revision, product, flow, environment, state, kind, status, reason, facts, created_at AS "createdAt",
  due_at AS "dueAt", coalesced_at AS "coalescedAt", expires_at AS "expiresAt", ended_at AS "endedAt", attempts,
  release_id AS "releaseId", superseded_by AS "supersededBy", actor`;

/** The channel on which workers hear that a candidate is new, or due by now; when it is due stands in its row. */
export const CANDIDATES_DUE = 'sluice_candidates';

/** What commits say of themselves is kept bounded. @returns false: this state was a candidate before, for good */
export async function insertCandidate(
  client: PoolClient,
  made: Omit<KeptCandidate, 'revision' | 'endedAt' | 'attempts' | 'releaseId' | 'supersededBy' | 'actor'>,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `WITH made AS (
       INSERT INTO candidate (id, key, product, flow, environment, state, kind, status, reason, facts, created_at, due_at, coalesced_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (key) DO NOTHING RETURNING id)
     SELECT pg_notify('${CANDIDATES_DUE}', '') FROM made`,
    [
      made.id,
      made.key,
      made.product,
      made.flow,
      made.environment,
      JSON.stringify(made.state),
      made.kind,
      made.status,
      made.reason,
      JSON.stringify(bounded(made.facts)),
      made.createdAt,
      made.dueAt,
      made.coalescedAt,
      made.expiresAt,
    ],
  );
  return rowCount === 1;
}

/** `key`: the digest of its product, flow and state. */
export async function candidateByKey(client: Pool | PoolClient, key: string): Promise<KeptCandidate | undefined> {
  const { rows } = await client.query<KeptCandidate>(`SELECT ${COLUMNS} FROM candidate WHERE key = $1`, [key]);
  return rows[0];
}

/** The newest of a trigger environment, whatever became of it; locked until the transaction ends. */
export async function lockNewest(
  client: PoolClient,
  product: string,
  environment: string,
): Promise<KeptCandidate | undefined> {
  const { rows } = await client.query<KeptCandidate>(
    `SELECT ${COLUMNS} FROM candidate WHERE product = $1 AND environment = $2 ORDER BY created_at DESC, id DESC LIMIT 1 FOR UPDATE`,
    [product, environment],
  );
  return rows[0];
}

/** Those of the environment that have not ended are over: a newer state came. @returns their ids */
export async function supersede(
  client: PoolClient,
  {
    product,
    environment,
    by,
    reason,
    now,
  }: { product: string; environment: string; by: string; reason: string; now: Date },
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE candidate SET status = 'SUPERSEDED', reason = $4, superseded_by = $3, ended_at = $5, due_at = NULL, revision = revision + 1
     WHERE id IN (
       SELECT id FROM candidate WHERE product = $1 AND environment = $2 AND ended_at IS NULL AND id <> $3
       ORDER BY id FOR NO KEY UPDATE)
     RETURNING id`,
    [product, environment, by, reason, now],
  );
  return rows.map(({ id }) => id);
}

/** Takes those that are due, `but` these; no other process does before `until`. `next`: when the first of the others is due; null: none is. */
export async function claimDue(
  pool: Pool,
  now: Date,
  until: Date,
  { limit, but }: { limit: number; but: readonly string[] },
): Promise<{ due: KeptCandidate[]; next: Date | null }> {
  const { rows } = await pool.query<
    { [key in keyof KeptCandidate]: KeptCandidate[key] | null } & { next: Date | null }
  >({
    name: 'claim-candidates',
    text: `WITH taken AS (
             UPDATE candidate SET due_at = $2 WHERE id IN (
               SELECT id FROM candidate WHERE due_at <= $1 AND id <> ALL($4::uuid[]) ORDER BY due_at LIMIT $3
               FOR UPDATE SKIP LOCKED)
             RETURNING ${COLUMNS})
           SELECT taken.*, others.next FROM (SELECT min(due_at) AS next FROM candidate WHERE due_at > $1) others
             LEFT JOIN taken ON true`,
    values: [now, until, limit, but],
  });
  const next = rows[0]?.next ?? null;
  return { due: rows.flatMap(({ next: _, ...row }) => (row.id === null ? [] : [row as KeptCandidate])), next };
}

/** What is written of a candidate when it goes on. */
export interface CandidateStep {
  status: CandidateStatus;
  reason: string;
  /** Null: it ends. */
  dueAt: Date | null;
  expiresAt: Date;
  attempts: number;
  releaseId?: string;
  actor?: string | null;
}

/** Compare-and-set on the revision that it was decided from; false: it went on meanwhile. */
export async function stepCandidate(
  client: Pool | PoolClient,
  { id, revision }: Pick<KeptCandidate, 'id' | 'revision'>,
  { status, reason, dueAt, expiresAt, attempts, releaseId, actor }: CandidateStep,
  now: Date,
): Promise<boolean> {
  const { rowCount } = await client.query(
    `WITH moved AS (
       UPDATE candidate SET status = $3, reason = $4, due_at = $5, expires_at = $6, attempts = $7, revision = revision + 1,
         ended_at = CASE WHEN $5::timestamptz IS NULL THEN $9::timestamptz END, release_id = $8,
         actor = CASE WHEN $10 THEN $11 ELSE actor END
       WHERE id = $1 AND revision = $2 RETURNING due_at)
     SELECT CASE WHEN due_at <= $9 THEN pg_notify('${CANDIDATES_DUE}', '') END FROM moved`,
    [
      id,
      revision,
      status,
      reason.slice(0, 4_000),
      dueAt,
      expiresAt,
      attempts,
      releaseId ?? null,
      now,
      actor !== undefined,
      actor ?? null,
    ],
  );
  return rowCount === 1;
}

/**
 * Those that wait for this environment are looked at at once; without one, all that wait. What a look that is under way decides counts for
 * nothing: it may not know what has woken them. One to which pushes may still belong stays due when they do no more.
 */
export async function wakeCandidates(
  pool: Pool | PoolClient,
  now: Date,
  at: { product?: string; environment?: string },
): Promise<void> {
  await pool.query(
    `WITH locked AS MATERIALIZED (
       -- In one order: two that wake many candidates never wait for each other in a circle.
       SELECT id FROM candidate WHERE ended_at IS NULL
         AND ($2::text IS NULL OR product = $2) AND ($3::text IS NULL OR environment = $3) ORDER BY id FOR NO KEY UPDATE),
     woken AS (
       UPDATE candidate c SET due_at = greatest($1, coalesced_at), revision = revision + 1 FROM locked
       WHERE c.id = locked.id RETURNING c.id)
     SELECT pg_notify('${CANDIDATES_DUE}', '') WHERE EXISTS (SELECT FROM woken)`,
    [now, at.product ?? null, at.environment ?? null],
  );
}

/** Those that are there, by id. */
export async function readCandidates(
  pool: Pool | PoolClient,
  ids: readonly string[],
): Promise<Map<string, KeptCandidate>> {
  const { rows } = await pool.query<KeptCandidate>(`SELECT ${COLUMNS} FROM candidate WHERE id = ANY($1::uuid[])`, [
    ids,
  ]);
  return new Map(rows.map((each) => [each.id, each]));
}

/** The newest that came after it in its environment; undefined: it is the newest. */
export async function newerCandidate(
  pool: Pool,
  { product, environment, createdAt, id }: Pick<KeptCandidate, 'product' | 'environment' | 'createdAt' | 'id'>,
): Promise<Pick<KeptCandidate, 'id' | 'product'> | undefined> {
  const { rows } = await pool.query<Pick<KeptCandidate, 'id' | 'product'>>(
    `SELECT id, product FROM candidate WHERE product = $1 AND environment = $2 AND created_at >= $3 AND id <> $4
     ORDER BY created_at DESC, id DESC LIMIT 1`,
    [product, environment, createdAt, id],
  );
  return rows[0];
}

/** Which ones; all that is given must fit. */
export interface CandidateFilter {
  product?: string;
  statuses?: readonly CandidateStatus[];
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
}

/** Newest first; `before` is the key of the candidate after which the page begins. */
export async function listCandidates(
  pool: Db,
  { key, filter = {}, ...size }: PageSize & { key?: { since: number; id: string }; filter?: CandidateFilter },
): Promise<Looked<KeptCandidate>> {
  const { product, statuses, visible } = filter;
  return newest<KeptCandidate>(pool, {
    from: 'candidate',
    select: COLUMNS,
    time: 'candidate.created_at',
    id: 'candidate.id',
    key,
    ...size,
    // By an index of its own.
    of: (values) => (product === undefined ? [] : [`candidate.product = ${values.add(product)}`]),
    rest: (values) => [
      ...(statuses === undefined ? [] : [`status = ANY(${values.add([...statuses])}::text[])`]),
      ...(visible ? [visibleSql(values.add(visibleValue(visible)), 'candidate.product', 'candidate.environment')] : []),
    ],
  });
}
