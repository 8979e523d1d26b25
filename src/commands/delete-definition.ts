import type { EntityManager } from 'typeorm';
import type { Parts } from '../parts.ts';
import { KINDS } from '../core/definitions.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { clientOf } from '../entities/data-source.ts';
import { getDefinition, lockDefinitions, removeDefinition, settleDefinitions } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import { checkRemoval } from './check-references.ts';
import { DefinitionDraft, storedDefinitions } from './definition-draft.ts';
import { reconsiderReleases } from './reconsider.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import { auditOfDefinitions, refuseConflict } from './save-definition.ts';

/**
 * Deletes what nothing else names. Releases that run keep what they froze. `prune`: of a git source also all that it brought, which
 * otherwise stays.
 */
export async function deleteDefinition<K extends Kind>(
  app: Parts,
  kind: K,
  name: string,
  { expectedRevision, actor, prune = false }: { expectedRevision?: number; actor: string | null; prune?: boolean },
): Promise<Result<StoredDefinition<K>>> {
  const kinds: Kind[] = [];
  const result = await refusable(() =>
    app.dataSource.transaction(async (manager) => {
      await lockDefinitions(manager);
      const before = await getDefinition(manager, kind, name);
      if (!before) throw new RefusedError([refusal('NOT_FOUND', `there is no ${kind} "${name}"`, ['name'])]);
      refuseConflict(before, kind, name, expectedRevision);
      const brought = prune ? await broughtBy(manager, name, app.clock.now()) : [];
      const against = await checkRemoval(storedDefinitions(manager), before, null);
      if (against.length > 0) throw new RefusedError(against);
      const gone = [...brought, before];
      for (const each of gone) await removeDefinition(manager, each, actor, app.clock.now());
      kinds.push(...gone.map((each) => each.kind));
      await auditChange(manager, auditOfDefinitions(gone.map((each) => ({ before: each, stored: null }))));
      await settleDefinitions(manager, kinds);
      return before;
    }),
  );
  if (result.value) reconsiderReleases(app, kinds);
  return result;
}

/** What a source has, in the order in which it is deleted. @throws RefusedError when something else still names it */
async function broughtBy(manager: EntityManager, source: string, now: Date): Promise<StoredDefinition[]> {
  const draft = await DefinitionDraft.read(await clientOf(manager), [], now);
  const brought = draft.syncedBy(source).sort((a, b) => KINDS.indexOf(b.kind) - KINDS.indexOf(a.kind));
  brought.forEach((each) => draft.remove(each));
  const against: Refusal[] = [];
  for (const each of brought) against.push(...(await checkRemoval(draft, each, source)));
  if (against.length > 0) throw new RefusedError(against.map((each) => ({ ...each, path: ['prune'] })));
  return brought;
}
