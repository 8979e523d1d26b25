import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { createLog } from '../../src/log.ts';
import { runServer } from '../../src/main.ts';
import { startServer } from '../../src/server.ts';
import { post } from '../api/support/clients.ts';
import { createTestDatabase } from '../support/database.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { ADMIN, bearer, codeOf } from './support.ts';

const closers: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function serve(settings: Record<string, string> = {}): Promise<{ url: string; engine: TestEngine }> {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  const engine = await openTestEngine(backend, settings);
  const server = await startServer(engine.app);
  closers.push(async () => {
    await server.close();
    await engine.close();
  });
  return { url: server.url, engine };
}

const VIEWER = '{ viewer { name kind } }';
const CREATE = `mutation ($input: ApiTokenCreateInput!) {
  apiTokenCreate(input: $input) { secret userErrors { code message } }
}`;

test('a server on loopback asks nobody who they are, until there is a first token', async () => {
  const { url } = await serve();
  const anonymous = await post(url, { query: VIEWER });
  expect(anonymous.body.data).toEqual({ viewer: { name: null, kind: 'ANONYMOUS' } });
  const make = async (scope: object[]) => {
    const { body } = await post(url, { query: CREATE, variables: { input: { name: 'first', subject: 'me', scope } } });
    return body.data!['apiTokenCreate'] as { secret: string | null; userErrors: { message: string }[] };
  };
  const small = await make([{ role: 'VIEWER' }]);
  expect(small.userErrors[0]?.message).toContain('the first must have the role ADMIN');
  const { secret } = await make([{ role: 'ADMIN' }]);
  await expect.poll(async () => (await post(url, { query: VIEWER })).status).toBe(401);
  expect((await post(url, { query: VIEWER }, bearer(secret))).status).toBe(200);
});

test('SLUICE_AUTH=off asks nobody, whatever there is', async () => {
  const { url } = await serve({ SLUICE_AUTH: 'off', SLUICE_ADMIN_TOKEN: ADMIN });
  expect((await post(url, { query: VIEWER })).status).toBe(200);
  expect((await post(url, { query: VIEWER }, bearer('whatever'))).status).toBe(200);
});

test('SLUICE_AUTH=required asks from the start', async () => {
  const { url } = await serve({ SLUICE_AUTH: 'required', SLUICE_ADMIN_TOKEN: ADMIN });
  expect(codeOf(await post(url, { query: VIEWER }))).toBe('UNAUTHENTICATED');
});

test.each([
  [
    'an address that others reach, without authentication',
    { HOST: '0.0.0.0' },
    "HOST is '0.0.0.0' and there is no authentication",
  ],
  [
    'such an address with authentication off',
    { HOST: '::', SLUICE_AUTH: 'off', SLUICE_ADMIN_TOKEN: ADMIN },
    "HOST is '::'",
  ],
  ['required authentication that nobody could pass', { SLUICE_AUTH: 'required' }, 'there is no way to sign in'],
])('%s ends the start in one line', async (_case, settings: Record<string, string>, words) => {
  const database = await createTestDatabase();
  closers.push(() => database.drop());
  const env = { DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', SLUICE_ROLE: 'api', ...settings };
  const starting = runServer(loadConfig(env), createLog({ level: 'silent' }));
  await expect(starting).rejects.toMatchObject({ name: 'ConfigError', message: expect.stringContaining(words) });
  await expect(starting).rejects.toMatchObject({ message: expect.not.stringContaining('\n') });
});

test('the same address is good once callers are asked who they are', async () => {
  const database = await createTestDatabase();
  const env = { DATABASE_URL: database.url, PORT: '0', LOG_LEVEL: 'silent', SLUICE_ROLE: 'api', HOST: '0.0.0.0' };
  const server = await runServer(loadConfig({ ...env, SLUICE_ADMIN_TOKEN: ADMIN }), createLog({ level: 'silent' }));
  try {
    expect(server.authentication).toBe(true);
    expect(codeOf(await post(server.url!, { query: VIEWER }))).toBe('UNAUTHENTICATED');
  } finally {
    await server.close();
    await database.drop();
  }
});
