import type { ForgeKind, ForgeOfRepository } from '../../core/forges.ts';
import { TITLES } from '../../core/forges.ts';
import { printable } from '../../core/printable.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { doneBy } from '../../core/done-by.ts';
import { RepositoryMoved } from './forge.ts';

/** Who asked what, for messages. */
export interface Asking extends Pick<ForgeOfRepository, 'secret' | 'use' | 'apiUrl'> {
  /** The repository's name at the forge. */
  name: string;
  /** `open a pull request`. */
  what: string;
}

/** What a host said when it did not do it. */
export interface Said {
  status: number;
  /** In its own words; may be empty. */
  words: string;
  /** Where the repository is now, as far as the host told. */
  moved?: MovedTo | undefined;
  /** GitHub: permissions that would have been enough. */
  needs?: string | null;
}

/** The new place of a repository. */
export interface MovedTo {
  /** For people. */
  url: string;
  /** At the same host: `owner/name`. */
  name?: string | undefined;
}

/** A repository as hosts answer it. */
export interface RepositoryTold {
  html_url?: string;
  full_name?: string;
  /** GitLab. */
  web_url?: string;
  path_with_namespace?: string;
}

/** @param location what is said where the host does not answer with a repository */
export function movedTo(told: RepositoryTold | undefined, location: string): MovedTo {
  return {
    url: told?.html_url ?? told?.web_url ?? location,
    name: told?.full_name ?? told?.path_with_namespace,
  };
}

/** GitLab redirects calls that read, and refuses all others with these words. */
export const isMoved = ({ status, words }: Pick<Said, 'status' | 'words'>): boolean =>
  (status >= 300 && status < 400) || /moved projects/i.test(words);

/** Gitea says 405 for it, GitHub for a branch that is protected by people. */
const NOT_ALLOWED = /user not allowed|not allowed to merge|not authorized/i;

/** Characters of a host's words in a message. */
const MOST_WORDS = 300;

/** A refusal as an error: whether it passes, and what would help. Limits are no refusals: `Connection` has thrown for them. */
export function refusalBy(asking: Asking, said: Said): Error {
  const { secret, use, name, what } = asking;
  const { status, moved } = said;
  const title = TITLES[use.forge];
  const words = said.words === '' ? String(status) : `${status}, ${quoteWords(said.words)}`;
  const set = `set a new one with ${doneBy('secretSet', `secret set ${secret}`)}`;
  if (status >= 500 || status === 408 || status === 425)
    return new TransientError(`${title} could not ${what}: ${words}`);
  if (isMoved(said))
    return new RepositoryMoved(
      `the repository ${name} has moved${moved ? ` to ${quoteWords(moved.url)}` : ''}: write its new address into the definitions`,
      { from: name, to: moved?.name },
    );
  if (status === 401)
    return use.app === undefined
      ? new PermanentError(
          `${title} does not take the token of secret "${secret}" (${words}): it has expired or was revoked; ${set}`,
        )
      : new PermanentError(
          `${title} does not take the key of App ${use.app.id} in secret "${secret}" (${words}): the key was deleted, or this machine's clock is wrong; ${set}`,
        );
  if (status === 423 || (status === 403 && /archived/i.test(said.words)))
    return new PermanentError(`the repository ${name} is archived and takes no changes: ${title} did not ${what}`);
  if (status === 403 || NOT_ALLOWED.test(said.words)) {
    const needs = said.needs ? `; it needs ${quoteWords(said.needs)}` : '';
    return new PermanentError(`secret "${secret}" may not ${what} in ${name} (${words})${needs}`);
  }
  if (status === 404)
    return new PermanentError(
      `${title} did not ${what} in ${name} (${words}): it is not there, or secret "${secret}" may not see it`,
    );
  return new PermanentError(`${title} refused to ${what} in ${name}: ${words}`);
}

/** Foreign words in a message: one line, printable, bounded. */
export function quoteWords(words: string): string {
  const line = printable(words.replace(/\s+/g, ' ').trim(), { lines: false });
  return line.length > MOST_WORDS ? `${line.slice(0, MOST_WORDS).replace(/[\ud800-\udbff]$/, '')}…` : line;
}

/** What a refusal to merge means: it passes, it does not, or the pull request has to be looked at to know. */
export type Meaning = 'PASSES' | 'FINAL' | 'QUEUE' | 'LOOK';

/** Hosts say with one status, and only their words tell them apart, that a merge has to wait and that it can never be. */
const MERGE_REFUSALS: Record<ForgeKind, readonly [status: number, words: RegExp, meaning: Meaning][]> = {
  github: [
    [405, /merge queue/i, 'QUEUE'],
    [405, /(merge commits|squash merges|rebase merges) are not allowed/i, 'FINAL'],
    [405, /must not contain merge commits|can't be rebased|cannot be rebased/i, 'FINAL'],
    [405, /merge conflict/i, 'LOOK'],
    [405, /not mergeable/i, 'LOOK'],
    [405, /not authorized|not allowed to (push|merge)/i, 'FINAL'],
    // Checks, reviews, a draft, a base that moved, a merge that is under way: all of it passes.
    [405, /[^]*/, 'PASSES'],
    [409, /head branch was modified/i, 'FINAL'],
    [409, /[^]*/, 'PASSES'],
  ],
  gitlab: [
    // GitLab says 405 for all of: merged already, closed, draft, pipeline runs, conflicts.
    [405, /[^]*/, 'LOOK'],
    [406, /[^]*/, 'LOOK'],
    [422, /[^]*/, 'LOOK'],
    [409, /sha/i, 'FINAL'],
    [409, /[^]*/, 'PASSES'],
  ],
  gitea: [
    [405, /try again later|not ready|work in progress|status check|approval|review|outdated|behind/i, 'PASSES'],
    [405, /(style|method).*not allowed|not allowed.*(style|method)/i, 'FINAL'],
    [405, /not allowed to merge|user not allowed|does not have/i, 'FINAL'],
    [405, /[^]*/, 'LOOK'],
    [409, /head|out of date|commit id/i, 'FINAL'],
    [409, /[^]*/, 'LOOK'],
  ],
};

/** Undefined: it is no refusal to merge but one of those that every call can meet. */
export function meaningOf(kind: ForgeKind, { status, words }: Pick<Said, 'status' | 'words'>): Meaning | undefined {
  return MERGE_REFUSALS[kind].find(([each, pattern]) => each === status && pattern.test(words))?.[2];
}
