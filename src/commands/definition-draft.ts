import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { AllDefinitions } from '../store/definitions.ts';
import { allDefinitions, getDefinition, lastRevisions, readAllDefinitions } from '../store/definitions.ts';
import { KINDS } from '../core/definitions.ts';
import type { Definition, Kind, Labels, StoredDefinition } from '../core/definitions.ts';
import type { Known } from '../core/flow.ts';
import type { ForgeUse } from '../core/forges.ts';
import type { SyncedFrom } from '../core/git-source.ts';
import type { SecretUse } from '../core/secrets.ts';
import { secretsSentBy } from '../core/validate/secret-uses.ts';
import { isKeptAsText } from '../manifests/index.ts';
import { readTexts } from '../store/definition-reads.ts';
import type { RevisionKey } from '../store/definition-reads.ts';
import { syncedFrom } from '../store/git-sources.ts';
import { forgeUses, secretUses } from '../store/secrets.ts';
import { knownAmong, knownNames } from './check-references.ts';
import type { Definitions } from './check-references.ts';

/** As they are in the database; for one definition, whose references are few. */
export function storedDefinitions(db: DataSource | EntityManager): Definitions {
  return {
    get: (kind, name) => getDefinition(db, kind, name),
    all: (kind) => allDefinitions(db, kind),
    forges: () => forgeUses(db),
    known: () => knownNames(db),
    secretUses: (names) => secretUses(db, names),
    textOf: async (stored) => (await readTexts(db, [keyOf(stored)]))[0] ?? null,
    syncedFrom: (kind, name) => syncedFrom(db, kind, name),
  };
}

const keyOf = ({ kind, metadata, revision }: StoredDefinition): RevisionKey => ({
  kind,
  name: metadata.name,
  revision,
});

/**
 * All definitions as they were at one moment, and what is to be made of them, in memory: many manifests that name each other are
 * checked with one read, and nothing is written for it.
 */
export class DefinitionDraft implements Definitions {
  readonly #byKind: Map<Kind, Map<string, StoredDefinition>>;
  readonly #lastRevisions: ReadonlyMap<string, number>;
  readonly #secretUses: ReadonlyMap<string, SecretUse>;
  readonly #forges: { name: string; use: ForgeUse }[];
  readonly #synced: ReadonlyMap<string, SyncedFrom>;
  readonly #texts: ReadonlyMap<string, string | null>;
  readonly #now: Date;
  #known: Known | null = null;

  private constructor(
    all: AllDefinitions,
    lastRevisionOf: ReadonlyMap<string, number>,
    uses: ReadonlyMap<string, SecretUse>,
    forges: { name: string; use: ForgeUse }[],
    synced: ReadonlyMap<string, SyncedFrom>,
    texts: ReadonlyMap<string, string | null>,
    now: Date,
  ) {
    this.#byKind = new Map(
      Object.entries(all).map(([kind, each]) => [
        kind as Kind,
        new Map((each as StoredDefinition[]).map((one) => [one.metadata.name, one])),
      ]),
    );
    this.#lastRevisions = lastRevisionOf;
    this.#secretUses = uses;
    this.#forges = forges;
    this.#synced = synced;
    this.#texts = texts;
    this.#now = now;
  }

  /** @param about the definitions that may be put; a deleted one that comes again goes on counting its revisions. */
  static async read(client: Pool | PoolClient, about: readonly Definition[], now: Date): Promise<DefinitionDraft> {
    const { definitions, synced } = await readAllDefinitions(client);
    const named = about.map(({ kind, metadata }) => ({ kind, name: metadata.name }));
    const revisions = await lastRevisions(client, named);
    const uses = await secretUses(client, about.flatMap(secretsSentBy));
    const forges = await forgeUses(client);
    const from = new Map(synced.map((each) => [`${each.kind}/${each.name}`, each]));
    const asked = new Set(named.map(({ kind, name }) => `${kind}/${name}`));
    const kept = KINDS.filter(isKeptAsText)
      .flatMap((kind): StoredDefinition[] => definitions[kind])
      .filter(({ kind, metadata }) => asked.has(`${kind}/${metadata.name}`))
      .map(keyOf);
    const found = await readTexts(client, kept);
    const texts = new Map(kept.map(({ kind, name, revision }, at) => [`${kind}/${name}@${revision}`, found[at]!]));
    return new DefinitionDraft(definitions, revisions, uses, forges, from, texts, now);
  }

  async get<K extends Kind>(kind: K, name: string): Promise<StoredDefinition<K> | null> {
    return (this.#byKind.get(kind)?.get(name) as StoredDefinition<K> | undefined) ?? null;
  }

  async all<K extends Kind>(kind: K): Promise<StoredDefinition<K>[]> {
    return this.#all(kind);
  }

  async forges(): Promise<{ name: string; use: ForgeUse }[]> {
    return this.#forges;
  }

  async secretUses(): Promise<ReadonlyMap<string, SecretUse>> {
    return this.#secretUses;
  }

  async syncedFrom(kind: Kind, name: string): Promise<SyncedFrom | null> {
    return this.#synced.get(`${kind}/${name}`) ?? null;
  }

  async textOf({ kind, metadata, revision }: StoredDefinition): Promise<string | null> {
    return this.#texts.get(`${kind}/${metadata.name}@${revision}`) ?? null;
  }

  /** What a source has now, and is there. */
  syncedBy(source: string): StoredDefinition[] {
    const all = [...this.#byKind.values()].flatMap((each) => [...each.values()]);
    return all.filter(({ kind, metadata }) => this.#synced.get(`${kind}/${metadata.name}`)?.source === source);
  }

  async known(): Promise<Known> {
    return (this.#known ??= knownAmong({
      environments: this.#all('Environment'),
      groups: this.#all('EnvironmentGroup'),
      workflows: this.#all('PromotionWorkflow'),
    }));
  }

  /** What it would be once it is saved. */
  put<K extends Kind>(definition: Definition<K>, before: StoredDefinition<K> | null): StoredDefinition<K> {
    const { kind, metadata } = definition;
    const last = before?.revision ?? this.#lastRevisions.get(`${kind}/${metadata.name}`) ?? 0;
    const now = this.#now;
    const stored = { ...definition, id: before?.id ?? '', revision: last + 1, createdAt: now, updatedAt: now };
    this.#byKind.get(kind)?.set(metadata.name, stored);
    if (NAMED_BY_FLOWS.has(kind)) this.#known = null;
    return stored;
  }

  /** Everything that carries all of these labels. */
  labelled(labels: Labels): StoredDefinition[] {
    const wanted = Object.entries(labels);
    return [...this.#byKind.values()]
      .flatMap((each) => [...each.values()])
      .filter(({ metadata }) =>
        wanted.every(([key, value]) => Object.hasOwn(metadata.labels, key) && metadata.labels[key] === value),
      );
  }

  /** As if it were deleted. */
  remove({ kind, metadata }: StoredDefinition): void {
    this.#byKind.get(kind)?.delete(metadata.name);
    if (NAMED_BY_FLOWS.has(kind)) this.#known = null;
  }

  #all<K extends Kind>(kind: K): StoredDefinition<K>[] {
    return [...(this.#byKind.get(kind)?.values() ?? [])] as StoredDefinition<K>[];
  }
}

const NAMED_BY_FLOWS: ReadonlySet<Kind> = new Set<Kind>(['Environment', 'EnvironmentGroup', 'PromotionWorkflow']);
