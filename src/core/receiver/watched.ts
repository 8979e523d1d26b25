import { repositoryKey } from '../trigger/repository.ts';
import type { TriggerSource } from '../trigger/sources.ts';
import { hostOf } from './repository.ts';

/** A repository and the branches that matter of it, sorted. `intervalMs`: the shortest that is asked for. */
export interface WatchedRepository {
  /** As the first of its definitions spells it. */
  repository: string;
  host: string;
  branches: string[];
  intervalMs: number;
}

/** A branch that matters although no application triggers from it: a pull request is to be merged into it. */
export interface AwaitedBranch {
  repository: string;
  branch: string;
}

/** Each repository once, whatever its spellings; the same protocol and login, as another one may see something else. */
export function watchedRepositories(
  sources: readonly Pick<TriggerSource, 'driver' | 'interval'>[],
  awaited: readonly AwaitedBranch[],
): WatchedRepository[] {
  const found = new Map<string, { repository: string; branches: Set<string>; intervalMs: number }>();
  const add = (repository: string, branch: string, intervalMs: number): void => {
    const key = repositoryKey(repository);
    const known = found.get(key) ?? { repository, branches: new Set(), intervalMs };
    if (repository < known.repository) known.repository = repository;
    known.intervalMs = Math.min(known.intervalMs, intervalMs);
    known.branches.add(branch);
    found.set(key, known);
  };
  for (const { driver, interval } of sources) add(driver.repoURL, driver.branch, interval);
  for (const { repository, branch } of awaited) add(repository, branch, AWAITED_INTERVAL);
  return [...found.values()].map(({ repository, branches, intervalMs }) => ({
    repository,
    host: hostOf(repository),
    branches: [...branches].sort(),
    intervalMs,
  }));
}

/** In milliseconds. */
const AWAITED_INTERVAL = 60_000;
