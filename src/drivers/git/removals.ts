import { baseOf, howPromoted, isPattern, isWhole } from '../../core/file-pattern.ts';
import type { PromotedFiles } from '../../core/file-pattern.ts';
import type { PinnedContent } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { checkPath } from './address.ts';
import type { Resolved } from './links.ts';
import { refuseThroughLink, throughLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import { outermost } from './select.ts';
import type { Entry } from './tree.ts';
import { checkAmount, checkFile, fileBelow, FOLDER, join, LINK, listFolder } from './tree.ts';

/** A file of an application's folder that is promoted whole. */
interface Held {
  /** Below the application's folder. */
  file: string;
  entry: Entry;
  /** Where the folder leads in which it was found. */
  above: Resolved;
}

/**
 * The files that the target has and the content does not, of those that its template promotes whole: only names below the application's
 * folder are ever looked at.
 * @throws PermanentError for what is no plain file, and for a file behind a link: others may use it
 */
export async function removalsIn(
  mirror: Mirror,
  head: string,
  folder: string,
  { files, removes }: PinnedContent,
  signal: AbortSignal,
): Promise<string[]> {
  if (removes === undefined) return [];
  const held = await filesMeant(mirror, head, folder, removes, signal);
  const gone = held.filter(({ file, entry }) => !Object.hasOwn(files, file) && !leadsToContent(file, entry, files));
  checkAmount(
    gone.map(({ entry }) => entry),
    folder,
    'removed',
  );
  return gone.map(({ file, entry, above }) => {
    const path = fileBelow(folder, file);
    if (above.links.length > 0) refuseThroughLink(path, { ...above, path: entry.path });
    if (!entry.mode.startsWith('100')) refuseRemoval(path, entry);
    return path;
  });
}

/** Files below the folder, at a commit, of which one of these says that they are promoted whole. */
export async function filesMeant(
  mirror: Mirror,
  commit: string,
  folder: string,
  promotion: PromotedFiles,
  signal: AbortSignal,
): Promise<Held[]> {
  const whole = Object.keys(promotion).filter((each) => isWhole(promotion[each]!));
  const places = outermost(whole.map((each) => (isPattern(each) ? baseOf(each) : each)));
  const paths = places.map((each) => (each === '' ? folder : join(folder, checkPath(each, 'folder'))));
  const resolved = await throughLinks(mirror, commit, paths, signal);
  const found: Held[] = [];
  for (const [index, above] of resolved.entries()) {
    const place = places[index]!;
    const { entry, inTheWay, path } = above;
    const isFolder = path === '' || entry?.mode === FOLDER;
    const prefix = path === '' ? 0 : path.length + 1;
    const listed = inTheWay ? [] : isFolder ? await listFolder(mirror, commit, path, signal) : entry ? [entry] : [];
    for (const each of listed) {
      const file = isFolder ? join(place, each.path.slice(prefix)) : place;
      if (howPromoted(promotion, file)?.kind === 'whole') found.push({ file, entry: each, above });
    }
  }
  return found;
}

/** A link to a folder in which files of the content stand is how they are there. */
const leadsToContent = (file: string, { mode }: Entry, files: PinnedContent['files']): boolean =>
  mode === LINK && Object.keys(files).some((each) => each.startsWith(`${file}/`));

function refuseRemoval(path: string, entry: Entry): never {
  const what = entry.mode === LINK ? 'a symbolic link' : 'a submodule';
  if (entry.mode === LINK || entry.mode === '160000')
    throw new PermanentError(
      `"${path}" is ${what}, and only plain files are removed: remove it yourself, or name it in the template's except`,
    );
  return checkFile(entry) as never;
}
