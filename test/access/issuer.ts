import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface Issuer {
  url: string;
  /** A new key under a new id, beside the others; later tokens are signed with it. */
  rotate(): Promise<string>;
  /** Takes a key back. */
  remove(kid: string): void;
  /** `changes` over claims that are right; null takes one away. */
  token(changes?: Record<string, unknown>, header?: { alg?: string; kid?: string }): Promise<string>;
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
  close(): Promise<void>;
}

export const AUDIENCE = 'sluice-tests';

/** An identity provider as far as Sluice sees one: a discovery document, keys, and tokens signed with them. */
export async function openIssuer(): Promise<Issuer> {
  const keys = new Map<string, { jwk: JWK; privateKey: CryptoKey }>();
  let current = '';
  const server = createServer((request, response) => {
    const found =
      request.url === '/.well-known/openid-configuration'
        ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
        : null;
    if (issuer.endless) return goOn(response, issuer.endless, issuer.flow);
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
    token(changes = {}, { alg = 'RS256', kid = current } = {}) {
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
      return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(keys.get(kid)!.privateKey);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  await issuer.rotate();
  return issuer;
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
