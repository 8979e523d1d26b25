import type { App } from '../app.ts';
import { KINDS } from '../core/definitions.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { RefusedError } from '../core/problems.ts';
import { diffManifests, parseManifests } from '../manifests/index.ts';
import type { ManifestError, ParsedManifest } from '../manifests/index.ts';
import { lockDefinitions } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import { reconsiderReleases } from './reconsider.ts';
import { auditOfDefinitions, saveInTransaction } from './save-definition.ts';

type Parts = Pick<App, 'dataSource' | 'pool' | 'mover' | 'limits' | 'log'>;

export interface AppliedChange {
  kind: Kind;
  name: string;
  change: 'CREATED' | 'UPDATED' | 'UNCHANGED';
  /** A unified diff of the manifest as it was and as it is now; absent when nothing changed. */
  diff?: string;
  revision: number;
}

export interface ApplyInput {
  text: string;
  fileName?: string;
  /** Says what would change and changes nothing. */
  dryRun: boolean;
}

/**
 * Applies manifests, all of them or none: what they refer to may be in the same input, in any order. Errors name file,
 * line and column. A dry run does the same in a transaction that is thrown away.
 */
export async function applyManifests(
  app: Parts,
  { text, fileName, dryRun }: ApplyInput,
  actor: string | null,
): Promise<{ changes: AppliedChange[]; errors: ManifestError[] }> {
  const { definitions, errors } = parseManifests(text, { fileName });
  if (errors.length > 0) return { changes: [], errors };
  const ordered = [...definitions].sort((a, b) => KINDS.indexOf(a.definition.kind) - KINDS.indexOf(b.definition.kind));
  const outcome: { changes: AppliedChange[]; errors: ManifestError[] } = { changes: [], errors: [] };
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
          outcome.errors.push(...placed(manifest, error));
        }
      }
      if (dryRun || outcome.errors.length > 0) throw new Undone();
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
  return outcome.errors.length > 0 ? { changes: [], errors: outcome.errors } : outcome;
}

/** Ends a transaction that must leave nothing behind. */
class Undone extends Error {}

function placed({ file, document, positionOf }: ParsedManifest, { refusals }: RefusedError): ManifestError[] {
  return refusals.map(({ message, path }) => ({ file, document, path, message, ...positionOf(path) }));
}
