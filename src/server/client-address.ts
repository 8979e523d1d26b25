import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import proxyAddress from 'proxy-addr';

/** Where a request comes from: the nearest address that is no proxy of ours. What a client writes itself is not believed. */
export function clientAddresses(trustedProxies: readonly string[]): (request: IncomingMessage) => string {
  const trusted = proxyAddress.compile([...trustedProxies]);
  return (request) => {
    // A socket that is gone has no address any more.
    const nearest = request.socket.remoteAddress === undefined ? '' : proxyAddress(request, trusted);
    return nearest.replace(/^::ffff:(?=\d+\.)/i, '');
  };
}

/** The owner of one IPv6 address has 2^64 of them: a network of 64 bits is one neighbour. */
export function neighbourhood(address: string): string {
  if (!isIPv6(address)) return address;
  const [before = '', after = ''] = address.replace(/%.*$/, '').split('::');
  const head = before.split(':').filter(Boolean);
  const tail = after.split(':').filter(Boolean);
  const zeros = address.includes('::') ? 8 - head.length - tail.length : 0;
  const groups = [...head, ...Array.from({ length: Math.max(0, zeros) }, () => '0'), ...tail].slice(0, 4);
  return `${groups.map((each) => Number.parseInt(each, 16).toString(16)).join(':')}::/64`;
}
