import { PermanentError } from '../driver.ts';
import type { Call, MergeAnswer, PullRequestSeen, StatusState } from './forge.ts';

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

/** A red status has a lane of its own. */
export const laneOf = (state: StatusState, call: Call): Call => ({
  ...call,
  urgent: call.urgent === true || state === 'FAILURE' || state === 'ERROR',
});

/** `1 approving review`. */
export const needsReviews = (base: string, count: number): string =>
  `${base} takes a pull request only after ${count} approving review${count === 1 ? '' : 's'}`;
