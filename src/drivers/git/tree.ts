import { LIMITS } from '../content.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { checkPath } from './address.ts';
import type { GitObject } from './cat-file.ts';
import type { Mirror } from './mirror.ts';

/** An entry of a tree, as git lists it. */
export interface Entry {
  /** Below the repository's root. */
  path: string;
  mode: string;
  sha: string;
  size: number;
}

/** An entry of a tree as git keeps it. `name` has a character per byte. */
export interface TreeEntry {
  mode: string;
  name: string;
  id: string;
}

/** The mode of a symbolic link. */
export const LINK = '120000';

/** The mode of a folder. */
export const FOLDER = '040000';

const MODES: Record<string, string> = { [LINK]: 'a symbolic link', '160000': 'a submodule' };

/** Below a folder that is '' for the root. */
export const join = (folder: string, file: string): string => (folder === '' ? file : `${folder}/${file}`);

/**
 * Where a file of an application is. Its name is taken as it is: a tree that git would not write may have a file called `.`, and with that
 * left out its path would be the folder's own.
 */
export function fileBelow(folder: string, file: string): string {
  if (checkPath(file, 'file') === file && file !== '') return join(folder, file);
  throw new PermanentError(`file "${file}" is not allowed: its name has an empty part or "."`);
}

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
  const wanted = new Map<string, Set<string>>();
  for (const path of paths.flatMap(ancestors)) {
    const cut = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(0, cut));
    wanted.set(folder, (wanted.get(folder) ?? new Set()).add(path.slice(cut + 1)));
  }
  const found: Entry[] = [];
  let trees = new Map(wanted.size > 0 ? [['', `${commit}^{tree}`]] : []);
  while (trees.size > 0) {
    const objects = await mirror.contents([...trees.values()], signal);
    const below = new Map<string, string>();
    for (const [index, folder] of [...trees.keys()].entries()) {
      const tree = objects[index] ?? (await isLost(mirror, folder === '' ? commit : folder, folder !== ''));
      for (const { name, mode, id } of entriesIn(tree, commit.length, wanted.get(folder)!)) {
        const path = join(folder, name);
        found.push({ path, mode, sha: id, size: 0 });
        if (mode === FOLDER && wanted.has(path)) below.set(path, id);
      }
    }
    trees = below;
  }
  const blobs = found.filter(({ mode }) => mode.startsWith('1') && !mode.startsWith('16'));
  const sizes = await mirror.sizes(
    blobs.map((each) => each.sha),
    signal,
  );
  for (const [index, each] of blobs.entries()) each.size = (sizes[index] ?? (await isLost(mirror, each.path))).size;
  return found;
}

/** Entries of a tree as git keeps it: mode, space, name, NUL, id. Those with one of the names. */
function* entriesIn(
  { bytes }: GitObject,
  idLength: number,
  names: ReadonlySet<string>,
): Generator<{ name: string; mode: string; id: string }> {
  const idBytes = idLength / 2;
  const longest = Math.max(...[...names].map((each) => Buffer.byteLength(each)));
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const end = bytes.indexOf(0, space);
    if (end - space - 1 <= longest) {
      const name = bytes.toString('utf8', space + 1, end);
      if (names.has(name)) {
        const mode = bytes.toString('latin1', at, space).padStart(6, '0');
        yield { name, mode, id: bytes.toString('hex', end + 1, end + 1 + idBytes) };
      }
    }
    at = end + 1 + idBytes;
  }
}

/** Mode, space, name, NUL, id; one after the other. */
export function entriesOf(bytes: Buffer, idLength: number): TreeEntry[] {
  const entries: TreeEntry[] = [];
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const end = bytes.indexOf(0, space);
    const next = end + 1 + idLength / 2;
    entries.push({
      mode: bytes.toString('latin1', at, space),
      name: bytes.toString('latin1', space + 1, end),
      id: bytes.toString('hex', end + 1, next),
    });
    at = next;
  }
  return entries;
}

/** Git lists it, so the local copy has lost it. */
async function isLost(mirror: Mirror, what: string, isListed = true): Promise<never> {
  if (isListed) await mirror.discard();
  throw new TransientError(`the local copy of "${mirror.url}" has lost "${what}" and is fetched anew`);
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
export function checkAmount(entries: Entry[], folder: string, how: 'whole' | 'values' | 'removed' = 'whole'): void {
  const where = folder === '' ? 'the repository' : `folder "${folder}"`;
  if (entries.length > LIMITS.files) {
    const done = how === 'removed' ? 'removed at once' : 'promoted';
    throw new PermanentError(`${where} has ${entries.length} files: at most ${LIMITS.files} are ${done}`);
  }
  if (how === 'removed') return;
  const total = entries.reduce((sum, each) => sum + each.size, 0);
  const most = how === 'whole' ? LIMITS.totalBytes : LIMITS.editedTotalBytes;
  if (total <= most) return;
  const what = how === 'whole' ? 'bytes' : 'bytes in files of which values are promoted';
  throw new PermanentError(`${where} has ${total} ${what}: at most ${most} are read`);
}

/** The contents of all entries, in their order. */
export async function readBlobs(mirror: Mirror, entries: Entry[], signal: AbortSignal): Promise<Buffer[]> {
  const found = await mirror.contents(
    entries.map((each) => each.sha),
    signal,
  );
  const blobs: Buffer[] = [];
  for (const [index, { path }] of entries.entries()) blobs.push((found[index] ?? (await isLost(mirror, path))).bytes);
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
