import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli } from '../../src/cli/run.ts';
import { startServer, type ApiServer } from '../../src/server.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

let engine: TestEngine;
let server: ApiServer;
beforeAll(async () => {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') });
  server = await startServer(engine.app);
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

async function sluice(input: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli(args, {
    env: { SLUICE_SERVER: server.url },
    out: { write: (text) => (out += text) },
    err: { write: (text) => (err += text) },
    input: Readable.from([input]),
  });
  return { code, out, err };
}

test('a value comes from standard input and is shown by nothing', async () => {
  const set = await sluice('s3cret-value\n', 'secret', 'set', 'hook', '--host', 'a.example', 'b.example');
  expect(set).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Secret hook is set \(revision 1, sealed with key [0-9a-f]{12}\)\n$/),
  });
  const list = await sluice('', 'secret', 'list');
  expect(list.out).toMatch(/hook +reference +a\.example, b\.example +1/);
  const opened = await engine.app.secrets.open(['hook']);
  expect(opened.get('hook')).toEqual({ value: 's3cret-value', hosts: ['a.example', 'b.example'] });
  expect(set.out + list.out).not.toContain('s3cret');
});

test('a value that is too short is refused, and not repeated', async () => {
  expect(await sluice('hunter2', 'secret', 'set', 'x', '--host', 'a.example')).toEqual({
    code: 1,
    out: '',
    err: 'the value has 7 characters; 8 to 65536 fit, a shorter one could not be masked\n',
  });
});

test('the audit log says who set which secret, and not to what', async () => {
  await sluice('audited-value', 'secret', 'set', 'audited', '--host', 'a.example');
  const { rows } = await engine.app.pool.query<{ action: string; text: string }>(
    `SELECT action, l::text AS text FROM audit_log l WHERE l::text LIKE '%audited%'`,
  );
  expect(rows.map(({ action }) => action)).toEqual(['secretSet']);
  expect(rows[0]!.text).not.toContain('audited-value');
});

test('resealing and deleting', async () => {
  expect((await sluice('', 'secret', 'reseal')).out).toBe('0 secrets were sealed with the current key\n');
  expect((await sluice('', 'secret', 'delete', 'secret/hook')).out).toBe('Secret hook is deleted\n');
  expect(await sluice('', 'secret', 'delete', 'hook')).toMatchObject({ code: 1, err: 'there is no secret "hook"\n' });
});

test('one for pull requests names its forge', async () => {
  const key = '-----BEGIN RSA PRIVATE KEY-----\nMIIEow==\n-----END RSA PRIVATE KEY-----\n';
  const where = ['--forge', 'github', '--forge-url', 'https://github.com/acme/'];
  expect(await sluice(key, 'secret', 'set', 'bot', ...where, '--github-app', '77')).toMatchObject({ code: 0, err: '' });
  const gitea = ['--forge', 'gitea', '--forge-url', 'https://git.example.com/'];
  expect(await sluice('0123456789', 'secret', 'set', 'tea', ...gitea)).toMatchObject({ code: 0 });
  const list = await sluice('', 'secret', 'list');
  expect(list.out).toMatch(/bot +forge +https:\/\/github\.com\/acme\/ \(github, App 77\) +1/);
  expect(list.out).toMatch(/tea +forge +https:\/\/git\.example\.com\/ \(gitea\) +1/);
  const wrong: [string[], RegExp][] = [
    [['--forge', 'svn', '--forge-url', 'https://x.example/'], /--forge is github, gitlab or gitea/],
    [['--forge', 'gitea'], /--forge-url/],
    [['--forge-url', 'https://x.example/'], /Say with --forge/],
  ];
  for (const [args, why] of wrong)
    expect(await sluice('0123456789', 'secret', 'set', 'x', ...args)).toMatchObject({
      code: 2,
      err: expect.stringMatching(why),
    });
});
