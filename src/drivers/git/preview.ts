import type { PreviewedFile, WritePreview } from '../driver.ts';
import type { Change } from './changes.ts';
import type { Mirror } from './mirror.ts';
import { textOf } from './tree.ts';

/** Files that a preview tells of, and how large one may be that it shows, in bytes. */
const MOST_FILES = 100;
const MOST_BYTES = 256 * 1024;

/** What would be written on top of `head`: the very changes that a promotion or a rollback commits, and no commit. */
export async function previewAt(
  mirror: Mirror,
  head: string,
  { changes, skipped }: { changes: readonly Change[]; skipped: string[] },
  signal: AbortSignal,
): Promise<WritePreview> {
  const told = changes.slice(0, MOST_FILES);
  const names = told.map(({ path }) => `${head}:${path}`);
  const sizes = await mirror.sizes(names, signal);
  const isSmall = (index: number): boolean => (sizes[index]?.size ?? 0) <= MOST_BYTES;
  const known = names.filter((_, index) => sizes[index] && isSmall(index));
  const blobs = await mirror.contents(known, signal);
  const before = new Map(known.map((name, index) => [name, blobs[index]?.bytes]));
  const files = told.map((change, index) =>
    previewed(change, sizes[index] ? (isSmall(index) ? before.get(names[index]!) : 'LARGE') : null),
  );
  return { head, files, more: changes.length - told.length, skipped };
}

/** @param before null: the file is not there */
function previewed(change: Change, before: Buffer | 'LARGE' | null | undefined): PreviewedFile {
  const { path } = change;
  const bytes = change.mode === null ? null : change.bytes;
  const kind = before === null ? 'ADDED' : bytes === null ? 'REMOVED' : 'CHANGED';
  if (before === 'LARGE' || (bytes && bytes.length > MOST_BYTES)) return { path, kind, hidden: 'LARGE' };
  const [old, next] = [before, bytes].map((each) => (each ? textOf(each) : ''));
  if (old === undefined || next === undefined) return { path, kind, hidden: 'NO_TEXT' };
  return { path, kind, before: old, after: next };
}
