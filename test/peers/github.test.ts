import { verify } from '@octokit/webhooks-methods';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serve } from '../drivers/http-server.ts';
import type { Asked } from '../drivers/http-server.ts';
import { FAULTS } from './faults.ts';
import { startForge } from './forges.ts';
import type { TestForge } from './forges.ts';
import { startGitHost } from './git-host.ts';
import type { GitHost, HostedRepository } from './git-host.ts';
import { Blocked } from './pull-requests.ts';

let host: GitHost;
let forge: TestForge;
let config: HostedRepository;
beforeEach(async () => {
  host = await startGitHost();
  forge = await startForge('github', host);
  config = await host.repository('config');
  await config.commit({ 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 1\n' }, 'First');
});
afterEach(async () => {
  await forge.close();
  await host.close();
});

interface Answer {
  status: number;
  // Answers of many shapes; each test says what it wants of one.
  body: { [key: string]: unknown } & { message: string };
  headers: Headers;
}

async function api(line: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const [method, path] = line.split(' ');
  const response = await fetch(`${forge.apiUrl}/repos/acme/config${path}`, {
    method: method!,
    headers: { authorization: `Bearer ${forge.token}`, ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(text || '{}') as Answer['body'], headers: response.headers };
}

const branch = async (name: string, content = 'v: 2\n'): Promise<string> =>
  await config.commit({ 'eu/a.yaml': content }, `Content of ${name}`, { branch: name });
const open = async (head = 'sluice/shop/eu/1', content?: string): Promise<number> => {
  await branch(head, content);
  const { status, body } = await api('POST /pulls', { title: 'Promote', head, base: 'main', body: 'Plan' });
  expect(status).toBe(201);
  return body['number'] as number;
};

test('a pull request is opened once per head and base, and found by its head with the owner', async () => {
  const number = await open();
  const again = await api('POST /pulls', { title: 'Again', head: 'sluice/shop/eu/1', base: 'main' });
  expect(again).toMatchObject({
    status: 422,
    body: { errors: [{ message: 'A pull request already exists for acme:sluice/shop/eu/1.' }] },
  });
  const found = await api('GET /pulls?head=acme:sluice/shop/eu/1&state=all');
  expect(found.body).toMatchObject([{ number, state: 'open', head: { ref: 'sluice/shop/eu/1' } }]);
  await branch('other');
  expect((await api('GET /pulls?head=acme:other&state=all')).body).toEqual([]);
  // Without its owner the filter is none.
  expect((await api('GET /pulls?head=other&state=all')).body).toHaveLength(1);
  await config.commit({}, 'Nothing', { branch: 'same', from: await config.head() });
  await config.forcePush('same', (await config.head())!);
  expect(await api('POST /pulls', { title: 'x', head: 'same', base: 'main' })).toMatchObject({
    body: { errors: [{ message: 'No commits between main and same' }] },
  });
  expect((await forge.counters('config')).opened).toEqual(['sluice/shop/eu/1']);
});

test('whether it can be merged is not known at the first look, and a list that has not changed costs nothing', async () => {
  const number = await open();
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ mergeable: null, mergeable_state: 'unknown' });
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ mergeable: true, mergeable_state: 'clean' });
  const { headers } = await api('GET /pulls?state=all&sort=updated&direction=desc');
  const etag = { 'if-none-match': headers.get('etag')! };
  expect((await api('GET /pulls?state=all&sort=updated&direction=desc', undefined, etag)).status).toBe(304);
  await config.commit({ 'eu/a.yaml': 'v: 3\n' }, 'By hand');
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ mergeable: null });
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
  expect(await api(`PUT /pulls/${number}/merge`, {})).toMatchObject({
    status: 405,
    body: { message: 'Pull Request is not mergeable' },
  });
});

test.each(['merge', 'squash', 'rebase'] as const)('a %s really happens on the base branch', async (method) => {
  const number = await open();
  await config.commit({ 'dev/a.yaml': 'v: 9\n' }, 'Meanwhile');
  const sha = await config.head('sluice/shop/eu/1');
  expect((await api(`PUT /pulls/${number}/merge`, { sha: await config.head() })).status).toBe(409);
  const merged = await api(`PUT /pulls/${number}/merge`, { sha, merge_method: method });
  expect(merged).toMatchObject({ status: 200, body: { merged: true, sha: await config.head() } });
  expect([await config.read('eu/a.yaml'), await config.read('dev/a.yaml')]).toEqual(['v: 2\n', 'v: 9\n']);
  const [top] = await config.log();
  expect(top!.parents).toHaveLength(method === 'merge' ? 2 : 1);
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({
    state: 'closed',
    merged: true,
    merged_by: { login: forge.account },
    merge_commit_sha: top!.sha,
  });
  expect((await api(`PATCH /pulls/${number}`, { state: 'closed' })).status).toBe(422);
  expect((await api('DELETE /git/refs/heads/sluice/shop/eu/1')).status).toBe(204);
  expect(await api('DELETE /git/refs/heads/sluice/shop/eu/1')).toMatchObject({
    status: 422,
    body: { message: 'Reference does not exist' },
  });
});

test('a required status holds a merge up, whoever asks for it, until it is green', async () => {
  forge.protect('config', 'main', { contexts: ['sluice/shop/eu'] });
  const number = await open();
  const sha = (await config.head('sluice/shop/eu/1'))!;
  const set = (state: string) => api(`POST /statuses/${sha}`, { state, context: 'Sluice/shop/eu', description: 'd' });
  expect(await api(`PUT /pulls/${number}/merge`, {})).toMatchObject({
    status: 405,
    body: { message: 'Required status check "sluice/shop/eu" is expected.' },
  });
  await set('failure');
  await expect(forge.merge('config', number)).rejects.toThrow(Blocked);
  await forge.mergeWhenGreen('config', number, 'squash');
  await set('pending');
  expect((await forge.counters('config')).merged).toEqual([]);
  await set('success');
  expect((await forge.counters('config')).merged).toEqual(['sluice/shop/eu/1']);
  await set('failure');
  const { statuses } = await forge.counters('config');
  expect(statuses.map(({ state, sinceEnd }) => [state, sinceEnd === undefined])).toEqual([
    ['failure', true],
    ['pending', true],
    ['success', true],
    ['failure', false],
  ]);
});

test('a queue merges what its own commits are green for, and sends their heads to be judged', async () => {
  forge.protect('config', 'main', { contexts: ['ci'], queue: true });
  const [one, two] = [await open('one'), await open('two', 'v: 2\n# two\n')];
  const sha = (await config.head('one'))!;
  expect(await api(`PUT /pulls/${one}/merge`, {})).toMatchObject({ status: 405 });
  expect(await api(`PUT /pulls/${one}/merge-async`, { sha })).toMatchObject({
    status: 202,
    body: { status: 'pending' },
  });
  expect((await api(`PUT /pulls/${one}/merge-async`, { sha })).body).toMatchObject({ status: 'enqueued' });
  const group = (await config.branches()).find((each) => each.startsWith('gh-readonly-queue/main/pr-1-'))!;
  await forge.setStatus('config', (await config.head(group))!, 'ci', 'success');
  expect((await forge.pullRequest('config', one)).state).toBe('merged');
  expect(await config.head(group)).toBeUndefined();
  await expect(forge.enqueue('config', two)).rejects.toThrow('conflict');
});

test('people close, reopen, retarget, push onto and delete; a branch that is gone closes its pull request', async () => {
  const number = await open();
  await config.commit({}, 'Other', { branch: 'stable' });
  await forge.closePullRequest('config', number, 'Bo');
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ state: 'closed', merged: false });
  await forge.reopen('config', number);
  await forge.retarget('config', number, 'stable');
  const head = await forge.pushOnto('config', number, { 'eu/a.yaml': 'v: 7\n' }, 'Mine', 'Bo');
  expect((await api(`GET /pulls/${number}`)).body).toMatchObject({ base: { ref: 'stable' }, head: { sha: head } });
  await forge.updateBranch('config', number);
  await forge.deleteBranch('config', 'sluice/shop/eu/1', 'Bo');
  expect(await forge.pullRequest('config', number)).toMatchObject({ state: 'closed', closedBy: 'Bo' });
});

test('a head that somebody pushes to the base is merged, and a merge deletes its branch where the repository says so', async () => {
  forge.settings('config').deleteBranchOnMerge = true;
  const number = await open();
  await forge.merge('config', number, 'fast-forward');
  expect(await config.head('sluice/shop/eu/1')).toBeUndefined();
  const second = await open('second', 'v: 3\n');
  await config.forcePush('main', (await config.head('second'))!, 'Bo');
  expect(await forge.pullRequest('config', second)).toMatchObject({ state: 'merged', mergedBy: 'Bo' });
});

test('webhooks are those of GitHub, signed by its own library, and one that was lost is sent again when asked for', async () => {
  const seen: Asked[] = [];
  const receiver = await serve((asked, response) => {
    seen.push(asked);
    response.writeHead(204).end();
  });
  const hook = forge.deliveries.to(`http://${receiver.host}/hooks/git/gh`, 'a secret', 'acme/config');
  let lost = true;
  forge.deliveries.fate = ({ event }) => (event === 'push' && lost ? 'DROPPED' : 'SENT');
  forge.protect('config', 'main', { queue: true });
  const number = await open();
  await forge.enqueue('config', number);
  const second = await open('second', 'v: 2\n# x\n');
  await forge.retarget('config', second, 'sluice/shop/eu/1');
  await forge.closePullRequest('config', second);
  await forge.reopen('config', second);
  await forge.pushOnto('config', second, { 'b.yaml': '1\n' });
  await config.tag('v1');
  await forge.idle();
  expect(seen.map(({ headers }) => headers['x-github-event'])).not.toContain('push');
  for (const { headers, body } of seen)
    expect(await verify('a secret', body, String(headers['x-hub-signature-256']))).toBe(true);
  const actions = forge.deliveries.list.map(({ event, action }) => [event, action].filter(Boolean).join(' '));
  for (const each of ['push', 'create', 'delete', 'merge_group checks_requested', 'merge_group destroyed'])
    expect(actions).toContain(each);
  for (const each of ['opened', 'enqueued', 'closed', 'edited', 'reopened', 'synchronize'])
    expect(actions).toContain(`pull_request ${each}`);
  lost = false;
  const missed = await api(`GET /hooks/${hook.id}/deliveries?status=failure`);
  const [newest] = missed.body as unknown as { id: number; guid: string; status_code: number }[];
  expect(newest).toMatchObject({ status_code: 0, event: 'push' });
  expect((await api(`POST /hooks/${hook.id}/deliveries/${newest!.id}/attempts`)).status).toBe(202);
  await forge.idle();
  expect(seen.at(-1)!.headers).toMatchObject({ 'x-github-event': 'push', 'x-github-delivery': newest!.guid });
  receiver.close();
});

test('labels, reviewers, comments and the right to merge', async () => {
  const number = await open();
  await api(`POST /issues/${number}/labels`, { labels: ['sluice'] });
  await api(`PUT /issues/${number}/labels`, { labels: ['sluice', 'eu'] });
  await api(`POST /pulls/${number}/requested_reviewers`, { reviewers: ['bo'], team_reviewers: ['ops'] });
  const { body } = await api(`POST /issues/${number}/comments`, { body: 'one' });
  await api(`PATCH /issues/comments/${body['id'] as number}`, { body: 'two' });
  expect(await forge.pullRequest('config', number)).toMatchObject({
    labels: ['sluice', 'eu'],
    reviewers: ['bo', 'team/ops'],
    comments: [{ body: 'two', edits: 1 }],
  });
  forge.protect('config', 'main', { mergers: ['Ada'], contexts: ['ci'], approvals: 1 });
  expect((await api('GET /branches/main')).body).toMatchObject({ protected: true });
  expect((await api('GET /rules/branches/main')).body).toHaveLength(2);
  expect((await api('GET ')).body).toMatchObject({ permissions: { push: false } });
  expect((await api(`PUT /pulls/${number}/merge`, {})).status).toBe(403);
  await forge.merge('config', number, 'merge', { by: 'Ada', bypass: true });
});

test('archived and renamed repositories say so', async () => {
  forge.archive('config');
  await branch('x');
  expect(await api('POST /pulls', { title: 'x', head: 'x', base: 'main' })).toMatchObject({
    status: 403,
    body: { message: 'Repository was archived so is read-only.' },
  });
  await forge.rename('config', 'settings');
  expect(
    (
      await fetch(`${forge.apiUrl}/repos/acme/config`, {
        redirect: 'manual',
        headers: { authorization: `token ${forge.token}` },
      })
    ).status,
  ).toBe(301);
});

test('faults happen between: before the peer hears of it, and after', async () => {
  forge.faults.script(/^POST .*\/pulls$/, FAULTS.tooFast(2), FAULTS.lost);
  await branch('x');
  const wanted = { title: 'x', head: 'x', base: 'main' };
  const refused = await api('POST /pulls', wanted);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([403, '2']);
  await expect(api('POST /pulls', wanted)).rejects.toThrow('fetch failed');
  expect((await forge.counters('config')).opened).toEqual(['x']);
  forge.faults.script(/^GET /, FAULTS.cut, FAULTS.badGateway);
  await expect(api('GET /pulls')).rejects.toThrow();
  expect((await api('GET /pulls').catch(() => ({ status: 502 }))).status).toBe(502);
  expect(forge.faults.met.map(({ fault }) => fault.when)).toEqual(['BEFORE', 'LOST', 'CUT', 'BEFORE']);
});

test('what GitHub does not know is refused and told at the end: a field, a parameter, an operation, a token', async () => {
  const own = await startForge('github', host);
  const call = (method: string, path: string, body?: object) =>
    fetch(`${own.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${own.token}` },
      ...(body && { body: JSON.stringify(body) }),
    });
  await branch('x');
  const wanted = { title: 'x', head: 'x', base: 'main', labels: ['a'] };
  expect((await call('POST', '/repos/acme/config/pulls', wanted)).status).toBe(422);
  expect((await call('GET', '/repos/acme/config/pulls?branch=x')).status).toBe(422);
  expect((await call('GET', '/repos/acme/config/nothing')).status).toBe(404);
  expect((await fetch(`${own.apiUrl}/user`)).status).toBe(401);
  await expect(own.close()).rejects.toThrow(/"labels".*\n.*no parameter "branch"\n.*nothing is not an operation/);
});
