import { isIP } from 'node:net';
import { PermanentError, TransientError } from '../driver.ts';
import { ForbiddenTarget, type NetworkGuard } from '../network/guard.ts';
import type { Address, Protocol } from './address.ts';

/** How git is to get to a remote: by one protocol, to addresses that were checked. */
export interface Reach {
  protocol: Protocol;
  /** git settings. */
  settings: [string, string][];
  /** Options of ssh; plain words, the shell reads them. */
  ssh: string[];
}

/**
 * Looks the host up, has it checked, and pins git to what was found: git and ssh would look it up once more, and be given
 * another answer. A host that the operator trusts by name is left to them, aliases of ssh's own configuration included.
 * Behind an http proxy it is the proxy that looks names up; there the check is all there is.
 * @throws PermanentError when the host may not be called; TransientError when it has no address now.
 */
export async function reachOf({ url, protocol, host, port }: Address, guard: NetworkGuard): Promise<Reach> {
  if (host === undefined || guard.trustsName(host)) return { protocol, settings: [], ssh: [] };
  const { addresses } = await guard.wayTo(host).catch((error: unknown) => {
    if (error instanceof ForbiddenTarget) throw new PermanentError(`repository "${url}": ${error.message}`);
    throw new TransientError(`repository "${url}" could not be reached: no address of ${host} could be found`);
  });
  const found = addresses.map(({ address }) => address).filter((address) => isIP(address) !== 0);
  if (protocol === 'ssh') {
    // The key of the host is known under its name.
    const alias = port === undefined || port === 22 ? host : `[${host}]:${port}`;
    const pinned = isIP(host.replace(/^\[|\]$/g, '')) === 0;
    return { protocol, settings: [], ssh: pinned ? [`-oHostName=${found[0]}`, `-oHostKeyAlias='${alias}'`] : [] };
  }
  const at = port ?? (protocol === 'https' ? 443 : 80);
  const list = found.map((address) => (address.includes(':') ? `[${address}]` : address)).join(',');
  return { protocol, settings: [['http.curloptResolve', `${host}:${at}:${list}`]], ssh: [] };
}
