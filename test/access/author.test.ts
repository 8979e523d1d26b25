import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { hintRepository } from '../../src/commands/hint-repository.ts';
import { setIdentity } from '../../src/commands/trigger/git-identities.ts';
import { approvalOf } from '../core/support/builders.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { saveDevToProd, saveShop } from '../support/by-push.ts';
import { AUDIENCE, type Issuer, openIssuer } from './issuer.ts';
import { codeOf, type GuardedServer, messageOf, openGuarded } from './support.ts';
import { eventually } from '../support/eventually.ts';

// Who wrote a change may not approve the release that started by it: a push to a real git host, and tokens of an identity provider that
// names people by their verified e-mail address.

vi.setConfig({ testTimeout: 60_000 });
let issuer: Issuer;
let guarded: GuardedServer;
let host: GitHost;
let repository: HostedRepository;
beforeAll(async () => {
  issuer = await openIssuer();
  host = await startGitHost();
  repository = await host.repository('shop');
  await repository.commit({ ...files('0'), ...files('0', 'prod') }, 'First');
  guarded = await openGuarded({
    SLUICE_OIDC_ISSUER: issuer.url,
    SLUICE_OIDC_AUDIENCE: AUDIENCE,
    SLUICE_OIDC_NAME_CLAIM: 'email',
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  });
  const { engine } = guarded;
  await saveDevToProd(engine, { approval: approvalOf('1') });
  await saveShop(engine, repository.url);
  for (const subject of ['ada@example.com', 'grace@example.com', 'linus@example.com'])
    await guarded.grant({ subject, role: 'APPROVER' });
  await engine.startWorker();
  // The first look takes down where things are; what is pushed before it would be no change.
  const looked = async () => (await engine.app.pool.query('SELECT 1 FROM trigger_cursor')).rowCount;
  await eventually(async () => expect(await looked()).toBe(1));
}, 60_000);
afterAll(async () => {
  await guarded?.close();
  await host?.close();
  await issuer?.close();
});

const files = (tag: string, environment = 'dev'): Record<string, string> => ({
  [`${environment}/values.yaml`]: `image:\n  tag: "${tag}"\n`,
});

/** A push to dev, told as by a webhook. */
async function push(tag: string, name: string, email: string): Promise<void> {
  await repository.commit(files(tag), `Version ${tag}`, { author: { name, email } });
  await hintRepository(guarded.engine.app, repository.url, { via: 'PUSH' });
}

/** The release that started by itself, once it asks for its approval. */
async function asked(version: string): Promise<string> {
  const { engine } = guarded;
  const find = async (): Promise<string | undefined> => {
    const text = `SELECT id FROM release WHERE version = $1 AND trigger->>'kind' <> 'MANUAL'`;
    return (await engine.app.pool.query<{ id: string }>(text, [version])).rows[0]?.id;
  };
  await expect.poll(find, { interval: 100 }).toBeDefined();
  const id = (await find())!;
  await engine.reached(id, ({ promotions }) => promotions[1]?.approval?.requestedAt !== undefined);
  return id;
}

async function approve(email: string, releaseId: string): Promise<string> {
  const query = `mutation ($input: PromotionDecisionInput!) { made: promotionApprove(input: $input) { userErrors { code message } } }`;
  const token = await issuer.token({ email, email_verified: true });
  const answer = await guarded.ask(token, query, { input: { releaseId, environment: 'prod' } });
  const payload = answer.body.data?.['made'] as { userErrors: { code: string; message: string }[] } | undefined;
  if (!payload) return `${String(codeOf(answer))}: ${messageOf(answer)}`;
  return payload.userErrors.map(({ code, message }) => `${code}: ${message}`).join() || 'done';
}

test('an author whom administrators map to a user may not approve the release of the own change', async () => {
  const mapped = await setIdentity(guarded.engine.app, { email: 'ada@home.example', user: 'ada@example.com' }, 'root');
  expect(mapped.refusals).toBeUndefined();
  await push('1', 'Ada', 'Ada@Home.example');
  const id = await asked('1');
  expect(await approve('ada@example.com', id)).toMatch(
    /^NOT_AN_APPROVER: ada@example\.com is the initiator of the release and may not approve prod too, .*: another person has to$/,
  );
  expect(await approve('grace@example.com', id)).toBe('done');
  expect((await guarded.engine.ended(id)).status).toBe('SUCCEEDED');
});

test.each([
  ['2', 'linus@example.com', 'linus@example.com'],
  ['3', 'Linus@Example.com', 'linus@example.com'],
  ['4', 'grace@example.com', 'Grace@Example.COM'],
])(
  'nor may one whose verified address the identity provider tells: version %s by %s',
  async (version, author, login) => {
    if (login !== login.toLowerCase()) await guarded.grant({ subject: login, role: 'APPROVER' });
    await push(version, 'Somebody', author);
    const id = await asked(version);
    await expect.poll(() => approve(login, id)).toMatch(/^NOT_AN_APPROVER: .* may not approve prod too/);
    expect(await approve('ada@example.com', id)).toBe('done');
    expect((await guarded.engine.ended(id)).status).toBe('SUCCEEDED');
  },
);

test('the change of an author who is no approver here is approved by any approver', async () => {
  await push('5', 'Stranger', 'stranger@elsewhere.example');
  const id = await asked('5');
  expect(await approve('linus@example.com', id)).toBe('done');
});
