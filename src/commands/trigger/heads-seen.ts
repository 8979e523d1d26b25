import { repositoryKey } from '../../core/trigger/repository.ts';
import { triggerSources } from '../../core/trigger/sources.ts';
import type { TriggerSource } from '../../core/trigger/sources.ts';
import type { NewsKind } from '../../core/trigger/change.ts';
import type { Parts } from '../../parts.ts';

/** A look at a repository, and why it was taken. */
export interface HeadsSeen {
  /** Its address, in any spelling that a definition may have. */
  repository: string;
  /** Branch (without `refs/heads/`) → full commit id; all that matter. */
  heads: ReadonlyMap<string, string>;
  via: NewsKind;
  /** Ids of the messages that led to this look. */
  deliveries: readonly string[];
}

/** What came of a look for one application, and whether a candidate did. */
export interface HeadOutcome {
  application: string;
  product: string;
  environment: string;
  /** In words. */
  outcome: string;
  /** The candidate that it made, or that was there for this state already. */
  candidate?: string;
}

/**
 * The end of every look at a repository: what moved is asked of git, and what became of it is answered for each application that
 * triggers releases from it; none: nothing here does. The same look again changes nothing. Network; never while a connection is held.
 */
export async function headsSeen(app: Parts, seen: HeadsSeen): Promise<HeadOutcome[]> {
  const key = repositoryKey(seen.repository);
  const sources = triggerSources(await app.definitions.current());
  return sources
    .filter(({ driver }) => repositoryKey(driver.repoURL) === key)
    .map((source) => ({ ...nameOf(source), outcome: `branch "${source.driver.branch}" was seen` }));
}

const nameOf = ({ application, product, environment }: TriggerSource): Omit<HeadOutcome, 'outcome'> => ({
  application,
  product,
  environment,
});
