import type { Pool } from 'pg';
import type { Kind, Labels, Specs } from '../core/definitions.ts';
import type { Db } from './reads.ts';

/** One save, or the deletion, of a definition. */
export interface DefinitionSave {
  kind: Kind;
  name: string;
  revision: number;
  labels: Labels;
  annotations: Labels;
  /** Null: it was deleted. */
  spec: Specs[Kind] | null;
  at: Date;
  actor: string | null;
}

/** A save with its place among all of them. */
export interface ToldSave extends Omit<DefinitionSave, 'labels' | 'annotations'> {
  sequence: number;
  /** Of a deletion as it was before; of an application it says where that was. */
  about: Specs[Kind] | null;
}

/**
 * The saves of one definition, each with the one before it. The newest first, from before revision `key` on; backwards: the oldest first, from after it on.
 */
export async function listSaves(
  db: Db,
  { kind, name, key, backwards, limit }: { kind: Kind; name: string; key?: number; backwards: boolean; limit: number },
): Promise<{ save: DefinitionSave; older: DefinitionSave | null }[]> {
  const [after, order] = backwards ? ['>', 'ASC'] : ['<', 'DESC'];
  const { rows } = await db.query<DefinitionSave & { older: DefinitionSave | null }>(
    `SELECT d.kind, d.name, d.revision, d.labels, d.annotations, d.spec, d.at, d.actor, to_jsonb(b) AS older
     FROM definition_revision d LEFT JOIN LATERAL (
       SELECT kind, name, revision, labels, annotations, spec, at, actor FROM definition_revision b
       WHERE b.kind = d.kind AND b.name = d.name AND b.revision = d.revision - 1) b ON true
     WHERE d.kind = $1 AND d.name = $2 AND ($3::integer IS NULL OR d.revision ${after} $3) ORDER BY d.revision ${order} LIMIT $4`,
    [kind, name, key ?? null, limit],
  );
  return rows.map(({ older, ...save }) => ({ save, older }));
}

/** At most `limit` saves after a place, in the order of their commits. */
export async function savesAfter(
  pool: Pool,
  { after, kinds, names, limit }: { after: number; kinds?: readonly Kind[]; names?: readonly string[]; limit: number },
): Promise<ToldSave[]> {
  const { rows } = await pool.query<ToldSave>(
    `SELECT d.change::float8 AS sequence, d.kind, d.name, d.revision, d.spec, d.at, d.actor, coalesce(d.spec, b.spec) AS about
     FROM definition_revision d LEFT JOIN definition_revision b
       ON d.spec IS NULL AND b.kind = d.kind AND b.name = d.name AND b.revision = d.revision - 1
     WHERE d.change > $1 AND ($2::text[] IS NULL OR d.kind = ANY($2)) AND ($3::text[] IS NULL OR d.name = ANY($3))
     ORDER BY d.change LIMIT $4`,
    [after, kinds ?? null, names ?? null, limit],
  );
  return rows;
}

/** The place of the newest save; 0 while there is none. */
export async function lastSave(db: Db): Promise<number> {
  const { rows } = await db.query<{ last: number }>(
    'SELECT coalesce(max(change), 0)::float8 AS last FROM definition_revision',
  );
  return rows[0]!.last;
}
