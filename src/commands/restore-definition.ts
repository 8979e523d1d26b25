import type { Definition, Kind, StoredDefinition } from '../core/definitions.ts';
import { refusal } from '../core/problems.ts';
import type { Parts } from '../parts.ts';
import { readRevisions, readTexts } from '../store/definition-reads.ts';
import type { Result } from './result.ts';
import { saveDefinition } from './save-definition.ts';

/**
 * Saves a definition as it was at a revision, as a new one; also one that was deleted since. It is checked like every save: what it names can be
 * gone meanwhile. It gets the text of that revision. @param expectedRevision the newest one that the caller has seen; 0: it is deleted
 */
export async function restoreDefinition(
  app: Parts,
  { kind, name, revision, expectedRevision }: { kind: Kind; name: string; revision: number; expectedRevision: number },
  actor: string | null,
): Promise<Result<StoredDefinition>> {
  const key = { kind, name, revision };
  const [then] = await readRevisions(app.dataSource, [key]);
  const [text = null] = await readTexts(app.dataSource, [key]);
  if (!then) {
    const message = `${kind} "${name}" was not saved as revision ${revision}: its \`revisions\` lists those that can be restored`;
    return { refusals: [refusal('NOT_FOUND', message, ['revision'])] };
  }
  const { metadata, spec } = then;
  const { labels, annotations } = metadata;
  const definition = { kind, metadata: { name, labels, annotations }, spec } as Definition;
  return saveDefinition(app, definition, { mode: 'UPSERT', expectedRevision, actor, text });
}
