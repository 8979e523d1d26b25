import type { Pool, PoolClient } from 'pg';
import type { EntityManager } from 'typeorm';
import { KINDS } from '../core/definitions.ts';
import type { Definition, Kind, StoredDefinition } from '../core/definitions.ts';
import { RefusedError } from '../core/problems.ts';
import type { RefusalCode } from '../core/problems.ts';
import { isKeptAsText } from '../manifests/index.ts';
import type { ManifestPlace, PlainManifests } from '../manifests/index.ts';
import { removeDefinition, settleDefinitions, writeDefinition } from '../store/definitions.ts';
import type { AuditChange } from './audit.ts';
import { checkRemoval } from './check-references.ts';
import { DefinitionDraft } from './definition-draft.ts';
import { auditOfDefinitions, conflictWith, considerSave } from './save-definition.ts';
import type { Considered } from './save-definition.ts';

/** Manifests as they are read, of one text or of many files. */
export type Manifests = PlainManifests['definitions'];

/** What nothing names that comes later; what one text or folder holds may stand in any order. */
export const inOrder = (manifests: Manifests): Manifests =>
  manifests.toSorted((a, b) => KINDS.indexOf(a.definition.kind) - KINDS.indexOf(b.definition.kind));

/** What is applied with the manifests, and for whom. */
export interface Applying {
  /** What is deleted where the manifests do not hold it; null: nothing. */
  prune: ((draft: DefinitionDraft) => StoredDefinition[]) | null;
  /** The git source that they come from; absent for a caller. */
  source?: string;
  /** The revisions that the caller has seen: another one is a conflict. 0: there was none. */
  expected?: readonly ExpectedRevision[];
}

/** A definition of the manifests, at the revision at which the caller has seen it. */
export interface ExpectedRevision {
  kind: Kind;
  name: string;
  revision: number;
}

/** What manifests would change. */
export interface Considering {
  saves: Save[];
  /** In the order in which they are deleted: what names others goes before them. */
  removals: StoredDefinition[];
}

/** A definition that is saved. */
export interface Save extends Considered<Kind> {
  /** As it is to be saved; when it is unchanged, as it is. */
  stored: StoredDefinition;
  /** The text that it was written as; null: none is kept. */
  text: string | null;
}

/** Whether it makes a revision. */
export const isChange = ({ change }: Save): boolean => change !== 'UNCHANGED';
/** For `reconsiderReleases`. */
export const kindsChanged = ({ saves, removals }: Considering): Kind[] =>
  [...saves.filter(isChange).map(({ stored }) => stored), ...removals].map(({ kind }) => kind);

/**
 * What each of them would come to, with those before it; they are in order. Writes nothing: the caller holds the definitions' lock, or only
 * asks.
 */
export async function considerManifests(
  client: Pool | PoolClient,
  manifests: Manifests,
  { prune, source, expected = [] }: Applying,
  now: Date,
): Promise<Considering & { refusals: Unplaced[]; draft: DefinitionDraft }> {
  const draft = await DefinitionDraft.read(
    client,
    manifests.map((each) => each.definition),
    now,
  );
  const seen = new Map(expected.map(({ kind, name, revision }) => [`${kind}/${name}`, revision]));
  const saves: Save[] = [];
  const refusals: Unplaced[] = [];
  for (const manifest of manifests) {
    const definition: Definition = manifest.definition;
    // A git source has the text in its repository.
    const text = source === undefined && isKeptAsText(definition.kind) ? manifest.text : undefined;
    try {
      const expectedRevision = seen.get(`${definition.kind}/${definition.metadata.name}`);
      const { before, change } = await considerSave(draft, definition, {
        mode: 'UPSERT',
        source,
        expectedRevision,
        text,
      });
      const stored = before && change === 'UNCHANGED' ? before : draft.put(definition, before);
      saves.push({ stored, before, change, text: text ?? null });
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      const { document, file } = manifest;
      refusals.push(...error.refusals.map(({ code, message, path }) => ({ file, document, code, message, path })));
      // It is there all the same for those that name it: one fault is told once. A group is asked for its members, and has none yet.
      if (definition.kind !== 'EnvironmentGroup')
        draft.put(definition, await draft.get(definition.kind, definition.metadata.name));
    }
  }
  const removals = prune ? await considerPruning(draft, manifests, prune(draft), { source, expected }, refusals) : [];
  return { saves, removals, refusals, draft };
}

/**
 * What is to be deleted, taken out of the draft; what others still name is refused, at the beginning of the manifests, and so is what the
 * caller has seen at another revision, or has seen and expects to be deleted when it is not.
 */
async function considerPruning(
  draft: DefinitionDraft,
  manifests: Manifests,
  prunable: StoredDefinition[],
  { source, expected }: { source: string | undefined; expected: readonly ExpectedRevision[] },
  refusals: Unplaced[],
): Promise<StoredDefinition[]> {
  const given = new Set(manifests.map(({ definition: { kind, metadata } }) => `${kind}/${metadata.name}`));
  const removals = prunable
    .filter(({ kind, metadata }) => !given.has(`${kind}/${metadata.name}`))
    .sort((a, b) => KINDS.indexOf(b.kind) - KINDS.indexOf(a.kind));
  const removed = new Set(removals.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  for (const { kind, name, revision } of expected) {
    if (given.has(`${kind}/${name}`)) continue;
    const conflict = conflictWith(await draft.get(kind, name), kind, name, revision);
    if (conflict) refusals.push(ofAll(conflict.message, conflict.code));
    else if (!removed.has(`${kind}/${name}`))
      refusals.push(
        ofAll(`the text has no ${kind} "${name}" and does not delete it, so no revision of it can be expected`),
      );
  }
  removals.forEach((each) => draft.remove(each));
  for (const removal of removals) {
    for (const { message } of await checkRemoval(draft, removal, source ?? null))
      refusals.push(ofAll(`the manifests do not hold it, so it is to be deleted, but ${message}`));
  }
  return removals;
}

/** What no part of the manifests says stands at their beginning. */
const ofAll = (message: string, code?: RefusalCode): Unplaced => ({
  file: undefined,
  document: 1,
  path: [],
  message,
  ...(code && { code }),
});

/** Writes what nothing was refused of, under the definitions' lock. `audit` is asked to write the entry, where anything changes. */
export async function writeConsidered(
  manager: EntityManager,
  considering: Considering,
  { actor, now, audit }: { actor: string | null; now: Date; audit: (change: AuditChange) => Promise<unknown> },
): Promise<void> {
  const changes = considering.saves.filter(isChange);
  const { removals } = considering;
  if (changes.length + removals.length === 0) return;
  const saved: { stored: StoredDefinition | null; before: StoredDefinition | null }[] = [];
  for (const { stored, before, text } of changes)
    saved.push({ stored: await writeDefinition(manager, stored, before, actor, text), before });
  for (const before of removals) {
    await removeDefinition(manager, before, actor, now);
    saved.push({ stored: null, before });
  }
  await audit(auditOfDefinitions(saved));
  await settleDefinitions(manager, kindsChanged(considering));
}

/** Why a manifest is refused; `file` undefined: of the one text that there is. */
export interface Unplaced extends ManifestPlace {
  file: string | undefined;
  message: string;
  /** INVALID when absent. */
  code?: RefusalCode;
}
