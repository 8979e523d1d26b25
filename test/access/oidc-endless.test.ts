import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type OidcTimes, OidcVerifier } from '../../src/access/oidc.ts';
import { AUDIENCE, type Issuer, openIssuer } from './issuer.ts';

let issuer: Issuer;
beforeEach(async () => {
  issuer = await openIssuer();
});
afterEach(() => issuer.close());

const verifierOf = (times: Partial<OidcTimes> = {}): OidcVerifier =>
  new OidcVerifier({ issuer: issuer.url, audience: AUDIENCE, nameClaim: 'name', groupsClaim: 'groups' }, systemClock, {
    timeoutMs: 400,
    ...times,
  });

async function took(work: Promise<unknown>): Promise<{ said: string; ms: number }> {
  const before = performance.now();
  const said = await work.then(
    () => 'good',
    (error: Error) => `${error.name}: ${error.message}`,
  );
  return { said, ms: performance.now() - before };
}

describe.each(['drip', 'flood'] as const)('an identity provider whose answers never end (%s)', (how) => {
  test('is left alone after its time, or its bytes, and nobody waits longer than that', async () => {
    const verifier = verifierOf();
    const token = await issuer.token();
    issuer.endless = how;
    const all = await Promise.all(Array.from({ length: 20 }, () => took(verifier.verify(token))));
    for (const { said, ms } of all) {
      expect(said).toMatch(/^ProviderUnreachable: the keys of the identity provider .* cannot be read: /);
      expect(ms).toBeLessThan(10_000);
    }
    // One connection for all of them, and it is closed.
    await expect.poll(() => issuer.flow.open).toBe(0);
    expect(issuer.flow.bytes).toBeLessThan(8 * 1024 * 1024);
    expect((await took(verifier.verify(token))).said).toContain('it did not answer a moment ago');
    issuer.endless = null;
    await expect.poll(async () => (await took(verifier.verify(token))).said).toBe('good');
  });

  test('in the middle of its life: what is signed with a key that is known stays good as long as that is kept', async () => {
    const verifier = verifierOf({ cooldownMs: 0 });
    const known = await issuer.token();
    expect((await took(verifier.verify(known))).said).toBe('good');
    await issuer.rotate();
    const fresh = await issuer.token();
    issuer.endless = how;
    const asked = took(verifier.verify(fresh));
    expect((await took(verifier.verify(known))).said).toBe('good');
    expect((await asked).said).toContain('ProviderUnreachable');
  });
});

test('hundreds of keys are no hindrance', async () => {
  for (let count = 0; count < 3; count += 1) await issuer.rotate();
  issuer.padding = 800;
  expect((await took(verifierOf().verify(await issuer.token()))).said).toBe('good');
});
