import type { Pool, PoolClient } from 'pg';
import type { Decision } from '../core/decision.ts';
import { effectOf } from '../core/effects.ts';
import type { Lane, Work, WorkKind } from '../core/effects.ts';
import type { Db } from './reads.ts';

/** Work that a decision asked for, under the key of its row. The life of a row is told in jobs/hand-over.ts. */
export interface OutboxItem<K extends WorkKind = WorkKind> {
  key: string;
  releaseId: string;
  work: Work<K>;
}

/** A row that was claimed: how often a sweep has, this time included. */
export interface ClaimedItem extends OutboxItem {
  attempts: number;
}

/** The lanes whose work has rows. */
export type KeptLane = Exclude<Lane, 'notice'>;

interface Pace {
  /** After which a row is left over; until then its own process has it in hand. */
  first: number;
  /** Between two attempts at the most. */
  cap: number;
  /** For how long an attempt may be under way before it counts as cut off. */
  lease: number;
}

/** In milliseconds. The first pause between two attempts is 2 s, and doubles. */
const PACES: Record<KeptLane, Pace> = {
  queue: { first: 1_500, cap: 60_000, lease: 0 },
  // Twice is once: another process may try it beside one that is slow.
  command: { first: 1_500, cap: 60_000, lease: 0 },
  errand: { first: 0, cap: 3_600_000, lease: 60_000 },
};

/** How this work is handed over; undefined for work that this version does not know. */
export function laneOf(work: Work): KeptLane | 'notice' | undefined {
  return effectOf(work)?.lane;
}

/** The rows of a decision. The sequence of its events names none: a decision may ask for work and tell of no event. */
export function outboxOf({ state, work }: Decision): OutboxItem[] {
  return work.flatMap((each) => {
    const name = effectOf(each)?.key?.(each);
    return name === undefined ? [] : [{ key: `${state.id}-${name}`, releaseId: state.id, work: each }];
  });
}

/** As `saveDecisions` inserts it. `first`: in how many milliseconds it is due. */
export function outboxRow({ key, work }: OutboxItem): [key: string, lane: KeptLane, work: Work, first: number] {
  const lane = laneOf(work) as KeptLane;
  return [key, lane, work, PACES[lane].first];
}

/** Whether a row is due to be claimed. */
export async function isAnyDue(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('SELECT FROM outbox WHERE due_at <= now() LIMIT 1');
  return (rowCount ?? 0) > 0;
}

/**
 * Claims rows that are due, the longest overdue first: each for one process alone, and counted as an attempt. Whatever becomes of
 * that process, a row that is still there is due again after a pause that grows with its attempts.
 */
export async function claimDue(pool: Pool, lanes: KeptLane[], limit: number): Promise<ClaimedItem[]> {
  const { rows } = await pool.query<ClaimedItem>(
    `WITH lane AS (SELECT * FROM jsonb_to_recordset($1) AS l(lane text, cap float8, lease float8)),
     due AS MATERIALIZED (
       SELECT key FROM outbox WHERE due_at <= now() AND lane IN (SELECT lane FROM lane)
       ORDER BY due_at, key LIMIT $2 FOR UPDATE SKIP LOCKED)
     UPDATE outbox o SET attempts = o.attempts + 1,
       due_at = now() + greatest(${pauseAfter('o.attempts + 1', 'lane.cap')}, lane.lease) * interval '1 millisecond'
     FROM due, lane WHERE o.key = due.key AND lane.lane = o.lane
     RETURNING o.key, o.release_id AS "releaseId", o.work, o.attempts`,
    [JSON.stringify(lanes.map((lane) => ({ lane, ...PACES[lane] }))), limit],
  );
  return rows;
}

/** Why work is not done. */
interface Failure {
  reason: string;
  /** Its claim has counted the attempt already. */
  counted: boolean;
  /** There was no room for it until so many milliseconds from now: it was no attempt. */
  throttledFor?: number | undefined;
}

/** An attempt failed, and why is kept with the row. */
export async function keepFailure(
  pool: Pool,
  { key, work }: OutboxItem,
  { reason, counted, throttledFor }: Failure,
): Promise<void> {
  const lane = laneOf(work);
  const { cap } = PACES[lane === undefined || lane === 'notice' ? 'queue' : lane];
  await pool.query(
    `UPDATE outbox SET attempts = attempts + $3, last_error = $2,
       due_at = now() + coalesce($5, ${pauseAfter('attempts + $3', '$4::float8')}) * interval '1 millisecond'
     WHERE key = $1`,
    [key, reason, (throttledFor === undefined ? 1 : 0) - (counted ? 1 : 0), cap, throttledFor ?? null],
  );
}

/** In milliseconds: 2 s after the first attempt, doubling. */
const pauseAfter = (attempts: string, cap: string): string => `least(1000 * 2 ^ least(${attempts}, 30), ${cap})`;

/** The work of these rows is done, or the queue holds it. */
export async function deleteRows(client: Pool | PoolClient, keys: string[]): Promise<void> {
  await client.query(
    'DELETE FROM outbox WHERE key IN (SELECT key FROM outbox WHERE key = ANY($1) ORDER BY key FOR UPDATE)',
    [keys],
  );
}

/** The keys of rows that are in the queue now, until they are deleted: with the next save, or by `flush`. */
export class HandedOver {
  readonly #keys: string[] = [];

  add(keys: string[]): void {
    this.#keys.push(...keys);
  }

  /** For a save, which gives them back when it fails. */
  take(atMost = Infinity): string[] {
    return this.#keys.splice(0, atMost);
  }

  /** Deletes the rows when no save has come along to take them. */
  async flush(pool: Pool): Promise<void> {
    const keys = this.take();
    if (keys.length === 0) return;
    await deleteRows(pool, keys).catch((error: unknown) => {
      this.add(keys);
      throw error;
    });
  }
}

/** An errand that is not done. */
export interface OpenErrand {
  key: string;
  releaseId: string;
  name: string;
  about: string;
  /** The promotion's place in the plan; null: the release's own. */
  promotion: number | null;
  since: Date;
  /** How often it was tried. */
  attempts: number;
  /** Why the last attempt failed; null: none has. */
  lastError: string | null;
  dueAt: Date;
}

/** By release, the oldest errand first. */
export async function openErrands(db: Db, releases: readonly string[]): Promise<Map<string, OpenErrand[]>> {
  const { rows } = await db.query<OpenErrand>(
    `SELECT key, release_id AS "releaseId", work->>'name' AS name, work->>'about' AS about,
       (work->>'promotion')::integer AS promotion, created_at AS since, attempts, last_error AS "lastError", due_at AS "dueAt"
     FROM outbox WHERE lane = 'errand' AND release_id = ANY($1::uuid[]) ORDER BY created_at, key`,
    [releases],
  );
  const found = new Map<string, OpenErrand[]>();
  for (const each of rows) found.set(each.releaseId, [...(found.get(each.releaseId) ?? []), each]);
  return found;
}
