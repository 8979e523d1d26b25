import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import { testWebhook } from '../../src/commands/test-webhook.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { WebhookUse } from '../../src/core/secrets.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { readDelivery } from '../../src/store/deliveries.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';
import { argocd, bitbucket, flux, gitea, github, gitlab } from '../support/webhook-bodies.ts';
import { newWebhookSecret, signWebhook } from '../support/webhooks.ts';
import { eventually } from '../support/eventually.ts';

const LIMIT = 25;
const WHSEC = newWebhookSecret();
const VALUE = 'a-secret-of-the-host';
let engine: TestEngine;
let server: ApiServer;
let host: GitHost;
let repository: HostedRepository;

beforeAll(async () => {
  host = await startGitHost();
  repository = await host.repository('config');
  await repository.commit({ 'dev/a.yaml': 'v: 1\n' }, 'First');
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    SLUICE_RATE_LIMIT: String(LIMIT),
    SLUICE_TRUSTED_PROXIES: '127.0.0.1',
    LOG_LEVEL: 'fatal',
  });
  await engine.saveBilling('billing', {
    driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
  });
  await secret('github', { scheme: 'GITHUB' });
  await secret('gitlab-token', { scheme: 'GITLAB_TOKEN' });
  await secret('gitlab-signing', { scheme: 'GITLAB_SIGNING' }, WHSEC);
  await secret('gitea', { scheme: 'GITEA' });
  await secret('bitbucket', { scheme: 'BITBUCKET' });
  await secret('argo', { scheme: 'HEADER' });
  await secret('flux', { scheme: 'HMAC_HEADER', products: ['billing'] });
  await secret('program', { scheme: 'STANDARD' }, WHSEC);
  await engine.startWorker();
  server = await startServer(engine.app);
  await eventually(async () => expect(await watched()).toBe(1));
});
afterAll(async () => {
  await server.close();
  await engine.close();
  await host.close();
});

const watched = async (): Promise<number> => {
  const { rows } = await engine.app.pool.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM watched_repository WHERE looked_at IS NOT NULL',
  );
  return rows[0]!.n;
};

async function secret(source: string, use: Partial<WebhookUse>, value = VALUE, name = source): Promise<void> {
  const whole = { kind: 'WEBHOOK' as const, source, products: [], ...use };
  const { refusals } = await setSecret(engine.app, { name, value, description: null, use: whole }, 'ada');
  if (refusals) throw new Error(JSON.stringify(refusals));
}

/** A body with the addresses of the repository that is watched. */
function ours(body: object): object {
  const text = JSON.stringify(body)
    .replaceAll('https://git.example.com/acme/config.git', repository.url)
    .replaceAll('https://git.example.com/acme/config', repository.url.replace(/\.git$/, ''))
    .replaceAll('git@git.example.com:acme/config.git', 'git@127.0.0.1:acme/config.git');
  return JSON.parse(text) as object;
}

const hmac = (bytes: Buffer, value = VALUE): string => createHmac('sha256', value).update(bytes).digest('hex');

/** How each source's host sends a body. */
const HEADERS: Record<string, (bytes: Buffer, id: string) => Record<string, string>> = {
  github: (bytes, id) => ({
    'x-github-event': 'push',
    'x-github-delivery': id,
    'x-hub-signature-256': `sha256=${hmac(bytes)}`,
  }),
  'gitlab-token': (_bytes, id) => ({ 'x-gitlab-event': 'Push Hook', 'x-gitlab-token': VALUE, 'idempotency-key': id }),
  'gitlab-signing': (bytes, id) => ({
    'x-gitlab-event': 'Push Hook',
    'idempotency-key': id,
    ...signWebhook({ secret: WHSEC, body: bytes, id }).headers,
  }),
  gitea: (bytes, id) => ({ 'x-gitea-event': 'push', 'x-gitea-delivery': id, 'x-gitea-signature': hmac(bytes) }),
  bitbucket: (bytes, id) => ({
    'x-event-key': 'repo:push',
    'x-request-uuid': id,
    'x-hub-signature': `sha256=${hmac(bytes)}`,
  }),
  argo: () => ({ authorization: `Bearer ${VALUE}` }),
  flux: (bytes) => ({ 'x-signature': `sha256=${hmac(bytes)}` }),
  program: (bytes, id) => signWebhook({ secret: WHSEC, body: bytes, id }).headers,
};
const PURPOSE: Record<string, string> = { argo: 'argocd', flux: 'generic', program: 'generic' };

interface Sent {
  status: number;
  delivery: string;
  said: string;
}

async function send(
  source: string,
  body: object | string | Buffer,
  { id = randomUUID(), headers = {}, from = '203.0.113.1', purpose = PURPOSE[source] ?? 'git' } = {},
): Promise<Sent> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const response = await fetch(`${server.url}/hooks/${purpose}/${source}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-forwarded-for': from,
      // A connection that the server gives up while it is idle would be this test's fault.
      connection: 'close',
      ...HEADERS[source]?.(bytes, id),
      ...headers,
    },
    body: new Uint8Array(bytes),
  });
  const said = await response.text();
  const { delivery = '' } = JSON.parse(said) as { delivery?: string };
  return { status: response.status, delivery, said };
}

async function outcomeOf({ delivery }: Sent): Promise<{ status: string; outcome: string }> {
  await expect.poll(async () => (await readDelivery(engine.app.pool, delivery))?.status).not.toBe('PENDING');
  const { status, outcome } = (await readDelivery(engine.app.pool, delivery))!;
  return { status, outcome: outcome! };
}

describe('a push', () => {
  test.each([
    ['github', github.push()],
    ['gitlab-token', gitlab.push()],
    ['gitlab-signing', gitlab.push()],
    ['gitea', gitea.push()],
    ['bitbucket', bitbucket.push()],
    ['program', { repository: 'git@git.example.com:acme/config.git', branch: 'main' }],
    ['flux', flux()],
  ])('told by %s brings a look, and the delivery says what came of it', async (source, body) => {
    const before = repository.asked.refs;
    const sent = await send(source, ours(body));
    expect(sent.status).toBe(202);
    const { status, outcome } = await outcomeOf(sent);
    expect([status, outcome]).toEqual(['DONE', expect.stringContaining(`looked at ${repository.url}: main at `)]);
    expect(outcome).toContain('billing-dev: ');
    expect(repository.asked.refs).toBeGreaterThan(before);
  });

  test('is kept as what was read of it, and without what proves who sent it', async () => {
    const sent = await send('github', ours(github.push('refs/heads/main', { secret: 'not-to-be-kept' })));
    const kept = (await readDelivery(engine.app.pool, sent.delivery))!;
    expect(JSON.parse(kept.body)).toMatchObject({ event: 'push', news: [{ kind: 'PUSH', branch: 'main' }], count: 1 });
    expect(kept.body).not.toContain('not-to-be-kept');
    expect(Object.keys(kept.headers).sort()).toEqual([
      'content-type',
      'user-agent',
      'x-github-delivery',
      'x-github-event',
    ]);
    expect(kept).toMatchObject({ purpose: 'git', verifiedBy: 'github' });
  });

  test('to a branch that no application is on brings no look', async () => {
    const sent = await send('github', ours(github.push('refs/heads/feature/x')));
    const { status, outcome } = await outcomeOf(sent);
    expect([status, outcome]).toEqual([
      'DONE',
      expect.stringContaining('no application there is on branch feature/x: they are on main'),
    ]);
  });

  test('trap 25: to a repository that nobody here knows is taken, and the line says what was matched', async () => {
    const sent = await send('github', github.push());
    expect(sent.status).toBe(202);
    expect(await outcomeOf(sent)).toMatchObject({
      status: 'REFUSED',
      outcome: expect.stringContaining(
        'matched 0 of 1 repositories: it tells of https://git.example.com/acme/config.git',
      ),
    });
  });

  test('of 25 MiB is taken in time', async () => {
    const commits = Array.from({ length: 2_048 }, (_, index) => ({ id: String(index), message: 'm'.repeat(12_500) }));
    const body = Buffer.from(JSON.stringify(ours(github.push('refs/heads/main', { commits }))));
    expect(body.length).toBeGreaterThan(24 * 1024 * 1024);
    const sent = await send('github', body);
    expect(sent.status).toBe(202);
    expect((await readDelivery(engine.app.pool, sent.delivery))!.body.length).toBeLessThan(1_000);
    const larger = Buffer.concat([body, Buffer.alloc(2 * 1024 * 1024, ' ')]);
    expect((await send('github', larger)).status).toBe(413);
  });
});

describe('a flood', () => {
  /** What was kept before its sender was answered. */
  async function kept(body: object, id: ReturnType<typeof randomUUID>): Promise<string> {
    const sent = await send('github', ours(body), { id });
    // On another connection, right after the answer.
    const { rows } = await engine.app.pool.query<{ delivery: string }>(
      `SELECT id AS delivery FROM webhook_delivery WHERE source = 'github' AND webhook_id = $1`,
      [id],
    );
    expect(rows).toEqual([{ delivery: sent.delivery }]);
    expect([200, 202]).toContain(sent.status);
    return sent.delivery;
  }

  test('is kept together, and each message is there when its sender is answered', async () => {
    const ids = Array.from({ length: 120 }, () => randomUUID());
    // Twenty of them come twice.
    const all = await Promise.all([...ids, ...ids.slice(0, 20)].map((id) => kept(github.push(), id)));
    expect(new Set(all).size).toBe(120);
    const { rows } = await engine.app.pool.query(
      `SELECT count(*)::int AS n, sum(replays)::int AS again FROM webhook_delivery WHERE webhook_id = ANY($1)`,
      [ids],
    );
    expect(rows).toEqual([{ n: 120, again: 20 }]);
  });

  test('a message in it that cannot be kept fails alone', async () => {
    const broken = randomUUID();
    await engine.app.pool.query(
      `ALTER TABLE webhook_delivery ADD CONSTRAINT refused CHECK (webhook_id <> '${broken}') NOT VALID`,
    );
    try {
      const ids = Array.from({ length: 30 }, () => randomUUID());
      const good = ids.map((id) => kept(github.push(), id));
      const bad = send('github', ours(github.push()), { id: broken });
      expect((await bad).status).toBe(500);
      expect(new Set(await Promise.all(good)).size).toBe(30);
    } finally {
      await engine.app.pool.query('ALTER TABLE webhook_delivery DROP CONSTRAINT refused');
    }
  });
});

describe('trap 25: what is verified and is no news', () => {
  test.each<[string, string, object | string, Record<string, string>, string]>([
    ['a ping', 'github', { zen: 'Keep it.' }, { 'x-github-event': 'ping' }, 'a ping'],
    ['an event that nobody wants', 'github', { action: 'created' }, { 'x-github-event': 'star' }, 'event star'],
    ['a tag', 'gitlab-token', gitlab.tag(), { 'x-gitlab-event': 'Tag Push Hook' }, 'tags start no release'],
    ['no JSON', 'github', 'payload=%7B%7D', {}, 'not JSON'],
    ['an empty body', 'gitea', '', {}, 'not JSON'],
    ['a list', 'bitbucket', '[]', {}, 'not a JSON object'],
    ['a pull request of others', 'gitlab-token', gitlab.mergeRequest('opened', 'open'), {}, 'none of Sluice'],
  ])('%s is taken, and its line says so', async (_name, source, body, headers, said) => {
    const sent = await send(source, typeof body === 'string' ? body : ours(body), { headers });
    expect(sent.status).toBe(202);
    const { status, outcome } = await outcomeOf(sent);
    expect([status, outcome]).toEqual(['DONE', expect.stringContaining(said)]);
  });
});

describe('what is not verified', () => {
  test('is not kept, and the answer is the same for a source that is not there', async () => {
    const wrong = await send('github', github.push(), {
      headers: { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}` },
    });
    const nowhere = await send('nowhere', github.push());
    expect([wrong.status, nowhere.status]).toEqual([401, 401]);
    expect(wrong.said.replace('github', 'SOURCE')).toBe(nowhere.said.replace('nowhere', 'SOURCE'));
  });

  test('form-encoded and compressed bodies are told how to be sent', async () => {
    const form = await send('github', 'payload=%7B%7D', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([form.status, form.said]).toEqual([415, expect.stringContaining('application/json in the settings')]);
    const packed = await send('github', gzipSync('{}'), { headers: { 'content-encoding': 'gzip' } });
    expect(packed.status).toBe(415);
  });

  test('secrets of news verify no report and no decision, and those of reports no news', async () => {
    await secret('reports', {}, WHSEC);
    const report = { product: 'billing', environment: 'eu', status: 'SUCCEEDED' };
    expect((await send('program', report, { purpose: 'rollouts' })).status).toBe(401);
    expect((await send('program', report, { purpose: 'approvals' })).status).toBe(401);
    const headers = signWebhook({ secret: WHSEC, body: JSON.stringify(report) }).headers;
    for (const purpose of ['git', 'argocd', 'generic'])
      expect((await send('reports', report, { purpose, headers })).status, purpose).toBe(401);
    expect((await send('github', github.push(), { purpose: 'generic' })).status).toBe(401);
  });
});

test('trap 31: two secrets of one source verify while one is replaced by the next', async () => {
  await secret('rotating', { scheme: 'GITHUB' }, VALUE, 'rotating-1');
  await secret('rotating', { scheme: 'GITHUB' }, 'the-next-secret-of-the-host', 'rotating-2');
  const bytes = Buffer.from(JSON.stringify(ours(github.push())));
  for (const [value, name] of [
    [VALUE, 'rotating-1'],
    ['the-next-secret-of-the-host', 'rotating-2'],
  ] as const) {
    const headers = {
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${hmac(bytes, value)}`,
    };
    const sent = await send('rotating', bytes, { headers });
    expect((await readDelivery(engine.app.pool, sent.delivery))?.verifiedBy).toBe(name);
  }
});

test('trap 31: a secret is bound to repositories and to products', async () => {
  await secret('elsewhere', { scheme: 'GITEA', repositories: ['https://git.example.com/other/'] });
  await secret('shop', { scheme: 'GITEA', products: ['shop-*'] });
  HEADERS['elsewhere'] = HEADERS['shop'] = HEADERS['gitea']!;
  const outcomes = await Promise.all(
    ['elsewhere', 'shop'].map(async (source) => outcomeOf(await send(source, ours(gitea.push())))),
  );
  expect(outcomes).toEqual([
    {
      status: 'REFUSED',
      outcome: expect.stringContaining('secret "elsewhere" tells of https://git.example.com/other/'),
    },
    { status: 'REFUSED', outcome: expect.stringContaining('secret "shop" tells of shop-*') },
  ]);
});

describe('the same message again', () => {
  test('after a refusal is judged by how things are now', async () => {
    const id = randomUUID();
    await secret('later', { scheme: 'GITEA', products: ['shop'] });
    HEADERS['later'] = HEADERS['gitea']!;
    const first = await send('later', ours(gitea.push()), { id });
    expect((await outcomeOf(first)).status).toBe('REFUSED');
    await secret('later', { scheme: 'GITEA' });
    const second = await send('later', ours(gitea.push()), { id });
    expect([second.status, second.delivery]).toEqual([200, first.delivery]);
    expect((await outcomeOf(second)).outcome).toContain('looked at');
    expect((await readDelivery(engine.app.pool, first.delivery))?.replays).toBe(1);
  });

  test('after it was done is one more look, as somebody asked for it', async () => {
    const id = randomUUID();
    const first = await send('github', ours(github.push()), { id });
    await outcomeOf(first);
    const before = repository.asked.refs;
    const again = await send('github', ours(github.push()), { id });
    expect([again.status, again.delivery]).toEqual([200, first.delivery]);
    await outcomeOf(again);
    expect(repository.asked.refs).toBe(before + 1);
  });

  test('is known by its body where the sender gives no id', async () => {
    await secret('plain', { scheme: 'HEADER' });
    HEADERS['plain'] = HEADERS['argo']!;
    PURPOSE['plain'] = 'generic';
    const body = ours({ repository: 'https://git.example.com/acme/config.git' });
    const [first, second] = [await send('plain', body), await send('plain', body)];
    expect(second.delivery).toBe(first.delivery);
    expect((await send('plain', { ...body, branch: 'main' })).delivery).not.toBe(first.delivery);
  });
});

test('a look that fails is told, and the delivery waits for one that does not', async () => {
  host.away = true;
  const sent = await send('github', ours(github.push()));
  await expect
    .poll(async () => (await readDelivery(engine.app.pool, sent.delivery))?.outcome)
    .toContain('could not be looked at');
  expect((await readDelivery(engine.app.pool, sent.delivery))?.status).toBe('PENDING');
  host.away = false;
  await engine.app.pool.query(`UPDATE watched_repository SET next_look_at = now(), looked_at = NULL`);
  expect((await outcomeOf(sent)).outcome).toContain('looked at');
});

test('an application shows the last look at its repository', async () => {
  const query = '{ applications(first: 20) { nodes { name look { commit failure error failures nextAt } } } }';
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: { applications: { nodes: { name: string; look: object }[] } } };
  const { look } = data.applications.nodes.find(({ name }) => name === 'billing-dev')!;
  expect(look).toMatchObject({ commit: await repository.head(), failure: null, error: null, failures: 0 });
});

test('a push that did not happen is signed, taken in and explained, and nothing is kept of it', async () => {
  const stored = async (): Promise<unknown> =>
    (await engine.app.pool.query('SELECT count(*) FROM webhook_delivery UNION ALL SELECT count(*) FROM hint')).rows;
  const before = await stored();
  for (const source of ['github', 'gitlab-token', 'gitlab-signing', 'gitea', 'bitbucket', 'program', 'flux', 'argo']) {
    const { value } = await testWebhook(engine.app, { source, repository: repository.url, branch: 'main' });
    expect(value, source).toMatchObject({
      verifiedBy: source,
      matches: true,
      applications: [{ application: 'billing-dev' }],
    });
  }
  const spec = { repoURL: repository.url, branch: 'main', path: 'definitions', interval: 300_000, prune: false };
  await engine.save('GitSource', 'shared', spec);
  const pushed = (branch: string) => testWebhook(engine.app, { source: 'github', repository: repository.url, branch });
  expect((await pushed('main')).value?.outcome).toContain('git source "shared" would be synced');
  expect((await pushed('other')).value?.outcome ?? '').not.toContain('shared');
  await deleteDefinition(engine.app, 'GitSource', 'shared', { actor: null });
  const other = await testWebhook(engine.app, { source: 'github', repository: 'https://git.example.com/x/y' });
  expect(other.value).toMatchObject({
    matches: false,
    outcome: expect.stringContaining('matched 0 of 1'),
    applications: [],
  });
  const none = await testWebhook(engine.app, { source: 'nowhere', repository: repository.url });
  expect(none.refusals?.[0]?.message).toContain('no secret of source "nowhere" tells of pushes');
  expect(await stored()).toEqual(before);
});

test('trap 29: Argo CD is a hint: its application is found by the sources that name it, and nothing else of it counts', async () => {
  const unbound = await send('argo', argocd.template());
  expect(await outcomeOf(unbound)).toMatchObject({
    status: 'REFUSED',
    outcome: expect.stringContaining('matched 0 of 0'),
  });
  const sync = {
    type: 'argocd' as const,
    server: 'https://argo.example.com',
    application: 'billing-dev',
    project: 'default',
    token: '${secrets.argocd}',
    sync: 'AUTO' as const,
    prune: false,
    requireSynced: true,
  };
  const { refusals } = await setSecret(
    engine.app,
    { name: 'argocd', value: VALUE, description: null, use: { kind: 'REFERENCE', hosts: ['argo.example.com'] } },
    'ada',
  );
  expect(refusals).toBeUndefined();
  await engine.saveBilling('billing', {
    driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
    sync: (environment) => (environment === 'dev' ? sync : undefined),
  });
  const before = repository.asked.refs;
  // A candidate that waits for dev, and would be looked at in an hour: of a flow that is gone.
  await engine.app.pool.query(
    `INSERT INTO candidate (id, key, product, flow, environment, state, kind, status, reason, facts, created_at, due_at, coalesced_at, expires_at)
     VALUES (gen_random_uuid(), 'waits', 'billing', 'gone', 'dev', '{}', 'PUSH', 'WAITING', 'waits', '{"since":0,"commits":[],"deliveries":[]}',
       now(), now() + interval '1 hour', now(), now() + interval '1 day')`,
  );
  const told = await outcomeOf(await send('argo', argocd.whole()));
  expect([told.status, told.outcome]).toEqual(['DONE', expect.stringContaining('looked at')]);
  expect(repository.asked.refs).toBe(before + 1);
  await eventually(async () => {
    const { rows } = await engine.app.pool.query(`SELECT status FROM candidate WHERE key = 'waits'`);
    expect(rows).toEqual([{ status: 'REFUSED' }]);
  });
  // The same notification three times, as Argo CD sends it.
  const again = await Promise.all([1, 2, 3].map(() => send('argo', argocd.whole())));
  expect(new Set(again.map(({ status }) => status))).toEqual(new Set([200]));
  expect((await send('argo', argocd.whole(), { headers: { authorization: 'Bearer another-token' } })).status).toBe(401);
});

test('no verified body is answered by an error, whatever is in it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('github', 'gitlab-token', 'gitea', 'bitbucket', 'argo', 'flux'),
      fc.oneof(
        fc.json(),
        fc.string({ unit: 'binary' }),
        fc.uint8Array().map((each) => Buffer.from(each)),
      ),
      async (source, body) => {
        const { status } = await send(source, body);
        expect(status).toBeGreaterThanOrEqual(200);
        expect(status).toBeLessThan(300);
      },
    ),
    { numRuns: 150 },
  );
});

test('a flood of verified messages is taken whole and is a look or two; one of others is not', async () => {
  const before = repository.asked.refs;
  const times: number[] = [];
  const began = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 4 * LIMIT }, async () => {
      const sent = performance.now();
      const answer = await send('github', ours(github.push()), { from: '203.0.113.77' });
      times.push(performance.now() - sent);
      return answer;
    }),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  await outcomeOf(answers.at(-1)!);
  const seconds = Math.ceil((performance.now() - began) / 1_000);
  expect(repository.asked.refs - before).toBeLessThanOrEqual(seconds + 1);
  const strangers = await Promise.all(
    Array.from({ length: 2 * LIMIT }, () =>
      send('github', github.push(), { from: '198.51.100.9', headers: { 'x-hub-signature-256': 'sha256=0' } }),
    ),
  );
  const statuses = strangers.map(({ status }) => status);
  expect(statuses.filter((each) => each === 401)).toHaveLength(LIMIT);
  expect(statuses.filter((each) => each === 429)).toHaveLength(LIMIT);
  // From there, too: the proof counts, not the neighbours.
  expect((await send('github', ours(github.push()), { from: '198.51.100.9' })).status).toBe(202);
});
