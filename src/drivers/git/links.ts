import { LIMITS } from '../content.ts';
import { PermanentError } from '../driver.ts';
import { checkPath } from './address.ts';
import type { Mirror } from './mirror.ts';
import type { Entry } from './tree.ts';
import { ancestors, checkAmount, findEntries, FOLDER, join, LINK, listFolder, readBlobs } from './tree.ts';

/** A path of the repository, followed through symbolic links. */
export interface Resolved {
  /** Where it really is; '' is the root. */
  path: string;
  /** What stands there: a file, a folder or a submodule, never a link. */
  entry?: Entry;
  /** What stands above it and is no folder. */
  inTheWay?: Entry;
  /** The links on the way, in their order, each with the path that it leads to. */
  links: { path: string; to: string }[];
}

/** As many as Linux follows. */
const MOST_LINKS = 40;
const LONGEST_LINK = 4_096;

/**
 * Where these paths lead at a commit. A link leads to another place of the same repository; nothing outside is ever looked at.
 * Without links this is one question to git for all paths.
 * @throws PermanentError naming the link when one leaves the repository, goes in circles, or is no path.
 */
export async function throughLinks(
  mirror: Mirror,
  commit: string,
  paths: string[],
  signal: AbortSignal,
): Promise<Resolved[]> {
  const all = paths.map((path): Resolved => ({ path, links: [] }));
  let pending = all;
  while (pending.length > 0) {
    const asked = pending.map((each) => each.path).filter((path) => path !== '');
    const entries = new Map((await findEntries(mirror, commit, asked, signal)).map((each) => [each.path, each]));
    const stopped: { at: Resolved; link: Entry }[] = [];
    for (const at of pending) {
      const onTheWay = ancestors(at.path).flatMap((path) => entries.get(path) ?? []);
      const link = onTheWay.find((each) => each.mode === LINK);
      if (link) stopped.push({ at, link });
      else {
        at.entry = entries.get(at.path);
        at.inTheWay = onTheWay.find((each) => each.path !== at.path && each.mode !== FOLDER);
      }
    }
    const links = [...new Map(stopped.map(({ link }) => [link.path, link])).values()];
    const blobs = await readBlobs(mirror, links, signal);
    const leads = new Map(links.map((link, index) => [link.path, leadOf(link.path, blobs[index]!)]));
    for (const { at, link } of stopped) {
      const to = leads.get(link.path)!;
      at.links.push({ path: link.path, to });
      if (at.links.length > MOST_LINKS) throw new PermanentError(`the symbolic link "${link.path}" goes in circles`);
      const rest = at.path.slice(link.path.length + 1);
      at.path = rest === '' ? to : join(to, rest);
    }
    pending = stopped.map(({ at }) => at);
  }
  return all;
}

/** Whether there is any link in the repository: only then can a folder hold what stands elsewhere. Asked once of each commit. */
export function hasLinks(mirror: Mirror, commit: string, signal: AbortSignal): Promise<boolean> {
  return mirror.remember(`links ${commit}`, async () => {
    try {
      const listed = await mirror.ask(['ls-tree', '-r', '-z', '--full-tree', commit], signal);
      return `\0${listed.toString('latin1')}`.includes(`\0${LINK} `);
    } catch {
      signal.throwIfAborted();
      // So many files that they cannot be listed: there may be one among them.
      return true;
    }
  });
}

/** What a link says, as a path of the repository. What stands above the link itself is folders only. */
function leadOf(path: string, blob: Buffer): string {
  const text = blob.toString('utf8');
  const refuse = (why: string): PermanentError =>
    new PermanentError(`"${path}" is a symbolic link to "${text.slice(0, 200)}", ${why}`);
  if (text === '' || text.length > LONGEST_LINK || /[\p{Cc}\uFFFD]/u.test(text)) throw refuse('which is no path');
  if (text.startsWith('/')) throw refuse('which leaves the repository');
  const at = path.split('/').slice(0, -1);
  let named = false;
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') {
      named = true;
      at.push(part);
      continue;
    }
    // `name/..` is another folder than it seems to be when the name is a link, too.
    if (named) throw refuse('which goes down and up again: write it without the detour');
    if (at.pop() === undefined) throw refuse('which leaves the repository');
  }
  return at.length === 0 ? '' : checkPath(at.join('/'), 'symbolic link to');
}

/** A file of a folder, through symbolic links. */
export interface Listed {
  /** Below the folder that was asked for, as it is named there. */
  file: string;
  /** What is really there. */
  entry: Entry;
}

/**
 * Every file below a folder; a link stands for what it leads to, and a folder behind a link is listed under the link's name.
 * @param isWanted by the name below the folder: others are passed over
 */
export async function listThroughLinks(
  mirror: Mirror,
  commit: string,
  folder: string,
  signal: AbortSignal,
  isWanted: (file: string) => boolean = () => true,
): Promise<Listed[]> {
  const [start] = await throughLinks(mirror, commit, [folder], signal);
  const found: Listed[] = [];
  let looked = 0;
  const keep = (each: Listed): void => {
    if (isWanted(each.file)) found.push(each);
  };
  const walk = async (real: string, name: string, above: string[]): Promise<void> => {
    const entries = await listFolder(mirror, commit, real, signal);
    const prefix = real === '' ? 0 : real.length + 1;
    const named = (entry: Entry): string => join(name, entry.path.slice(prefix));
    const links = entries.filter((each) => each.mode === LINK);
    // Links to folders with links to folders multiply.
    looked += entries.length;
    if (looked > LIMITS.listed)
      throw new PermanentError(
        `folder "${folder || '.'}" has more than ${LIMITS.listed} files with those behind links`,
      );
    for (const entry of entries) if (entry.mode !== LINK) keep({ file: named(entry), entry });
    checkAmount(
      found.map(({ entry }) => entry),
      folder,
    );
    const leads = await throughLinks(
      mirror,
      commit,
      links.map((each) => each.path),
      signal,
    );
    for (const [index, link] of links.entries()) {
      const { path, entry, inTheWay } = leads[index]!;
      if (inTheWay || (!entry && path !== ''))
        throw new PermanentError(`"${link.path}" is a symbolic link to "${path}", which does not exist`);
      if (entry && entry.mode !== FOLDER) keep({ file: named(link), entry });
      else {
        const chain = [...above, real];
        if (chain.some((each) => path === '' || each === path || each.startsWith(`${path}/`)))
          throw new PermanentError(`the symbolic link "${link.path}" goes in circles: it leads to "${path || '.'}"`);
        await walk(path, named(link), chain);
      }
    }
  };
  if (!start!.inTheWay) await walk(start!.path, '', []);
  checkAmount(
    found.map(({ entry }) => entry),
    folder,
  );
  return found;
}

/** Every other user of the file at the end of the link would get the change, too. */
export function refuseThroughLink(path: string, { links, path: to }: Resolved): never {
  const link = links[0]!.path;
  const which = link === path ? 'it is a symbolic link' : `"${link}" is a symbolic link`;
  throw new PermanentError(
    `"${path}" is not written: ${which}, and what would change is "${to}". Put a file of its own in place of the link, or promote to "${to}"`,
  );
}
