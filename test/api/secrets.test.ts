import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSecret, mayBeSentTo } from '../../src/core/secrets.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { forgeUses } from '../../src/store/secrets.ts';
import { ERRORS, openTestApi, type TestApi } from './support/api.ts';

const KEY = randomBytes(32).toString('base64');
let api: TestApi;
beforeAll(async () => {
  api = await openTestApi({ SLUICE_ENCRYPTION_KEY: KEY });
});
afterAll(() => api.close());

const set = (input: Record<string, unknown>) =>
  api
    .ask(
      `mutation ($input: SecretSetInput!) {
        secretSet(input: $input) { secret { name use hosts gitUrl webhookSource revision keyId updatedBy } ${ERRORS} }
      }`,
      { input },
    )
    .then(({ secretSet }) => secretSet);

describe('secrets in the API', () => {
  test('are set, replaced, listed and deleted, and no field of the schema shows a value', async () => {
    const made = await set({ name: 'hook', secretValue: 'first-value-1', hosts: ['hooks.example.com'] });
    expect(made).toMatchObject({
      secret: { name: 'hook', use: 'REFERENCE', hosts: ['hooks.example.com'], revision: 1, updatedBy: 'ada' },
      userErrors: [],
    });
    const replaced = await set({ name: 'hook', secretValue: 'second-value', hosts: ['hooks.example.com'] });
    expect(replaced.secret).toMatchObject({ revision: 2 });
    const { secrets } = await api.ask('{ secrets(first: 1) { nodes { name } pageInfo { hasNextPage } } }');
    expect(secrets).toEqual({ nodes: [{ name: 'hook' }], pageInfo: { hasNextPage: false } });
    const { __type } = await api.ask('{ __type(name: "Secret") { fields { name } } }');
    expect(__type.fields.map(({ name }: { name: string }) => name)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/value|sealed|nonce|plain/i)]),
    );
    const { rows } = await api.app.pool.query('SELECT * FROM secret');
    expect(JSON.stringify(rows)).not.toMatch(/first-value|second-value/);
    const remove = 'mutation { secretDelete(input: {name: "hook"}) { deletedName userErrors { code } } }';
    expect(await api.ask(remove)).toEqual({ secretDelete: { deletedName: 'hook', userErrors: [] } });
    expect(await api.ask(remove)).toMatchObject({ secretDelete: { userErrors: [{ code: 'NOT_FOUND' }] } });
  });

  test('a value that was given for one use is not handed out for another one', async () => {
    await set({ name: 'bound', secretValue: 'bound-value', hosts: ['a.example'] });
    const refused = await set({ name: 'bound', hosts: ['evil.example'] });
    expect(refused).toMatchObject({ secret: null, userErrors: [{ code: 'INVALID', path: ['input', 'secretValue'] }] });
    expect((await set({ name: 'bound', hosts: ['a.example'], description: 'x' })).secret).toMatchObject({
      revision: 1,
    });
  });

  test('one for pull requests says where, and never what', async () => {
    const forge = { type: 'GITHUB', url: 'https://github.com/acme/', appId: '77', installationId: '42' };
    const secretValue = '-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----\n';
    expect(await set({ name: 'bot', secretValue, forge })).toMatchObject({ secret: { use: 'FORGE' }, userErrors: [] });
    const { secrets } = await api.ask(
      '{ secrets(first: 100) { nodes { name gitUrl forge { type url apiUrl appId installationId } } } }',
    );
    expect(secrets.nodes).toContainEqual({ name: 'bot', gitUrl: null, forge: { ...forge, apiUrl: null } });
    // Described anew without its value; elsewhere only with it.
    expect((await set({ name: 'bot', forge, description: 'x' })).secret).toMatchObject({ revision: 1 });
    const elsewhere = await set({ name: 'bot', forge: { ...forge, apiUrl: 'https://evil.example/' } });
    expect(elsewhere.userErrors).toMatchObject([{ path: ['input', 'secretValue'] }]);
    await expect(api.app.secrets.open(['bot'])).rejects.toThrow('secret "bot" is for pull requests and nothing else');
    expect((await api.app.secrets.forgeSecrets()).map(({ name, open }) => [name, open()])).toEqual([
      ['bot', secretValue],
    ]);
    expect(await forgeUses(api.app.pool)).toEqual([
      {
        name: 'bot',
        use: expect.objectContaining({ kind: 'FORGE', forge: 'github', app: { id: '77', installation: '42' } }),
      },
    ]);
  });

  test('a secret has one use', async () => {
    const git = { url: 'https://git.example.com/' };
    const refused = await set({ name: 'x', secretValue: '12345678', git, webhook: { source: 'argo' } });
    expect(refused.userErrors).toMatchObject([{ code: 'INVALID' }]);
  });

  test('what an earlier key sealed is sealed anew, and opens then without the earlier key', async () => {
    await set({ name: 'old', secretValue: 'old-value-1', hosts: ['a.example'], products: ['team-*'] });
    const { secrets } = await api.ask('{ secrets(first: 100) { nodes { name hosts products hostsAssumed } } }');
    expect(secrets.nodes).toContainEqual({
      name: 'old',
      hosts: ['a.example'],
      products: ['team-*'],
      hostsAssumed: false,
    });
    const { config } = api.app;
    const next = randomBytes(32).toString('base64');
    const reseal = 'mutation { secretsReseal(input: {}) { resealed userErrors { code message } } }';
    Object.assign(config, { encryptionKeys: [next] });
    const lost = await api.ask(reseal);
    expect(lost.secretsReseal.userErrors).toMatchObject([
      { code: 'NO_ENCRYPTION_KEY', message: expect.stringContaining('SLUICE_ENCRYPTION_KEY_PREVIOUS') },
    ]);
    Object.assign(config, { encryptionKeys: [next, KEY] });
    expect((await api.ask(reseal)).secretsReseal.resealed).toBeGreaterThan(0);
    expect((await api.ask(reseal)).secretsReseal.resealed).toBe(0);
    Object.assign(config, { encryptionKeys: [] });
    const keyless = await set({ name: 'new', secretValue: 'new-value-1', hosts: ['a.example'] });
    expect(keyless.userErrors).toMatchObject([
      { code: 'NO_ENCRYPTION_KEY', message: expect.stringContaining('openssl rand -base64 32') },
    ]);
    Object.assign(config, { encryptionKeys: [KEY] });
  });
});

describe('what a secret may be', () => {
  const REFERENCE: SecretUse = { kind: 'REFERENCE', hosts: ['hooks.example.com'] };
  const WEBHOOK: SecretUse = { kind: 'WEBHOOK', source: 'argo', products: ['billing', 'team-*'] };
  const messages = (name: string, value: string | null, use: SecretUse): string =>
    checkSecret({ name, value, description: null, use })
      .map(({ message }) => message)
      .join('\n');

  test.each<[string, string | null, SecretUse, string]>([
    ['good', 'long-enough', REFERENCE, ''],
    ['GITHUB_TOKEN', 'long-enough', REFERENCE, ''],
    ['', 'long-enough', REFERENCE, 'the name'],
    ['-a', 'long-enough', REFERENCE, 'the name'],
    ['a.b', 'long-enough', REFERENCE, 'the name'],
    ['a}', 'long-enough', REFERENCE, 'the name'],
    ['a', 'hunter2', REFERENCE, 'the value has 7 characters'],
    ['a', 'hunter2-hunter2\0', REFERENCE, 'NUL'],
    ['a', 'long-enough', { kind: 'REFERENCE', hosts: ['https://x'] }, 'is not a host'],
    ['a', 'long-enough', { kind: 'REFERENCE', hosts: ['*'] }, 'is not a host'],
    ['a', 'long-enough', { kind: 'REFERENCE', hosts: [] }, 'name the hosts'],
    ['a', 'long-enough', { ...REFERENCE, products: ['Not A Product'] }, 'is not a name of a product'],
    ['a', 'long-enough', { ...REFERENCE, products: ['team-*'] }, ''],
    ['a', 'long-enough', { kind: 'GIT', url: 'https://u:p@x/', username: null }, 'is not an address'],
    ['a', 'long-enough', { kind: 'GIT', url: 'ssh://x/', username: null }, 'is not an address'],
    ['a', 'two\nlines-of-it', { kind: 'GIT', url: 'https://x/', username: null }, 'line breaks'],
    ['a', 'long-enough', { kind: 'GIT', url: 'https://x/', username: 'a\nhost=evil' }, 'line break'],
    ['a', `whsec_${randomBytes(24).toString('base64')}`, WEBHOOK, ''],
    ['a', randomBytes(64).toString('base64'), WEBHOOK, ''],
    ['a', randomBytes(23).toString('base64'), WEBHOOK, 'whsec_'],
    ['a', randomBytes(65).toString('base64'), WEBHOOK, 'whsec_'],
    ['a', 'not base64 at all, is it? really not!', WEBHOOK, 'whsec_'],
    ['a', randomBytes(24).toString('base64'), { kind: 'WEBHOOK', source: 'Argo CD', products: [] }, 'the source'],
    [
      'a',
      randomBytes(24).toString('base64'),
      { ...WEBHOOK, products: ['Not A Product'] },
      'is not a name of a product',
    ],
  ])('%s: %s for %j', (name, value, use, expected) => {
    const said = messages(name, value, use);
    if (expected === '') expect(said).toBe('');
    else expect(said).toContain(expected);
    if (value !== null && value.length > 6) expect(said).not.toContain(value);
  });

  test.each([
    [[], 'anything.example', false],
    [['a.example'], 'a.example', true],
    [['a.example'], 'A.EXAMPLE.', true],
    [['a.example'], 'b.a.example', false],
    [['a.example'], 'a.example.evil', false],
    [['*.example'], 'a.b.example', true],
    [['*.example'], 'example', false],
    [['*.example'], 'evilexample', false],
  ])('%j lets it be sent to %s: %s', (hosts, host, may) => expect(mayBeSentTo(hosts, host)).toBe(may));
});
