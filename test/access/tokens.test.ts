import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeToken, sameHash, tokenId } from '../../src/commands/access/token.ts';
import { ADMIN, bearer, codeOf, type GuardedServer, messageOf, openGuarded } from './support.ts';
import { post } from '../api/support/clients.ts';

let guarded: GuardedServer;
beforeAll(async () => {
  guarded = await openGuarded();
  await guarded.engine.saveBilling();
});
afterAll(() => guarded.close());

const VIEWER = '{ viewer { name kind } }';

describe('a token', () => {
  test('names itself, holds a checksum, and is never the same twice', () => {
    const made = Array.from({ length: 200 }, makeToken);
    expect(new Set(made.map(({ token }) => token)).size).toBe(200);
    for (const { token, id } of made) {
      expect(token).toMatch(/^sluice_[0-9A-Za-z]{50}$/);
      expect(tokenId(token)).toBe(id);
    }
  });

  test('with one character changed is none', () => {
    const { token } = makeToken();
    for (let at = 7; at < token.length; at += 1) {
      const other = token[at] === 'x' ? 'y' : 'x';
      expect(tokenId(token.slice(0, at) + other + token.slice(at + 1))).toBeNull();
    }
  });

  test('is compared by hash, of any length', () => {
    const [a, b] = [makeToken(), makeToken()];
    expect(sameHash(a.hash, a.hash)).toBe(true);
    expect(sameHash(a.hash, b.hash)).toBe(false);
    expect(sameHash(a.hash, '')).toBe(false);
  });

  test('is not in the database, only its hash is', async () => {
    const { text, id } = await guarded.token('VIEWER');
    const rows: Record<string, unknown>[] = await guarded.engine.app.dataSource.query(
      'SELECT row_to_json(t)::text AS row FROM api_token t WHERE id = $1',
      [id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(text.slice(-38));
  });
});

describe('who is calling', () => {
  test('a service account, by its token', async () => {
    const token = await guarded.token('VIEWER');
    const { body } = await guarded.ask(token, VIEWER);
    expect(body.data).toEqual({
      viewer: { name: expect.stringMatching(/^service-account\/viewer-/), kind: 'SERVICE_ACCOUNT' },
    });
  });

  test('the first admin, by the token of the environment', async () => {
    const { body } = await guarded.ask(ADMIN, VIEWER);
    expect(body.data).toEqual({ viewer: { name: 'service-account/admin', kind: 'SERVICE_ACCOUNT' } });
  });

  test.each([
    ['nobody', {}, 'needs to know who is calling'],
    ['a mistyped token', bearer(`sluice_${'a'.repeat(50)}`), 'mistyped or cut off'],
    ['a token of another installation', bearer(makeToken().token), 'not known here'],
    ['another admin token', bearer(`${ADMIN}x`), 'not known here'],
    ['a password', { authorization: `Basic ${Buffer.from('ada:x').toString('base64')}` }, 'Bearer'],
    ['a token that is too long', bearer('x'.repeat(9_000)), 'too long'],
  ])('%s is refused with 401, and told how to sign in', async (_who, headers, words) => {
    const answer = await post(guarded.url, { query: VIEWER }, headers);
    expect(answer.status).toBe(401);
    expect(codeOf(answer)).toBe('UNAUTHENTICATED');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(messageOf(answer)).toContain(words);
    expect(messageOf(answer)).toContain('API token');
    expect(JSON.stringify(answer.body)).not.toContain('"http"');
  });

  test('no answer and no line of the log repeats what was sent', async () => {
    const secret = `sluice_${'Z'.repeat(50)}`;
    const answer = await post(guarded.url, { query: VIEWER }, bearer(secret));
    expect(JSON.stringify(answer.body)).not.toContain(secret);
  });

  test('the schema may be read by anybody', async () => {
    const { body } = await guarded.ask(null, '{ __schema { queryType { name } } }');
    expect(body.errors).toBeUndefined();
  });

  test('a token is good until it expires', async () => {
    const soon = new Date(Date.now() + 4_000);
    const token = await guarded.token('VIEWER', {}, soon);
    expect((await guarded.ask(token, VIEWER)).status).toBe(200);
    await expect.poll(async () => (await guarded.ask(token, VIEWER)).status).toBe(401);
    expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
    expect(messageOf(await guarded.ask(token, VIEWER))).toContain('expired');
  });

  test('a token is good until it is revoked, here and at another server', async () => {
    const other = await guarded.another();
    const token = await guarded.token('VIEWER');
    expect((await post(other.url, { query: VIEWER }, bearer(token))).status).toBe(200);
    await guarded.ask(ADMIN, REVOKE, { input: { id: token.id } });
    for (const url of [guarded.url, other.url]) {
      await expect.poll(async () => (await post(url, { query: VIEWER }, bearer(token))).status).toBe(401);
    }
  });

  test('when a token was used is known', async () => {
    const token = await guarded.token('VIEWER');
    await guarded.ask(token, VIEWER);
    await expect
      .poll(async () => {
        const { body } = await guarded.ask(ADMIN, '{ apiTokens(first: 100) { nodes { id lastUsedAt } } }');
        const { nodes } = body.data!['apiTokens'] as { nodes: { id: string; lastUsedAt: string | null }[] };
        return nodes.find(({ id }) => id === token.id)?.lastUsedAt;
      })
      .toBeTruthy();
  });
});

const CREATE = `mutation ($input: ApiTokenCreateInput!) {
  apiTokenCreate(input: $input) { secret apiToken { id subject subjectKind scope { role } expiresAt } userErrors { code message path } }
}`;
const REVOKE = `mutation ($input: ApiTokenRevokeInput!) {
  apiTokenRevoke(input: $input) { apiToken { id revokedAt revokedBy } userErrors { code message } }
}`;
const GRANT = `mutation ($input: RoleGrantCreateInput!) {
  roleGrantCreate(input: $input) { roleGrant { id role createdBy } userErrors { code message path } }
}`;

interface Created {
  secret: string | null;
  apiToken: { id: string; scope: unknown } | null;
  userErrors: { code: string; message: string; path: string[] }[];
}

describe('making tokens', () => {
  const create = async (by: Parameters<GuardedServer['ask']>[0], input: object) =>
    guarded.ask(by, CREATE, { input: { name: 'ci', subject: 'ci', ...input } });
  const payload = (answer: Awaited<ReturnType<typeof create>>) => answer.body.data!['apiTokenCreate'] as Created;

  test('is for admins, and the new one works at once', async () => {
    const made = payload(await create(ADMIN, { scope: [{ role: 'RELEASER', products: { names: ['billing'] } }] }));
    expect(made.userErrors).toEqual([]);
    const { body } = await guarded.ask(made.secret, '{ products { nodes { name } } }');
    expect(body.data).toEqual({ products: { nodes: [{ name: 'billing' }] } });
  });

  test('is not for others', async () => {
    const answer = await create(await guarded.token('OPERATOR'), { scope: [{ role: 'VIEWER' }] });
    expect(codeOf(answer)).toBe('FORBIDDEN');
    expect(answer.body.data).toBeFalsy();
  });

  test('an admin of one product makes tokens for it and not for others', async () => {
    const admin = await guarded.token('ADMIN', { products: { names: ['billing'] } });
    const scope = (name: string) => [{ role: 'RELEASER', products: { names: [name] } }];
    expect(payload(await create(admin, { scope: scope('billing') })).userErrors).toEqual([]);
    for (const more of [scope('shop'), scope('*'), [{ role: 'VIEWER' }], undefined]) {
      const [refusal] = payload(await create(admin, { scope: more })).userErrors;
      expect(refusal).toMatchObject({ code: 'FORBIDDEN' });
    }
    const forAda = payload(await create(admin, { subjectKind: 'USER', subject: 'ada', scope: scope('billing') }));
    expect(forAda.userErrors).toMatchObject([{ code: 'FORBIDDEN', path: ['input', 'subject'] }]);
  });

  test.each([
    ['without a name', { name: '', scope: [{ role: 'VIEWER' }] }, 'name'],
    ['that has expired already', { scope: [{ role: 'VIEWER' }], expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['for a group', { subjectKind: 'GROUP', scope: [{ role: 'VIEWER' }] }, 'subjectKind'],
    ['for nobody', { subject: 'a b', scope: [{ role: 'VIEWER' }] }, 'subject'],
    ['with an empty scope', { scope: [] }, 'scope'],
    [
      'as a person with the name of a program',
      { subjectKind: 'USER', subject: 'service-account/ci', scope: [{ role: 'VIEWER' }] },
      'subject',
    ],
  ])('%s is refused, and the place is named', async (_case, input, at) => {
    const { secret, userErrors } = payload(await create(ADMIN, input));
    expect(secret).toBeNull();
    expect(userErrors[0]?.path).toEqual(['input', at]);
  });

  test('a token without a scope may what is granted to its subject, as it is at the time', async () => {
    const made = payload(await create(ADMIN, { subject: 'nightly' }));
    const products = () => guarded.ask(made.secret, '{ products { nodes { name } } }');
    expect(codeOf(await products())).toBe('FORBIDDEN');
    const grant = { subjectKind: 'SERVICE_ACCOUNT', subject: 'nightly', role: 'VIEWER' };
    expect(codeOf(await guarded.ask(ADMIN, GRANT, { input: grant }))).toBeUndefined();
    await expect.poll(async () => (await products()).body.errors).toBeUndefined();
  });

  test("one's own can be revoked, that of others cannot", async () => {
    await guarded.grant({ subject: 'ada', role: 'VIEWER' });
    const mine = payload(await create(ADMIN, { subjectKind: 'USER', subject: 'ada', scope: [{ role: 'VIEWER' }] }));
    const also = payload(await create(ADMIN, { subjectKind: 'USER', subject: 'ada', scope: [{ role: 'VIEWER' }] }));
    const others = await guarded.token('VIEWER');
    const revoke = (id: string) => guarded.ask(mine.secret, REVOKE, { input: { id } });
    expect((await revoke(also.apiToken!.id)).body.data).toMatchObject({ apiTokenRevoke: { userErrors: [] } });
    expect(codeOf(await revoke(others.id))).toBe('FORBIDDEN');
    expect(codeOf(await revoke('nothing'))).toBe('FORBIDDEN');
    const seen = await guarded.ask(mine.secret, '{ apiTokens(first: 100) { nodes { subject } } }');
    const { nodes } = seen.body.data!['apiTokens'] as { nodes: { subject: string }[] };
    expect(new Set(nodes.map(({ subject }) => subject))).toEqual(new Set(['ada']));
  });
});

describe('granting roles', () => {
  test('an admin of one product grants roles there and nowhere else', async () => {
    const admin = await guarded.token('ADMIN', { products: { names: ['billing'] } });
    const grant = (input: object) =>
      guarded.ask(admin, GRANT, { input: { subjectKind: 'USER', subject: 'grace', role: 'RELEASER', ...input } });
    const good = await grant({ products: { names: ['billing'] } });
    expect(good.body.data).toMatchObject({ roleGrantCreate: { userErrors: [] } });
    const bad = await grant({});
    expect(bad.body.data).toMatchObject({ roleGrantCreate: { roleGrant: null, userErrors: [{ code: 'FORBIDDEN' }] } });
  });
});
