import type { Parts } from '../parts.ts';
import type { Definition, Kind, StoredDefinition } from '../core/definitions.ts';
import { refusal } from '../core/problems.ts';
import { getDefinition } from '../store/definitions.ts';
import type { Result } from './result.ts';
import { conflictWith, saveDefinition } from './save-definition.ts';

const MAX_TRIES = 10;

/**
 * Reads a definition, changes it, and saves it only when no other save came in between; without `expectedRevision` the
 * change is then made again, on the newer one. `change` may be called several times.
 */
export async function changeDefinition<K extends Kind>(
  app: Parts,
  kind: K,
  name: string,
  change: (before: StoredDefinition<K>) => Promise<Result<Definition<K>>> | Result<Definition<K>>,
  { expectedRevision, actor }: { expectedRevision?: number; actor: string | null },
): Promise<Result<StoredDefinition<K>>> {
  for (let tries = 1; ; tries += 1) {
    const before = await getDefinition(app.dataSource, kind, name);
    if (!before) return { refusals: [refusal('NOT_FOUND', `there is no ${kind} "${name}"`, ['name'])] };
    // What is wrong with a change of another revision says nothing about the one that the caller has seen.
    const conflict = conflictWith(before, kind, name, expectedRevision);
    if (conflict) return { refusals: [conflict] };
    const changed = await change(before);
    if (changed.refusals) return changed;
    const options = { mode: 'UPDATE' as const, expectedRevision: expectedRevision ?? before.revision, actor };
    const saved = await saveDefinition(app, changed.value, options);
    const overtaken = saved.refusals?.[0]?.code === 'CONFLICT' && expectedRevision === undefined;
    if (!overtaken || tries >= MAX_TRIES) return saved;
  }
}
