import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager, FindOptionsWhere, Repository, SelectQueryBuilder } from 'typeorm';
import type { Visibility } from '../core/access/index.ts';
import { KINDS } from '../core/definitions.ts';
import type { Definition, EnvironmentSelector, Kind, Specs, StoredDefinition } from '../core/definitions.ts';
import type { SyncedName } from '../core/git-source.ts';
import { DEFINITION_ROWS, DefinitionRevisionRow } from '../entities/definition-rows.ts';
import type { DefinitionRow } from '../entities/definition-rows.ts';
import { LOCK_ALL_PRODUCTS, LOCK_DEFINITIONS } from '../entities/locks.ts';
import { forgetSource } from './git-sources.ts';
import { visibleSql, visibleValue } from './visible.ts';

type Db = DataSource | EntityManager;

function repository(db: Db, kind: Kind): Repository<DefinitionRow> {
  return db.getRepository<DefinitionRow>(DEFINITION_ROWS[kind]);
}

function toDefinition<K extends Kind>(kind: K, row: DefinitionRow): StoredDefinition<K> {
  const { id, name, labels, annotations, revision, createdAt, updatedAt } = row;
  return {
    id,
    kind,
    metadata: { name, labels, annotations },
    spec: row.spec as Specs[K],
    revision,
    createdAt,
    updatedAt,
  };
}

/** By its kind and name; null when there is none. */
export async function getDefinition<K extends Kind>(
  db: Db,
  kind: K,
  name: string,
): Promise<StoredDefinition<K> | null> {
  const row = await repository(db, kind).findOneBy({ name });
  return row && toDefinition(kind, row);
}

/** By its kind and id; null when there is none. */
export async function getDefinitionById<K extends Kind>(
  db: Db,
  kind: K,
  id: string,
): Promise<StoredDefinition<K> | null> {
  const row = await repository(db, kind).findOneBy({ id });
  return row && toDefinition(kind, row);
}

/** Which definitions of a kind, in the order of their names. */
export interface DefinitionList {
  /** At most this many. */
  limit: number;
  /** The name from which the page goes on, in code point order. */
  key?: string;
  /** Towards the beginning. */
  backwards?: boolean;
  selector?: EnvironmentSelector;
  /** Only what is seen; null: everything. */
  visible?: Visibility | null;
  /** Applications of this product, in this environment. */
  product?: string;
  environment?: string;
  /** A text in their name, description or labels, whatever the case. */
  search?: string;
}

/** The channel on which a save of definitions is told when it commits. */
export const DEFINITIONS_CHANGE = 'sluice_definitions';

/** In the order of their names. */
export async function listDefinitions<K extends Kind>(
  db: Db,
  kind: K,
  list: DefinitionList,
): Promise<StoredDefinition<K>[]> {
  const rows = await filtered(db, kind, list)
    .orderBy(`d.name COLLATE "C"`, list.backwards ? 'DESC' : 'ASC')
    .take(list.limit)
    .getMany();
  return rows.map((row) => toDefinition(kind, row));
}

/** Every definition of a kind, in the order of the names. */
export async function allDefinitions<K extends Kind>(
  db: Db,
  kind: K,
  where: { product?: string } = {},
): Promise<StoredDefinition<K>[]> {
  const rows = await repository(db, kind).find({
    where: where as FindOptionsWhere<DefinitionRow>,
    order: { name: 'ASC' },
  });
  return rows.map((row) => toDefinition(kind, row));
}

/** The selector's meaning in SQL; the same as `matchesSelector` of the core, for lists that may be long. */
function filtered(db: Db, kind: Kind, list: Omit<DefinitionList, 'limit'>): SelectQueryBuilder<DefinitionRow> {
  const query = repository(db, kind).createQueryBuilder('d');
  const { key, backwards, selector, visible, product, environment, search } = list;
  if (visible) onlyVisible(query, kind, visible);
  if (key !== undefined) query.andWhere(`d.name COLLATE "C" ${backwards ? '<' : '>'} :key`, { key });
  if (product !== undefined) query.andWhere('d.product = :product', { product });
  if (environment !== undefined) query.andWhere('d.environment = :environment', { environment });
  if (search !== undefined) {
    const labels = `(SELECT string_agg(l.key || '=' || l.value, ' ') FROM jsonb_each_text(d.labels) l)`;
    const texts = `concat_ws(' ', d.name, d.spec->>'description', ${labels})`;
    query.andWhere(`strpos(lower(${texts}), lower(:search)) > 0`, { search });
  }
  if (selector?.names) {
    const patterns = selector.names.map((name) => name.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%'));
    query.andWhere('d.name LIKE ANY(:patterns)', { patterns });
  }
  if (selector?.kinds) query.andWhere(`d.spec->>'kind' = ANY(:kinds)`, { kinds: selector.kinds });
  if (selector?.matchLabels) query.andWhere('d.labels @> :labels', { labels: selector.matchLabels });
  selector?.matchExpressions?.forEach(({ key, operator, values }, index) => {
    const parameters = { [`key${index}`]: key, [`values${index}`]: values ?? [] };
    const value = `d.labels->>:key${index}`;
    const conditions = {
      In: `${value} = ANY(:values${index})`,
      NotIn: `(${value} IS NULL OR NOT ${value} = ANY(:values${index}))`,
      Exists: `${value} IS NOT NULL`,
      DoesNotExist: `${value} IS NULL`,
    };
    query.andWhere(conditions[operator], parameters);
  });
  return query;
}

/** What is shared by all is seen by all. */
function onlyVisible(query: SelectQueryBuilder<DefinitionRow>, kind: Kind, visible: Visibility): void {
  const names = kind === 'Product' ? visible.products.keys() : kind === 'Environment' ? visible.environments : null;
  if (names) query.andWhere('d.name = ANY(:visibleNames)', { visibleNames: [...names] });
  if (kind !== 'Application') return;
  query.andWhere(visibleSql('(:visible)', 'd.product', 'd.environment'), { visible: visibleValue(visible) });
}

/** Writes a new definition or a new revision of it; `text`: the text that it was written as. Inside the caller's transaction, under the definitions' lock. */
export async function writeDefinition<K extends Kind>(
  manager: EntityManager,
  definition: Definition<K>,
  before: StoredDefinition<K> | null,
  actor: string | null,
  text: string | null,
): Promise<StoredDefinition<K>> {
  const { kind, spec } = definition;
  const { name, labels, annotations } = definition.metadata;
  const revision = (before?.revision ?? (await lastRevision(manager, kind, name))) + 1;
  const columns = { name, labels, annotations, spec, revision, ...indexed(definition) };
  const rows = repository(manager, kind);
  if (before) await rows.update({ id: before.id }, columns);
  else await rows.insert({ id: randomUUID(), ...columns });
  const row = await rows.findOneByOrFail({ name });
  await keepRevision(manager, { kind, name, revision, labels, annotations, spec, at: row.updatedAt, actor, text });
  return toDefinition(kind, row);
}

/** Its revisions stay; one that is created again under the name goes on counting. */
export async function removeDefinition(
  manager: EntityManager,
  before: StoredDefinition,
  actor: string | null,
  at: Date,
): Promise<void> {
  await repository(manager, before.kind).delete({ id: before.id });
  const { kind, metadata, revision } = before;
  if (kind === 'GitSource') await forgetSource(manager, metadata.name);
  await keepRevision(manager, { kind, ...metadata, revision: revision + 1, spec: null, at, actor, text: null });
}

async function keepRevision(manager: EntityManager, revision: Omit<DefinitionRevisionRow, 'change'>): Promise<void> {
  // The row of the clock is locked until the commit: the numbers are in the order of the commits.
  const [rows] = (await manager.query(
    `WITH told AS (SELECT pg_notify('${DEFINITIONS_CHANGE}', '')) UPDATE definition_clock SET revision = revision + 1 FROM told RETURNING revision`,
  )) as [{ revision: string }[]];
  await manager.getRepository(DefinitionRevisionRow).insert({ ...revision, change: rows[0]!.revision });
}

async function lastRevision(manager: EntityManager, kind: Kind, name: string): Promise<number> {
  return (await manager.getRepository(DefinitionRevisionRow).maximum('revision', { kind, name })) ?? 0;
}

function indexed({ kind, spec }: Definition): { product?: string; environment?: string } {
  if (kind !== 'Application') return {};
  const { product, environment } = spec as Specs['Application'];
  return { product, environment };
}

/** One writer at a time: what a definition refers to cannot vanish between the check and the save. */
export async function lockDefinitions(manager: EntityManager): Promise<void> {
  await manager.query(LOCK_DEFINITIONS);
}

/**
 * The last thing in a transaction that changed definitions. Decisions about releases read these kinds as they are now, so the
 * writer waits for those under way, and new ones wait for the commit: once a saved window was answered, nothing starts later that
 * only the earlier one let through. Taken last, the lock is held for a commit, however long the checks before it took.
 */
export async function settleDefinitions(manager: EntityManager, changed: readonly Kind[]): Promise<void> {
  if (changed.some((kind) => READ_BY_DECISIONS.has(kind))) await manager.query(LOCK_ALL_PRODUCTS);
}

/** Windows and what selects them; what a rollback asks of applications. Everything else a release froze. */
const READ_BY_DECISIONS: ReadonlySet<Kind> = new Set<Kind>([
  'ReleaseWindow',
  'Environment',
  'EnvironmentGroup',
  'Product',
  'Application',
]);

/** The newest revision of each of these that there ever was, as `Kind/name`; none for a name that is new. */
export async function lastRevisions(
  client: Pool | PoolClient,
  named: readonly { kind: Kind; name: string }[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ key: string; revision: number }>(
    `SELECT d.kind || '/' || d.name AS key, max(d.revision) AS revision
     FROM unnest($1::text[], $2::text[]) AS asked(kind, name)
       JOIN definition_revision d ON d.kind = asked.kind AND d.name = asked.name GROUP BY d.kind, d.name`,
    [named.map(({ kind }) => kind), named.map(({ name }) => name)],
  );
  return new Map(rows.map(({ key, revision }) => [key, revision]));
}

/** Every definition that there is, by kind. */
export type AllDefinitions = { [K in Kind]: StoredDefinition<K>[] };

/** All of them in one statement, so as of one moment, each kind in the order of its names; the revision of them all; and what is synced. */
export async function readAllDefinitions(
  client: Pool | PoolClient,
): Promise<{ revision: string; definitions: AllDefinitions; synced: SyncedName[] }> {
  const { rows } = await client.query<{ revision: string; synced: SyncedName[] } & Record<Kind, DefinitionRow[]>>({
    name: 'all-definitions',
    text: ALL,
  });
  const [row] = rows;
  if (!row) throw new Error('the table definition_clock is empty');
  const definitions = Object.fromEntries(
    KINDS.map((kind) => [kind, row[kind].map((each) => toDefinition(kind, dated(each)))]),
  );
  return { revision: row.revision, definitions: definitions as unknown as AllDefinitions, synced: row.synced };
}

const TABLES: Record<Kind, string> = {
  Product: 'product',
  Application: 'application',
  Environment: 'environment',
  EnvironmentGroup: 'environment_group',
  PromotionFlow: 'promotion_flow',
  PromotionWorkflow: 'promotion_workflow',
  PromotionPolicy: 'promotion_policy',
  PromotionTemplate: 'promotion_template',
  ReleaseWindow: 'release_window',
  GitSource: 'git_source',
};

const ALL = `SELECT revision, ${KINDS.map(
  (
    kind,
  ) => `(SELECT coalesce(json_agg(json_build_object('id', id, 'name', name, 'labels', labels, 'annotations', annotations,
    'spec', spec, 'revision', revision, 'createdAt', created_at, 'updatedAt', updated_at) ORDER BY name), '[]')
   FROM ${TABLES[kind]}) AS "${kind}"`,
).join(', ')},
  (SELECT coalesce(json_agg(s ORDER BY kind, name), '[]') FROM synced_definition s) AS synced FROM definition_clock`;

/** In JSON times are text. */
function dated(row: DefinitionRow): DefinitionRow {
  return Object.assign(row, { createdAt: new Date(row.createdAt), updatedAt: new Date(row.updatedAt) });
}
