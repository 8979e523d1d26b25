import type { IncomingMessage } from 'node:http';
import type { Response } from 'express';
import { describe, expect, test } from 'vitest';
import { OwnPages } from '../../src/server/own-page.ts';
import { SessionCookies } from '../../src/server/session-cookie.ts';

const PUBLIC = 'https://sluice.example.com/releases';

const request = (headers: Record<string, string>, method = 'POST') =>
  ({ headers, method }) as unknown as IncomingMessage;

function setBy(work: (response: Response) => void): string[] {
  const set: string[] = [];
  work({ append: (_name: string, value: string) => set.push(value) } as unknown as Response);
  return set;
}

describe('the cookie of a session', () => {
  test('over TLS has the prefix that no other host can set, and is believed under that name alone', () => {
    const cookies = new SessionCookies(PUBLIC);
    expect(setBy((response) => cookies.setSession(request({}), response, 'abc'))).toEqual([
      '__Host-sluice=abc; Path=/; HttpOnly; SameSite=Lax; Secure',
    ]);
    expect(cookies.session(request({ cookie: 'a=b; __Host-sluice=abc' }))).toBe('abc');
    expect(cookies.session(request({ cookie: 'sluice=abc' }))).toBeUndefined();
  });

  test('over plain HTTP has neither, since browsers would drop it', () => {
    const cookies = new SessionCookies(undefined);
    expect(setBy((response) => cookies.setSession(request({}), response, 'abc'))).toEqual([
      'sluice=abc; Path=/; HttpOnly; SameSite=Lax',
    ]);
    const behindProxy = request({ origin: 'https://sluice.example.com' });
    expect(setBy((response) => cookies.setSession(behindProxy, response, 'abc'))[0]).toMatch(/^__Host-.*Secure$/);
  });

  test('says nothing when there are two of its name', () => {
    expect(new SessionCookies(undefined).session(request({ cookie: 'sluice=a; sluice=b' }))).toBeUndefined();
  });

  test('attempts to sign in do not pile up: the oldest go', () => {
    const cookies = new SessionCookies(undefined);
    const cookie = [1, 2, 3, 4, 5].map((each) => `sluice-sign-in-${each}=x`).join('; ');
    const begun = { state: 'abcdefghijklmnop', nonce: 'n', verifier: 'v', returnTo: '/' };
    const set = setBy((response) => cookies.setAttempt(request({ cookie }), response, begun));
    expect(set.map((each) => each.split('=')[0])).toEqual(['sluice-sign-in-1', 'sluice-sign-in-abcdefghijkl']);
    expect(set[0]).toContain('Max-Age=0');
    expect(set[1]).toContain('Max-Age=600');
  });

  test('attempts that lead to long paths stay within what servers read of a header, and the newest stays', () => {
    const cookies = new SessionCookies(undefined);
    const jar = new Map<string, string>();
    for (const each of 'abcdef') {
      const begun = {
        state: each.repeat(43),
        nonce: 'n'.repeat(43),
        verifier: 'v'.repeat(43),
        returnTo: 'x'.repeat(2_000),
      };
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      for (const set of setBy((response) => cookies.setAttempt(request({ cookie }), response, begun))) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(set)!;
        if (set.includes('Max-Age=0')) jar.delete(name!);
        else jar.set(name!, value!);
      }
      expect(jar.has(`sluice-sign-in-${each.repeat(12)}`)).toBe(true);
      expect([...jar].join('').length).toBeLessThan(4_200);
    }
  });

  test('an attempt with the state of another one is none', () => {
    const cookies = new SessionCookies(undefined);
    const begun = { state: 'abcdefghijklmnop', nonce: 'n', verifier: 'v', returnTo: '/' };
    const [set] = setBy((response) => cookies.setAttempt(request({}), response, begun)) as [string];
    const back = request({ cookie: set.split(';')[0]! });
    const take = (state: string) => {
      let taken;
      setBy((response) => (taken = cookies.takeAttempt(back, response, state)));
      return taken;
    };
    expect(take('abcdefghijklmnop')).toEqual(begun);
    // Its cookie has the same name, which is made of the beginning.
    expect(take('abcdefghijklXXXX')).toBeNull();
    expect(take('another')).toBeNull();
  });
});

describe('a page of our own', () => {
  const host = 'sluice.example.com';
  const own = { host, origin: 'https://sluice.example.com', 'x-sluice-csrf': '1' };
  const check = (publicUrl: string | undefined, headers: Record<string, string>, method = 'POST') => {
    try {
      new OwnPages(publicUrl).check(request(headers, method));
      return null;
    } catch (error) {
      return (error as Error).message.replace('the session does not count on this request: ', '');
    }
  };

  test.each<[string, Record<string, string>, string | null]>([
    ['of the public URL', own, null],
    ['of the public URL, behind a proxy that writes a Host of its own', { ...own, host: 'backend:4000' }, null],
    ['on the way to this machine', { ...own, host: '127.0.0.1:4000', origin: 'http://127.0.0.1:4000' }, null],
    [
      'of the public name on plain HTTP',
      { ...own, origin: 'http://sluice.example.com' },
      'a page of another origin sends it',
    ],
    ['of another port', { ...own, origin: 'https://sluice.example.com:444' }, 'a page of another origin sends it'],
    [
      'of a name that begins alike',
      { ...own, origin: `https://${host}.evil.example` },
      'a page of another origin sends it',
    ],
    ['in a frame without an origin', { ...own, origin: 'null' }, 'a page of another origin sends it'],
  ])('%s', (_what, headers, why) => {
    expect(check(PUBLIC, headers)).toBe(why);
  });

  test('by GET: an event stream by its site, a WebSocket by its Origin', () => {
    expect(check(undefined, { host, 'sec-fetch-site': 'same-origin' }, 'GET')).toBeNull();
    expect(check(undefined, { host, 'sec-fetch-site': 'none' }, 'GET')).toBe('another site sends it');
    expect(check(undefined, { host }, 'GET')).toBe('it has no Origin');
    expect(check(undefined, { host, upgrade: 'websocket', origin: `http://${host}` }, 'GET')).toBeNull();
    expect(check(undefined, { host, upgrade: 'websocket', 'sec-fetch-site': 'same-origin' }, 'GET')).toBe(
      'it has no Origin',
    );
  });
});
