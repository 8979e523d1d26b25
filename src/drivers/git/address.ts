import { PermanentError } from '../driver.ts';

/** Where a repository is, with what must never be shown taken out of it. */
export interface Address {
  /** Handed to git and shown to people: without user, password, query and fragment (a user stays for ssh). */
  url: string;
  protocol: Protocol;
  /** Who is called: a name or an address, IPv6 in brackets; absent for files. */
  host?: string;
  /** Absent: the protocol's own. */
  port?: number;
  /** What the URL itself carried. */
  embedded?: { username: string; password: string };
}

/** How a repository is reached. */
export type Protocol = 'https' | 'http' | 'ssh' | 'file';

/** Plain http sends tokens in the clear: it is there for those who turn it on. */
export const DEFAULT_PROTOCOLS: readonly Protocol[] = ['https', 'ssh'];

/** All that git is ever let use. */
export const PROTOCOLS: readonly Protocol[] = ['https', 'http', 'ssh', 'file'];

/** @throws PermanentError for a protocol that is not allowed; without the URL's secrets. */
export function parseAddress(repoURL: string, allowed: readonly Protocol[] = DEFAULT_PROTOCOLS): Address {
  const address = read(repoURL);
  if (allowed.includes(address.protocol)) return address;
  throw new PermanentError(
    `repository "${address.url}": protocol ${address.protocol} is not allowed here, only ${allowed.join(', ')}`,
  );
}

function read(repoURL: string): Address {
  if (repoURL === '' || repoURL.startsWith('-') || /[\p{Cc} ]/u.test(repoURL) || /^[\w+.-]*::/.test(repoURL))
    throw new PermanentError(`repository "${withoutSecrets(repoURL)}" is not a repository address`);
  if (repoURL.startsWith('/')) return { url: repoURL, protocol: 'file' };
  const scp = /^(?:\w[\w.-]*@)?(\w[\w.-]*):(?!\/\/)[\w./~][^?#]*$/.exec(repoURL);
  if (scp) return { url: repoURL, protocol: 'ssh', host: scp[1]! };
  if (!URL.canParse(repoURL))
    throw new PermanentError(
      `repository "${withoutSecrets(repoURL)}" is not a repository address: expected https://…, ssh://…, user@host:path or file:///…`,
    );
  const url = new URL(repoURL);
  const protocol = url.protocol.slice(0, -1);
  const embedded = { username: decoded(url.username), password: decoded(url.password) };
  url.password = '';
  url.search = '';
  url.hash = '';
  if (protocol === 'ssh') {
    // ssh would read a leading dash as an option.
    if (/^(%2d|-)/i.test(url.hostname) || embedded.username.startsWith('-'))
      throw new PermanentError(`repository "${url.href}" is not a repository address`);
    // What git would decode on its way to ssh is not what was looked at here.
    if (!/^(\w[\w.-]*|\[[\da-f:.]+\])$/i.test(url.hostname))
      throw new PermanentError(`repository "${url.href}" has no host that could be called`);
    return { url: url.href, protocol: 'ssh', ...hostOf(url) };
  }
  url.username = '';
  if (protocol === 'file') return { url: url.href, protocol: 'file' };
  if (protocol !== 'https' && protocol !== 'http')
    throw new PermanentError(`repository "${url.href}": protocol ${protocol} is not allowed, use https, ssh or file`);
  // The form with the dot is the same host to the network, and another one to curl's list of pinned addresses.
  url.hostname = url.hostname.replace(/\.$/, '');
  return { url: url.href, protocol, ...hostOf(url), ...(embedded.username || embedded.password ? { embedded } : {}) };
}

const hostOf = ({ hostname, port }: URL): { host: string; port?: number } => ({
  host: hostname,
  ...(port !== '' && { port: Number(port) }),
});

/** A line break would add a line to what git's credential helper is told. */
function decoded(text: string): string {
  try {
    const plain = decodeURIComponent(text);
    if (!/\p{Cc}/u.test(plain)) return plain;
  } catch {
    // Said below, without quoting it.
  }
  throw new PermanentError('the user or password in the repository address is not usable');
}

/** For any text that may quote a URL: what git says, what a person typed. */
export function withoutSecrets(text: string, secrets: readonly string[] = []): string {
  let clean = text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/\s'"]*@/gi, '$1')
    .replace(/([?&][^=&\s'"]+=)[^&\s'"]+/g, '$1***');
  for (const secret of secrets) if (secret.length > 0) clean = clean.replaceAll(secret, '***');
  return clean;
}

/** A branch as git allows it, and never an option. */
export function checkBranch(branch: string): string {
  const bad =
    branch === '' ||
    branch === '@' ||
    /^[-/]|\.\.|@\{|\/\/|\/$|\.$|[\p{Cc} ~^:?*[\\]/u.test(branch) ||
    branch.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'));
  if (bad) throw new PermanentError(`branch "${branch}" is not a branch name`);
  return branch;
}

/**
 * A folder or file below the root, normalised; '' is the root itself. What leaves the repository, or reaches git's own
 * folder under any spelling that a file system folds together (`.GIT`, `.git.`, `git~1`), is refused.
 */
export function checkPath(path: string, what: string): string {
  const parts = path
    .split('/')
    .filter((part, index, all) => part !== '.' && !(part === '' && index === all.length - 1));
  for (const part of parts) {
    const folded = part.normalize('NFKC').replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '');
    if (part === '' || part === '..' || /[\p{Cc}\\]/u.test(part) || /^(\.git|git~\d+)[. ]*(:.*)?$/i.test(folded))
      throw new PermanentError(`${what} "${path}" is not allowed: it must stay inside the repository and outside .git`);
  }
  return parts.join('/');
}
