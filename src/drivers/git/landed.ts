import { PermanentError } from '../driver.ts';
import type { Landing, PinnedContent, WayBack } from '../driver.ts';
import { pathsOf } from './changes.ts';
import { driftFrom } from './drift.ts';
import type { CommitFacts } from './history.ts';
import { becameSo, factsOf, shown } from './history.ts';
import type { Mirror } from './mirror.ts';
import { holdsAt } from './proof.ts';
import type { Search } from './proof.ts';
import { restoringChanges } from './restore.ts';

/** So many commits of the branch that touched the content are looked at, the oldest first. */
const MOST_STEPS = 500;

/**
 * Whether the branch holds the content, and the commit of the branch itself at which it came to do so. Squash, rebase, merge queue and
 * "update branch" make other commits than the one that was proposed, with other messages: so the content is asked about, and nothing
 * else. What later commits of the branch did to it changes nothing: it was there.
 *
 * A rollback also takes away what was added since. Where that is all that it does the content was there before, and says nothing: then
 * its merge is asked about, and what is left.
 *
 * @param about `since`: the commit of the branch for which it was proposed: only later ones can have brought it
 */
export async function landed(
  search: Search,
  content: PinnedContent,
  about: { since?: string; contains?: string; back?: WayBack },
  signal: AbortSignal,
): Promise<Landing> {
  const { mirror, head, folder } = search;
  const { since, contains, back } = about;
  const holds = (commit: string): Promise<boolean> => holdsAt(mirror, commit, folder, content, signal);
  const paths = pathsOf(folder, content);
  const drift = await driftFrom(mirror, head, folder, [content], signal);
  const contained = contains === undefined ? null : (await isPartOf(mirror, contains, head, signal)) === true;
  // After a push with force the branch has no such commit any more, and the copy here may have it still.
  const within = since === undefined ? null : await isPartOf(mirror, since, head, signal);
  const held = within === null ? null : await holds(since!);
  const isMore =
    back !== undefined && held === true && (await leaves({ ...search, head: since! }, content, back, signal));
  const left = back !== undefined && (await leaves(search, content, back, signal));
  const found = async (): Promise<CommitFacts | false | undefined> => {
    if (isMore && contained !== null) return contained && factsOf(mirror, contains!, signal);
    if (isMore && left) return undefined;
    if (within === true && held === false) return firstAfter(mirror, since!, head, paths, holds, signal);
    return drift === null && becameSo(mirror, head, paths, holds, signal);
  };
  const facts = await found();
  const before = held === null ? null : held && !isMore;
  return {
    head,
    contains: contained,
    before,
    drift,
    ...(back && { left }),
    ...(facts && { effect: { ...shown(facts), changed: !before } }),
  };
}

/** Whether a rollback would change something there. */
async function leaves(
  search: Search,
  content: PinnedContent,
  { undo, ...of }: WayBack,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return (await restoringChanges(search, content, undo, { ...of, signal })).length > 0;
  } catch (error) {
    if (error instanceof PermanentError) return true;
    throw error;
  }
}

/** Of the commits of the branch itself (what a merge brought counts as the merge): the first one that holds it. */
async function firstAfter(
  mirror: Mirror,
  since: string,
  head: string,
  paths: string[],
  holds: (commit: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<CommitFacts | undefined> {
  const range = ['log', '--first-parent', '--reverse', '--format=%H', `${since}..${head}`, '--', ...paths];
  const commits = (await mirror.ask(range, signal)).toString('latin1').split('\n').filter(Boolean);
  // Where it is at the head, and very many touched it, it is enough to know that it is there.
  for (const each of commits.slice(0, MOST_STEPS)) if (await holds(each)) return factsOf(mirror, each, signal);
  return commits.length > MOST_STEPS && (await holds(head)) ? becameSo(mirror, head, paths, holds, signal) : undefined;
}

/** Null: the commit is not known here. */
async function isPartOf(mirror: Mirror, commit: string, head: string, signal: AbortSignal): Promise<boolean | null> {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const { code } = await mirror.run(['merge-base', '--is-ancestor', commit, head], signal);
  return code === 0 ? true : code === 1 ? false : null;
}
