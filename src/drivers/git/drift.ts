import type { Drift, EffectContext, PinnedContent } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { changesFor, pathsOf } from './changes.ts';
import { lastTouching } from './history.ts';
import type { Mirror } from './mirror.ts';

/** How `head` differs from the first of these contents; null where it holds any of them. */
export async function driftFrom(
  mirror: Mirror,
  head: string,
  folder: string,
  contents: PinnedContent[],
  signal: AbortSignal,
): Promise<Drift | null> {
  const differs: string[][] = [];
  for (const content of contents) {
    const files = await differingFiles(mirror, head, folder, content, signal);
    if (files.length === 0) return null;
    differs.push(files);
  }
  const [content] = contents;
  const [files] = differs;
  if (!content || !files) return null;
  const last = await lastTouching(mirror, head, pathsOf(folder, content), signal);
  const told = last && { commit: last.commit, author: last.author, date: last.date, subject: subjectOf(last.message) };
  return { files: files.slice(0, MOST_FILES), ...told };
}

/**
 * What the commit on top of `head` would go over: it is made of the very head that was looked at here, and a push that comes
 * too late is no push.
 * @throws PermanentError when it must not
 */
export async function seenBeneath(
  mirror: Mirror,
  where: string,
  folder: string,
  head: string,
  content: PinnedContent,
  { live, signal }: EffectContext,
): Promise<Drift | null> {
  if (!live) return null;
  const contents = await live.contents();
  if (contents.length === 0) return null;
  const drift = await driftFrom(mirror, head, folder, [...contents, content], signal);
  if (drift === null || live.otherwise === 'TELL') return drift;
  const by = drift.commit ? ` by ${drift.author} in commit ${drift.commit.slice(0, 9)}` : '';
  throw new PermanentError(
    `${where}: ${drift.files.join(', ')} was changed by hand${by}: nothing is written over that without a person's word`,
  );
}

/** What cannot be promoted over does not hold the content either. */
async function differingFiles(
  mirror: Mirror,
  head: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    const changes = await changesFor(mirror, head, folder, content, signal);
    return changes.map(({ path }) => (folder === '' ? path : path.slice(folder.length + 1)));
  } catch (error) {
    if (error instanceof PermanentError) return Object.keys(content.files);
    throw error;
  }
}

const subjectOf = (message: string): string => (message.split('\n')[0] ?? '').slice(0, 200);

const MOST_FILES = 20;
