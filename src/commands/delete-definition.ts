import type { Parts } from '../parts.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import { getDefinition, lockDefinitions, removeDefinition, settleDefinitions } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import { checkDependents } from './check-references.ts';
import { storedDefinitions } from './definition-draft.ts';
import { reconsiderReleases } from './reconsider.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import { auditOfDefinitions, refuseConflict } from './save-definition.ts';

/** Deletes what nothing else names. Releases that run keep what they froze. */
export async function deleteDefinition<K extends Kind>(
  app: Parts,
  kind: K,
  name: string,
  options: { expectedRevision?: number; actor: string | null },
): Promise<Result<StoredDefinition<K>>> {
  const result = await refusable(() =>
    app.dataSource.transaction(async (manager) => {
      await lockDefinitions(manager);
      const before = await getDefinition(manager, kind, name);
      if (!before) throw new RefusedError([refusal('NOT_FOUND', `there is no ${kind} "${name}"`, ['name'])]);
      refuseConflict(before, kind, name, options.expectedRevision);
      const used = await checkDependents(storedDefinitions(manager), kind, name);
      if (used.length > 0) throw new RefusedError(used);
      await removeDefinition(manager, before, options.actor, app.clock.now());
      await auditChange(manager, auditOfDefinitions([{ before, stored: null }]));
      await settleDefinitions(manager, [kind]);
      return before;
    }),
  );
  if (result.value) reconsiderReleases(app, [kind]);
  return result;
}
