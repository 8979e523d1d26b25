import type { Pool, PoolClient } from 'pg';
import { In } from 'typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import type { Kind, Specs, StoredDefinition } from '../core/definitions.ts';
import { DEFINITION_ROWS, DefinitionRevisionRow } from '../entities/definition-rows.ts';
import type { DefinitionRow } from '../entities/definition-rows.ts';

/** Many definitions of one kind in one statement; names that nothing has are missing from the answer. */
export async function readDefinitions<K extends Kind>(
  dataSource: DataSource,
  kind: K,
  names: readonly string[],
): Promise<Map<string, StoredDefinition<K>>> {
  const rows = await dataSource.getRepository<DefinitionRow>(DEFINITION_ROWS[kind]).findBy({ name: In([...names]) });
  return new Map(rows.map((row) => [row.name, toDefinition(kind, row)]));
}

/** The applications of all of these products, by name. */
export async function readApplications(
  dataSource: DataSource,
  products: readonly string[],
): Promise<StoredDefinition<'Application'>[]> {
  const rows = await dataSource
    .getRepository(DEFINITION_ROWS.Application)
    .find({ where: { product: In([...products]) }, order: { name: 'ASC' } });
  return rows.map((row) => toDefinition('Application', row));
}

function toDefinition<K extends Kind>(kind: K, row: DefinitionRow): StoredDefinition<K> {
  const { id, name, labels, annotations, spec, revision, createdAt, updatedAt } = row;
  return { id, kind, metadata: { name, labels, annotations }, spec: spec as Specs[K], revision, createdAt, updatedAt };
}

/** One revision of a definition. */
export interface RevisionKey {
  kind: Kind;
  name: string;
  revision: number;
}

/** Revisions as they were saved, in one statement, in the order of the keys; null for one that was never or was a deletion. */
export async function readRevisions(
  dataSource: DataSource,
  keys: readonly RevisionKey[],
): Promise<(Omit<StoredDefinition, 'id' | 'createdAt'> | null)[]> {
  const rows = await dataSource
    .getRepository(DefinitionRevisionRow)
    .findBy(keys.map(({ kind, name, revision }) => ({ kind, name, revision })));
  const byKey = new Map(rows.map((row) => [`${row.kind}/${row.name}@${row.revision}`, row]));
  return keys.map(({ kind, name, revision }) => {
    const row = byKey.get(`${kind}/${name}@${revision}`);
    if (!row?.spec) return null;
    const { labels, annotations, spec, at } = row;
    return { kind, metadata: { name, labels, annotations }, spec, revision, updatedAt: at };
  });
}

/** The texts that revisions were written as, in one statement, in the order of the keys; null for one that was not saved as text. */
export async function readTexts(
  db: DataSource | EntityManager | Pool | PoolClient,
  keys: readonly RevisionKey[],
): Promise<(string | null)[]> {
  if (keys.length === 0) return [];
  const given = [keys.map(({ kind }) => kind), keys.map(({ name }) => name), keys.map(({ revision }) => revision)];
  type Row = { text: string | null };
  const found = (await (db as EntityManager).query(TEXTS, given)) as Row[] | { rows: Row[] };
  return (Array.isArray(found) ? found : found.rows).map(({ text }) => text);
}

const TEXTS = `SELECT d.text FROM unnest($1::text[], $2::text[], $3::integer[]) WITH ORDINALITY AS asked(kind, name, revision, place)
  LEFT JOIN definition_revision d ON d.kind = asked.kind AND d.name = asked.name AND d.revision = asked.revision ORDER BY place`;
