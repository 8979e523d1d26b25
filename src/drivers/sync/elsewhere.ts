import type { SyncContext } from './source.ts';

/**
 * A target that names another commit than the change's: it runs the change all the same when that commit contains it, as the head of a
 * repository does that several environments share. Null: it runs the change. Otherwise what is known of that commit, as a part of a sentence.
 */
export async function lookElsewhere(revision: string | undefined, { contains }: SyncContext): Promise<string | null> {
  if (revision === undefined || !/^[0-9a-f]{7,64}$/i.test(revision)) return '';
  const answer = await contains(revision);
  if (answer?.kind === 'HOLDS') return null;
  if (answer?.kind !== 'OTHER') return '';
  return `, where ${answer.files.slice(0, 3).join(', ')} no longer holds what was promoted`;
}
