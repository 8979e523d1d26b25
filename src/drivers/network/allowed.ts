import { isIPv4, isIPv6 } from 'node:net';

/** What `SLUICE_ALLOWED_NETWORKS` lists: networks by CIDR, and names. */
export interface Allowed {
  /** `10.1.0.0/16`; a single address as `10.1.2.3/32`. */
  networks: string[];
  /** Lower case; `*.corp.example` stands for every name below `corp.example`. */
  names: string[];
}

/** What a server that only this machine can reach may call without being told. */
export const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/**
 * Reads a list such as `10.0.0.0/8, git.corp.example, *.lan`, entries apart by commas or spaces.
 * @returns undefined when an entry is none of the three
 */
export function parseAllowed(text: string): string[] | undefined {
  const entries = text.split(/[\s,]+/).filter(Boolean);
  return entries.length > 0 && entries.every((entry) => networkOf(entry) ?? nameOf(entry)) ? entries : undefined;
}

/** @param entries as parseAllowed answers them. */
export function allowedOf(entries: readonly string[]): Allowed {
  const networks = entries.map(networkOf).filter((each) => each !== undefined);
  return { networks, names: entries.filter((each) => !networkOf(each)).map((each) => nameOf(each)!) };
}

function networkOf(entry: string): string | undefined {
  const [address = '', bits, ...more] = entry.split('/');
  const most = isIPv4(address) ? 32 : isIPv6(address) && !address.includes('%') ? 128 : 0;
  if (most === 0 || more.length > 0) return undefined;
  if (bits === undefined) return `${address}/${most}`;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= most ? `${address}/${Number(bits)}` : undefined;
}

/** A last label of digits would be read as an IPv4 address by some program: `1.2.3` is no name. */
function nameOf(entry: string): string | undefined {
  const name = entry.toLowerCase();
  return /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name) ? name : undefined;
}
