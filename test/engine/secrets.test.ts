import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { createLog } from '../../src/log.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

const VALUE = 'tok3n/with+signs & "quotes"';
const GIT_VALUE = 'g1t-t0ken/with+signs';
let engine: TestEngine;
let host: string;
const asked: { url: string; headers: NodeJS.Dict<string | string[]>; body: string }[] = [];

/** Says back whatever it is told, in every way it can, as debugging endpoints do. */
const echo = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk: Buffer) => (body += chunk.toString()));
  request.on('end', () => {
    asked.push({ url: request.url!, headers: request.headers, body });
    const said = request.headers['x-token'] ?? request.headers.authorization ?? '';
    if (request.url!.startsWith('/git'))
      return response
        .writeHead(request.headers.authorization ? 403 : 401, { 'www-authenticate': 'Basic realm="git"' })
        .end(`denied: ${String(said)}`);
    const answer = {
      said,
      body,
      base64: Buffer.from(`a${String(said)}`).toString('base64'),
      url: encodeURIComponent(String(said)),
    };
    response.writeHead(request.url!.startsWith('/fail') ? 422 : 200).end(JSON.stringify(answer));
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(echo.address() as AddressInfo).port}`;
  engine = await openTestEngine(
    { name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` },
    { SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'), SLUICE_GIT_PROTOCOLS: 'http' },
  );
  await engine.saveBilling();
  await keep('hook', VALUE, { kind: 'REFERENCE', hosts: ['127.0.0.1'] });
  await engine.startWorker();
});
afterAll(async () => {
  await engine.close();
  echo.close();
  echo.closeAllConnections();
});

async function keep(name: string, value: string, use: SecretUse): Promise<void> {
  const { refusals } = await setSecret(engine.app, { name, value, description: null, use }, 'ada');
  if (refusals) throw new Error(JSON.stringify(refusals));
}

/** Everything that the database holds, but the sealed values. */
async function everything(): Promise<string> {
  const { rows } = await engine.app.pool.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')`,
  );
  const dumps = await Promise.all(
    rows.map(({ name }) => engine.app.pool.query<{ text: string }>(`SELECT t::text AS text FROM ${name} t`)),
  );
  return dumps.flatMap((dump) => dump.rows.map(({ text }) => text)).join('\n');
}

function spellings(value: string): string[] {
  const bytes = Buffer.from(value);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('base64').slice(0, 20),
    bytes.toString('hex'),
  ];
}

async function withChecks(parameters: Record<string, unknown>): Promise<Awaited<ReturnType<TestEngine['ended']>>> {
  await engine.save('PromotionWorkflow', 'checks', {
    actions: [
      { name: 'call', type: 'http', parameters, retry: { limit: 0, backoff: 1, maxDelay: 1 } },
      { name: 'next', type: 'simulate', parameters: { outputs: { HEARD: '${SAID}' } }, dependsOn: ['call'] },
    ],
  });
  return engine.ended(await engine.trigger({ product: 'billing', version: randomBytes(4).toString('hex') }));
}

test('a server that says it all back leaks nothing: not in outputs, later parameters, events or rows', async () => {
  const state = await withChecks({
    url: `http://${host}/echo/\${secrets.hook}`.replace('${secrets.hook}', 'x'),
    headers: { 'x-token': '${secrets.hook}' },
    body: { token: '${secrets.hook}' },
    outputs: { SAID: '$.said', BODY: '$.body', BASE64: '$.base64', URL: '$.url' },
  });
  expect(state.status).toBe('SUCCEEDED');
  expect(asked.at(-1)).toMatchObject({ headers: { 'x-token': VALUE }, body: JSON.stringify({ token: VALUE }) });
  const all = await everything();
  expect(all).toContain('${secrets.hook}');
  expect(all).toContain('***');
  for (const each of spellings(VALUE)) expect(all).not.toContain(each);
});

test('an answer that is refused leaks nothing into the problem', async () => {
  const state = await withChecks({
    url: `http://${host}/fail/\${secrets.hook}`,
    headers: { 'x-token': '${secrets.hook}' },
    outputs: { SAID: '$.said' },
  });
  expect(state.status).toBe('FAILED');
  const all = await everything();
  expect(all).toContain('answered 422');
  for (const each of spellings(VALUE)) expect(all).not.toContain(each);
});

const workflow = (parameters: Record<string, unknown>) =>
  engine.save('PromotionWorkflow', 'refused', { actions: [{ name: 'call', type: 'http', parameters }] });
const sending = (to: string, name = 'hook') => ({
  url: `http://${to}/`,
  headers: { 'x-token': `\${secrets.${name}}` },
});

test('a workflow that would send a secret to a host that it is not for is refused when it is saved', async () => {
  await expect(workflow(sending(`localhost:${host.split(':')[1]}`))).rejects.toThrow(
    /secret \\"hook\\" may not be sent to \\"localhost\\".*"path":\["spec","actions",0,"parameters"\]/,
  );
  await keep('for-git', GIT_VALUE, { kind: 'GIT', url: `http://${host}/git`, username: null });
  await expect(workflow(sending(host, 'for-git'))).rejects.toThrow('is for git and nothing else');
});

test('the administrator of one application cannot have a secret of another team sent to themselves', async () => {
  const mine = (url: string, product = 'billing') =>
    engine.save('Application', 'mine', {
      product,
      environment: 'dev',
      component: 'mine',
      driver: { type: 'simulate' },
      health: { type: 'http', url, headers: { authorization: '${secrets.team-b}' } },
    });
  await keep('team-b', 'TOP-SECRET-of-another-team', {
    kind: 'REFERENCE',
    hosts: ['127.0.0.1'],
    products: ['shop', 'team-b-*'],
  });
  await expect(mine('https://evil.example/')).rejects.toThrow('may not be sent to');
  await expect(mine(`http://${host}/`)).rejects.toThrow('is not for product \\"billing\\"');
});

test('a secret is judged again when it is used: its hosts and its products', async () => {
  for (const use of [
    { hosts: ['elsewhere.example'], words: 'may not be sent to \\"127.0.0.1\\"' },
    { hosts: ['127.0.0.1'], products: ['shop'], words: 'is not for product \\"billing\\"' },
  ]) {
    await keep('moved', 'value-that-moved', { kind: 'REFERENCE', hosts: ['127.0.0.1'] });
    await engine.save('PromotionWorkflow', 'checks', {
      actions: [{ name: 'call', type: 'http', parameters: sending(host, 'moved') }],
    });
    const { words, ...rest } = use;
    await keep('moved', 'value-that-moved', { kind: 'REFERENCE', ...rest });
    const before = asked.length;
    const version = randomBytes(4).toString('hex');
    const state = await engine.ended(await engine.trigger({ product: 'billing', version }));
    expect(JSON.stringify(state)).toContain(`secret \\"moved\\" ${words}`);
    expect(asked.length).toBe(before);
  }
});

test('a secret that is not there is named', async () => {
  const gone = await withChecks({ url: `http://${host}/`, headers: { 'x-token': '${secrets.gone}' } });
  expect(JSON.stringify(gone)).toContain('there is no secret \\"gone\\"');
});

test('a reference in what somebody else said stays text', async () => {
  const state = await withChecks({
    url: `http://${host}/echo`,
    headers: { 'x-token': '$${secrets.hook}' },
    outputs: { SAID: '$.said' },
  });
  expect(state.status).toBe('SUCCEEDED');
  expect(asked.at(-1)!.headers['x-token']).toBe('${secrets.hook}');
});

test('a health source may send a secret in a header', async () => {
  const context = {
    application: 'a',
    environment: 'e',
    product: 'p',
    since: new Date(),
    now: new Date(),
    signal: new AbortController().signal,
  };
  const health = (secret: string) =>
    engine.app.drivers.checkHealth(
      { type: 'http', url: `http://${host}/echo`, headers: { 'x-token': `\${secrets.${secret}}` } },
      context,
    );
  expect((await health('hook')).status).toBe('HEALTHY');
  expect(asked.at(-1)!.headers['x-token']).toBe(VALUE);
  expect(await health('gone')).toMatchObject({
    status: 'UNKNOWN',
    message: expect.stringContaining('no secret "gone"'),
  });
});

test('git gets its login from a secret, and what a remote says back of it is hidden', async () => {
  await keep('for-git', GIT_VALUE, { kind: 'GIT', url: `http://${host}/git`, username: 'ci' });
  const spec = { type: 'git' as const, repoURL: `http://${host}/git/a.git`, branch: 'main', path: '.' };
  const failed = engine.app.drivers.driver(spec).pin(spec, undefined, {}, new AbortController().signal);
  const message = await failed.then(
    () => '',
    (error: Error) => `${error.message}${error.stack}`,
  );
  expect(message).toContain('access was refused');
  expect(asked.at(-1)!.headers.authorization).toBe(`Basic ${Buffer.from(`ci:${GIT_VALUE}`).toString('base64')}`);
  for (const each of spellings(GIT_VALUE)) expect(message).not.toContain(each);
});

test('the log of the process hides what was opened', () => {
  let lines = '';
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => ((lines += chunk.toString()), done()),
  });
  const log = createLog({ level: 'info', destination });
  log.info({ error: new Error(`said ${VALUE}`), deep: { also: [VALUE] } }, `it was ${VALUE}`);
  expect(lines).toContain('***');
  for (const each of spellings(VALUE)) expect(lines).not.toContain(each);
});
