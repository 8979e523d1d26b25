import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { createLog } from '../../src/log.ts';
import { startWorker } from '../../src/worker.ts';
import { serve } from '../drivers/http-server.ts';
import { makeFolder, Repository } from '../drivers/repository.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

// Signs that every way of writing it down writes differently.
const FROM_SETTINGS = 'Pa55 w+rd/%"1&<x>';
const FROM_SECRETS = 's3cr3t/of git+"2&<y>';
const PASSWORDS = [FROM_SETTINGS, FROM_SECRETS];

/** As somebody could find it: as it is, in URLs, JSON and HTML, and with the user name as a header has it. */
const spellings = PASSWORDS.flatMap((each) => [
  each,
  encodeURIComponent(each),
  JSON.stringify(each).slice(1, -1),
  each.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
  Buffer.from(`me:${each}`).toString('base64'),
  Buffer.from(each).toString('base64').replace(/=+$/, ''),
  Buffer.from(each).toString('hex'),
]);

const folder = makeFolder();
let engine: TestEngine;
let remote: Awaited<ReturnType<typeof serve>>;
let log = '';
const closers: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  // Says back what it was told, as some proxies do: git hands that on as `remote:` lines.
  remote = await serve(({ headers, url }, response, host) => {
    const given = headers.authorization;
    response.writeHead(given ? 403 : 401, { 'www-authenticate': 'Basic realm="git"', 'content-type': 'text/plain' });
    const login = Buffer.from(given?.split(' ')[1] ?? '', 'base64').toString();
    const password = login.slice(login.indexOf(':') + 1);
    const address = `http://me:${encodeURIComponent(password)}@${host}${url}`;
    response.end(`no entry for ${given} ${password} at ${address}\n{"token":${JSON.stringify(password)}}\n`);
  });
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_DATA_DIR: folder.path('data'),
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http file',
    SLUICE_GIT_CREDENTIALS: JSON.stringify({
      [`http://${remote.host}/settings/`]: { username: 'me', password: FROM_SETTINGS },
    }),
  });
  const use = { kind: 'GIT' as const, url: `http://${remote.host}/secrets/`, username: 'me' };
  await setSecret(engine.app, { name: 'git', value: FROM_SECRETS, description: null, use }, 'ada');
  const destination = new Writable({
    write(line: Buffer, _encoding, done) {
      log += line.toString();
      done();
    },
  });
  const app = await openApp(engine.app.config, createLog({ level: 'trace', destination }));
  const worker = await startWorker(app);
  closers.push(
    () => worker.close(),
    () => app.close(),
  );
});
afterAll(async () => {
  for (const close of closers) await close();
  await engine.close();
  remote.close();
  folder.remove();
});

/** Every row of every table, as text; of the queue's, too. */
async function everything(): Promise<string> {
  const { rows: tables } = await engine.app.pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'bullmq')`,
  );
  const texts = tables.map(async ({ name }) => {
    const { rows } = await engine.app.pool.query<{ text: string }>(
      `SELECT to_jsonb(t)::text AS text FROM ${name} AS t`,
    );
    return rows.map(({ text }) => text).join('\n');
  });
  return (await Promise.all(texts)).join('\n');
}

test.each(['settings', 'secrets'])(
  'a password from the %s that a remote says back is in no problem, event, log line or row',
  async (where) => {
    const repository = new Repository(folder, where, { 'dev/values.yaml': 'tag: 1\n' });
    await engine.saveBilling(where, {
      driver: (environment) => ({
        type: 'git',
        repoURL: environment === 'dev' ? `file://${repository.url}` : `http://${remote.host}/${where}/r.git`,
        branch: 'main',
        path: environment,
      }),
    });
    const id = await engine.trigger({ product: where });
    const state = await engine.ended(id);
    expect(state.firstProblem?.message).toMatch(/access was refused .*(\*\*\*|redacted)/);
    expect(remote.asked.some(({ headers }) => headers.authorization !== undefined)).toBe(true);

    const rows = await everything();
    expect(rows).toContain('access was refused');
    for (const each of spellings) {
      expect([each, rows.includes(each), log.includes(each)]).toEqual([each, false, false]);
      expect(JSON.stringify(state)).not.toContain(each);
    }
  },
);

test('nor is one that a definition brings along: it is not taken', async () => {
  const spec = {
    type: 'git' as const,
    repoURL: `http://me:${encodeURIComponent(FROM_SETTINGS)}@${remote.host}/r.git`,
    branch: 'main',
    path: 'dev',
  };
  const wrong = await engine.saveBilling('embedded', { driver: () => spec }).then(
    () => 'saved',
    (error: Error) => error.message,
  );
  expect(wrong).toContain('holds a password; remove it');
  for (const each of spellings) expect(wrong).not.toContain(each);
});
