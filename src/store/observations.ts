import type { Pool } from 'pg';

/** An environment that is looked at after its promotion, because a rollback policy wants to know. */
export interface Observation {
  releaseId: string;
  /** The promotion's place in the plan. */
  position: number;
  attempt: number;
  product: string;
  environment: string;
  /** Milliseconds since the epoch, UTC. */
  until: number;
  /** Application → how many looks in a row found it DEGRADED. */
  badLooks: Record<string, number>;
}

/** Once; the row of the outbox that asked for it goes in the same statement. */
export async function beginObservation(
  pool: Pool,
  each: Omit<Observation, 'badLooks'>,
  outboxKey: string,
): Promise<void> {
  await pool.query(
    `WITH gone AS (DELETE FROM outbox WHERE key = $7)
     INSERT INTO observation (release_id, position, attempt, product, environment, until, next_at)
     VALUES ($1, $2, $3, $4, $5, $6, now())
     ON CONFLICT (release_id, position) DO UPDATE SET attempt = excluded.attempt, until = excluded.until, next_at = now(),
       bad_looks = '{}'
     WHERE observation.attempt < excluded.attempt`,
    [each.releaseId, each.position, each.attempt, each.product, each.environment, new Date(each.until), outboxKey],
  );
}

const COLUMNS = `o.release_id AS "releaseId", o.position, o.attempt, o.product, o.environment,
  (extract(epoch FROM o.until) * 1000)::float8 AS until, o.bad_looks AS "badLooks"`;

/** The newest version there is the one that is looked at. */
const IS_LIVE = `(
  SELECT d.release_id FROM deployment d WHERE d.product = o.product AND d.environment = o.environment
  ORDER BY d.at DESC, d.id DESC LIMIT 1) IS NOT DISTINCT FROM o.release_id`;

/**
 * Takes those whose next look is due, at most `limit`, each for one worker alone: should it die, another one looks when
 * `lease` milliseconds are over. What is over, or about a version that is not live there any more, is forgotten.
 */
export async function claimDueObservations(pool: Pool, limit: number, lease: number): Promise<Observation[]> {
  await pool.query(
    `DELETE FROM observation WHERE (release_id, position) IN (
       SELECT o.release_id, o.position FROM observation o
       WHERE o.next_at <= now() AND NOT (o.until > now() AND ${IS_LIVE}) FOR UPDATE SKIP LOCKED)`,
  );
  const { rows } = await pool.query<Observation>(
    `UPDATE observation o SET next_at = now() + $2 * interval '1 millisecond'
     WHERE (o.release_id, o.position) IN (
       SELECT release_id, position FROM observation WHERE next_at <= now()
       ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING ${COLUMNS}`,
    [limit, lease],
  );
  return rows;
}

/** What is looked at now in an environment of a product. */
export async function observationsIn(pool: Pool, product: string, environment: string): Promise<Observation[]> {
  const { rows } = await pool.query<Observation>(
    `SELECT ${COLUMNS} FROM observation o WHERE product = $1 AND environment = $2 AND until > now() AND ${IS_LIVE}`,
    [product, environment],
  );
  return rows;
}

/** `badLooks`: as the look found it. A later attempt that began during the look counts its own. */
export async function lookAgain(
  pool: Pool,
  { releaseId, position, attempt, badLooks }: Observation,
  after: number,
): Promise<void> {
  await pool.query(
    `UPDATE observation SET next_at = now() + $4 * interval '1 millisecond', bad_looks = $5
     WHERE release_id = $1 AND position = $2 AND attempt = $3`,
    [releaseId, position, attempt, after, badLooks],
  );
}

/** This attempt of the promotion is looked after no more; that of a later attempt goes on. */
export async function endObservation(pool: Pool, { releaseId, position, attempt }: Observation): Promise<void> {
  await pool.query('DELETE FROM observation WHERE release_id = $1 AND position = $2 AND attempt = $3', [
    releaseId,
    position,
    attempt,
  ]);
}
