import type { ArgoApplication, ArgoSource } from './read.ts';

/** The folder of an application, as its driver has it. */
export interface Folder {
  repoURL: string;
  path: string;
}

/**
 * Which of an Argo CD application's sources is the folder: the one with its repository and its path. Where the path differs (a chart of the
 * same repository with values from the folder, a source that is only referred to), the repository decides, as long as its sources
 * cannot stand at different revisions. A sentence where it cannot be told.
 */
export function sourceFor(
  { sources }: Pick<ArgoApplication, 'sources'>,
  folder: Folder,
  chosen: number | undefined,
): { position: number } | { why: string } {
  if (chosen !== undefined)
    return chosen < sources.length
      ? { position: chosen }
      : { why: `it has ${sources.length} sources, and none is number ${chosen}, counted from 0, as \`source\` says` };
  const candidates = sources.flatMap((source, position) =>
    !source.chart && sameRepository(source.repoURL, folder.repoURL) ? [{ source, position }] : [],
  );
  if (candidates.length === 0) {
    const has = sources.map(({ repoURL }) => `"${repoURL}"`).join(', ');
    return { why: `none of its sources is of repository "${folder.repoURL}": it has ${has}` };
  }
  const exact = candidates.filter(({ source }) => samePath(source.path, folder.path));
  const left = exact.length > 0 ? exact : candidates;
  const [first] = left;
  if (left.every(({ source }) => source.targetRevision === first!.source.targetRevision))
    return { position: first!.position };
  const which = left.map(({ source, position }) => `${position} (${describe(source)})`).join(', ');
  return { why: `several of its sources are of repository "${folder.repoURL}": ${which}; say which by \`source\`` };
}

const describe = ({ path, targetRevision }: ArgoSource): string =>
  `path "${path}", revision "${targetRevision || 'HEAD'}"`;

const samePath = (a: string, b: string): boolean => plainPath(a) === plainPath(b);
const plainPath = (path: string): string =>
  path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');

/** Whether two addresses are of one repository, whatever the protocol, the login and the `.git` at the end. */
export function sameRepository(a: string, b: string): boolean {
  return plainAddress(a) === plainAddress(b);
}

function plainAddress(address: string): string {
  const scp = /^(?:[^@/]+@)?([^:/]+):(?!\/)(.+)$/.exec(address);
  const text = scp && !address.includes('://') ? `ssh://${scp[1]}/${scp[2]}` : address;
  const path = (at: string): string => at.replace(/\/+$/, '').replace(/\.git$/i, '');
  if (!URL.canParse(text)) return path(text);
  const { hostname, port, pathname, protocol } = new URL(text);
  if (protocol === 'file:') return path(pathname);
  // A port belongs to its protocol: ssh and https of one host have different ones.
  const usual = protocol === 'ssh:' || port === '' ? '' : `:${port}`;
  return `${hostname.toLowerCase()}${usual}${path(pathname)}`.toLowerCase();
}
