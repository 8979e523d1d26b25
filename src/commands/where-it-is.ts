import { movedAddress } from '../core/forges.ts';
import { PermanentError } from '../drivers/driver.ts';
import type { Forge } from '../drivers/forge/forge.ts';
import { RepositoryMoved } from '../drivers/forge/forge.ts';
import type { Parts } from '../parts.ts';

/**
 * Ends what was begun in a repository, at its new address when its host says that it was renamed or transferred. Nothing new is begun at an
 * address that no definition names; but a pull request that stayed open there could still be merged. The new address is reached with
 * what its own secrets allow, and no redirect is followed.
 *
 * @param repository as definitions have it
 * @param work done once more, from its beginning, with the new address
 * @throws PermanentError where no secret is for the address, before or after
 */
export async function whereItIs<T>(
  { drivers }: Pick<Parts, 'drivers'>,
  repository: string,
  work: (forge: Forge, repository: string) => Promise<T>,
): Promise<T> {
  const forge = await drivers.forge(repository);
  if (!forge) throw new PermanentError(`no secret is for the pull requests of ${repository} any more: store one`);
  try {
    return await work(forge, repository);
  } catch (error) {
    if (!(error instanceof RepositoryMoved) || error.to === undefined) throw error;
    const now = movedAddress(repository, error.from, error.to);
    const there = await drivers.forge(now);
    if (!there)
      throw new PermanentError(
        `${repository} has moved to ${now}, and no secret is for the pull requests there: store one`,
      );
    return work(there, now);
  }
}
