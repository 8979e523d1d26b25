import { BlockList, isIP, isIPv6 } from 'node:net';

/**
 * Addresses that are not on the public Internet, by what they are: IANA's special-purpose registries (RFC 6890 and its
 * updates), and the metadata services of clouds that lie outside of them. The first kind that fits names the address.
 */
const KINDS: [string, string[]][] = [
  [
    'the metadata service of a cloud',
    ['169.254.169.254/32', '169.254.170.2/32', '168.63.129.16/32', '100.100.100.200/32'],
  ],
  ['a loopback address', ['127.0.0.0/8', '::1/128']],
  ['an unspecified address', ['0.0.0.0/8', '::/128']],
  ['a private address', ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7']],
  ['a link-local address', ['169.254.0.0/16', 'fe80::/10']],
  ['an address of a shared network (CGNAT)', ['100.64.0.0/10']],
  // A user who may name one of these chooses the IPv4 address that it stands for.
  ['an address that stands for an IPv4 address', ['64:ff9b::/96', '64:ff9b:1::/48', '2002::/16', '2001::/32']],
  ['a multicast or broadcast address', ['224.0.0.0/4', '255.255.255.255/32', 'ff00::/8']],
  [
    'a reserved address',
    [
      '192.0.0.0/24',
      '192.0.2.0/24',
      '192.88.99.0/24',
      '198.18.0.0/15',
      '198.51.100.0/24',
      '203.0.113.0/24',
      '240.0.0.0/4',
      '2001::/23',
      '2001:db8::/32',
      '3fff::/20',
    ],
  ],
];

const LISTS = KINDS.map(([kind, ranges]): [string, BlockList] => [kind, listOf(ranges)]);
/** Of IPv6 everything else is not handed out to anybody. */
const GLOBAL_IPV6 = listOf(['2000::/3']);
const MAPPED = listOf(['::ffff:0:0/96']);

/** @param address an IP address as text. @returns why it is not public; undefined when it is. */
export function notPublic(address: string): string | undefined {
  // A zone such as %eth0 belongs to a link and to no network.
  if (!isIP(address) || address.includes('%')) return 'not an address';
  // BlockList looks through ::ffff:10.0.0.1 by itself, at the rules for IPv4.
  const kind = LISTS.find(([, list]) => has(list, address))?.[0];
  if (kind) return kind;
  if (isIPv6(address) && !has(GLOBAL_IPV6, address) && !has(MAPPED, address)) return 'a reserved address';
  return undefined;
}

/** Whether the address, IPv4 or IPv6, stands in the list. */
export const has = (list: BlockList, address: string): boolean =>
  list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');

/** @param ranges in CIDR notation, checked already. */
export function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [net, bits] = range.split('/') as [string, string];
    list.addSubnet(net, Number(bits), isIPv6(net) ? 'ipv6' : 'ipv4');
  }
  return list;
}
