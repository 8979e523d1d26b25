import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupAddress, LookupOptions } from 'node:dns';
import { isIP, isIPv6 } from 'node:net';
import { callbackify } from 'node:util';
import { allowedOf } from './allowed.ts';
import { has, listOf, notPublic } from './ranges.ts';

/** Names to addresses, as the operating system does it. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** A host that must not be called. The message names it as it was written, never an address that was found for it. */
export class ForbiddenTarget extends Error {
  override name = 'ForbiddenTarget';
}

/** How a host may be reached. */
export interface Way {
  /** Where to connect to, all of them checked. */
  addresses: LookupAddress[];
  /** The operator trusts the name, whatever it stands for. */
  byName: boolean;
}

/**
 * Decides where this server may connect to when the operator did not choose the host. Only public addresses, unless the operator
 * allows others. A name is judged by its addresses, at the moment of connecting and for that connection alone: what a name
 * stood for a moment ago says nothing (DNS rebinding).
 */
export class NetworkGuard {
  readonly #networks;
  readonly #names;
  readonly #resolve;

  /** @param allowed entries as `parseAllowed` answers them. */
  constructor(allowed: readonly string[], resolve: Resolve = (name) => systemLookup(name, { all: true })) {
    const { networks, names } = allowedOf(allowed);
    this.#networks = listOf(networks);
    this.#names = names;
    this.#resolve = resolve;
  }

  /**
   * The addresses of a host that may be connected to.
   * @param host a name or an address; IPv6 with or without brackets
   * @throws ForbiddenTarget when there is none; what the lookup throws, such as ENOTFOUND.
   */
  async wayTo(host: string): Promise<Way> {
    const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
    const family = isIP(bare);
    if (family !== 0) {
      this.checkLiteral(bare);
      return { addresses: [{ address: bare, family }], byName: false };
    }
    const found = await this.#resolve(bare);
    if (this.#trusts(bare)) return { addresses: found, byName: true };
    // One public address among others does not open those.
    const addresses = found.filter(({ address }) => !this.#refusal(address));
    if (addresses.length > 0) return { addresses, byName: false };
    const kind = found[0] && this.#refusal(found[0].address);
    throw forbidden(host, kind ? `leads to ${kind}` : 'has no address');
  }

  /** @throws ForbiddenTarget when the host is an address that may not be connected to. */
  checkLiteral(host: string): void {
    const kind = isIP(host) === 0 ? undefined : this.#refusal(host);
    if (kind) throw forbidden(host, `is ${kind}`);
  }

  /** Whether the operator allows the name itself. */
  trustsName(host: string): boolean {
    return isIP(host) === 0 && this.#trusts(host.replace(/\.$/, ''));
  }

  /** For `net.connect` and `tls.connect`, which ask for every connection. They do not ask for addresses. */
  readonly lookup = (
    hostname: string,
    options: LookupOptions,
    callback: (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void,
  ): void => {
    const answer = callbackify((name: string) => this.wayTo(name));
    answer(hostname, (error, way) => {
      const addresses = error ? [] : way.addresses;
      if (error ?? options.all) return callback(error, addresses);
      const first = addresses.find(({ family }) => !options.family || family === options.family) ?? addresses[0];
      callback(null, first?.address ?? '', first?.family);
    });
  };

  #trusts(name: string): boolean {
    const asked = name.toLowerCase();
    return this.#names.some((each) => (each.startsWith('*.') ? asked.endsWith(each.slice(1)) : asked === each));
  }

  #refusal(address: string): string | undefined {
    const kind = notPublic(address);
    return kind && (!isIP(address) || address.includes('%') || !has(this.#networks, address)) ? kind : undefined;
  }
}

const forbidden = (host: string, what: string): ForbiddenTarget =>
  new ForbiddenTarget(
    `${isIPv6(host) ? `[${host}]` : `"${host}"`} ${what}, which this server does not call (SLUICE_ALLOWED_NETWORKS allows more)`,
  );
