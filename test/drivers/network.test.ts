import type { LookupAddress } from 'node:dns';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { runAction } from '../../src/drivers/actions/index.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { checkHealth } from '../../src/drivers/health/index.ts';
import { HttpClient } from '../../src/drivers/http.ts';
import { allowedOf, LOOPBACK, parseAllowed } from '../../src/drivers/network/allowed.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';
import { notPublic } from '../../src/drivers/network/ranges.ts';
import { noSecrets } from './http-server.ts';
import { contextOf } from './repository.ts';

const v4 = (address: string): LookupAddress => ({ address, family: 4 });

describe('which addresses are public', () => {
  test.each([
    ['127.0.0.1', 'a loopback address'],
    ['127.255.255.254', 'a loopback address'],
    ['::1', 'a loopback address'],
    ['::ffff:127.0.0.1', 'a loopback address'],
    ['::ffff:7f00:1', 'a loopback address'],
    ['0.0.0.0', 'an unspecified address'],
    ['::', 'an unspecified address'],
    ['10.0.0.1', 'a private address'],
    ['172.16.0.1', 'a private address'],
    ['172.31.255.255', 'a private address'],
    ['192.168.1.1', 'a private address'],
    ['fd12:3456::1', 'a private address'],
    ['::ffff:c0a8:101', 'a private address'],
    ['169.254.1.1', 'a link-local address'],
    ['fe80::1', 'a link-local address'],
    ['169.254.169.254', 'the metadata service of a cloud'],
    ['::ffff:a9fe:a9fe', 'the metadata service of a cloud'],
    ['168.63.129.16', 'the metadata service of a cloud'],
    ['100.100.100.200', 'the metadata service of a cloud'],
    ['100.64.0.1', 'an address of a shared network (CGNAT)'],
    ['100.127.255.255', 'an address of a shared network (CGNAT)'],
    ['64:ff9b::a00:1', 'an address that stands for an IPv4 address'],
    ['64:ff9b:1::a00:1', 'an address that stands for an IPv4 address'],
    ['2002:7f00:1::', 'an address that stands for an IPv4 address'],
    ['2001:0:7f00:1::', 'an address that stands for an IPv4 address'],
    ['224.0.0.1', 'a multicast or broadcast address'],
    ['255.255.255.255', 'a multicast or broadcast address'],
    ['ff02::1', 'a multicast or broadcast address'],
    ['198.18.0.1', 'a reserved address'],
    ['203.0.113.9', 'a reserved address'],
    ['240.0.0.1', 'a reserved address'],
    ['2001:db8::1', 'a reserved address'],
    // IPv4-compatible, long withdrawn, and still understood by some.
    ['::127.0.0.1', 'a reserved address'],
    ['fec0::1', 'a reserved address'],
    ['fe80::1%eth0', 'not an address'],
    ['0x7f.1', 'not an address'],
    ['', 'not an address'],
  ])('%s is %s', (address, kind) => expect(notPublic(address)).toBe(kind));

  test.each(['8.8.8.8', '1.1.1.1', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0', '11.0.0.1'])(
    '%s is public, and in IPv6 notation too',
    (address) => {
      expect(notPublic(address)).toBeUndefined();
      expect(notPublic(`::ffff:${address}`)).toBeUndefined();
    },
  );

  test.each(['2606:4700::1111', '2a00:1450::8a', '2400:cb00::1'])('%s is public', (address) =>
    expect(notPublic(address)).toBeUndefined(),
  );

  test('an IPv4 address is judged alike in every notation', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
        const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        expect(notPublic(hex)).toBe(notPublic(address));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what the operator allows', () => {
  test('networks, addresses and names, apart by commas or spaces', () => {
    const entries = parseAllowed('10.0.0.0/8, 192.168.7.7  fd00::/8,::1 Git.Corp.Example,*.lan,localhost')!;
    expect(allowedOf(entries)).toEqual({
      networks: ['10.0.0.0/8', '192.168.7.7/32', 'fd00::/8', '::1/128'],
      names: ['git.corp.example', '*.lan', 'localhost'],
    });
  });

  test.each([
    '',
    ' , ',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.0/',
    '10/8',
    '1.2.3',
    '*',
    '*.*',
    'a b/c',
    'http://x',
    '-a',
    'fe80::1%eth0',
  ])('"%s" is refused as a whole', (text) => expect(parseAllowed(text)).toBeUndefined());

  test.each([
    ['10.1.0.0/16', '10.1.2.3', true],
    ['10.1.0.0/16', '::ffff:a01:203', true],
    ['10.1.0.0/16', '10.2.0.1', false],
    ['::1', '::1', true],
    ['::1', '127.0.0.1', false],
    ['64:ff9b::/96', '64:ff9b::808:808', true],
    ['git.lan', '10.0.0.1', false],
  ])('%s opens %s: %s', async (allowed, host, opens) => {
    const way = new NetworkGuard([allowed]).wayTo(host);
    if (opens) expect((await way).addresses.map(({ address }) => address)).toEqual([host]);
    else await expect(way).rejects.toThrow('does not call');
  });

  test.each([
    ['git.lan', 'git.lan', true],
    ['git.lan', 'GIT.LAN.', true],
    ['git.lan', 'agit.lan', false],
    ['git.lan', 'a.git.lan', false],
    ['*.lan', 'a.b.lan', true],
    ['*.lan', 'lan', false],
    ['*.lan', 'alan', false],
  ])('the name %s opens %s: %s', async (allowed, host, opens) => {
    const way = new NetworkGuard([allowed], async () => [v4('10.0.0.1')]).wayTo(host);
    if (opens) expect(await way).toEqual({ addresses: [v4('10.0.0.1')], byName: true });
    else await expect(way).rejects.toThrow('leads to a private address');
  });

  test('of several addresses only the public ones are used', async () => {
    const guard = new NetworkGuard([], async () => [v4('10.0.0.1'), v4('8.8.8.8'), { address: '::1', family: 6 }]);
    expect((await guard.wayTo('both.example')).addresses).toEqual([v4('8.8.8.8')]);
  });
});

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

/** 127.0.0.2 stands for the Internet and 127.0.0.1 for what must not be reached. */
async function listen(address: string, port: number, headers: (port: number) => Record<string, string> = () => ({})) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization ?? ''}`.trim());
    const more = headers((server.address() as AddressInfo).port);
    response.writeHead(more['location'] ? 302 : 200, { connection: 'close', ...more }).end('{}');
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return { asked, port: (server.address() as AddressInfo).port };
}

const INTERNET = ['127.0.0.2/32'];
const health = (url: string, guard: NetworkGuard) =>
  checkHealth(
    { type: 'http', url },
    { application: 'a', environment: 'e', product: 'p', since: new Date(), now: new Date(), signal: never },
    new HttpClient(guard),
    noSecrets,
  );
const act = (url: string, guard: NetworkGuard) =>
  runAction(
    { name: 'smoke', type: 'http', parameters: { url } },
    {},
    contextOf('k'),
    new HttpClient(guard),
    noSecrets,
    {
      startedAt: 0,
      now: 0,
      progress: null,
      agreedBy: null,
    },
  );
const never = new AbortController().signal;

describe('an http request', () => {
  const FORMS = [
    'http://127.0.0.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f000001:PORT/',
    'http://0x7f.1:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://017700000001:PORT/',
    'http://127.1:PORT/',
    'http://0:PORT/',
    'http://0.0.0.0:PORT/',
    'http://[::1]:PORT/',
    'http://[::]:PORT/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[0:0:0:0:0:ffff:7f00:0001]:PORT/',
    'http://[64:ff9b::7f00:1]:PORT/',
    'http://①②⑦.⓪.⓪.①:PORT/',
    'http://127。0。0。1:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://example.com@127.0.0.1:PORT/',
    'http://example.com:80@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT\\@example.com/',
    'http://127.0.0.1:PORT#@example.com/',
    'http://localhost:PORT/',
    'http://LOCALHOST.:PORT/',
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/latest/meta-data/',
    'http://[fe80::1]/',
    'http://10.0.0.1/',
  ];

  test.each(FORMS)('to %s is not sent, by health source or action', async (form) => {
    const inside = await listen('127.0.0.1', 0);
    const url = form.replace('PORT', String(inside.port));
    const guard = new NetworkGuard([]);
    const failed = await act(url, guard).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(PermanentError);
    expect((failed as Error).message).toMatch(/was not sent: .* (is|leads to) .* which this server does not call/);
    const answer = await health(url, guard);
    expect(answer).toMatchObject({ status: 'UNKNOWN', message: expect.stringContaining('does not call') });
    expect(inside.asked).toEqual([]);
  });

  test('reaches loopback where only this machine reaches the server', async () => {
    const inside = await listen('127.0.0.1', 0);
    const guard = new NetworkGuard(LOOPBACK);
    expect(await act(`http://127.0.0.1:${inside.port}/a`, guard)).toEqual({ kind: 'succeeded', outputs: {} });
    expect((await health(`http://localhost:${inside.port}/b`, guard)).status).toBe('HEALTHY');
    expect(inside.asked).toEqual(['/a', '/b']);
    await expect(act('http://169.254.169.254/', guard)).rejects.toThrow('the metadata service');
  });

  test('goes to the address that was checked, and every connection is checked: a name may change its mind', async () => {
    const outside = await listen('127.0.0.2', 0);
    const inside = await listen('127.0.0.1', outside.port);
    let lookups = 0;
    const guard = new NetworkGuard(INTERNET, async () => [v4(`127.0.0.${lookups++ % 2 === 0 ? 2 : 1}`)]);
    const client = new HttpClient(guard);
    const outcomes = [];
    for (let i = 0; i < 6; i += 1) {
      const sent = client.request(new URL(`http://rebind.test:${outside.port}/${i}`), {}, never);
      outcomes.push(
        await sent.then(
          ({ status }) => status,
          (error: Error) => error.name,
        ),
      );
    }
    expect(outcomes).toEqual([200, 'ForbiddenTarget', 200, 'ForbiddenTarget', 200, 'ForbiddenTarget']);
    expect([lookups, inside.asked]).toEqual([6, []]);
  });

  test.each([
    ['http://169.254.169.254/latest/', 'DEGRADED', 'redirected to another host, 169.254.169.254: not followed'],
    ['http://127.0.0.1:PORT/', 'DEGRADED', 'redirected to another host'],
    ['//127.0.0.1:PORT/', 'DEGRADED', 'redirected to another host'],
    ['file:///etc/passwd', 'DEGRADED', 'redirected to another host'],
    // The same host, which meanwhile is another one.
    ['/again', 'UNKNOWN', 'does not call'],
  ])('that is redirected to %s ends there', async (location, status, message) => {
    const outside = await listen('127.0.0.2', 0, (port) => ({ location: location.replace('PORT', String(port)) }));
    const inside = await listen('127.0.0.1', outside.port);
    let lookups = 0;
    const guard = new NetworkGuard(INTERNET, async () => [v4(`127.0.0.${lookups++ === 0 ? 2 : 1}`)]);
    const answer = await health(`http://ann:s3cret@rebind.test:${outside.port}/`, guard);
    expect(answer).toMatchObject({ status, message: expect.stringContaining(message) });
    lookups = 0;
    await expect(act(`http://rebind.test:${outside.port}/`, guard)).rejects.toThrow('answered 302');
    expect([outside.asked.length, inside.asked]).toEqual([2, []]);
  });

  test('to a name without an address may be tried again', async () => {
    const guard = new NetworkGuard([], () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOTFOUND' })));
    await expect(act('http://nowhere.test/', guard)).rejects.toThrow(TransientError);
  });
});
