import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { ConfigError, loadConfig, warningsOf } from '../src/config.ts';
import { serve } from '../src/main.ts';
import { SETTINGS, settingsTable } from '../src/settings.ts';

const refusal = (env: Record<string, string>): string => {
  try {
    loadConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`);
};

describe('settings', () => {
  test('an empty environment is enough: embedded PostgreSQL, loopback, both roles', () => {
    expect(loadConfig({})).toEqual({
      role: 'all',
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: undefined,
      redisUrl: undefined,
      dataDir: resolve('.sluice'),
      concurrency: 256,
      queuePrefix: 'sluice',
      lockDurationMs: 5_000,
      stalledIntervalMs: 2_000,
      sweepIntervalMs: 1_000,
      driftIntervalMs: 300_000,
      actionLogDays: 0,
      logLevel: 'info',
      publicUrl: undefined,
      databasePoolSize: 10,
      reads: { poolSize: 5, perCaller: 3, timeoutMs: 10_000 },
      statementTimeoutMs: 30_000,
      git: {
        cacheDir: resolve('.sluice/git'),
        authorName: 'Sluice',
        authorEmail: 'sluice@localhost',
        branchPrefix: 'sluice',
        credentials: {},
        protocols: ['https', 'ssh', 'file'],
        cacheLimits: { maxAgeMs: 2_592_000_000, maxBytes: 53_687_091_200, maxRepositoryBytes: 10_737_418_240 },
      },
      commands: [],
      allowedNetworks: ['127.0.0.0/8', '::1/128'],
      encryptionKeys: [],
      limits: {
        bodyBytes: 1_048_576,
        cost: 50_000,
        budget: { values: 250_000, bytes: 16_777_216, sliceMs: 10 },
        operations: 0,
        connections: 10_000,
        streams: 2_000,
        subscriptions: 10_000,
        requestMs: 30_000,
      },
      allowedOrigins: [],
      trustedProxies: [],
      auth: { mode: 'auto', sessions: { idleMs: 28_800_000, maxMs: 86_400_000 } },
    });
  });

  test.each([
    ['SLUICE_ROLE', 'boss', "SLUICE_ROLE is 'boss': expected one of all, api, worker"],
    ['PORT', '70000', "PORT is '70000': expected a whole number from 0 to 65535"],
    ['PORT', '0x50', "PORT is '0x50': expected a whole number from 0 to 65535"],
    ['PORT', '-1', "PORT is '-1': expected a whole number from 0 to 65535"],
    ['SLUICE_CONCURRENCY', '1.5', "SLUICE_CONCURRENCY is '1.5': expected a whole number from 1 to 10000"],
    ['SLUICE_QUEUE_PREFIX', 'a:b', "SLUICE_QUEUE_PREFIX is 'a:b': expected letters, digits, - and _, at most 64"],
    ['SLUICE_RATE_LIMIT', '-1', "SLUICE_RATE_LIMIT is '-1': expected a whole number; 0 for no limit"],
    [
      'SLUICE_TRUSTED_PROXIES',
      'proxy.lan',
      "SLUICE_TRUSTED_PROXIES is 'proxy.lan': expected CIDRs and addresses such as 10.0.0.0/8, 127.0.0.1",
    ],
    ['SLUICE_GIT_PROTOCOLS', 'ext', "SLUICE_GIT_PROTOCOLS is 'ext': expected some of https, http, ssh, file"],
    [
      'SLUICE_ALLOWED_NETWORKS',
      '10.0.0.0/33',
      "SLUICE_ALLOWED_NETWORKS is '10.0.0.0/33': expected CIDRs, addresses and names such as 10.0.0.0/8, git.corp.example, *.lan",
    ],
    [
      'SLUICE_COMMANDS',
      '/bin/ls, migrate',
      "SLUICE_COMMANDS is '/bin/ls, migrate': expected absolute paths such as /usr/local/bin/migrate, apart by commas or spaces",
    ],
    ['LOG_LEVEL', 'loud', "LOG_LEVEL is 'loud': expected one of trace, debug, info, warn, error, fatal, silent"],
    ['SLUICE_PUBLIC_URL', 'sluice', "SLUICE_PUBLIC_URL is 'sluice': expected a URL such as https://sluice.example.com"],
  ])('%s=%s is refused in one line that names the variable, the value and the fix', (name, value, message) => {
    expect(refusal({ [name]: value })).toBe(message);
  });

  test.each([
    ['DATABASE_URL', 'mysql://u:hunter2@host/db'],
    ['REDIS_URL', 'host:hunter2'],
    ['SLUICE_GIT_CREDENTIALS', '{"https://git.example.com/": {"password": "hunter2"'],
    ['SLUICE_GIT_CREDENTIALS', '{"https://git.example.com/": {"passwort": "hunter2"}}'],
  ])('a wrong %s is named, but its secret is not repeated', (name, value) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });

  test.each([
    ['listens wider', { HOST: '0.0.0.0' }],
    ['is one part of several', { SLUICE_ROLE: 'worker' }],
    ['asks callers who they are', { SLUICE_AUTH: 'required' }],
    ['has a token for its operator', { SLUICE_ADMIN_TOKEN: 'x'.repeat(32) }],
    ['has a proxy in front', { SLUICE_PUBLIC_URL: 'https://sluice.example.com' }],
  ])('a server that %s calls loopback and files only when it is told to', (_name, env: Record<string, string>) => {
    const untold = loadConfig(env);
    expect([untold.allowedNetworks, untold.git.protocols]).toEqual([[], ['https', 'ssh']]);
    const told = loadConfig({ ...env, SLUICE_ALLOWED_NETWORKS: '127.0.0.1 *.lan', SLUICE_GIT_PROTOCOLS: 'file,http' });
    expect([told.allowedNetworks, told.git.protocols]).toEqual([
      ['127.0.0.1', '*.lan'],
      ['file', 'http'],
    ]);
  });

  test('programs that workflows may run are listed by commas or spaces', () => {
    expect(loadConfig({ SLUICE_COMMANDS: '/bin/ls, /usr/bin/env\n/opt/x' }).commands).toEqual([
      '/bin/ls',
      '/usr/bin/env',
      '/opt/x',
    ]);
    expect(refusal({ SLUICE_COMMANDS: '/opt/../bin/sh' })).toContain('SLUICE_COMMANDS');
  });

  test('an empty value counts as absent, as compose files write it', () => {
    expect(loadConfig({ PORT: '', DATABASE_URL: '' })).toMatchObject({ port: 4000, databaseUrl: undefined });
  });

  test('git credentials come from the variable or from a file, never from both', () => {
    const credentials = { 'https://git.example.com/': { username: 'ci', token: 'hunter2' } };
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-config-')), 'git.json');
    writeFileSync(file, JSON.stringify(credentials));
    const inline = { SLUICE_GIT_CREDENTIALS: JSON.stringify(credentials) };
    expect(loadConfig(inline).git.credentials).toEqual(credentials);
    expect(loadConfig({ SLUICE_GIT_CREDENTIALS_FILE: file }).git.credentials).toEqual(credentials);
    expect(refusal({ ...inline, SLUICE_GIT_CREDENTIALS_FILE: file })).toContain('both set');
    expect(refusal({ SLUICE_GIT_CREDENTIALS_FILE: `${file}.gone` })).toContain('(ENOENT)');
    writeFileSync(file, 'hunter2');
    expect(refusal({ SLUICE_GIT_CREDENTIALS_FILE: file })).not.toContain('hunter2');
  });

  test('docs/settings.md tells every setting as it is', () => {
    const page = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8');
    const rows = page.split('\n').filter((line) => line.startsWith('| `'));
    expect(rows).toEqual(settingsTable());
    expect(rows).toHaveLength(Object.keys(SETTINGS).length);
  });
});

test('a worker that knows no address of a server says at its start that its links lead nowhere', () => {
  const told = (settings: Record<string, string>): string[] => warningsOf(loadConfig(settings));
  expect(told({ SLUICE_ROLE: 'worker' })).toEqual([expect.stringContaining('SLUICE_PUBLIC_URL is not set')]);
  expect(told({ SLUICE_ROLE: 'worker', SLUICE_PUBLIC_URL: 'https://sluice.example.com' })).toEqual([]);
  expect(told({ SLUICE_ROLE: 'api' })).toEqual([]);
});

test('people named by their address are told at each start that a commit can name any', () => {
  const oidc = { SLUICE_OIDC_ISSUER: 'https://id.example.com', SLUICE_OIDC_AUDIENCE: 'sluice' };
  const told = (name: string): string[] => warningsOf(loadConfig({ ...oidc, SLUICE_OIDC_NAME_CLAIM: name }));
  expect(told('email')).toEqual([expect.stringContaining('any address into a commit')]);
  expect(told('sub')).toEqual([]);
  expect(warningsOf(loadConfig({}))).toEqual([]);
});

describe('a client at the identity provider', () => {
  const oidc = { SLUICE_OIDC_ISSUER: 'https://id.example.com', SLUICE_OIDC_AUDIENCE: 'sluice' };
  const client = { ...oidc, SLUICE_OIDC_CLIENT_ID: 'web' };

  test.each<[string, Record<string, string>, string]>([
    ['needs a provider', { SLUICE_OIDC_CLIENT_ID: 'web' }, 'SLUICE_OIDC_ISSUER is not set'],
    ['has an id beside its secret', { ...oidc, SLUICE_OIDC_CLIENT_SECRET: 's' }, 'SLUICE_OIDC_CLIENT_ID is not set'],
    ['has an address to come back to', { ...client, HOST: '0.0.0.0' }, 'SLUICE_PUBLIC_URL is not set'],
    ['asks for an ID token', { ...client, SLUICE_OIDC_SCOPES: 'profile' }, 'with openid among them'],
  ])('%s', (_what, env, words) => {
    expect(() => loadConfig(env)).toThrow(words);
  });

  test('is told at each start when refresh tokens cannot be kept', () => {
    expect(loadConfig(client).auth.oidc?.client).toEqual({
      id: 'web',
      secret: undefined,
      scopes: 'openid profile email',
    });
    expect(warningsOf(loadConfig(client))).toEqual([expect.stringContaining('SLUICE_ENCRYPTION_KEY is not')]);
    const key = { SLUICE_ENCRYPTION_KEY: Buffer.alloc(32).toString('base64') };
    expect(warningsOf(loadConfig({ ...client, ...key }))).toEqual([]);
  });
});

test.each([
  [{ role: 'boss' }, "--role is 'boss': expected one of all, api, worker"],
  [{ role: 'api', port: 'x' }, "--port is 'x': expected a whole number from 0 to 65535"],
])('what is wrong with a flag of `serve` is told of the flag: %j', async (flags, words) => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    expect(await serve(flags)).toBe(78);
    expect(written.mock.calls.join('')).toContain(`sluice: ${words}`);
  } finally {
    written.mockRestore();
  }
});
