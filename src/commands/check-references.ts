import type { EntityManager } from 'typeorm';
import { KINDS } from '../core/definitions.ts';
import type { Definition, Kind, Specs, StoredDefinition } from '../core/definitions.ts';
import { checkFlow } from '../core/flow.ts';
import type { Known } from '../core/flow.ts';
import type { ForgeUse } from '../core/forges.ts';
import { refuseSynced } from '../core/git-source.ts';
import type { SyncedFrom } from '../core/git-source.ts';
import { SPECS } from '../core/kinds/index.ts';
import { referencesIn, refersTo } from '../core/kinds/walk.ts';
import { distinct, refusal } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import type { SecretUse } from '../core/secrets.ts';
import { resolveMembers } from '../core/selectors.ts';
import { checkDefinition } from '../core/validate.ts';
import { allDefinitions } from '../store/definitions.ts';
import type { DataSource } from 'typeorm';

type Db = DataSource | EntityManager;

/** What a flow may name: environments, groups with their members as they are now, workflows. */
export async function knownNames(db: Db): Promise<Known> {
  // One after the other: inside a transaction they share a connection.
  const environments = await allDefinitions(db, 'Environment');
  const groups = await allDefinitions(db, 'EnvironmentGroup');
  const workflows = await allDefinitions(db, 'PromotionWorkflow');
  return knownAmong({ environments, groups, workflows });
}

/** What a flow may name, by name: environments, groups with their members, and workflows. */
export function knownAmong({
  environments,
  groups,
  workflows,
}: {
  environments: StoredDefinition<'Environment'>[];
  groups: StoredDefinition<'EnvironmentGroup'>[];
  workflows: StoredDefinition<'PromotionWorkflow'>[];
}): Known {
  const selectable = environments.map(({ metadata, spec: { kind } }) => ({ ...metadata, kind }));
  return {
    environments: new Map(environments.map((each) => [each.metadata.name, each])),
    groups: new Map(
      groups.map((each) => [each.metadata.name, resolveMembers(each.spec, selectable).map(({ name }) => name)]),
    ),
    workflows: new Map(workflows.map((each) => [each.metadata.name, each])),
  };
}

/** Where a definition's references are looked up. */
export interface Definitions {
  get<K extends Kind>(kind: K, name: string): Promise<StoredDefinition<K> | null>;
  /** What a flow may name. */
  known(): Promise<Known>;
  all<K extends Kind>(kind: K): Promise<StoredDefinition<K>[]>;
  /** Secrets that open pull requests, and where. */
  forges(): Promise<{ name: string; use: ForgeUse }[]>;
  /** What these secrets are for. */
  secretUses(names: readonly string[]): Promise<ReadonlyMap<string, SecretUse>>;
  /** The text that this revision was written as; null: it was not saved as text. */
  textOf(stored: StoredDefinition): Promise<string | null>;
  /** Which git source has a definition; null: none. */
  syncedFrom(kind: Kind, name: string): Promise<SyncedFrom | null>;
}

/** What is wrong with a definition by itself; of a flow all that is wrong, at once. */
export async function checkWhole(among: Definitions, definition: Definition): Promise<Refusal[]> {
  const wrong = checkDefinition(definition);
  const tooLarge = wrong.some(({ path }) => path.join('.') === 'spec.steps');
  if (definition.kind !== 'PromotionFlow' || wrong.length === 0 || tooLarge) return wrong;
  return distinct([...wrong, ...(await checkReferences(among, definition))]);
}

/** Everything that a definition names must exist. */
export async function checkReferences(among: Definitions, definition: Definition): Promise<Refusal[]> {
  if (definition.kind === 'PromotionFlow')
    return checkFlow(definition.spec as Specs['PromotionFlow'], await among.known()).refusals;
  const missing: Refusal[] = [];
  for (const { kind, name, path } of referencesIn(SPECS[definition.kind], definition.spec)) {
    if (await among.get(kind, name)) continue;
    missing.push(
      refusal('UNKNOWN_REFERENCE', `there is no ${kind} "${name}": create it first, or in the same apply`, path),
    );
  }
  return missing;
}

/**
 * Why a definition is not deleted: a git source has it, or others name it.
 * @param source the git source that deletes it; null: a caller
 */
export async function checkRemoval(
  among: Pick<Definitions, 'all' | 'syncedFrom'>,
  { kind, metadata: { name } }: Pick<Definition, 'kind' | 'metadata'>,
  source: string | null,
): Promise<Refusal[]> {
  const synced = refuseSynced(await among.syncedFrom(kind, name), { kind, name }, source, ['name']);
  return synced.length > 0 ? synced : checkDependents(among, kind, name);
}

/** The refusal to delete a definition, or to change it like this, while others name it; none when it is not named. */
export async function checkDependents(
  among: Pick<Definitions, 'all'>,
  kind: Kind,
  name: string,
  path: Refusal['path'] = ['name'],
): Promise<Refusal[]> {
  const users: string[] = [];
  for (const each of KINDS) {
    if (!refersTo(SPECS[each]).has(kind)) continue;
    for (const { metadata, spec } of await among.all(each)) {
      const names = referencesIn(SPECS[each], spec);
      if (names.some((found) => found.kind === kind && found.name === name)) users.push(`${each} "${metadata.name}"`);
    }
  }
  if (users.length === 0) return [];
  const shown = users.slice(0, 10).join(', ') + (users.length > 10 ? ` and ${users.length - 10} more` : '');
  return [refusal('IN_USE', `${kind} "${name}" is used by ${shown}: change those first`, path)];
}
