import type { EffectContext, PinnedContent, Undo } from '../driver.ts';
import type { Change } from './changes.ts';
import { changesFor, goneIn } from './changes.ts';
import type { Mirror } from './mirror.ts';
import { filesMeant } from './removals.ts';
import type { Search } from './proof.ts';
import { touchedByOthers } from './proof.ts';
import type { Entry } from './tree.ts';
import { refuseTwins } from './twins.ts';
import { checkFile, fileBelow, findEntries, readBlobs } from './tree.ts';

/**
 * What has to be written on top of `head` so that everything which promotion touched is again as it was at `undo.commit`, where
 * the content was live, byte for byte: files that a later version brought go again. A file that other commits have changed
 * since keeps those changes: only the promoted values in it go back, and what was promoted whole goes back whole.
 */
export async function restoringChanges(
  search: Search,
  content: PinnedContent,
  undo: Undo,
  context: Pick<EffectContext, 'environment' | 'application' | 'signal'>,
): Promise<Change[]> {
  const { mirror, head, folder } = search;
  const { signal } = context;
  const at = (file: string): string => fileBelow(folder, file);
  const added = undo.files.map(at);
  const base = undo.commit === null ? null : await liveAt(mirror, head, undo.commit, folder, content, signal);
  const removed = base === null ? [] : await removedSince(mirror, base, folder, undo, signal);
  const touched = [...new Set([...Object.keys(content.files).map(at), ...added, ...undo.edited.map(at), ...removed])];
  const foreign = base === null ? touched : await touchedByOthers(search, base, touched, context);
  const exact = touched.filter((path) => !foreign.includes(path));

  const before = base === null ? [] : await entriesOf(mirror, base, touched, signal);
  const now = await entriesOf(mirror, head, touched, signal);
  const changes = exact.flatMap((path) => difference(path, before, now));
  const byHand = (await changesFor(mirror, head, folder, content, signal)).filter(({ path }) => !exact.includes(path));
  const gone = added
    .filter((path) => foreign.includes(path) && now.some((each) => each.path === path))
    .filter((path) => !byHand.some((each) => each.path === path))
    .flatMap((path) => difference(path, before, now));
  const all = [...changes, ...gone];
  const blobs = await readBlobs(
    mirror,
    all.flatMap(({ entry }) => entry ?? []),
    signal,
  );
  const restored = all.map(({ path, entry }): Change => {
    if (!entry) return { path, mode: null };
    return { path, mode: entry.mode === '100755' ? '100755' : '100644', bytes: blobs.shift()! };
  });
  const planned = [...restored, ...byHand];
  // What comes back as it was stands beside what stood beside it.
  const news = byHand.filter(({ path, mode }) => mode !== null && !now.some((each) => each.path === path));
  await refuseTwins(
    mirror,
    head,
    news.map(({ path }) => path),
    goneIn(planned),
    signal,
  );
  return planned;
}

/** Files that were there at `base` and that a later version may have removed, because it did not have them. */
async function removedSince(
  mirror: Mirror,
  base: string,
  folder: string,
  { removed = [] }: Undo,
  signal: AbortSignal,
): Promise<string[]> {
  const paths: string[] = [];
  for (const promotion of removed) {
    const meant = await filesMeant(mirror, base, folder, promotion, signal);
    // Links and submodules are never removed, and neither is a file behind a link.
    const plain = meant.filter(({ entry, above }) => entry.mode.startsWith('100') && above.links.length === 0);
    paths.push(...plain.map(({ entry }) => entry.path));
  }
  return paths;
}

/** Where the file was, if it is not like that now; without an entry: it was not there. */
function difference(path: string, before: Entry[], now: Entry[]): { path: string; entry: Entry | null }[] {
  const was = before.find((each) => each.path === path);
  const is = now.find((each) => each.path === path);
  if (was?.sha === is?.sha && was?.mode === is?.mode) return [];
  if (was) checkFile(was);
  return [{ path, entry: was ?? null }];
}

async function entriesOf(mirror: Mirror, commit: string, paths: string[], signal: AbortSignal): Promise<Entry[]> {
  const found = await findEntries(mirror, commit, paths, signal);
  return found.filter(({ path }) => paths.includes(path));
}

/** The commit, if the branch still contains it and it holds the content; null otherwise. */
async function liveAt(
  mirror: Mirror,
  head: string,
  commit: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<string | null> {
  if (!/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const { code } = await mirror.run(['merge-base', '--is-ancestor', commit, head], signal);
  if (code !== 0) return null;
  return (await changesFor(mirror, commit, folder, content, signal)).length === 0 ? commit : null;
}
