import { PermanentError, TransientError } from '../driver.ts';
import type { Mirror } from './mirror.ts';
import { ancestors, entriesOf, findEntries, FOLDER } from './tree.ts';

/** As disks see names that do not tell case, or ways of writing one letter, apart. */
const folded = (name: string): string => name.normalize('NFC').toLowerCase();

/**
 * Refuses files that would come into a folder in which another name differs from theirs in case alone: on many disks both are one,
 * and a checkout there would show the new file in the place of the other one, or in another application's folder.
 * @param paths files that are not there
 * @param going paths that leave in the same commit: they are no twins
 */
export async function refuseTwins(
  mirror: Mirror,
  head: string,
  paths: string[],
  going: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  if (paths.length === 0) return;
  const found = await findEntries(mirror, head, paths, signal);
  const folders = new Map(found.filter(({ mode }) => mode === FOLDER).map(({ path, sha }) => [path, sha]));
  /** Folder that is there → the names in it that would be new. */
  const wanted = new Map<string, Set<string>>();
  for (const path of paths) {
    const next = ancestors(path).find((each) => !folders.has(each)) ?? path;
    const cut = next.lastIndexOf('/');
    const folder = next.slice(0, Math.max(0, cut));
    wanted.set(folder, (wanted.get(folder) ?? new Set()).add(next));
  }
  const names = [...wanted.keys()].map((folder) => (folder === '' ? `${head}^{tree}` : folders.get(folder)!));
  const trees = await mirror.contents(names, signal);
  for (const [index, [folder, news]] of [...wanted].entries()) {
    const tree = trees[index];
    if (!tree) throw new TransientError(`the local copy of "${mirror.url}" has lost "${folder}"`);
    const prefix = folder === '' ? '' : `${folder}/`;
    const there = new Map<string, string>();
    for (const { name } of entriesOf(tree.bytes, head.length)) {
      const path = `${prefix}${Buffer.from(name, 'latin1').toString('utf8')}`;
      if (!going.has(path)) there.set(folded(path), path);
    }
    for (const path of news) {
      const twin = there.get(folded(path));
      if (twin !== undefined && twin !== path)
        throw new PermanentError(
          `"${path}" is not written: "${twin}" is there, and where case does not count both are one. Give them one name`,
        );
    }
  }
}
