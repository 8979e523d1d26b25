import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createGrant } from '../../src/commands/access/change-grants.ts';
import { createToken } from '../../src/commands/access/create-token.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { createDrivers } from '../../src/drivers/index.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { ADMIN, SOMEBODY } from '../access/support.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { saveDevToProd, saveShop } from '../support/by-push.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { FakeForge } from '../support/fake-forge.ts';
import { github } from '../support/webhook-bodies.ts';
import { sluice as run } from './served.ts';
import { PATIENCE } from '../support/patience.ts';

// A push to a real git host, as a person at the command line sees it, and what the person does about it.

vi.setConfig({ testTimeout: 60_000 });
const VALUE = 'a-secret-of-the-host';
let engine: TestEngine;
let server: ApiServer;
let host: GitHost;
let repository: HostedRepository;
const forge = new FakeForge();

beforeAll(async () => {
  host = await startGitHost();
  repository = await host.repository('shop');
  for (const environment of ['dev', 'prod']) await push('0', environment);
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  const settings = {
    SLUICE_ADMIN_TOKEN: ADMIN,
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    LOG_LEVEL: 'fatal',
  };
  engine = await openTestEngine(backend, settings, {
    createDrivers: (given, secrets) => ({ ...createDrivers(given, secrets), forge: () => Promise.resolve(forge) }),
  });
  await saveDevToProd(engine);
  await saveShop(engine, repository.url);
  await engine.startWorker();
  server = await startServer(engine.app);
}, 60_000);
afterAll(async () => {
  await server?.close();
  await engine?.close();
  await host?.close();
});

const push = (tag: string, environment = 'dev'): Promise<string> =>
  repository.commit({ [`${environment}/values.yaml`]: `image:\n  tag: "${tag}"\n` }, `Version ${tag}`);

const sluice = (...args: string[]) => run({ SLUICE_SERVER: server.url, SLUICE_TOKEN: ADMIN }, ...args);

/** Without the wait for the interval, and for the pause after a failure. */
const lookNow = () => engine.app.pool.query('UPDATE watched_repository SET next_look_at = now()');

/** Asks until the output is so. */
async function until(args: string[], holds: RegExp): Promise<string> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const { code, out, err } = await sluice(...args);
    if (code === 0 && holds.test(out)) return out;
    if (Date.now() > deadline) throw new Error(`${args.join(' ')} says: ${out}${err}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('get applications shows when the repository of a trigger was last looked at, and what went wrong', async () => {
  expect(await until(['get', 'applications'], /^shop-dev .* \d+s$/m)).toMatch(
    /^NAME +PRODUCT +ENVIRONMENT +DRIVER +HEALTH +REVISION +CHANGED +LOOKED AT$/m,
  );
  host.away = true;
  await lookNow();
  await until(['get', 'applications'], /^shop-dev .* \d+s +\S+ .*git\b/m).finally(() => (host.away = false));
  const { out } = await sluice('get', 'app', 'shop-dev', '-o', 'json');
  expect(JSON.parse(out)).toMatchObject({ look: { failure: 'UNREACHABLE', failures: expect.any(Number) } });
  await lookNow();
  await until(['get', 'applications'], /^shop-dev .* \d+s$/m);
});

describe('webhook test', () => {
  const tried = (...more: string[]) => sluice('webhook', 'test', 'github', '--repository', repository.url, ...more);

  test('of a source without a secret says which command makes one', async () => {
    const { code, err } = await tried();
    expect(code).toBe(1);
    expect(err).toContain('sluice secret set NAME --webhook-source github --webhook-scheme SCHEME');
  });

  test('says what would come of a delivery, and nothing comes of it', async () => {
    const use = { kind: 'WEBHOOK' as const, source: 'github', products: [], scheme: 'GITHUB' as const };
    expect(
      (await setSecret(engine.app, { name: 'hook', value: VALUE, description: null, use }, 'ada')).value,
    ).toBeTruthy();
    expect(await tried('--branch', 'main')).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /^Verified by secret hook\n.*\nshop-dev: seen before: branch "main" is at [0-9a-f]{9}\n$/,
      ),
    });
    expect((await tried('--branch', 'elsewhere')).out).toMatch(
      /no application there is on branch elsewhere: they are on main$/m,
    );
    const other = await sluice('webhook', 'test', 'github', '--repository', 'https://git.example.com/a/b.git');
    expect(other.out).toMatch(/^Verified by secret hook\n.*matched 0 of 1/);
    expect((await sluice('webhook', 'list')).out).toBe('There are no deliveries.\n');
    expect((await sluice('get', 'candidates')).out).toMatch(/^No candidates yet/);
  });
});

test('a redelivery that somebody asked for is processed again, from the host and with webhook replay', async () => {
  const id = randomUUID();
  const deliver = async (): Promise<number> => {
    const text = JSON.stringify(github.push('refs/heads/main', {}));
    const body = text.replaceAll('https://git.example.com/acme/config.git', repository.url);
    const signature = createHmac('sha256', VALUE).update(body).digest('hex');
    const headers = { 'x-github-event': 'push', 'x-github-delivery': id, 'x-hub-signature-256': `sha256=${signature}` };
    const answer = await fetch(`${server.url}/hooks/git/github`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close', ...headers },
      body,
    });
    return answer.status;
  };
  const list = async () => {
    await until(['webhook', 'list'], / DONE /);
    const { out } = await sluice('webhook', 'list', '-o', 'json');
    return (JSON.parse(out) as { id: string; replays: number }[]).map((each) => each.replays);
  };
  expect(await deliver()).toBe(202);
  expect(await list()).toEqual([0]);
  const looks = repository.asked.refs;
  expect(await deliver()).toBe(200);
  expect(await list()).toEqual([1]);
  expect(repository.asked.refs).toBeGreaterThan(looks);
  const short = /^(\S{8}) .* DONE /m.exec((await sluice('webhook', 'list')).out)![1]!;
  expect(await sluice('webhook', 'replay', short)).toMatchObject({ code: 0, err: '' });
  expect(await list()).toEqual([2]);
  const [printed = ''] = (await sluice('webhook', 'list', '-o', 'name')).out.split('\n');
  expect(printed).toMatch(/^webhook\//);
  expect(await sluice('webhook', 'replay', printed)).toMatchObject({ code: 0, err: '' });
  expect(await list()).toEqual([3]);
  const wrong = await sluice('webhook', 'replay', '00000000');
  expect(wrong).toMatchObject({
    code: 1,
    err: "There is no delivery '00000000': no id begins with it. See: sluice webhook list\n",
  });
});

describe('a candidate', () => {
  test('waits while automatic triggers are paused, and says for what and until when', async () => {
    const paused = await sluice('trigger', 'pause', 'shop', '--reason', 'the team is away', '--until', '2h');
    expect(paused).toMatchObject({ code: 0, err: '' });
    expect(paused.out).toMatch(/^shop +the team is away +\S+ +0s +in 2h$/m);
    const commit = await push('1');
    const out = await until(['get', 'candidates'], /WAITING/);
    expect(out).toMatch(
      new RegExp(`shop +to-prod +\\w+ +${commit.slice(0, 7)} +WAITING .*paused until 20\\S+Z by .*: the team is away`),
    );
    expect((await sluice('get', 'triggers')).out).toMatch(/the team is away \(until /);
  });

  test('is dismissed, looked at again, and released now', async () => {
    const [, id = ''] = /^([0-9a-f]{8}) /m.exec((await sluice('get', 'candidates')).out) ?? [];
    expect(await sluice('candidate', 'dismiss', id)).toMatchObject({
      code: 2,
      err: expect.stringContaining('--reason'),
    });
    expect((await sluice('candidate', 'dismiss', id, '--reason', 'not this one')).out).toMatch(
      / DISMISSED .* not this one$/m,
    );
    const twice = await sluice('candidate', 'dismiss', id, '--reason', 'again');
    expect(twice).toMatchObject({
      code: 1,
      err: expect.stringMatching(/is DISMISSED and cannot be dismissed: not this one$/m),
    });
    // A moment later it waits for the end of the pause again, and says so.
    expect((await sluice('candidate', 'retry', id)).out).toMatch(/ WAITING .* (tried again|the team is away)$/m);
    const name = (await sluice('get', 'candidates', '-o', 'name')).out.trim();
    const released = await sluice('candidate', 'release', name);
    expect(released).toMatchObject({ code: 0, err: '' });
    expect(released.out).toMatch(/ RELEASED +shop#1 /);
    for (const [verb, ...more] of [['release'], ['retry'], ['dismiss', '--reason', 'late']]) {
      const { code, err } = await sluice('candidate', verb!, id, ...more);
      expect({ verb, code }).toEqual({ verb, code: 1 });
      expect(err).toMatch(/^candidate \S+ of "shop" is RELEASED and cannot be \w.*: it is release shop#1$/m);
    }
  });

  test('that is not there is named with the way to find one', async () => {
    for (const named of ['nothing', '00000000', 'candidate/nothing']) {
      const { code, err } = await sluice('candidate', 'release', named);
      expect({ code, err }).toEqual({
        code: 1,
        err: expect.stringMatching(/^There is no candidate '.*sluice get candidates\n$/),
      });
    }
    const unknown = await sluice('candidate', 'release', randomUUID());
    expect(unknown).toMatchObject({ code: 1, err: expect.stringMatching(/^there is no candidate "/) });
  });

  test('is released, tried again and dismissed by people who may, and triggers are paused by people who may', async () => {
    const grant = {
      subjectKind: 'USER' as const,
      subject: 'looker',
      role: 'VIEWER' as const,
      products: {},
      environments: {},
    };
    await createGrant(engine.app, grant, SOMEBODY);
    const scope = [{ role: 'VIEWER' as const, products: {}, environments: {} }];
    const input = { name: 'test', subjectKind: 'SERVICE_ACCOUNT' as const, subject: 'looker', scope, expiresAt: null };
    const { value } = await createToken(engine.app, input, SOMEBODY);
    const env = { SLUICE_SERVER: server.url, SLUICE_TOKEN: value!.token };
    for (const args of [
      ['candidate', 'release', 'shop'],
      ['candidate', 'retry', 'shop'],
      ['candidate', 'dismiss', 'shop', '--reason', 'x'],
      ['trigger', 'pause', 'shop', '--reason', 'x'],
      ['trigger', 'pause', '--reason', 'x'],
      ['trigger', 'resume', 'shop'],
      ['git-identity', 'set', 'a@example.com', 'ada'],
    ]) {
      const { code, err } = await run(env, ...args);
      expect({ args, code, err }).toEqual({
        args,
        code: 1,
        err: expect.stringMatching(/^service-account\/looker is not allowed to \w+ .* that takes /),
      });
    }
    expect((await run(env, 'get', 'candidates')).code).toBe(0);
  });
});

test('pauses of all products and of one are ended each by its own command', async () => {
  expect((await sluice('trigger', 'pause', '--reason', 'audit')).out).toMatch(/^\(all\) +audit +\S+ +0s +-$/m);
  const one = await sluice('trigger', 'resume', 'shop');
  expect(one.out).toMatch(/^shop +the team is away/m);
  expect(await sluice('trigger', 'resume', 'shop')).toMatchObject({
    code: 1,
    err: 'automatic triggers of product "shop" are not paused; all products are: end that with `triggerResume` (`sluice trigger resume`)\n',
  });
  expect((await sluice('get', 'triggers')).out).toMatch(/ audit /);
  expect((await sluice('trigger', 'resume')).out).toMatch(/^\(all\) +audit/m);
  expect(await sluice('trigger', 'resume')).toMatchObject({
    code: 1,
    err: 'automatic triggers of all products are not paused\n',
  });
  expect(await sluice('trigger', 'pause', 'shopp', '--reason', 'x')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^there is no product "shopp"/),
  });
  expect((await sluice('trigger', 'pause', 'shop', '--reason', 'x', '--until', '2020-01-01T00:00:00Z')).err).toMatch(
    /which is over: name a later time/,
  );
  expect((await sluice('trigger', 'pause', 'shop', '--reason', ' ')).code).toBe(1);
});

test('a release shows what the host is told of its commit', async () => {
  await sluice('watch', 'shop#1', '--timeout', '20s');
  const out = await until(['get', 'release', 'shop#1'], /sluice\/shop +[0-9a-f]{7} +SUCCESS +SUCCESS /);
  expect(out).toMatch(/^COMMIT STATUS +ON +SAYS +HOST HAS$/m);
  const { out: json } = await sluice('get', 'release', 'shop#1', '-o', 'json');
  expect(JSON.parse(json)).toMatchObject({
    commitStatuses: [{ context: 'sluice/shop', state: 'SUCCESS', appliedState: 'SUCCESS', lastError: null }],
  });
});

test('a release shows what it left to be done at a host, and why that is not done yet', async () => {
  const about = 'pull request 7 for shop-prod in prod is closed: expired';
  const work = { kind: 'errand', name: 'close-pull-request', of: 'p1-a1-s0', about, promotion: 1, data: {} };
  await engine.app.pool.query(
    `INSERT INTO outbox (key, release_id, work, lane, created_at, due_at, attempts, last_error)
     SELECT 'left', id, $1, 'errand', now(), now() + interval '1 hour', 3, 'the repository is archived'
     FROM release WHERE product = 'shop' ORDER BY number LIMIT 1`,
    [work],
  );
  const { out } = await sluice('get', 'release', 'shop#1');
  const { out: json } = await sluice('get', 'release', 'shop#1', '-o', 'json');
  await engine.app.pool.query(`DELETE FROM outbox WHERE key = 'left'`);
  expect(out).toContain(`Still to be done: ${about}; tried 3 times: the repository is archived; next at 20`);
  expect(JSON.parse(json)).toMatchObject({
    errands: [{ about, attempts: 3, lastError: 'the repository is archived' }],
  });
  expect((await sluice('get', 'release', 'shop#1')).out).not.toContain('Still to be done');
});

test('a status that its host refuses for good is shown as given up, with why and what a person can do', async () => {
  const given = async (up: boolean) => {
    await engine.app.pool.query(
      `UPDATE commit_status SET due_at = NULL, last_error = $1, refused_since = $2 WHERE context = 'sluice/shop'`,
      up ? ['the forge did not set the status (403): no permission', new Date()] : [null, null],
    );
    return sluice('get', 'release', 'shop#1');
  };
  const { out } = await given(true);
  expect(out).toMatch(/^sluice\/shop +[0-9a-f]{7} +SUCCESS +SUCCESS +given up$/m);
  expect(out).toContain(
    `is given up, ${repository.url} refused it for half an hour: the forge did not set the status (403): no permission. Once its host would take it, set the secret of that forge again, which sends it: sluice secret set NAME`,
  );
  const { out: json } = await sluice('get', 'release', 'shop#1', '-o', 'json');
  expect(JSON.parse(json)).toMatchObject({ commitStatuses: [{ givenUp: true }] });
  expect((await given(false)).out).not.toContain('given up');
});

test('a reason that its row has no room for stands below the table, whole', async () => {
  const reason = `file "values.yaml" ${'of a folder '.repeat(12)}has no version at $.image.tag`;
  await engine.app.pool.query('UPDATE candidate SET reason = $1 WHERE ended_at IS NOT NULL', [reason]);
  const { out } = await sluice('get', 'candidates');
  const [id = ''] = /^[0-9a-f]{8}(?= )/m.exec(out) ?? [];
  expect(out).toContain(`\n\n${id}: ${reason}\n`);
  expect((await sluice('get', 'candidates', '-o', 'name')).out).not.toContain(reason);
});
