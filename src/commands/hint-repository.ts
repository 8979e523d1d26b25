import { repositoryKey } from '../core/trigger/repository.ts';
import type { NewsKind } from '../core/trigger/change.ts';
import type { Parts } from '../parts.ts';
import { addHints, watchedNames } from '../store/news.ts';

/** Makes a look at a repository due, however its address is spelled here. One that is not watched is left alone. */
export async function hintRepository(
  { pool }: Pick<Parts, 'pool'>,
  repoURL: string,
  { via, branch }: { via: NewsKind; branch?: string },
): Promise<void> {
  const key = repositoryKey(repoURL);
  const spelled = (await watchedNames(pool)).filter(({ repository }) => repositoryKey(repository) === key);
  await addHints(
    pool,
    spelled.map(({ repository }) => ({ repository, kind: 'PUSH', via, ...(branch !== undefined && { ref: branch }) })),
  );
}
