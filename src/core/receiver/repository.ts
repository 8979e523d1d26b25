/**
 * A repository under all of its addresses: host and path, without protocol, login, port, `.git`, and in small letters. Deliveries
 * and definitions spell one repository in many ways. Two repositories that differ in case alone count as one here: the look that
 * follows tells them apart. Undefined when it is no address.
 */
export function repositoryIdentity(address: string): string | undefined {
  const text = address.trim();
  if (text.length > MAX_ADDRESS) return undefined;
  if (text.startsWith('/')) return pathOf(text);
  const scp = /^(?:[^/@\s]+@)?([^/:@\s]+):(?!\/\/)(\S+)$/.exec(text);
  if (scp) return `${scp[1]!.toLowerCase()}${pathOf(scp[2]!)}`;
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, pathname } = new URL(text);
  if (!['https:', 'http:', 'ssh:', 'git:', 'file:'].includes(protocol) || pathOf(pathname) === '/') return undefined;
  return `${hostname.toLowerCase().replace(/\.$/, '')}${pathOf(pathname)}`;
}

/** The host that a repository is at; empty for one on this machine. */
export const hostOf = (address: string): string => repositoryIdentity(address)?.split('/')[0] ?? '';

/** Whether one of these beginnings of addresses, at whole parts of the path, is that of the repository; any when there are none. */
export function isWithin(prefixes: readonly string[], address: string): boolean {
  if (prefixes.length === 0) return true;
  const identity = repositoryIdentity(address);
  return (
    identity !== undefined &&
    prefixes.some((each) => {
      const prefix = prefixIdentity(each);
      return prefix !== undefined && (identity === prefix || identity.startsWith(`${prefix}/`));
    })
  );
}

/** A beginning may be a host alone. */
export function prefixIdentity(prefix: string): string | undefined {
  const whole = repositoryIdentity(prefix);
  if (whole !== undefined) return whole;
  if (!URL.canParse(prefix)) return undefined;
  const { protocol, hostname, search, hash } = new URL(prefix);
  const isAddress = ['https:', 'http:', 'ssh:'].includes(protocol) && hostname !== '' && search + hash === '';
  return isAddress ? hostname.toLowerCase().replace(/\.$/, '') : undefined;
}

const MAX_ADDRESS = 2_000;

function pathOf(path: string): string {
  const parts = path.toLowerCase().split('/').filter(Boolean).join('/');
  return `/${decoded(parts).replace(/\.git$/, '')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
