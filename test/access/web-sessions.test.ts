import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { Authenticator } from '../../src/access/authenticator.ts';
import { deleteGrant } from '../../src/commands/access/change-grants.ts';
import { revokeToken } from '../../src/commands/access/revoke-token.ts';
import { localPath } from '../../src/server/auth-routes.ts';
import { TestBrowser } from './browser.ts';
import { AUDIENCE, CLIENT, type Issuer, openIssuer } from './issuer.ts';
import { ADMIN, bearer, type GuardedServer, openGuarded, SOMEBODY } from './support.ts';

let issuer: Issuer;
let guarded: GuardedServer;
beforeAll(async () => {
  issuer = await openIssuer();
  guarded = await openGuarded(
    {
      SLUICE_OIDC_ISSUER: issuer.url,
      SLUICE_OIDC_AUDIENCE: AUDIENCE,
      SLUICE_OIDC_NAME_CLAIM: 'name',
      SLUICE_OIDC_CLIENT_ID: CLIENT.id,
      SLUICE_OIDC_CLIENT_SECRET: CLIENT.secret,
      SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    },
    { sessionsMs: 100 },
  );
  await guarded.engine.saveBilling();
  await guarded.grant({ subjectKind: 'GROUP', subject: 'releasers', role: 'RELEASER' });
});
afterAll(async () => {
  await guarded.close();
  await issuer.close();
});

const VIEWER = '{ viewer { name kind groups } }';
const PRODUCTS = '{ products { nodes { name } } }';
const TERMINATE = 'mutation { releaseTerminate(input: { releaseId: "x" }) { userErrors { message } } }';

const browser = (): TestBrowser => new TestBrowser(guarded.url);

async function signedIn(person: Record<string, unknown> = {}): Promise<TestBrowser> {
  const made = browser();
  issuer.people.person = person;
  expect((await made.signIn()).answer.status).toBe(303);
  return made;
}

async function swapped(token: string): Promise<TestBrowser> {
  const made = browser();
  expect((await made.swap(token)).status).toBe(200);
  return made;
}

const codeOf = async (of: TestBrowser, query = VIEWER): Promise<string | undefined> =>
  (await of.ask(query)).body.errors?.[0]?.extensions.code;
const wordsOf = async (of: TestBrowser): Promise<string> => (await of.ask(VIEWER)).body.errors?.[0]?.message ?? '';
const sql = (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  guarded.engine.app.dataSource.query(text, values);
/** What was changed behind the server's back is seen when its memory is old. */

describe('a person who signs in at the identity provider', () => {
  test('has a session: a cookie that scripts cannot read, and nothing of it in the database', async () => {
    const made = browser();
    const { answer } = await made.signIn('?return_to=%2Freleases%2F42%3Fview%3Dlist');
    expect(answer.headers.get('location')).toBe('/releases/42?view=list');
    expect([...made.cookies.keys()]).toEqual(['sluice']);
    const [cookie] = answer.headers.getSetCookie().filter((each) => each.startsWith('sluice='));
    expect(cookie).toMatch(/^sluice=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect((await made.ask(VIEWER)).body.data).toEqual({
      viewer: { name: 'ada', kind: 'USER', groups: ['releasers'] },
    });
    const rows = JSON.stringify(await sql('SELECT row_to_json(s)::text AS row FROM web_session s'));
    expect(rows).not.toContain(made.cookies.get('sluice'));
    for (const each of issuer.people.refreshTokens) expect(rows).not.toContain(each);
  });

  test('can do what is granted to the person and the groups, as long as it is', async () => {
    const made = await signedIn({ name: 'grace', groups: [] });
    expect(await codeOf(made, PRODUCTS)).toBe('FORBIDDEN');
    const id = await guarded.grant({ subject: 'grace', role: 'VIEWER' });
    await expect.poll(() => codeOf(made, PRODUCTS)).toBeUndefined();
    await deleteGrant(guarded.engine.app, { id }, SOMEBODY);
    await expect.poll(() => codeOf(made, PRODUCTS)).toBe('FORBIDDEN');
  });

  test('stands in the audit log with the session', async () => {
    const made = await signedIn({ name: 'audrey' });
    await made.ask(TERMINATE);
    const [entered, ended] = await sql(
      `SELECT action, credential, transport, actor_kind AS kind FROM audit_log WHERE actor = 'audrey' ORDER BY id`,
    );
    expect(entered).toEqual({ action: 'signIn', credential: `oidc ${issuer.url}`, transport: 'WEB', kind: 'PERSON' });
    expect(ended).toMatchObject({ action: 'releaseTerminate', transport: 'WEB' });
    const [{ id }] = (await sql(`SELECT id FROM web_session WHERE subject = 'audrey'`)) as [{ id: string }];
    expect(ended!['credential']).toBe(`session/${id}`);
  });

  test('signs out here and at the provider, and the cookie is good for nothing', async () => {
    const made = await signedIn();
    const kept = new Map(made.cookies);
    const answer = await made.send('/auth/logout');
    const next = new URL(((await answer.json()) as { next: string }).next);
    expect(next.href.startsWith(`${issuer.url}/end?`)).toBe(true);
    expect(next.searchParams.get('post_logout_redirect_uri')).toBe(`${guarded.url}/`);
    expect(next.searchParams.get('id_token_hint')).toMatch(/^eyJ/);
    expect([...made.cookies.keys()]).toEqual([]);
    for (const [name, value] of kept) made.cookies.set(name, value);
    expect(await wordsOf(made)).toBe('the session has ended: signed out: sign in again');
  });

  test('is renewed before the tokens run out, with the groups by then', async () => {
    const made = await signedIn({ name: 'rita', groups: ['before'] });
    issuer.people.person = { name: 'rita', groups: ['after'] };
    const before = issuer.people.renewed;
    await sql(`UPDATE web_session SET renew_at = now() WHERE subject = 'rita'`);
    await expect
      .poll(async () => (await made.ask(VIEWER)).body.data)
      .toEqual({ viewer: { name: 'rita', kind: 'USER', groups: ['after'] } });
    expect(issuer.people.renewed - before).toBe(1);
    const [row] = await sql(`SELECT renew_at > now() AS later FROM web_session WHERE subject = 'rita'`);
    expect(row).toEqual({ later: true });
  });

  test('is out when the provider no longer lets the person in, and stays in while it does not answer', async () => {
    const made = await signedIn({ name: 'lola' });
    issuer.down = true;
    await sql(`UPDATE web_session SET renew_at = now() WHERE subject = 'lola'`);
    const later = `SELECT id FROM web_session WHERE subject = 'lola' AND renew_at > now() AND ended_at IS NULL`;
    await expect.poll(() => sql(later)).toHaveLength(1);
    expect(await codeOf(made)).toBeUndefined();
    issuer.down = false;
    issuer.people.lockedOut = true;
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await sql(`UPDATE web_session SET renew_at = now() WHERE subject = 'lola'`);
    await expect.poll(() => wordsOf(made)).toContain('the account is locked');
    issuer.people.lockedOut = false;
  });

  test.each(['/auth/login?return_to=//evil.example', '/auth/login?return_to=https://evil.example/'])(
    '%s ends up at home',
    async (path) => {
      const { answer } = await browser().signIn(path.slice('/auth/login'.length));
      expect(answer.headers.get('location')).toBe('../');
    },
  );

  test('two tabs sign in at once, and neither gets in the way of the other', async () => {
    const made = browser();
    const [one, two] = [await made.go('/auth/login?return_to=/one'), await made.go('/auth/login?return_to=/two')];
    for (const [tab, home] of [
      [one, '/one'],
      [two, '/two'],
    ] as const) {
      const back = await made.go(tab.headers.get('location')!);
      expect((await made.go(back.headers.get('location')!)).headers.get('location')).toBe(home);
      expect(await codeOf(made)).toBeUndefined();
    }
  });
});

describe('a sign-in that somebody tampers with', () => {
  const refused = async (answer: Response, made: TestBrowser): Promise<void> => {
    expect(answer.status).toBe(403);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(made.cookies.get('sluice')).toBeUndefined();
  };

  test('an answer that came before is refused, also with its cookie', async () => {
    const made = browser();
    const toProvider = await made.go('/auth/login');
    const attempt = new Map(made.cookies);
    const back = await made.go(toProvider.headers.get('location')!);
    const callback = back.headers.get('location')!;
    expect((await made.go(callback)).status).toBe(303);
    const thief = browser();
    await refused(await thief.go(callback), thief);
    for (const [name, value] of attempt) thief.cookies.set(name, value);
    await refused(await thief.go(callback), thief);
  });

  test("an answer to another browser's sign-in is refused: nobody is signed in as somebody else", async () => {
    const [thief, made] = [browser(), browser()];
    const toProvider = await thief.go('/auth/login');
    await made.go('/auth/login');
    const back = await thief.go(toProvider.headers.get('location')!);
    await refused(await made.go(back.headers.get('location')!), made);
    const own = [...made.cookies.keys()][0]!;
    expect(own).toMatch(/^sluice-sign-in-/);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['another nonce', { nonce: 'of another sign-in' }, 'does not belong to this sign-in'],
    ['no nonce', { nonce: null }, 'does not belong to this sign-in'],
    ['an ID token for another client', { aud: AUDIENCE }, 'does not belong to this sign-in'],
    ['an ID token of another issuer', { iss: 'https://evil.example' }, 'does not belong to this sign-in'],
    ['an ID token that has expired', { exp: 1_000 }, 'it has expired'],
    ['the name of a program', { name: 'service-account/admin' }, 'does not hold a name'],
  ])('%s is refused', async (_what, changes, words) => {
    issuer.people.changes = changes;
    const made = browser();
    const { answer } = await made.signIn();
    issuer.people.changes = {};
    await refused(answer, made);
    expect(await answer.text()).toContain(words);
  });

  test('an answer in the name of another issuer, or with an error, is refused', async () => {
    for (const change of [{ iss: 'https://evil.example' }, { error: 'access_denied', code: null }]) {
      const made = browser();
      const back = await made.go((await made.go('/auth/login?return_to=/signed-in')).headers.get('location')!);
      const callback = new URL(back.headers.get('location')!);
      for (const [name, value] of Object.entries(change))
        if (value === null) callback.searchParams.delete(name);
        else callback.searchParams.set(name, value);
      const answer = await made.go(callback.href);
      await refused(answer, made);
      // The next try leads to the same place.
      expect(await answer.text()).toContain('href="login?return_to=%2Fsigned-in"');
    }
  });

  test('a cookie that was planted before is not the one of the session afterwards', async () => {
    const planted = randomBytes(32).toString('base64url');
    const made = browser();
    made.cookies.set('sluice', planted);
    await made.signIn();
    expect(made.cookies.get('sluice')).not.toBe(planted);
    made.cookies.set('sluice', planted);
    expect(await wordsOf(made)).toContain('the session is not known here');
  });

  test('the session before is over when the same browser signs in again', async () => {
    const made = await signedIn();
    const before = made.cookies.get('sluice')!;
    await made.signIn();
    expect(await codeOf(made)).toBeUndefined();
    made.cookies.set('sluice', before);
    expect(await codeOf(made)).toBe('UNAUTHENTICATED');
  });
});

describe('a request with a session', () => {
  let made: TestBrowser;
  beforeAll(async () => void (made = await signedIn()));

  test.each<[string, Parameters<TestBrowser['ask']>[1], string]>([
    ['of a page of another origin', { origin: 'https://evil.example' }, 'pages of this origin'],
    ['of a page without an origin', { origin: 'null' }, 'pages of this origin'],
    ['without an Origin', { origin: null }, 'it has no Origin'],
    ['without the header', { csrf: false }, 'x-sluice-csrf: 1'],
    ['that another site sends', { site: 'cross-site' }, 'another site sends it'],
    ['that a neighbour under the same domain sends', { site: 'same-site' }, 'another site sends it'],
  ])('%s is refused', async (_how, sent, words) => {
    const { status, body } = await made.ask(VIEWER, sent);
    expect([status, body.errors?.[0]?.extensions.code]).toEqual([403, 'FORBIDDEN']);
    expect(body.errors?.[0]?.message).toContain(words);
    expect(body.data ?? null).toBeNull();
  });

  test('by GET changes nothing and answers nothing, however it comes', async () => {
    const headers = made.cookieHeader();
    const acceptOf = (path: string): string => (path === '/graphql' ? '*/*' : 'text/event-stream');
    const ways: Record<string, string>[] = [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }];
    for (const more of ways) {
      for (const path of ['/graphql', '/graphql/stream']) {
        for (const query of [TERMINATE, VIEWER]) {
          const answer = await fetch(`${guarded.url}${path}?query=${encodeURIComponent(query)}`, {
            headers: { ...headers, ...more, accept: acceptOf(path) },
          });
          const text = await answer.text();
          expect([path, query, answer.ok, text.includes('ada')]).toEqual([path, query, false, false]);
        }
      }
    }
    // From a page of ours, which says the required header as well.
    const own = { ...headers, 'x-sluice-csrf': '1', 'apollo-require-preflight': '1', 'sec-fetch-site': 'same-origin' };
    for (const path of ['/graphql', '/graphql/stream']) {
      const address = `${guarded.url}${path}?query=${encodeURIComponent(TERMINATE)}`;
      const answer = await fetch(address, { headers: { ...own, accept: acceptOf(path) } });
      expect([path, answer.status]).toEqual([path, 405]);
    }
  });

  test('and with a token is one of the token', async () => {
    const { body } = await made.ask(VIEWER, { headers: bearer(ADMIN) });
    expect(body.data).toMatchObject({ viewer: { name: 'service-account/admin' } });
    const wrong = await made.ask(VIEWER, { headers: bearer('wrong') });
    expect(wrong.status).toBe(401);
  });

  test('is refused when two cookies claim to be it', async () => {
    const cookie = `${made.cookieHeader()['cookie']}; sluice=${randomBytes(32).toString('base64url')}`;
    expect((await made.ask(VIEWER, { headers: { cookie } })).status).toBe(401);
  });
});

const QUERY = 'subscription { releaseEvents { cursor } }';
const socketOf = (of: TestBrowser, origin: string | null, payload = {}) =>
  new Promise<{ acknowledged: boolean; end: Promise<{ code: number; reason: string }> }>((resolve) => {
    const headers = { ...of.cookieHeader(), ...(origin !== null && { origin }) };
    const socket = new WebSocket(`${guarded.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers });
    const end = new Promise<{ code: number; reason: string }>((done) => {
      socket.on('close', (code, reason) => done({ code, reason: reason.toString() }));
      socket.on('unexpected-response', (_request, { statusCode }) => {
        socket.terminate();
        done({ code: statusCode!, reason: '' });
      });
    });
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload })));
    socket.on('message', (data: Buffer) => {
      if (!data.toString().includes('connection_ack')) return;
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY } }));
      resolve({ acknowledged: true, end });
    });
    void end.then(() => resolve({ acknowledged: false, end }));
  });

describe('what stays open in a session', () => {
  test('a WebSocket of our own page is let in; of another origin, or of none, it is not', async () => {
    const made = await signedIn();
    expect((await socketOf(made, guarded.url)).acknowledged).toBe(true);
    const foreign = await socketOf(made, 'https://evil.example');
    expect([foreign.acknowledged, (await foreign.end).code]).toEqual([false, 403]);
    const none = await socketOf(made, null);
    expect([none.acknowledged, (await none.end).code]).toEqual([false, 4403]);
    expect((await socketOf(made, null, bearer(ADMIN))).acknowledged).toBe(true);
  });

  test('ends within seconds when the session does, on both transports', async () => {
    const made = await signedIn();
    const socket = await socketOf(made, guarded.url);
    const stream = await made.send('/graphql/stream', {
      body: { query: QUERY },
      headers: { accept: 'text/event-stream' },
    });
    expect(stream.status).toBe(200);
    const kept = new Map(made.cookies);
    await made.send('/auth/logout');
    expect(await socket.end).toEqual({ code: 4401, reason: expect.stringContaining('the session has ended') });
    expect(await stream.text()).toContain('the session has ended: signed out');
    expect(kept.size).toBe(1);
  });

  test('a plain EventSource has the cookie and no header', async () => {
    const made = await signedIn();
    const address = `${guarded.url}/graphql/stream?query=${encodeURIComponent(VIEWER)}`;
    const headers = { ...made.cookieHeader(), accept: 'text/event-stream', 'sec-fetch-site': 'same-origin' };
    expect(await (await fetch(address, { headers })).text()).toContain('"name":"ada"');
  });
});

describe('the identity provider says who is signed out there', () => {
  const tell = async (token: string): Promise<{ status: number; words: string }> => {
    const body = new URLSearchParams({ logout_token: token });
    const answer = await fetch(`${guarded.url}/auth/backchannel-logout`, { method: 'POST', body });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const text = await answer.text();
    return {
      status: answer.status,
      words: text === '' ? '' : (JSON.parse(text) as { error_description: string }).error_description,
    };
  };
  const JSON_BODY = { 'content-type': 'application/json' };
  const DONE = { status: 200, words: '' };
  const OVER = 'the session has ended: signed out at the identity provider: sign in again';

  test('all sessions of a person end, with what is open, whatever they were begun with; those of others go on', async () => {
    const person = { name: 'zoe', sub: 'u-zoe' };
    const [desk, phone, other] = [
      await signedIn(person),
      await signedIn(person),
      await signedIn({ name: 'zac', sub: 'u-zac' }),
    ];
    const byToken = await swapped(await issuer.token(person));
    const stream = await desk.send('/graphql/stream', {
      body: { query: 'subscription { releaseEvents { cursor } }' },
      headers: { accept: 'text/event-stream' },
    });
    const socket = await socketOf(phone, guarded.url);
    expect(socket.acknowledged).toBe(true);
    expect(await tell(await issuer.logoutToken({ sub: 'u-zoe' }))).toEqual(DONE);
    expect(await socket.end).toEqual({ code: 4401, reason: expect.stringContaining('the session has ended') });
    expect(await stream.text()).toContain('signed out at the identity provider');
    for (const each of [desk, phone, byToken]) expect(await wordsOf(each)).toBe(OVER);
    expect(await codeOf(other)).toBeUndefined();
    const audit = await sql(
      `SELECT actor, credential, transport, outcome, input->>'sub' AS sub, jsonb_array_length(objects) AS sessions
       FROM audit_log WHERE action = 'backChannelLogout' ORDER BY id DESC LIMIT 1`,
    );
    expect(audit).toEqual([
      { actor: null, credential: `oidc ${issuer.url}`, transport: 'WEB', outcome: 'DONE', sub: 'u-zoe', sessions: 3 },
    ]);
    const kept = await sql(`SELECT 1 FROM web_session WHERE subject = 'zoe' AND sealed IS NOT NULL`);
    expect(kept).toEqual([]);
  });

  test('one session ends by what the provider calls it, and none of another person who would have the same', async () => {
    const [one, two] = [
      await signedIn({ name: 'yan', sub: 'u-yan', sid: 's-1' }),
      await signedIn({ name: 'yan', sub: 'u-yan', sid: 's-2' }),
    ];
    expect(await tell(await issuer.logoutToken({ sid: 's-1', sub: 'u-other' }))).toEqual(DONE);
    expect([await codeOf(one), await codeOf(two)]).toEqual([undefined, undefined]);
    expect(await tell(await issuer.logoutToken({ sid: 's-1' }))).toEqual(DONE);
    expect([await codeOf(one), await codeOf(two)]).toEqual(['UNAUTHENTICATED', undefined]);
    expect(await tell(await issuer.logoutToken({ sid: 's-2', sub: 'u-yan' }))).toEqual(DONE);
    expect(await codeOf(two)).toBe('UNAUTHENTICATED');
    // Nobody is signed in any more, and that is as it should be.
    expect(await tell(await issuer.logoutToken({ sub: 'u-yan' }))).toEqual(DONE);
  });

  test('the same message again ends nothing that was begun since, nor does another message with its id', async () => {
    await signedIn({ name: 'xia', sub: 'u-xia' });
    const now = Math.floor(Date.now() / 1_000);
    const claims = { sub: 'u-xia', jti: 'once', iat: now };
    expect(await tell(await issuer.logoutToken(claims))).toEqual(DONE);
    const again = await signedIn({ name: 'xia', sub: 'u-xia' });
    expect(await tell(await issuer.logoutToken(claims))).toEqual(DONE);
    expect(await tell(await issuer.logoutToken({ ...claims, sub: 'u-zac' }))).toEqual({
      status: 400,
      words: 'another logout token had the same jti',
    });
    expect(await codeOf(again)).toBeUndefined();
    // An old message that comes late is about what was there when it was sent.
    expect(await tell(await issuer.logoutToken({ sub: 'u-xia', iat: now - 120, exp: now + 60 }))).toEqual(DONE);
    expect(await codeOf(again)).toBeUndefined();
  });

  test('a token that is not for this, or not as it should be, ends nothing', async () => {
    const made = await signedIn({ name: 'walt', sub: 'u-walt' });
    const refused: [string, Record<string, unknown>, { typ?: string }, RegExp][] = [
      ['is for another client', { aud: AUDIENCE }, {}, /not made for this server \(aud\)/],
      ['is of another provider', { iss: 'https://other.example' }, {}, /not made for this server \(iss\)/],
      ['has expired', { exp: 1_000 }, {}, /expired/],
      ['is old', { iat: Math.floor(Date.now() / 1_000) - 3_600 }, {}, /expired|"iat"/],
      ['does not say when it was made', { iat: null }, {}, /"iat"/],
      ['has no id', { jti: null }, {}, /"jti"/],
      ['has no events', { events: null }, {}, /"events"/],
      ['is about another event', { events: { 'https://other.example/event': {} } }, {}, /names no logout/],
      [
        'has events that are none',
        { events: 'http://schemas.openid.net/event/backchannel-logout' },
        {},
        /names no logout/,
      ],
      ['names nobody', { sub: null }, {}, /neither a person \(sub\) nor a session \(sid\)/],
      ['has a nonce', { nonce: 'n' }, {}, /nonce/],
      ['is of another type', {}, { typ: 'at+jwt' }, /type is "at\+jwt"/],
    ];
    for (const [what, changes, header, words] of refused)
      expect([what, await tell(await issuer.logoutToken({ sub: 'u-walt', ...changes }, header))]).toEqual([
        what,
        { status: 400, words: expect.stringMatching(words) },
      ]);
    expect(await codeOf(made)).toBeUndefined();
  });

  test('what is no such token ends nothing: an ID token, one with another signature, none at all', async () => {
    const made = await signedIn({ name: 'vera', sub: 'u-vera' });
    const [head, claims] = (await issuer.logoutToken({ sub: 'u-vera' })).split('.');
    const [, , signature] = (await issuer.logoutToken({ sub: 'u-zac' })).split('.');
    for (const each of [
      await issuer.token({ aud: CLIENT.id, sub: 'u-vera' }),
      `${head}.${claims}.${signature}`,
      `${head}.${claims}.`,
      '',
    ])
      expect((await tell(each)).status).toBe(400);
    const none = await fetch(`${guarded.url}/auth/backchannel-logout`, { method: 'POST' });
    expect(none.status).toBe(400);
    const unsigned = Buffer.from(JSON.stringify({ alg: 'none', typ: 'logout+jwt' })).toString('base64url');
    expect((await tell(`${unsigned}.${claims}.`)).status).toBe(400);
    const right = await issuer.logoutToken({ sub: 'u-vera' });
    for (const [status, words, init] of [
      [400, 'one logout_token', { body: new URLSearchParams(`logout_token=${right}&logout_token=${right}`) }],
      [400, 'one logout_token', { body: JSON.stringify({ logout_token: right }), headers: JSON_BODY }],
      [413, 'at most 16384 bytes', { body: new URLSearchParams({ logout_token: 'x'.repeat(1_000_000) }) }],
    ] as const) {
      const answer = await fetch(`${guarded.url}/auth/backchannel-logout`, { method: 'POST', ...init });
      expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(words)]);
    }
    expect(await codeOf(made)).toBeUndefined();
  });

  test('a logout token lets nobody in', async () => {
    const token = await issuer.logoutToken({ aud: AUDIENCE, name: 'ada', sub: 'u-1' });
    expect((await guarded.ask(token, VIEWER)).body.errors?.[0]?.message).toContain('it is a logout token');
    const untyped = await issuer.logoutToken({ aud: AUDIENCE, name: 'ada', sub: 'u-1' }, { typ: 'JWT' });
    expect((await browser().swap(untyped)).status).toBe(401);
  });
});

describe('a token that is swapped for a session', () => {
  test('is asked for by our own pages alone', async () => {
    const { text } = await guarded.token('VIEWER');
    for (const sent of [
      { origin: null },
      { origin: 'https://evil.example' },
      { csrf: false },
      { site: 'cross-site' },
    ]) {
      const made = browser();
      const answer = await made.send('/auth/token', { body: { token: text }, ...sent });
      expect([answer.status, made.cookies.size]).toEqual([403, 0]);
    }
    const wrong = await browser().swap('sluice_wrong');
    expect(wrong.status).toBe(401);
    expect((await browser().swap(` \n Bearer ${text}\n`)).status).toBe(200);
    for (const [copied, why] of [
      [' \n', /no token/],
      ['Bearer ', /no token/],
      [`${text} ${text}`, /no space and no line break/],
    ] as const) {
      const answer = await browser().swap(copied);
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { errors: { message: string }[] }).errors[0]!.message).toMatch(why);
    }
  });

  test('can do no more than the token', async () => {
    const made = await swapped((await guarded.token('VIEWER')).text);
    expect(await codeOf(made, PRODUCTS)).toBeUndefined();
    expect(await codeOf(made, TERMINATE)).toBe('FORBIDDEN');
    const admin = await swapped(ADMIN);
    expect(await codeOf(admin, TERMINATE)).toBeUndefined();
    expect((await admin.ask(VIEWER)).body.data).toMatchObject({ viewer: { name: 'service-account/admin' } });
  });

  test('is known by its own name, and what is made in it is bound to the token', async () => {
    const token = await guarded.token('VIEWER');
    const made = await swapped(token.text);
    const { app } = guarded.engine;
    const authenticator = new Authenticator({ ...app, config: app.config.auth });
    const { identity } = await authenticator.identifySession(made.cookies.get('sluice')!);
    expect(identity).toMatchObject({ credential: expect.stringMatching(/^session\//), restsOn: `token ${token.id}` });
    expect(identity.scoped).toBe(true);
  });

  test('lasts no longer than the token', async () => {
    const until = new Date(Date.now() + 5_000);
    const made = browser();
    const answer = await made.swap((await guarded.token('VIEWER', {}, until)).text);
    expect(await answer.json()).toMatchObject({ expiresAt: until.toISOString() });
    await expect.poll(() => codeOf(made)).toBe('UNAUTHENTICATED');
    const claims = await swapped(await issuer.token({ exp: Math.floor(Date.now() / 1_000) + 100 }));
    expect((await claims.ask(VIEWER)).body.data).toMatchObject({ viewer: { name: 'ada' } });
    const [row] = await sql(
      `SELECT expires_at < now() + interval '101 s' AS soon FROM web_session ORDER BY id DESC LIMIT 1`,
    );
    expect(row).toEqual({ soon: true });
  });

  test('ends when the token is revoked', async () => {
    const token = await guarded.token('VIEWER');
    const made = await swapped(token.text);
    await revokeToken(guarded.engine.app, { id: token.id }, SOMEBODY);
    await expect.poll(() => codeOf(made)).toBe('UNAUTHENTICATED');
    expect(await wordsOf(made)).toContain('revoked');
  });

  test('is not made where the admin token is another one by now', async () => {
    const made = await swapped(ADMIN);
    await sql(`UPDATE web_session SET token_hash = 'ab' WHERE subject = 'admin' AND ended_at IS NULL`);
    await expect.poll(() => codeOf(made)).toBe('UNAUTHENTICATED');
  });
});

test.each([
  ['unused for 8 hours', `last_used_at = now() - interval '8 hours 1 second'`, 'it was not used'],
  ['24 hours old', `expires_at = now()`, 'it was as old as a session may be'],
])('a session that is %s is over, and says so', async (what, change, words) => {
  const name = what.replaceAll(' ', '-');
  const made = await signedIn({ name });
  const [row] = await sql(
    `SELECT expires_at - created_at = interval '24 hours' AS day FROM web_session WHERE subject = $1`,
    [name],
  );
  expect(row).toEqual({ day: true });
  await sql(`UPDATE web_session SET ${change} WHERE subject = $1`, [name]);
  await expect.poll(() => wordsOf(made)).toContain(words);
  // The keeper ends it for the list, too, and for streams.
  const ended = () => sql(`SELECT end_reason FROM web_session WHERE subject = $1 AND ended_at IS NOT NULL`, [name]);
  await expect.poll(ended).toEqual([{ end_reason: words }]);
});

describe('the list of sessions', () => {
  const LIST = '{ sessions(first: 100) { nodes { id subject origin current endReason } } }';
  const OWN = '{ viewer { sessions { id current address userAgent } } }';
  const END = (id: string): string =>
    `mutation { sessionEnd(input: { id: "${id}" }) { session { endedBy endReason } userErrors { code } } }`;
  interface Listed {
    id: string;
    subject: string;
    current: boolean;
  }
  const own = async (of: TestBrowser): Promise<Listed[]> =>
    ((await of.ask(OWN)).body.data as unknown as { viewer: { sessions: Listed[] } }).viewer.sessions;

  test("shows a person's own, and lets the person end them", async () => {
    const [desk, phone] = [await signedIn({ name: 'olga' }), await signedIn({ name: 'olga' })];
    const other = await signedIn({ name: 'otto' });
    expect(await own(desk)).toMatchObject([{ current: false }, { current: true, address: '127.0.0.1' }]);
    const [lost] = (await own(desk)) as [Listed, Listed];
    const answer = (await other.ask(END(lost.id))).body;
    expect(answer.errors?.[0]?.extensions.code ?? answer.data).toBe('FORBIDDEN');
    expect((await desk.ask(END(lost.id))).body.data).toEqual({
      sessionEnd: { session: { endedBy: 'olga', endReason: 'olga ended it' }, userErrors: [] },
    });
    await expect.poll(() => wordsOf(phone)).toContain('olga ended it');
    expect(await own(desk)).toHaveLength(1);
    const { nodes } = (await desk.ask(LIST)).body.data!['sessions'] as unknown as { nodes: Listed[] };
    expect(nodes.map(({ subject, current }) => [subject, current])).toEqual([['olga', true]]);
  });

  test("shows an admin everybody's, and lets the admin end them", async () => {
    const made = await signedIn({ name: 'paula' });
    const { nodes } = (await guarded.ask(ADMIN, LIST)).body.data!['sessions'] as { nodes: Listed[] };
    const paulas = nodes.find(({ subject }) => subject === 'paula')!;
    const ids = nodes.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort().reverse());
    expect((await guarded.ask(ADMIN, END(paulas.id))).body.errors).toBeUndefined();
    await expect.poll(() => codeOf(made)).toBe('UNAUTHENTICATED');
  });

  test('shows a program the one in use: its name is shared', async () => {
    const token = (await guarded.token('VIEWER')).text;
    const [one] = [await swapped(token), await swapped(token)];
    expect(await own(one)).toMatchObject([{ current: true }]);
    expect(((await guarded.ask(token, LIST)).body.data!['sessions'] as { nodes: Listed[] }).nodes).toEqual([]);
  });
});

test('a person has 50 sessions by signing in, whatever tokens open, and what ends for a newer one keeps nothing of the provider', async () => {
  await signedIn({ name: 'many' });
  const { id: token } = await guarded.token('VIEWER');
  // Ids begin with the time: those that come before all others are the oldest.
  const copies = `INSERT INTO web_session SELECT (jsonb_populate_record(s, jsonb_build_object(
      'id', $1 || lpad(n::text, 18, '0'), 'hash', $1 || n::text || s.hash, 'token_id', $2::text))).*
    FROM web_session s, generate_series(1, $3) n WHERE s.subject = 'many' AND s.id > '02' AND s.ended_at IS NULL`;
  const ended = () =>
    sql(`SELECT id, token_id, sealed, nonce, renew_at, end_reason FROM web_session
         WHERE subject = 'many' AND ended_at IS NOT NULL ORDER BY id`);
  await sql(copies, ['00', token, 50]);
  await sql(copies, ['01', null, 49]);
  expect(await ended()).toEqual([]);
  await signedIn({ name: 'many' });
  const forgotten = { token_id: null, sealed: null, nonce: null, renew_at: null };
  const oldest = { id: `01${'1'.padStart(18, '0')}`, end_reason: 'more than 50 sessions were open' };
  expect(await ended()).toEqual([{ ...oldest, ...forgotten }]);
  const kept = await sql(
    `SELECT count(*)::int AS sessions, count(sealed)::int AS sealed FROM web_session WHERE subject = 'many' AND ended_at IS NULL`,
  );
  expect(kept).toEqual([{ sessions: 100, sealed: 100 }]);
});

test('a page can ask how to sign in, without being signed in', async () => {
  expect(await (await fetch(`${guarded.url}/auth`)).json()).toEqual({ required: true, identityProvider: true });
});

test.each([
  ['/', '/'],
  ['/releases/42?view=list#x', '/releases/42?view=list#x'],
  ['/a/../b', '/b'],
  [undefined, '../'],
  ['releases', '../'],
  ['//evil.example', '../'],
  ['/\\evil.example', '../'],
  ['/\t/evil.example', '../'],
  ['/.//evil.example', '../'],
  ['/a/..//evil.example', '../'],
  ['https://evil.example', '../'],
  ['javascript:alert(1)', '../'],
  ['/\r\nset-cookie: a=b', '../'],
  [['/', '/'], '../'],
  // As it is kept, which is three times as long.
  [`/${'"'.repeat(700)}`, '../'],
  [`/${'x'.repeat(1_999)}`, `/${'x'.repeat(1_999)}`],
])('%j leads to %s after signing in', (given, to) => {
  expect(localPath(given)).toBe(to);
});

test('who signs in all the time is slowed down', async () => {
  const answers = await Promise.all(Array.from({ length: 130 }, () => browser().swap('sluice_wrong')));
  const slowed = answers.filter(({ status }) => status === 429);
  expect(slowed.length).toBeGreaterThan(0);
  expect(Number(slowed[0]!.headers.get('retry-after'))).toBeGreaterThan(0);
});
