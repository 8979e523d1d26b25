import { LIMITS } from '../content.ts';
import { PermanentError, TransientError } from '../driver.ts';
import type { Mirror } from './mirror.ts';

/** An entry of a tree, as git lists it. */
export interface Entry {
  /** Below the repository's root. */
  path: string;
  mode: string;
  sha: string;
  size: number;
}

/** The mode of a symbolic link. */
export const LINK = '120000';

/** The mode of a folder. */
export const FOLDER = '040000';

const MODES: Record<string, string> = { [LINK]: 'a symbolic link', '160000': 'a submodule' };

/** Below a folder that is '' for the root. */
export const join = (folder: string, file: string): string => (folder === '' ? file : `${folder}/${file}`);

/** Every file below the folder. */
export async function listFolder(
  mirror: Mirror,
  commit: string,
  folder: string,
  signal: AbortSignal,
): Promise<Entry[]> {
  const where = folder === '' ? [] : [`${folder}/`];
  return parse(await mirror.ask(['ls-tree', '-r', '-z', '--long', '--full-tree', commit, '--', ...where], signal));
}

/** Those of the paths that exist as files, and whatever is in the way of one: a link or a submodule in its path. */
export async function findEntries(
  mirror: Mirror,
  commit: string,
  paths: string[],
  signal: AbortSignal,
): Promise<Entry[]> {
  if (paths.length === 0) return [];
  const wanted = new Set(paths.flatMap(ancestors));
  return parse(await mirror.ask(['ls-tree', '-z', '--long', '--full-tree', commit, '--', ...wanted], signal));
}

/** `a/b/c` → `a`, `a/b`, `a/b/c`. */
export function ancestors(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function parse(listing: Buffer): Entry[] {
  return listing
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode, , sha, size] = line.slice(0, tab).split(/ +/);
      return { path: line.slice(tab + 1), mode: mode!, sha: sha!, size: Number(size) || 0 };
    });
}

/**
 * Only plain files are promoted: a submodule is another repository, and a link is followed first (links.ts).
 * @param how as a whole, or by values that are read from it and written into it
 */
export function checkFile(entry: Entry, how: 'whole' | 'values' = 'whole'): void {
  const bad = MODES[entry.mode];
  if (bad) throw new PermanentError(`"${entry.path}" is ${bad}: only plain files are promoted`);
  if (entry.path.includes('\uFFFD')) throw new PermanentError(`"${entry.path}" has a name that is not UTF-8`);
  const most = how === 'whole' ? LIMITS.fileBytes : LIMITS.editedFileBytes;
  if (entry.size <= most) return;
  const verb = how === 'whole' ? 'promoted as a whole' : 'edited';
  throw new PermanentError(`file "${entry.path}" has ${entry.size} bytes: at most ${most} are ${verb}`);
}

/** Refuses more files, or more bytes together, than a promotion may carry. @throws PermanentError */
export function checkAmount(entries: Entry[], folder: string, how: 'whole' | 'values' = 'whole'): void {
  const where = folder === '' ? 'the repository' : `folder "${folder}"`;
  if (entries.length > LIMITS.files)
    throw new PermanentError(`${where} has ${entries.length} files: at most ${LIMITS.files} are promoted`);
  const total = entries.reduce((sum, each) => sum + each.size, 0);
  const most = how === 'whole' ? LIMITS.totalBytes : LIMITS.editedTotalBytes;
  if (total <= most) return;
  const what = how === 'whole' ? 'bytes' : 'bytes in files of which values are promoted';
  throw new PermanentError(`${where} has ${total} ${what}: at most ${most} are read`);
}

/** The contents of all entries by one process, in their order. */
export async function readBlobs(mirror: Mirror, entries: Entry[], signal: AbortSignal): Promise<Buffer[]> {
  if (entries.length === 0) return [];
  const input = entries.map((each) => `${each.sha}\n`).join('');
  const output = await mirror.ask(['cat-file', '--batch'], signal, input);
  const blobs: Buffer[] = [];
  let at = 0;
  for (const { path } of entries) {
    const end = output.indexOf(10, at);
    const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(output.toString('latin1', at, end))?.[1] ?? NaN);
    if (Number.isNaN(size)) {
      // "missing": git lists it, so the local copy has lost it.
      await mirror.discard();
      throw new TransientError(`the local copy of "${mirror.url}" has lost "${path}" and is fetched anew`);
    }
    blobs.push(output.subarray(end + 1, end + 1 + size));
    at = end + 1 + size + 1;
  }
  return blobs;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined when the bytes are not text: not UTF-8, or with a NUL, which PostgreSQL's JSON cannot hold. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
