import { readdirSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { createGitDriver } from '../../src/drivers/git/driver.ts';
import { withoutSecrets } from '../../src/drivers/git/address.ts';
import { answerGit } from '../support/git-http.ts';
import { contextOf, git, makeFolder, Repository, settingsIn } from './repository.ts';

const folder = makeFolder();
afterAll(folder.remove);
const opened: (Server | TcpServer)[] = [];
const sockets = new Set<Socket>();
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of opened.splice(0)) server.close();
});

const never = new AbortController().signal;
const SECRET = 'tok-s3cret/with+signs';
const spec = (repoURL: string): GitDriverSpec => ({ type: 'git', repoURL, branch: 'main', path: 'eu' });

async function listen<S extends Server | TcpServer>(server: S): Promise<string> {
  opened.push(server);
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What any user of this machine can see of running processes. */
function commandLines(): string {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    })
    .join('\n');
}

/** The smart protocol by git's own CGI program, behind basic authentication. */
function gitServer(root: string, seen: { commandLines: string[]; refused: number }): Server {
  const wanted = `Basic ${Buffer.from(`x-access-token:${SECRET}`).toString('base64')}`;
  return createServer((request, response) => {
    seen.commandLines.push(commandLines());
    if (request.headers.authorization !== wanted) {
      seen.refused += 1;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    answerGit(root, request, response);
  });
}

test('a token opens a repository over http, and is in no command line, no file and no message', async () => {
  const repo = new Repository(folder, 'private', { 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 2\n' });
  git(repo.url, ['config', 'http.receivepack', 'true']);
  const seen = { commandLines: [] as string[], refused: 0 };
  const host = await listen(gitServer(folder.path(''), seen));
  const cache = folder.path('cache-http');
  const driver = createGitDriver({
    ...settingsIn(cache),
    protocols: ['http'],
    credentials: { [`http://${host}/`]: { token: SECRET } },
  });
  const target = spec(`http://${host}/private.git`);
  const content = await driver.pin({ ...target, path: 'dev' }, undefined, {}, never);
  expect((await driver.apply(target, content, contextOf('http'))).changed).toBe(true);
  expect(repo.read('eu/a.yaml')).toBe('v: 2\n');
  expect(seen.commandLines.length).toBeGreaterThan(4);
  expect(seen.commandLines.join('').includes('tok-s3cret')).toBe(false);
  const config = readdirSync(cache).map((name) => readFileSync(`${cache}/${name}/config`, 'utf8'));
  expect(config.join('')).not.toContain('tok-s3cret');

  const stranger = createGitDriver({
    ...settingsIn(cache),
    protocols: ['http'],
    credentials: { [`http://${host}/priv`]: { token: SECRET } },
  });
  await expect(stranger.pin(target, undefined, {}, never)).rejects.toThrow(/access was refused/);
});

test.each([
  [
    'in the address',
    (host: string) => ({
      url: `http://me:${encodeURIComponent(SECRET)}@${host}/r.git?private_token=${encodeURIComponent(SECRET)}`,
      credentials: {},
    }),
  ],
  [
    'in the settings',
    (host: string) => ({
      url: `http://${host}/r.git`,
      credentials: { [`http://${host}/`]: { username: 'me', password: SECRET } },
    }),
  ],
])('a refused login is final, and its password, %s, is in no error', async (_where, make) => {
  const echo = createServer((request, response) => {
    // A server that quotes the login back, as some proxies do.
    response.writeHead(request.headers.authorization ? 403 : 401, {
      'www-authenticate': 'Basic realm="git"',
      'content-type': 'text/plain',
    });
    response.end(`no entry for ${request.headers.authorization ?? 'you'} ${SECRET}\n`);
  });
  const { url, credentials } = make(await listen(echo));
  const driver = createGitDriver({ ...settingsIn(folder.path('cache-401')), protocols: ['http'], credentials });
  const error = await driver.pin(spec(url), undefined, {}, never).then(
    () => undefined,
    (each: unknown) => each as PermanentError,
  );
  expect(error).toBeInstanceOf(PermanentError);
  const all = `${error!.message} ${error!.stack} ${JSON.stringify(error)} ${String(error!.cause)}`;
  for (const spelling of [SECRET, encodeURIComponent(SECRET), Buffer.from(`me:${SECRET}`).toString('base64'), 's3cret'])
    expect(all).not.toContain(spelling);
  expect(error!.message).toContain('access was refused');
  expect(error!.message).toContain('branch "main", path "eu"');
});

test.each([
  [500, TransientError],
  [503, TransientError],
  [429, TransientError],
  [404, PermanentError],
])('a server that answers %i is a matter for %o', async (status, kind) => {
  const host = await listen(createServer((_request, response) => response.writeHead(status).end()));
  const driver = createGitDriver({ ...settingsIn(folder.path('cache-status')), protocols: ['http'] });
  await expect(driver.pin(spec(`http://${host}/r.git`), undefined, {}, never)).rejects.toThrow(kind);
});

test('a server that is not there may come back', async () => {
  const server = createTcpServer();
  const host = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  const driver = createGitDriver({ ...settingsIn(folder.path('cache-gone')), protocols: ['http'] });
  const failed = driver.pin(spec(`http://${host}/r.git`), undefined, {}, never);
  await expect(failed).rejects.toThrow(TransientError);
  await expect(failed).rejects.toThrow('could not be reached');
});

test('a remote that never answers is cut by the timeout, with its helper processes', async () => {
  const host = await listen(createTcpServer());
  const driver = createGitDriver({
    ...settingsIn(folder.path('cache-hang')),
    protocols: ['http'],
    remoteTimeoutMs: 400,
  });
  await expect(driver.pin(spec(`http://${host}/r.git`), undefined, {}, never)).rejects.toThrow(
    'took longer than 400 ms',
  );
  await expect.poll(commandLines).not.toContain(host);
});

test('an abort cuts a remote that never answers, and whoever waits in line behind it', async () => {
  const server = createTcpServer();
  const host = await listen(server);
  const driver = createGitDriver({ ...settingsIn(folder.path('cache-abort')), protocols: ['http'] });
  const [first, second] = [new AbortController(), new AbortController()];
  const connected = new Promise((resolve) => server.once('connection', resolve));
  const running = driver.observe(spec(`http://${host}/r.git`), 'k', first.signal).catch((error: unknown) => error);
  const waiting = driver.observe(spec(`http://${host}/r.git`), 'k', second.signal).catch((error: unknown) => error);
  await connected;
  second.abort(new Error('second stopped'));
  expect(await waiting).toMatchObject({ message: 'second stopped' });
  first.abort(new Error('first stopped'));
  expect(await running).toMatchObject({ message: 'first stopped' });
  expect(commandLines()).not.toContain(host);
});

test.each([
  ["fatal: unable to access 'https://u:p@h/r.git/': x", "fatal: unable to access 'https://h/r.git/': x"],
  ['at https://h/r?private_token=abc&x=1', 'at https://h/r?private_token=***&x=***'],
  ['token abc-123 is bad', 'token *** is bad'],
])('%s is shown as %s', (said, shown) => {
  expect(withoutSecrets(said, ['abc-123'])).toBe(shown);
});
