import type { EntityManager } from 'typeorm';
import type { Parts } from '../parts.ts';
import type { Definition, Kind, StoredDefinition } from '../core/definitions.ts';
import { refuseSynced } from '../core/git-source.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { checkSecretUses, secretsSentBy } from '../core/validate/secret-uses.ts';
import { exportManifest, sameDefinition, sameWords } from '../manifests/index.ts';
import { getDefinitionById, lockDefinitions, settleDefinitions, writeDefinition } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import type { AuditChange } from './audit.ts';
import { checkPullRequests } from './check-pull-requests.ts';
import { checkReferences, checkWhole } from './check-references.ts';
import type { Definitions } from './check-references.ts';
import { storedDefinitions } from './definition-draft.ts';
import { onceIn } from './idempotency.ts';
import { reconsiderReleases } from './reconsider.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';

/** How a definition is saved, and by whom. */
export interface SaveOptions {
  mode: 'CREATE' | 'UPDATE' | 'UPSERT';
  /** The revision that the caller has seen; another one is a conflict. */
  expectedRevision?: number;
  idempotencyKey?: string;
  /** The text that the definition was written as; null: it has none from now on. Absent: an unchanged definition keeps its text. */
  text?: string | null | undefined;
  actor: string | null;
}

/** How a save is considered. `source`: the git source that makes it; absent for a caller. */
interface Considering extends Pick<SaveOptions, 'mode' | 'text'> {
  expectedRevision?: number | undefined;
  source?: string | undefined;
}

/** Creates a definition or saves a new revision of it. What is the same as before, also in its text, makes no revision. */
export async function saveDefinition<K extends Kind>(
  app: Parts,
  definition: Definition<K>,
  options: SaveOptions,
): Promise<Result<StoredDefinition<K>>> {
  const result = await refusable(() =>
    app.dataSource.transaction(async (manager) => {
      await lockDefinitions(manager);
      const { idempotencyKey: key } = options;
      const save = async (): Promise<string> => {
        const saved = await saveInTransaction(manager, definition, options);
        if (saved.change !== 'UNCHANGED') {
          await auditChange(manager, auditOfDefinitions([saved]));
          await settleDefinitions(manager, [definition.kind]);
        }
        return saved.stored.id;
      };
      const id = await onceIn(
        manager,
        { by: options.actor, operation: `save${definition.kind}`, key, input: definition },
        save,
      );
      const stored = await getDefinitionById(manager, definition.kind, id);
      if (stored === null) throw new RefusedError([deletedSince(definition)]);
      return stored;
    }),
  );
  if (result.value) reconsiderReleases(app, [definition.kind]);
  return result;
}

/** A repetition does not make again what was deleted after its first call. */
function deletedSince({ kind, metadata }: Definition): Refusal {
  const message = `${kind} "${metadata.name}" was saved with this idempotency key, and deleted since: take a new key to save it again`;
  return refusal('NOT_FOUND', message, ['idempotencyKey']);
}

/** A definition before it is saved, and whether saving it changes anything. */
export interface Considered<K extends Kind> {
  before: StoredDefinition<K> | null;
  change: 'CREATED' | 'UPDATED' | 'UNCHANGED';
}

/** A definition as it is stored now, and what saving it has changed. */
export interface Saved<K extends Kind> extends Considered<K> {
  stored: StoredDefinition<K>;
}

/** The caller holds the definitions' lock. @throws RefusedError */
export async function saveInTransaction<K extends Kind>(
  manager: EntityManager,
  definition: Definition<K>,
  options: SaveOptions,
): Promise<Saved<K>> {
  const { before, change } = await considerSave(storedDefinitions(manager), definition, options);
  if (before && change === 'UNCHANGED') return { stored: before, before, change };
  return {
    stored: await writeDefinition(manager, definition, before, options.actor, options.text ?? null),
    before,
    change,
  };
}

/** What saving it would come to; writes nothing. The caller holds the definitions' lock, or only asks. @throws RefusedError */
export async function considerSave<K extends Kind>(
  among: Definitions,
  definition: Definition<K>,
  { mode, expectedRevision, source, text }: Considering,
): Promise<Considered<K>> {
  const { kind } = definition;
  const { name } = definition.metadata;
  const wrong = await checkWhole(among, definition);
  if (wrong.length > 0) throw new RefusedError(wrong);
  const before = await among.get(kind, name);
  if (before && mode === 'CREATE') {
    throw new RefusedError([refusal('ALREADY_EXISTS', `there is a ${kind} "${name}" already`, ['metadata', 'name'])]);
  }
  if (!before && mode === 'UPDATE')
    throw new RefusedError([refusal('NOT_FOUND', `there is no ${kind} "${name}"`, ['metadata', 'name'])]);
  refuseConflict(before, kind, name, expectedRevision);
  const unfitting = await checkAmong(among, definition);
  if (unfitting.length > 0) throw new RefusedError(unfitting);
  const isSame = before !== null && sameDefinition(before, definition);
  const from = isSame && text === undefined && source === undefined ? null : await among.syncedFrom(kind, name);
  // A synced definition has its text in its repository.
  const isReworded =
    isSame &&
    text !== undefined &&
    from === null &&
    saysOtherwise(before, await among.textOf(before), text, expectedRevision !== undefined);
  const change = before ? (isSame && !isReworded ? 'UNCHANGED' : 'UPDATED') : 'CREATED';
  if (change === 'UNCHANGED' && source === undefined) return { before, change };
  const synced = refuseSynced(from, { kind, name }, source ?? null, ['metadata', 'name']);
  if (synced.length > 0) throw new RefusedError(synced);
  return { before, change };
}

/**
 * Whether a text of the same definition differs from the kept one, so that it makes a revision. A printed manifest, as `exportManifest` writes it, replaces
 * the text of a person only when the caller has seen that revision.
 * @param kept null: there is none, which counts as the printed manifest; so for `text`
 */
export function saysOtherwise(
  definition: Definition,
  kept: string | null,
  text: string | null,
  isSeen: boolean,
): boolean {
  if (text === kept) return false;
  const plain = exportManifest(definition);
  const [before, after] = [kept ?? plain, text ?? plain];
  return !sameWords(before, after) && (isSeen || !sameWords(after, plain));
}

/** What keeps a definition that is right by itself from being saved among the others: the first kind of fault that it has. */
export async function checkAmong(among: Definitions, definition: Definition): Promise<Refusal[]> {
  const dangling = await checkReferences(among, definition);
  if (dangling.length > 0) return dangling;
  const unproposable = await checkPullRequests(among, definition);
  if (unproposable.length > 0) return unproposable;
  return checkSecretUses(definition, await among.secretUses(secretsSentBy(definition)));
}

type Change = { before: StoredDefinition | null; stored: StoredDefinition | null };

/** Definitions before and after, for the audit log: a list of them, or a single one by itself. */
export function auditOfDefinitions(changes: readonly Change[]): AuditChange {
  const shown = (each: StoredDefinition | null): object | null =>
    each && { metadata: each.metadata, spec: each.spec, revision: each.revision };
  const objects = changes.map(({ before, stored }) => {
    const { kind, metadata } = (stored ?? before) as StoredDefinition;
    return { kind, name: metadata.name };
  });
  const list = (side: (StoredDefinition | null)[]): unknown => (side.length === 1 ? shown(side[0]!) : side.map(shown));
  return { before: list(changes.map((each) => each.before)), after: list(changes.map((each) => each.stored)), objects };
}

/** Two editors: the second one is told the revision that he has not seen. */
export function conflictWith(
  before: StoredDefinition | null,
  kind: Kind,
  name: string,
  expected: number | undefined,
): Refusal | null {
  const current = before?.revision ?? 0;
  if (expected === undefined || expected === current) return null;
  const message = `${kind} "${name}" is at revision ${current}, not ${expected}: read it again and repeat the change`;
  return refusal('CONFLICT', message, ['expectedRevision']);
}

/** The same, where a transaction ends by it. @throws RefusedError */
export function refuseConflict(...asked: Parameters<typeof conflictWith>): void {
  const conflict = conflictWith(...asked);
  if (conflict) throw new RefusedError([conflict]);
}
