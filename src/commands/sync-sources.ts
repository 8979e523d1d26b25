import type { StoredDefinition } from '../core/definitions.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import type { Parts } from '../parts.ts';
import { inWords, syncSource } from './sync-source.ts';
import type { SyncOutcome } from './sync-source.ts';

/** What came of a look at a repository for one of the git sources in it. */
export interface SourceOutcome {
  source: string;
  /** In words. */
  outcome: string;
  /** The repository could not be read, and may be soon. */
  unread?: { retryAfter?: number | undefined };
}

/** The end of a look at a repository: each git source in it is synced. Network; never while a connection is held. */
export async function syncSourcesOf(
  app: Parts,
  { repository, heads }: { repository: string; heads: ReadonlyMap<string, string> },
  signal: AbortSignal,
): Promise<SourceOutcome[]> {
  const { sources } = await app.definitions.current();
  const outcomes: SourceOutcome[] = [];
  for (const { metadata, spec } of sources.filter((each) => isIn(each, repository))) {
    const source = metadata.name;
    // A branch that is not there is told by the one who reads it.
    const synced = await syncSource(app, source, heads.get(spec.branch), signal).catch((error: unknown) => {
      signal.throwIfAborted();
      app.log.warn({ error, source }, 'the sync of a git source broke off');
      return null;
    });
    if (synced === null) outcomes.push({ source, outcome: 'the sync broke off', unread: {} });
    else outcomes.push({ source, outcome: told(synced), ...(synced.unread && { unread: synced.unread }) });
  }
  return outcomes;
}

/** In any spelling of its address. */
export const isIn = ({ spec }: StoredDefinition<'GitSource'>, repository: string): boolean =>
  repositoryKey(spec.repoURL) === repositoryKey(repository);

function told({ kind, commit, changed, errors }: SyncOutcome): string {
  const at = commit === undefined ? '' : ` at ${commit.slice(0, 10)}`;
  if (kind === 'GONE') return 'it is gone';
  if (kind === 'AS_IT_WAS') return `synced${at} before`;
  if (kind === 'SYNCED') return `synced${at}: ${changed === 0 ? 'nothing' : changed} changed`;
  const more = errors.length > 1 ? ` and ${errors.length - 1} more` : '';
  return `not synced${at}: ${inWords(errors[0]!)}${more}`;
}
