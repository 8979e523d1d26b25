import { PermanentError } from '../driver.ts';
import type { Call, MergeAnswer, PullRequestSeen, StatusState } from './forge.ts';
import type { OpenForge } from './open.ts';
import { quoteWords } from './refusals.ts';
import type { Said } from './refusals.ts';
import { markOf } from './text.ts';

/** Merged, with the commit where the host names one. */
export const merged = (commit: string | null | undefined): MergeAnswer => ({
  kind: 'MERGED',
  ...(commit != null && commit !== '' && { commit }),
});

/**
 * What there is to say without asking for the merge; undefined: ask.
 * @param called `pull request #7`
 * @throws PermanentError when it is closed, or has another head than the one that was judged.
 */
export function knownBefore(seen: PullRequestSeen, sha: string, called: string): MergeAnswer | undefined {
  const { state, mergeCommit, head } = seen;
  if (state === 'MERGED') return merged(mergeCommit);
  if (state === 'CLOSED') throw new PermanentError(`${called} is closed, and cannot be merged`);
  if (head.sha !== sha)
    throw new PermanentError(`${called} has another head: ${head.sha || 'none'}, and ${sha} was to be merged`);
  return undefined;
}

/**
 * What a refusal to merge comes to, of which the pull request itself tells more: it passes, or it never does.
 * @throws PermanentError when there are conflicts.
 */
export function afterRefusal(
  { mergeable, blocked }: PullRequestSeen,
  called: string,
  { status, words }: Pick<Said, 'status' | 'words'>,
): MergeAnswer {
  const why = blocked ?? quoteWords(words || String(status));
  if (mergeable !== 'NO') return { kind: 'NOT_YET', why };
  throw new PermanentError(`${called} cannot be merged: ${why}`);
}

/**
 * Edits the comment that holds the mark of `key`; one that cannot be edited is of a user who has copied the mark, or was deleted meanwhile.
 * @param edit answers the status of the host
 * @returns whether there is one that says `text`
 */
export async function editMarked(
  comments: readonly { id: number; body?: string }[],
  { key, text }: { key: string; text: string },
  edit: (id: number) => Promise<{ status: number }>,
): Promise<boolean> {
  for (const { id, body } of comments.filter((each) => each.body?.includes(markOf(key))))
    if (body === text || (await edit(id)).status === 200) return true;
  return false;
}

/** As GitHub and Gitea tell of a repository. */
export interface RepositoryRights {
  archived?: boolean;
  permissions?: { push?: boolean; admin?: boolean };
}

/** Why the secret cannot write to the repository at all; undefined: it can. */
export function whyNoPush(
  { archived, permissions }: RepositoryRights,
  { name, secret }: Pick<OpenForge, 'name' | 'secret'>,
): string | undefined {
  if (archived === true) return `the repository ${name} is archived`;
  return permissions?.push === false ? `secret "${secret}" may not push to ${name}` : undefined;
}

/** A reviewer as GitHub and Gitea are asked for one. */
export function reviewRequest(reviewer: string): { reviewers: string[] } | { team_reviewers: string[] } {
  const [, team] = /^team\/(.+)$/.exec(reviewer) ?? [];
  return team === undefined ? { reviewers: [reviewer] } : { team_reviewers: [team] };
}

/** A red status has a lane of its own. */
export const laneOf = (state: StatusState, call: Call): Call => ({
  ...call,
  urgent: call.urgent === true || state === 'FAILURE' || state === 'ERROR',
});

/** `1 approving review`. */
export const needsReviews = (base: string, count: number): string =>
  `${base} takes a pull request only after ${count} approving review${count === 1 ? '' : 's'}`;
