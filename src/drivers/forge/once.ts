import type { ForgeKind } from '../../core/forges.ts';
import { PermanentError } from '../driver.ts';
import type { KeyedComment, MergeAnswer, PullRequestOpened, PullRequestSeen } from './forge.ts';
import { MOST_PAGES } from './pages.ts';
import { meaningOf, quoteWords } from './refusals.ts';
import type { Said } from './refusals.ts';
import { marked, markOf } from './text.ts';

/**
 * How a pull request is opened, closed, merged and commented on so that done twice is done once: look first, ask, and where the host
 * refuses look again, for another process or a lost answer may have been faster. The same for every host; a client says how its own is
 * asked.
 */

/** What a host said, and the pull request where it did it. */
export interface Told extends Said {
  seen?: PullRequestSeen;
}

/** One pull request that is to be opened, and how its host is asked. */
export interface Opening {
  find: () => Promise<PullRequestSeen | undefined>;
  create: () => Promise<Created>;
  /** Adds to an open one what was wished beside it, where `create` could not; answers remarks. */
  complete?: (number: number) => Promise<string[]>;
  refusal: (said: Said) => Error;
}

/** What came of asking for a new one. */
export interface Created extends Told {
  /** The host refuses because there is one already. */
  taken?: boolean;
  remarks?: string[];
}

/** The one that is there, or else a new one. */
export async function openOnce({ find, create, complete, refusal }: Opening): Promise<PullRequestOpened> {
  const there = await find();
  const told = there ? undefined : await create();
  const seen = there ?? told?.seen ?? (told?.taken === true ? await find() : undefined);
  if (!seen) throw refusal(told!);
  const more = seen.state === 'OPEN' ? await complete?.(seen.number) : undefined;
  return { ...seen, opened: told?.seen !== undefined, remarks: [...(told?.remarks ?? []), ...(more ?? [])] };
}

/** One pull request that is to be closed, and how its host is asked. */
export interface Closing {
  before: PullRequestSeen;
  close: () => Promise<Told>;
  look: () => Promise<PullRequestSeen>;
  refusal: (said: Said) => Error;
}

/** Closed, or as it ended before: merged, or closed by somebody else. */
export async function closeOnce({ before, close, look, refusal }: Closing): Promise<PullRequestSeen> {
  if (before.state !== 'OPEN') return before;
  const told = await close();
  const after = told.seen ?? (await look());
  if (after.state === 'OPEN') throw refusal(told);
  return after;
}

/** One pull request that is to be merged, and how its host is asked. */
export interface Merging {
  forge: ForgeKind;
  /** `pull request #7`. */
  called: string;
  /** `known`: the answer where there is no need to ask for the merge; see `knownBefore`. */
  look: () => Promise<{ seen: PullRequestSeen; known: MergeAnswer | undefined }>;
  /** Its answer, or the words of the host that refuses. */
  merge: (seen: PullRequestSeen) => Promise<MergeAnswer | Said>;
  refusal: (said: Said) => Error;
}

/** Merged by this call or before it; a refusal that passes, or that another look explains, is an answer. */
export async function mergeOnce({ forge, called, look, merge, refusal }: Merging): Promise<MergeAnswer> {
  const before = await look();
  if (before.known) return before.known;
  const answer = await merge(before.seen);
  if ('kind' in answer) return answer;
  switch (meaningOf(forge, answer)) {
    case 'PASSES':
      return { kind: 'NOT_YET', why: quoteWords(answer.words) };
    case 'LOOK': {
      const { seen, known } = await look();
      return known ?? afterRefusal(seen, called, answer);
    }
    default:
      throw refusal(answer);
  }
}

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
function afterRefusal({ mergeable, blocked }: PullRequestSeen, called: string, { status, words }: Said): MergeAnswer {
  const why = blocked ?? quoteWords(words || String(status));
  if (mergeable !== 'NO') return { kind: 'NOT_YET', why };
  throw new PermanentError(`${called} cannot be merged: ${why}`);
}

/** The comments of one pull request, and how its host is asked for them. */
export interface Comments {
  /** Entries of a full page; Infinity: the host gives all at once. */
  size: number;
  page: (number: number) => Promise<{ id: number; body?: string }[]>;
  add: (text: string) => Promise<unknown>;
  edit: (id: number, text: string) => Promise<{ status: number }>;
}

/**
 * Edits the comment that holds the mark of `key`, or adds one. A comment that cannot be edited is of a user who has copied the mark, or
 * was deleted meanwhile.
 */
export async function commentOnce({ key, body }: KeyedComment, { size, page, add, edit }: Comments): Promise<void> {
  const text = marked(body, key);
  for (let number = 1; number <= MOST_PAGES; number += 1) {
    const comments = await page(number);
    for (const each of comments.filter(({ body: said }) => said?.includes(markOf(key))))
      if (each.body === text || (await edit(each.id, text)).status === 200) return;
    if (comments.length < size) break;
  }
  await add(text);
}
