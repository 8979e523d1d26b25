import type { FolderRead } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { listThroughLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import { checkFile, findEntries, FOLDER, join, LINK, readBlobs, textOf } from './tree.ts';

/** As `Driver.read`, at a commit. Through symbolic links, as content is pinned: what leaves the repository is refused. */
export async function readFolder(
  mirror: Mirror,
  commit: string,
  folder: string,
  endings: readonly string[],
  signal: AbortSignal,
): Promise<FolderRead> {
  await mustBeFolder(mirror, commit, folder, signal);
  const isWanted = (file: string): boolean =>
    endings.some((each) => file.endsWith(each)) && !file.split('/').some((part) => part.startsWith('.'));
  const listed = await listThroughLinks(mirror, commit, folder, signal, isWanted);
  listed.sort((a, b) => (a.file < b.file ? -1 : 1));
  const entries = listed.map(({ entry }) => entry);
  entries.forEach((each) => checkFile(each));
  const blobs = await readBlobs(mirror, entries, signal);
  const files = listed.map(({ file }, index) => ({ path: join(folder, file), text: textOf(blobs[index]!) ?? null }));
  return { commit, files };
}

async function mustBeFolder(mirror: Mirror, commit: string, folder: string, signal: AbortSignal): Promise<void> {
  if (folder === '') return;
  const found = await findEntries(mirror, commit, [folder], signal);
  const isThere = found.some(({ path, mode }) => path === folder && (mode === FOLDER || mode === LINK));
  if (!isThere) throw new PermanentError(`there is no folder "${folder}" at commit ${commit.slice(0, 9)}`);
}
