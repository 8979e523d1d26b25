import type { App } from '../app.ts';
import { KINDS } from '../core/definitions.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { RefusedError } from '../core/problems.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { ForeignText } from '../foreign/index.ts';
import { diffManifests } from '../manifests/index.ts';
import type { ManifestError, ManifestPlace, PlainManifests } from '../manifests/index.ts';
import { lockDefinitions } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import { reconsiderReleases } from './reconsider.ts';
import { auditOfDefinitions, saveInTransaction } from './save-definition.ts';

type Parts = Pick<App, 'dataSource' | 'pool' | 'mover' | 'limits' | 'log' | 'foreign'>;

export interface AppliedChange {
  kind: Kind;
  name: string;
  change: 'CREATED' | 'UPDATED' | 'UNCHANGED';
  /** A unified diff of the manifest as it was and as it is now; absent when nothing changed. */
  diff?: string;
  revision: number;
}

export interface ManifestText {
  text: string;
  fileName?: string;
}

export interface ApplyInput extends ManifestText {
  /** Says what would change and changes nothing. */
  dryRun: boolean;
}

/** What the text holds, read in a thread within limits; text that is too much for them is an error like any other. */
export async function readManifests(
  { foreign }: { foreign: ForeignText },
  { text, fileName }: ManifestText,
  actor: string | null,
): Promise<PlainManifests> {
  try {
    return await foreign.ask('parseManifests', { text, fileName }, asking(actor));
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof TransientError)) throw error;
    const { message } = error;
    return { definitions: [], errors: [{ file: fileName, document: 1, line: 1, column: 1, path: [], message }] };
  }
}

const asking = (actor: string | null) => ({ caller: `manifests of ${actor ?? 'anybody'}`, what: 'the manifests' });

/**
 * Applies manifests, all of them or none: what they refer to may be in the same input, in any order. Errors name file,
 * line and column. A dry run does the same in a transaction that is thrown away.
 * @param read the same text, where it was read before
 */
export async function applyManifests(
  app: Parts,
  { text, fileName, dryRun }: ApplyInput,
  actor: string | null,
  read?: PlainManifests,
): Promise<{ changes: AppliedChange[]; errors: ManifestError[] }> {
  const { definitions, errors } = read ?? (await readManifests(app, { text, fileName }, actor));
  if (errors.length > 0) return { changes: [], errors };
  const ordered = [...definitions].sort((a, b) => KINDS.indexOf(a.definition.kind) - KINDS.indexOf(b.definition.kind));
  const outcome: { changes: AppliedChange[] } = { changes: [] };
  const refusals: Unplaced[] = [];
  try {
    await app.dataSource.transaction(async (manager) => {
      await lockDefinitions(manager);
      const saved: { stored: StoredDefinition; before: StoredDefinition | null }[] = [];
      for (const manifest of ordered) {
        try {
          const { definition } = manifest;
          const { stored, before, change } = await saveInTransaction(manager, definition, { mode: 'UPSERT', actor });
          const { kind, metadata, revision } = stored;
          if (change !== 'UNCHANGED') saved.push({ stored, before });
          const diff = change === 'UNCHANGED' ? undefined : diffManifests(before ?? undefined, stored);
          outcome.changes.push({ kind, name: metadata.name, change, diff, revision });
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          const { document } = manifest;
          refusals.push(...error.refusals.map(({ message, path }) => ({ document, message, path })));
        }
      }
      if (dryRun || refusals.length > 0) throw new Undone();
      if (saved.length > 0) await auditChange(manager, auditOfDefinitions(saved));
    });
  } catch (error) {
    if (!(error instanceof Undone)) throw error;
  }
  if (!dryRun) {
    const changed = outcome.changes.filter((each) => each.change !== 'UNCHANGED');
    reconsiderReleases(
      app,
      changed.map((each) => each.kind),
    );
  }
  if (refusals.length === 0) return { ...outcome, errors: [] };
  const positions = await app.foreign.ask('placesIn', { text, places: refusals }, asking(actor));
  const placed = refusals.map((each, at) => ({ file: fileName, ...each, ...positions[at]! }));
  return { changes: [], errors: placed };
}

/** Ends a transaction that must leave nothing behind. */
class Undone extends Error {}

interface Unplaced extends ManifestPlace {
  message: string;
}
