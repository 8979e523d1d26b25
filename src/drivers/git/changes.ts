import type { OnMissing } from '../../core/definitions.ts';
import type { PinnedContent, PinnedFile } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { foreign } from '../../foreign/index.ts';
import type { Resolved } from './links.ts';
import { refuseThroughLink, throughLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import { objectId } from './objects.ts';
import { removalsIn } from './removals.ts';
import type { Entry } from './tree.ts';
import { checkFile, fileBelow, FOLDER, readBlobs, textOf } from './tree.ts';
import { refuseTwins } from './twins.ts';

/** `mode` null: the file goes. */
export type Change = WrittenFile | { path: string; mode: null };

/** A file of a commit that is to be made. */
export interface WrittenFile {
  path: string;
  mode: '100644' | '100755';
  bytes: Buffer;
}

/** The paths that a commit of these changes no longer has. */
export const goneIn = (changes: readonly Change[]): Set<string> =>
  new Set(changes.filter(({ mode }) => mode === null).map(({ path }) => path));

/** Beyond this a list says no more. */
const MOST_SKIPPED = 50;

interface Place {
  /** As the template names it, below the application's folder. */
  file: string;
  path: string;
  pinned: PinnedFile;
  entry?: Entry;
  /** Where the path leads; with links on the way it is read through them, and not written. */
  resolved: Resolved;
}

/**
 * What has to be written on top of `head` so that the folder holds exactly the content; nothing when it already does.
 * @throws PermanentError naming the path when something there cannot be promoted over.
 */
export async function changesFor(
  mirror: Mirror,
  head: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<Change[]> {
  return (await compared(mirror, head, folder, content, signal)).changes;
}

/** The same before a promotion, and what stands in the source alone and is left out. @throws PermanentError also for a twin (twins.ts) */
export async function changesAndSkipped(
  mirror: Mirror,
  head: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<{ changes: Change[]; skipped: string[] }> {
  const { added, ...planned } = await compared(mirror, head, folder, content, signal);
  await refuseTwins(mirror, head, added, goneIn(planned.changes), signal);
  return planned;
}

/** `added`: paths of files that are not there. */
async function compared(
  mirror: Mirror,
  head: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<{ changes: Change[]; skipped: string[]; added: string[] }> {
  const places = await placesIn(mirror, head, folder, content, signal);
  const valued = places.filter((each) => each.pinned.kind === 'values');
  const missing = valued.filter((each) => !each.entry);
  if (missing.length > 0 && content.onMissing !== 'SKIP')
    throw new PermanentError(`file "${missing[0]!.path}" does not exist, so nothing can be promoted into it`);
  const edited = valued.filter((each) => each.entry);
  for (const each of edited) checkFile(each.entry!, 'values');
  const blobs = await readBlobs(
    mirror,
    edited.map((each) => each.entry!),
    signal,
  );
  const written = await Promise.all(
    edited.map((place, index) => valueChange(mirror, place, blobs[index]!, content.onMissing ?? 'REFUSE', signal)),
  );
  const changes: Change[] = [];
  for (const place of places) {
    const edit = edited.indexOf(place);
    const change = edit < 0 ? wholeChange(place) : written[edit]?.change;
    if (!change) continue;
    if (place.resolved.links.length > 0) refuseThroughLink(place.path, place.resolved);
    changes.push(change);
  }
  const removed = await removalsIn(mirror, head, folder, content, signal);
  changes.push(...removed.map((path): Change => ({ path, mode: null })));
  const added = places.filter(({ entry, pinned }) => !entry && pinned.kind === 'whole').map(({ path }) => path);
  const absent = missing.map(({ file }) => `${file}: the target does not have this file`);
  const skipped = [...absent, ...written.flatMap((each) => each.skipped)].slice(0, MOST_SKIPPED);
  return { changes, skipped, added };
}

/** The paths that the content is about, for asking who touched them last. */
export function pathsOf(folder: string, content: PinnedContent): string[] {
  const files = Object.keys(content.files);
  // Beyond this a folder says the same in fewer words. What is to be removed is not among the files.
  if (files.length <= 100 && content.removes === undefined) return files.map((file) => fileBelow(folder, file));
  return folder === '' ? [] : [folder];
}

async function placesIn(
  mirror: Mirror,
  head: string,
  folder: string,
  content: PinnedContent,
  signal: AbortSignal,
): Promise<Place[]> {
  const named = Object.entries(content.files).map(([file, pinned]) => ({
    file,
    path: fileBelow(folder, file),
    pinned,
  }));
  const resolved = await throughLinks(
    mirror,
    head,
    named.map((each) => each.path),
    signal,
  );
  return named.map((each, index): Place => {
    const { entry, inTheWay } = resolved[index]!;
    if (inTheWay)
      throw new PermanentError(`"${inTheWay.path}" is no folder, so "${each.path}" cannot be promoted into it`);
    if (entry?.mode === FOLDER) throw new PermanentError(`"${each.path}" is a folder, and a file was promoted`);
    if (entry && !entry.mode.startsWith('100')) checkFile(entry);
    return { ...each, entry, resolved: resolved[index]! };
  });
}

function wholeChange({ path, pinned, entry }: Place): Change | undefined {
  if (pinned.kind !== 'whole') return undefined;
  const bytes = Buffer.from(pinned.text ?? pinned.base64 ?? '', pinned.text === undefined ? 'base64' : 'utf8');
  const mode = pinned.executable ? '100755' : '100644';
  if (entry && entry.mode === mode && entry.sha === objectId('blob', bytes, entry.sha.length)) return undefined;
  return { path, mode, bytes };
}

async function valueChange(
  mirror: Mirror,
  { file, path, pinned, entry }: Place,
  blob: Buffer,
  onMissing: OnMissing,
  signal: AbortSignal,
): Promise<{ change?: Change; skipped: string[] }> {
  if (pinned.kind !== 'values') return { skipped: [] };
  const text = textOf(blob);
  if (text === undefined) throw new PermanentError(`file "${path}" is not UTF-8 text`);
  const { values } = pinned;
  const asked = { file: path, text, values, onMissing };
  const applied = await foreign.ask('applyValues', asked, { caller: mirror.url, what: `file "${path}"`, signal });
  const skipped = applied.skipped.map((each) => `${file}: ${each}`);
  if (!applied.changed) return { skipped };
  const mode = entry!.mode === '100755' ? '100755' : '100644';
  return { change: { path, mode, bytes: Buffer.from(applied.text, 'utf8') }, skipped };
}
