import { createHash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface Issuer {
  url: string;
  /** A new key under a new id, beside the others; later tokens are signed with it. */
  rotate(): Promise<string>;
  /** Takes a key back. */
  remove(kid: string): void;
  /** `changes` over claims that are right; null takes one away. */
  token(changes?: Record<string, unknown>, header?: { alg?: string; kid?: string; typ?: string }): Promise<string>;
  /** The same of a logout token, for the client that signs people in. */
  logoutToken(changes?: Record<string, unknown>, header?: { typ?: string }): Promise<string>;
  publicKey(kid: string): JWK;
  /** How often the keys were asked for. */
  asked: number;
  /** Answers nothing but errors. */
  down: boolean;
  /** So many keys that nothing is signed with stand before the others. */
  padding: number;
  /** Answers, and never comes to an end: a byte now and then, or as many as are taken. */
  endless: 'drip' | 'flood' | null;
  /** Bytes that were taken of endless answers, and how many of them still go on. */
  flow: { bytes: number; open: number };
  /** Who signs in with a browser, and how the provider treats them. */
  people: People;
  close(): Promise<void>;
}

/** What the provider knows of the one person who signs in there, for the code flow. */
export interface People {
  /** Claims of the person, beside those of every token. */
  person: Record<string, unknown>;
  /** Put over the claims of an ID token last: what a provider that is broken, or an attacker in between, would write. */
  changes: Record<string, unknown>;
  /** Seconds for which its access tokens are good. */
  expiresIn: number;
  /** It gives no refresh tokens. */
  withoutRefresh: boolean;
  /** Refresh tokens are refused from now on. */
  lockedOut: boolean;
  /** Codes and refresh tokens that are good now; each is good once. */
  codes: Map<string, { challenge: string; nonce: string; redirectUri: string }>;
  refreshTokens: Set<string>;
  /** How often tokens were renewed. */
  renewed: number;
  /** What came to `end_session_endpoint`. */
  signedOut: URLSearchParams[];
}

export const CLIENT = { id: 'sluice-web', secret: 'a secret of the client' };

export const AUDIENCE = 'sluice-tests';

/**
 * An identity provider as far as Sluice sees one: a discovery document, keys, tokens signed with them, and the code flow of OpenID Connect
 * Core with PKCE (RFC 7636): a code is good once, for its client, redirect URI and verifier; refresh tokens are rotated.
 */
export async function openIssuer(): Promise<Issuer> {
  const keys = new Map<string, { jwk: JWK; privateKey: CryptoKey }>();
  let current = '';
  const server = createServer((request, response) => {
    const found =
      request.url === '/.well-known/openid-configuration'
        ? {
            issuer: issuer.url,
            jwks_uri: `${issuer.url}/keys`,
            authorization_endpoint: `${issuer.url}/authorize`,
            token_endpoint: `${issuer.url}/token`,
            end_session_endpoint: `${issuer.url}/end`,
            response_types_supported: ['code'],
            code_challenge_methods_supported: ['S256'],
            authorization_response_iss_parameter_supported: true,
          }
        : null;
    if (issuer.endless) return goOn(response, issuer.endless, issuer.flow);
    const { pathname, searchParams } = new URL(request.url!, issuer.url);
    if (!issuer.down && pathname === '/authorize') return authorize(issuer, searchParams, response);
    if (!issuer.down && pathname === '/token') return void exchange(issuer, request, response);
    if (pathname === '/end') {
      issuer.people.signedOut.push(searchParams);
      response.writeHead(303, { location: searchParams.get('post_logout_redirect_uri') ?? issuer.url }).end();
      return;
    }
    if (request.url === '/keys') issuer.asked += 1;
    const body =
      request.url === '/keys'
        ? { keys: [...padding(issuer.padding, keys), ...[...keys.values()].map(({ jwk }) => jwk)] }
        : found;
    response.writeHead(issuer.down || !body ? 503 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: 0,
    down: false,
    padding: 0,
    endless: null,
    flow: { bytes: 0, open: 0 },
    people: {
      person: {},
      changes: {},
      expiresIn: 300,
      withoutRefresh: false,
      lockedOut: false,
      codes: new Map(),
      refreshTokens: new Set(),
      renewed: 0,
      signedOut: [],
    },
    async rotate() {
      const { publicKey, privateKey } = await generateKeyPair('RS256');
      current = `key-${keys.size + 1}`;
      keys.set(current, {
        jwk: { ...(await exportJWK(publicKey)), kid: current, use: 'sig', alg: 'RS256' },
        privateKey,
      });
      return current;
    },
    remove: (kid) => void keys.delete(kid),
    publicKey: (kid) => keys.get(kid)!.jwk,
    logoutToken(changes = {}, { typ = 'logout+jwt' } = {}) {
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      const claims = { aud: CLIENT.id, jti: randomUUID(), events, name: null, groups: null, sub: null, ...changes };
      return issuer.token(claims, { typ });
    },
    token(changes = {}, { alg = 'RS256', kid = current, typ } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const right = {
        iss: issuer.url,
        aud: AUDIENCE,
        sub: 'u-1',
        name: 'ada',
        groups: ['releasers'],
        iat: now,
        exp: now + 300,
      };
      const claims = Object.fromEntries(Object.entries({ ...right, ...changes }).filter(([, value]) => value !== null));
      return new SignJWT(claims)
        .setProtectedHeader({ alg, kid, ...(typ !== undefined && { typ }) })
        .sign(keys.get(kid)!.privateKey);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  await issuer.rotate();
  return issuer;
}

/** The person is known there already: the provider sends the browser straight back. */
function authorize({ url, people }: Issuer, asked: URLSearchParams, response: ServerResponse): void {
  const redirectUri = asked.get('redirect_uri') ?? '';
  const wrong =
    asked.get('client_id') !== CLIENT.id ||
    asked.get('response_type') !== 'code' ||
    asked.get('code_challenge_method') !== 'S256' ||
    !/^[\w-]{43}$/.test(asked.get('code_challenge') ?? '') ||
    !redirectUri.endsWith('/auth/callback');
  if (wrong) return void response.writeHead(400).end('refused');
  const code = randomUUID();
  people.codes.set(code, { challenge: asked.get('code_challenge')!, nonce: asked.get('nonce') ?? '', redirectUri });
  const back = new URL(redirectUri);
  back.search = new URLSearchParams({ code, state: asked.get('state') ?? '', iss: url }).toString();
  response.writeHead(303, { location: back.href }).end();
}

async function exchange(issuer: Issuer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { people } = issuer;
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const asked = new URLSearchParams(text);
  const send = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(JSON.stringify(body));
  };
  const [, basic = ''] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
  const own = new URLSearchParams(Buffer.from(basic, 'base64').toString().replace(':', '='));
  if (own.get(CLIENT.id) !== CLIENT.secret) return send(401, { error: 'invalid_client' });
  let nonce: string | null = null;
  if (asked.get('grant_type') === 'authorization_code') {
    const known = people.codes.get(asked.get('code') ?? '');
    people.codes.delete(asked.get('code') ?? '');
    const proof = createHash('sha256')
      .update(asked.get('code_verifier') ?? '')
      .digest('base64url');
    if (!known || known.challenge !== proof || known.redirectUri !== asked.get('redirect_uri'))
      return send(400, { error: 'invalid_grant' });
    nonce = known.nonce;
  } else {
    if (people.lockedOut || !people.refreshTokens.delete(asked.get('refresh_token') ?? ''))
      return send(400, { error: 'invalid_grant', error_description: 'the account is locked' });
    people.renewed += 1;
  }
  const refreshToken = randomUUID();
  if (!people.withoutRefresh) people.refreshTokens.add(refreshToken);
  const claims = { aud: CLIENT.id, nonce, ...people.person, ...people.changes };
  send(200, {
    access_token: randomUUID(),
    token_type: 'Bearer',
    expires_in: people.expiresIn,
    id_token: await issuer.token(claims),
    ...(!people.withoutRefresh && { refresh_token: refreshToken }),
  });
}

function goOn(response: ServerResponse, how: 'drip' | 'flood', flow: Issuer['flow']): void {
  flow.open += 1;
  response.writeHead(200, { 'content-type': 'application/json' });
  const text = how === 'drip' ? ' ' : ' '.repeat(65_536);
  const more = (): void => {
    if (response.destroyed) return;
    flow.bytes += text.length;
    if (how === 'drip') setTimeout(more, 20);
    else if (response.write(text)) setImmediate(more);
    if (how === 'drip') response.write(text);
  };
  response.on('drain', more);
  response.on('close', () => (flow.open -= 1));
  more();
}

const padding = (count: number, keys: Map<string, { jwk: JWK }>): JWK[] =>
  Array.from({ length: count }, (_, index) => ({ ...[...keys.values()][0]!.jwk, kid: `other-${index}` }));
