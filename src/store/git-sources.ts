import type { Pool } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { Kind } from '../core/definitions.ts';
import type { Drifted, KeptStanding, SourceError, SyncedFrom, SyncedName } from '../core/git-source.ts';
import { SyncedDefinitionRow } from '../entities/git-source-rows.ts';

type Db = Pick<Pool, 'query'>;

/** Of all sources that were looked at, by name. */
export async function readStandings(db: Db): Promise<Map<string, KeptStanding>> {
  const { rows } = await db.query<KeptStanding>(`${STANDING} ORDER BY source`);
  return new Map(rows.map((row) => [row.source, row]));
}

/** Null: it was never looked at. */
export async function readStanding(db: Db, source: string): Promise<KeptStanding | null> {
  const { rows } = await db.query<KeptStanding>(`${STANDING} WHERE source = $1`, [source]);
  return rows[0] ?? null;
}

const STANDING = `SELECT source, revision, seen_commit AS "seenCommit", seen_at AS "seenAt", synced_commit AS "syncedCommit",
  synced_at AS "syncedAt", synced_with AS "syncedWith", clock, errors, drift, drift_at AS "driftAt" FROM git_source_status`;

/** Of a source that was deleted meanwhile none is begun: another one of its name would go on with it. */
const BEGIN_STANDING = `INSERT INTO git_source_status (source) SELECT name FROM git_source WHERE name = $1
  ON CONFLICT (source) DO NOTHING`;

/** What becomes of a standing; what is left out stays. */
export interface StandingChange {
  seenCommit?: string;
  errors: readonly SourceError[];
  /** All of the commit that is seen is applied now, with this revision of the source's definition. */
  syncedWith?: number;
  /** None was found: what was found before stays, as the last one. */
  drift?: readonly Drifted[];
}

/**
 * Moves it on from the revision that was read (0: there was none). Null: another look was faster, and nothing was changed.
 * @returns the new revision
 */
export async function moveStanding(
  db: Db,
  source: string,
  from: number,
  { seenCommit, errors, syncedWith, drift = [] }: StandingChange,
  at: Date,
): Promise<number | null> {
  if (from === 0) await db.query(BEGIN_STANDING, [source]);
  const { rows } = await db.query<{ revision: number }>(
    `UPDATE git_source_status SET revision = revision + 1, errors = $4::jsonb,
       seen_commit = coalesce($3, seen_commit),
       seen_at = CASE WHEN $3 IS NULL OR $3 = seen_commit THEN seen_at ELSE $5 END,
       synced_commit = CASE WHEN $6::integer IS NULL THEN synced_commit ELSE coalesce($3, seen_commit) END,
       synced_at = CASE WHEN $6::integer IS NULL THEN synced_at ELSE $5 END,
       synced_with = coalesce($6::integer, synced_with),
       clock = CASE WHEN $6::integer IS NULL THEN clock ELSE (SELECT revision FROM definition_clock) END,
       drift = CASE WHEN $7::jsonb = '[]' THEN drift ELSE $7::jsonb END,
       drift_at = CASE WHEN $7::jsonb = '[]' THEN drift_at ELSE $5 END
     WHERE source = $1 AND revision = $2 RETURNING revision`,
    [source, from, seenCommit ?? null, JSON.stringify(errors), at, syncedWith ?? null, JSON.stringify(drift)],
  );
  return rows[0]?.revision ?? null;
}

/** Whether it still stands at this revision; if so, nothing else moves it before the end of the transaction. */
export async function lockStanding(db: Db, source: string, revision: number): Promise<boolean> {
  await db.query(BEGIN_STANDING, [source]);
  const { rows } = await db.query<{ revision: number }>(
    'SELECT revision FROM git_source_status WHERE source = $1 FOR UPDATE',
    [source],
  );
  return rows[0]?.revision === revision;
}

/** The count of all changes of definitions. */
export async function definitionClock(db: Db): Promise<string> {
  const { rows } = await db.query<{ revision: string }>('SELECT revision FROM definition_clock');
  return rows[0]!.revision;
}

/** Where a definition comes from; null: from no source. */
export async function syncedFrom(db: DataSource | EntityManager, kind: Kind, name: string): Promise<SyncedFrom | null> {
  return db.getRepository(SyncedDefinitionRow).findOneBy({ kind, name });
}

/** What a source has from now on: all of these, and nothing else. The caller has seen that no other source has one of them. */
export async function saveSynced(db: Db, source: string, has: readonly Omit<SyncedName, 'source'>[]): Promise<void> {
  const given = JSON.stringify(has);
  const { rowCount: gone } = await db.query(
    `DELETE FROM synced_definition s WHERE source = $1
       AND NOT EXISTS (SELECT FROM jsonb_to_recordset($2::jsonb) AS g(kind text, name text) WHERE g.kind = s.kind AND g.name = s.name)`,
    [source, given],
  );
  const { rowCount: moved } = await db.query(
    `INSERT INTO synced_definition AS s (kind, name, source, file)
     SELECT kind, name, $1, file FROM jsonb_to_recordset($2::jsonb) AS g(kind text, name text, file text)
     ON CONFLICT (kind, name) DO UPDATE SET file = excluded.file WHERE s.file <> excluded.file`,
    [source, given],
  );
  // What processes remember of definitions says where they come from.
  if ((gone ?? 0) + (moved ?? 0) > 0) await db.query('UPDATE definition_clock SET revision = revision + 1');
}

/** A source that is deleted: what it brought stays, and belongs to nothing. */
export async function forgetSource(manager: EntityManager, source: string): Promise<void> {
  await manager.query('DELETE FROM synced_definition WHERE source = $1', [source]);
  await manager.query('DELETE FROM git_source_status WHERE source = $1', [source]);
}
