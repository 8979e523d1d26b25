import { quote } from './wording.ts';
import { doneBy } from './done-by.ts';

/** Hosts with pull requests whose API Sluice speaks: GitHub and GitHub Enterprise Server; GitLab; Gitea and Forgejo. */
export const FORGE_KINDS = ['github', 'gitlab', 'gitea'] as const;

export type ForgeKind = (typeof FORGE_KINDS)[number];

/** Opens pull requests in repositories whose address begins so; the longest such beginning wins. */
export interface ForgeUse {
  kind: 'FORGE';
  forge: ForgeKind;
  /** `https://github.com/acme/`; at whole path segments. Repositories that git reaches by ssh are meant, too. */
  url: string;
  /** Where its API is; left out: where the forge has it by default. */
  apiUrl?: string;
  /** The value is the private key of this GitHub App; else it is a token. `installation` is found by the repository when left out. */
  app?: { id: string; installation?: string };
}

/** Which forge a repository has. */
export interface ForgeOfRepository {
  /** The name of the secret that opens it. */
  secret: string;
  use: ForgeUse;
  /** Without a slash at its end. */
  apiUrl: string;
  /** Its name there: `owner/name`; on GitLab with all its groups. */
  name: string;
}

/** An address without its login, as far as a forge can have it; undefined for files and what is no address. */
interface Place {
  host: string;
  /** With its port, for http and https; null for ssh: another port there says nothing about the forge. */
  origin: string | null;
  /** Begins with `/`, and ends with neither `/` nor `.git`. */
  path: string;
}

/** Hosts that need no guess. */
const KNOWN: Record<string, ForgeKind> = {
  'github.com': 'github',
  'gitlab.com': 'gitlab',
  'gitea.com': 'gitea',
  'codeberg.org': 'gitea',
};

/** Hosts with pull requests that Sluice does not open. */
const NOT_SPOKEN: [host: RegExp, name: string][] = [
  [/^bitbucket\.org$/, 'Bitbucket'],
  [/^(ssh\.)?dev\.azure\.com$|\.visualstudio\.com$/, 'Azure DevOps'],
  [/^git-codecommit\.[a-z0-9-]+\.amazonaws\.com$/, 'AWS CodeCommit'],
];

/**
 * The forge of a repository, as secrets say it: the one with the longest beginning. Asks nothing over the network, so that a definition
 * can be judged when it is saved.
 * @returns `why` there is none, with the cure, as a sentence
 */
export function forgeFor(
  repoURL: string,
  secrets: readonly { name: string; use: ForgeUse }[],
): ForgeOfRepository | { why: string; known: ForgeKind | null } {
  const shown = quote(withoutLogin(repoURL));
  const place = placeOf(repoURL);
  if (place === undefined)
    return { why: `the repository ${shown} is on no host that has pull requests: use action commit`, known: null };
  const best = secrets
    .filter(({ use }) => begins(use.url, place))
    .sort((a, b) => lengthOf(b.use.url) - lengthOf(a.use.url) || (a.name < b.name ? -1 : 1))[0];
  if (best === undefined) return { why: whyNone(shown, place), known: knownKind(place.host) ?? null };
  const apiUrl = best.use.apiUrl?.replace(/\/+$/, '') ?? defaultApi(best.use);
  const name = nameAt(best.use.forge, apiUrl, place);
  if (name === undefined)
    return { why: `the repository ${shown} has no owner and name as ${TITLES[best.use.forge]} has them`, known: null };
  return { secret: best.name, use: best.use, apiUrl, name };
}

/**
 * Where an issue can be read at the host of a repository; null: where its host is not known, or has none.
 * @param forge as a secret says it, where one does
 * @param issue `repository`: of another repository at the same host, `owner/name`
 */
export function issueAddress(
  repoURL: string,
  forge: ForgeKind | undefined,
  { repository, number }: { repository?: string; number: string },
): string | null {
  const place = placeOf(repoURL);
  const kind = place && (forge ?? knownKind(place.host));
  if (place === undefined || kind === undefined) return null;
  const path = repository === undefined ? place.path : `/${repository}`;
  return `${place.origin ?? `https://${place.host}`}${path}${kind === 'gitlab' ? '/-' : ''}/issues/${number}`;
}

/** What people call it. */
export const TITLES: Record<ForgeKind, string> = { github: 'GitHub', gitlab: 'GitLab', gitea: 'Gitea or Forgejo' };

function whyNone(shown: string, { host }: Place): string {
  const kind = knownKind(host);
  const set = (forge: string): string =>
    `${doneBy('secretSet', `secret set NAME --forge ${forge} --forge-url https://${host}/OWNER/`)} stores one`;
  if (kind)
    return `pull requests in ${shown} need a secret with a token for ${TITLES[kind]}, and there is none: ${set(kind)}`;
  const [, other] = NOT_SPOKEN.find(([each]) => each.test(host)) ?? [];
  if (other) return `Sluice opens no pull requests on ${other}, where ${shown} is: use action commit`;
  return `no secret says which forge has ${shown}: when ${host} is GitHub Enterprise Server, GitLab, Gitea or Forgejo, ${set('github|gitlab|gitea')}; a host without pull requests takes action commit`;
}

function placeOf(repoURL: string): Place | undefined {
  const scp = /^(?:[^@/\s]+@)?([\w.-]+):(?!\/\/)([^?#\s]+)$/.exec(repoURL);
  if (scp) return { host: scp[1]!.toLowerCase(), origin: null, path: trimmed(`/${scp[2]!}`) };
  if (!URL.canParse(repoURL)) return undefined;
  const { protocol, hostname, origin, pathname } = new URL(repoURL);
  const host = hostname.replace(/\.$/, '');
  if (protocol === 'ssh:') return { host: host.toLowerCase(), origin: null, path: trimmed(pathname) };
  return protocol === 'https:' || protocol === 'http:' ? { host, origin, path: trimmed(pathname) } : undefined;
}

const trimmed = (path: string): string =>
  path
    .replace(/^\/+/, '/')
    .replace(/\/+$/, '')
    .replace(/\.git$/, '');

/** At whole path segments only: `https://host/team` must not open `https://host/team-evil`. */
function begins(url: string, place: Place): boolean {
  const prefix = new URL(url);
  const folder = trimmed(prefix.pathname);
  const sameHost = place.origin === null ? prefix.hostname === place.host : prefix.origin === place.origin;
  return sameHost && (place.path === folder || place.path.startsWith(`${folder}/`));
}

const lengthOf = (url: string): number => trimmed(new URL(url).pathname).length;

const knownKind = (host: string): ForgeKind | undefined =>
  KNOWN[host] ?? (host.endsWith('.ghe.com') ? 'github' : undefined);

function defaultApi({ forge, url }: ForgeUse): string {
  const { origin, host, hostname, protocol } = new URL(url);
  switch (forge) {
    case 'github':
      if (hostname === 'github.com' || hostname.endsWith('.ghe.com')) return `${protocol}//api.${host}`;
      return `${origin}/api/v3`;
    case 'gitlab':
      return `${origin}/api/v4`;
    case 'gitea':
      return `${origin}/api/v1`;
  }
}

/** `owner/name`; the folder under which the whole forge is served, as its API tells, is no part of it. */
function nameAt(forge: ForgeKind, apiUrl: string, { host, path }: Place): string | undefined {
  const api = new URL(apiUrl);
  const root = api.hostname === host ? api.pathname.replace(/\/api\/v\d+$/, '').replace(/\/$/, '') : '';
  const inside = root !== '' && path.startsWith(`${root}/`) ? path.slice(root.length) : path;
  let parts: string[];
  try {
    parts = inside
      .split('/')
      .filter((part) => part !== '')
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const fits = forge === 'gitlab' ? parts.length >= 2 : parts.length === 2;
  return fits && parts.every((part) => /^[\w.~+-]+$/u.test(part) && !/^\.+$/.test(part)) ? parts.join('/') : undefined;
}

/**
 * The address of a repository that got another name at the same host, spelled as its old one: by the same protocol, with the same login,
 * with or without `.git`.
 * @param from its old name there, whose segments end the old address
 */
export function movedAddress(repoURL: string, from: string, to: string): string {
  const [, root = '', , git = ''] =
    new RegExp(`^(.*?)((?:[^/:]+/){${from.split('/').length - 1}}[^/:]+?)(\\.git)?/*$`).exec(repoURL) ?? [];
  return `${root}${to}${git}`;
}

const withoutLogin = (repoURL: string): string =>
  repoURL.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1').replace(/[?#].*$/, '');
