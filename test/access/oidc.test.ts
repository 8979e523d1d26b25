import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { OidcVerifier } from '../../src/access/oidc.ts';
import { SignIn, SignInRefused } from '../../src/access/sign-in.ts';
import { systemClock } from '../../src/clock.ts';
import { codeOf, type GuardedServer, messageOf, openGuarded } from './support.ts';
import { AUDIENCE, CLIENT, type Issuer, openIssuer } from './issuer.ts';

const COOLDOWN = 800;
const MAX_AGE = 3_000;

let issuer: Issuer;
let guarded: GuardedServer;
beforeAll(async () => {
  issuer = await openIssuer();
  guarded = await openGuarded(
    { SLUICE_OIDC_ISSUER: issuer.url, SLUICE_OIDC_AUDIENCE: AUDIENCE, SLUICE_OIDC_NAME_CLAIM: 'name' },
    { oidcTimes: { cooldownMs: COOLDOWN, maxAgeMs: MAX_AGE } },
  );
  await guarded.engine.saveBilling();
});
afterAll(async () => {
  await guarded.close();
  await issuer.close();
});

const VIEWER = '{ viewer { name kind groups } }';
const status = async (token: string): Promise<number> => (await guarded.ask(token, VIEWER)).status;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a token of the identity provider', () => {
  test('says who is calling, and in which groups', async () => {
    const { body } = await guarded.ask(await issuer.token(), VIEWER);
    expect(body.data).toEqual({ viewer: { name: 'ada', kind: 'USER', groups: ['releasers'] } });
  });

  test('may what is granted to the person and to the groups', async () => {
    const token = await issuer.token({ name: 'grace', groups: ['lookers'] });
    const products = async () => codeOf(await guarded.ask(token, '{ products { nodes { name } } }'));
    expect(await products()).toBe('FORBIDDEN');
    await guarded.grant({ subjectKind: 'GROUP', subject: 'lookers', role: 'VIEWER' });
    await expect.poll(products).toBeUndefined();
    const terminate = 'mutation { releaseTerminate(input: { releaseId: "x" }) { release { id } } }';
    expect(codeOf(await guarded.ask(token, terminate))).toBe('FORBIDDEN');
    await guarded.grant({ subject: 'grace', role: 'OPERATOR' });
    await expect.poll(async () => codeOf(await guarded.ask(token, terminate))).toBeUndefined();
  });

  test('several audiences, one of which is ours, are fine', async () => {
    expect(await status(await issuer.token({ aud: ['other', AUDIENCE] }))).toBe(200);
  });

  const now = (): number => Math.floor(Date.now() / 1000);
  test.each<[string, Record<string, unknown>, string]>([
    ['for somebody else', { aud: 'another-service' }, 'not made for this server (aud)'],
    ['for nobody', { aud: null }, 'not made for this server (aud)'],
    ['of another issuer', { iss: 'https://evil.example' }, 'not made for this server (iss)'],
    ['that has expired', { exp: now() - 120 }, 'expired'],
    ['that is not good yet', { nbf: now() + 600 }, '"nbf"'],
    ['that never expires', { exp: null }, '"exp"'],
    ['without a subject', { sub: null }, '"sub"'],
    ['without a name', { name: null }, '"name" does not hold a name'],
    ['whose name is a list', { name: ['ada'] }, '"name" does not hold a name'],
    ['whose name is that of a program', { name: 'service-account/admin' }, '"name" does not hold a name'],
  ])('%s is refused', async (_case, changes, words) => {
    const answer = await guarded.ask(await issuer.token(changes), VIEWER);
    expect([answer.status, codeOf(answer)]).toEqual([401, 'UNAUTHENTICATED']);
    expect(messageOf(answer)).toContain(words);
  });

  test('a little difference between clocks is not held against it', async () => {
    expect(await status(await issuer.token({ exp: now() - 10 }))).toBe(200);
  });

  test('without a signature, it is none', async () => {
    const [, claims] = (await issuer.token()).split('.');
    const header = (alg: string) => Buffer.from(JSON.stringify({ alg, kid: 'key-1' })).toString('base64url');
    for (const forged of [
      `${header('none')}.${claims}.`,
      `${header('NONE')}.${claims}.x`,
      `${header('none')}.${claims}`,
    ]) {
      expect(await status(forged)).toBe(401);
    }
  });

  test('signed with the public key as if it were a password (HS256), it is refused', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(issuer.publicKey('key-1')));
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: 'u-1', name: 'ada' };
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
      .setExpirationTime('5m')
      .sign(secret);
    const answer = await guarded.ask(forged, VIEWER);
    expect(answer.status).toBe(401);
    expect(messageOf(answer)).toContain('a way that is not accepted');
  });

  test('signed with a key of somebody else under the same id, it is refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const forged = await new SignJWT({ iss: issuer.url, aud: AUDIENCE, sub: 'u-1', name: 'ada' })
      .setProtectedHeader({ alg: 'RS256', kid: 'key-1' })
      .setExpirationTime('5m')
      .sign(privateKey);
    const answer = await guarded.ask(forged, VIEWER);
    expect(messageOf(answer)).toContain('signature is wrong');
  });

  test('with claims that were changed, it is refused', async () => {
    const [header, , signature] = (await issuer.token()).split('.');
    const claims = Buffer.from(
      JSON.stringify({ iss: issuer.url, aud: AUDIENCE, sub: 'root', name: 'root', exp: now() + 99 }),
    );
    expect(await status(`${header}.${claims.toString('base64url')}.${signature}`)).toBe(401);
  });
});

describe.each([10, -10])('on a machine whose clock is %i minutes ahead', (minutes) => {
  // As PostgreSQL has it.
  const began = Date.now() - performance.now();
  const clock = { now: () => new Date(began + performance.now()) };
  const names = { nameClaim: 'name', groupsClaim: 'groups' };
  const inSeconds = (seconds: number): number => Math.floor(clock.now().getTime() / 1_000) + seconds;
  afterEach(() => {
    vi.useRealTimers();
  });
  const setWrong = (): unknown => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + minutes * 60_000 });

  test('a token is good for as long as it says', async () => {
    const verifier = new OidcVerifier({ issuer: issuer.url, audience: AUDIENCE, ...names }, clock);
    setWrong();
    const [good, old] = [await issuer.token({ exp: inSeconds(300) }), await issuer.token({ exp: inSeconds(-120) })];
    expect(await verifier.verify(good)).toMatchObject({ name: 'ada' });
    await expect(verifier.verify(old)).rejects.toThrow('it has expired');
  });

  test('a person signs in, with a token that is good', async () => {
    const client = { ...CLIENT, scopes: 'openid' };
    const signIn = new SignIn({ issuer: issuer.url, audience: AUDIENCE, ...names, client }, clock);
    setWrong();
    const come = async (exp: number) => {
      issuer.people.changes = { exp };
      const { address, attempt } = await signIn.begin('http://127.0.0.1/auth/callback');
      const { headers } = await fetch(address, { redirect: 'manual' });
      return signIn.finish(new URL(headers.get('location')!), attempt);
    };
    expect(await come(inSeconds(300))).toMatchObject({ claims: { name: 'ada' } });
    await expect(come(inSeconds(-120))).rejects.toThrow(SignInRefused);
    issuer.people.changes = {};
  });
});

describe('a person who is named by an address', () => {
  const email = 'ada@example.com';
  const named = async (nameClaim: string, claims: Record<string, unknown>): Promise<string> => {
    const config = { issuer: issuer.url, audience: AUDIENCE, nameClaim, groupsClaim: 'groups' };
    const verifier = new OidcVerifier(config, systemClock);
    return verifier.verify(await issuer.token(claims)).then(
      ({ name }) => name,
      (error: Error) => error.message,
    );
  };
  const REFUSED = 'its email address is not verified';

  test.each([
    [true, email],
    ['true', email],
    // A provider that has addresses from an administrator says nothing of them.
    [undefined, email],
    [false, REFUSED],
    ['false', REFUSED],
    ['unknown', REFUSED],
    [0, REFUSED],
  ])('with email_verified %j: %s', async (email_verified, answer) => {
    expect(await named('email', { email, email_verified })).toBe(answer);
    expect(await named('preferred_username', { preferred_username: 'Ada@Example.com', email, email_verified })).toBe(
      answer === email ? 'Ada@Example.com' : answer,
    );
  });

  test('one who is named by something else may have an address that is not verified', async () => {
    expect(await named('name', { name: 'ada', email, email_verified: false })).toBe('ada');
  });
});

describe('keys change', () => {
  test('a new one is fetched when it is first met, and no more often than it may', async () => {
    expect(await status(await issuer.token())).toBe(200);
    await pause(COOLDOWN + 100);
    const old = await issuer.token();
    await issuer.rotate();
    const before = issuer.asked;
    expect(await status(await issuer.token())).toBe(200);
    expect(await status(old)).toBe(200);
    expect(issuer.asked - before).toBe(1);
  });

  test('tokens with ids of keys that do not exist do not make us ask each time', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const stranger = (kid: string) =>
      new SignJWT({ iss: issuer.url, aud: AUDIENCE, sub: 'x', name: 'x' })
        .setProtectedHeader({ alg: 'RS256', kid })
        .setExpirationTime('5m')
        .sign(privateKey);
    const before = issuer.asked;
    const tries = Array.from({ length: 30 }, async (_, index) => status(await stranger(`nothing-${index}`)));
    expect(new Set(await Promise.all(tries))).toEqual(new Set([401]));
    expect(issuer.asked - before).toBeLessThanOrEqual(1);
  });

  test('one that was taken back is refused once what was kept of it is old', async () => {
    const kid = await issuer.rotate();
    const token = await issuer.token();
    await expect.poll(() => status(token)).toBe(200);
    issuer.remove(kid);
    await issuer.rotate();
    await expect.poll(() => status(token)).toBe(401);
    await expect.poll(async () => status(await issuer.token())).toBe(200);
  });

  test('a provider that is down is told apart from a bad token, and asked again', async () => {
    const token = await issuer.token();
    expect(await status(token)).toBe(200);
    issuer.down = true;
    await pause(MAX_AGE + 100);
    const answer = await guarded.ask(token, VIEWER);
    expect([answer.status, codeOf(answer)]).toEqual([503, 'UNAVAILABLE']);
    issuer.down = false;
    await expect.poll(() => status(token), { interval: 300 }).toBe(200);
  });
});
