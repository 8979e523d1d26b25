import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serve } from '../drivers/http-server.ts';
import type { Asked } from '../drivers/http-server.ts';
import { startForge } from './forges.ts';
import type { StandInKind, TestForge } from './forges.ts';
import { startGitHost } from './git-host.ts';
import type { GitHost, HostedRepository } from './git-host.ts';

let host: GitHost;
let forge: TestForge;
let config: HostedRepository;

const start = (kind: StandInKind): void => {
  beforeEach(async () => {
    host = await startGitHost();
    forge = await startForge(kind, host, { people: ['bo'] });
    config = await host.repository('config');
    await config.commit({ 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 1\n' }, 'First');
    await config.commit({ 'eu/a.yaml': 'v: 2\n' }, 'Second', { branch: 'topic' });
  });
  afterEach(async () => {
    await forge.close();
    await host.close();
  });
};

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

const call = async (method: string, path: string, body?: object): Promise<Answer> => {
  const response = await fetch(`${forge.apiUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${forge.token}` },
    redirect: 'manual',
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: JSON.parse((await response.text()) || '{}') as Answer['body'] };
};

/** What every webhook comes to. */
async function received(secret: string, act: () => Promise<unknown>): Promise<Asked[]> {
  const seen: Asked[] = [];
  const receiver = await serve((asked, response) => {
    seen.push(asked);
    response.writeHead(200).end();
  });
  forge.deliveries.to(`http://${receiver.host}/`, secret);
  await act();
  await forge.idle();
  receiver.close();
  return seen;
}

describe('GitLab', () => {
  start('gitlab');
  const P = '/projects/acme%2Fconfig';
  const open = (): Promise<Answer> =>
    call('POST', `${P}/merge_requests`, { source_branch: 'topic', target_branch: 'main', title: 'Draft: Promote' });

  test('a merge request is opened once, and what is computed late is `checking` at first', async () => {
    expect(await open()).toMatchObject({ status: 201, body: { iid: 1, state: 'opened', draft: true } });
    expect(await open()).toMatchObject({
      status: 409,
      body: { message: ['Another open merge request already exists for this source branch: !1'] },
    });
    const detailed = async () => (await call('GET', `${P}/merge_requests/1`)).body['detailed_merge_status'];
    expect([await detailed(), await detailed()]).toEqual(['checking', 'draft_status']);
    await call('PUT', `${P}/merge_requests/1`, { title: 'Promote' });
    expect(await detailed()).toBe('mergeable');
    forge.protect('config', 'main', { contexts: ['sluice'] });
    expect(await detailed()).toBe('ci_must_pass');
    expect((await call('PUT', `${P}/merge_requests/1/merge`, {})).status).toBe(405);
  });

  test('a status goes its own ways: pending stays refused when it is pending', async () => {
    const sha = await config.head('topic');
    const set = (state: string) => call('POST', `${P}/statuses/${sha}`, { state, name: 'sluice' });
    expect((await set('pending')).status).toBe(201);
    expect(await set('pending')).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('Cannot transition status via :enqueue from :pending') as string },
    });
    for (const state of ['running', 'success', 'failed', 'pending']) expect((await set(state)).status).toBe(201);
    const statuses = await call('GET', `${P}/repository/commits/${sha}/statuses?name=sluice`);
    expect(statuses.body).toMatchObject([{ status: 'pending' }]);
  });

  test.each([
    [['fast-forward' as const], { merge_commit_sha: null, squash_commit_sha: null }],
    [['merge' as const, 'squash' as const], { squash_commit_sha: null }],
  ])('with methods %j a merge says which commit it made, or none', async (methods, said) => {
    forge.settings('config').methods = methods;
    await open();
    await forge.setDraft('config', 1, false);
    const sha = await config.head('topic');
    expect((await call('PUT', `${P}/merge_requests/1/merge`, { sha: await config.head() })).status).toBe(409);
    expect(await call('PUT', `${P}/merge_requests/1/merge`, { sha })).toMatchObject({ status: 200, body: said });
    expect(await config.read('eu/a.yaml')).toBe('v: 2\n');
    expect((await call('PUT', `${P}/merge_requests/1/merge`, { sha })).status).toBe(405);
    expect((await call('DELETE', `${P}/repository/branches/topic`)).status).toBe(204);
    expect((await call('DELETE', `${P}/repository/branches/topic`)).status).toBe(404);
  });

  test('without the right to merge it is 401, with conflicts 422, archived 403, renamed 301', async () => {
    await open();
    await forge.setDraft('config', 1, false);
    forge.protect('config', 'main', { mergers: [] });
    expect((await call('PUT', `${P}/merge_requests/1/merge`, {})).status).toBe(401);
    expect((await call('GET', `${P}/protected_branches/main`)).body).toMatchObject({
      merge_access_levels: [{ access_level: 0 }],
    });
    forge.protect('config', 'main', {});
    await config.commit({ 'eu/a.yaml': 'v: 3\n' }, 'Meanwhile');
    expect((await call('PUT', `${P}/merge_requests/1/merge`, {})).status).toBe(422);
    forge.archive('config');
    expect((await open()).status).toBe(403);
    await forge.rename('config', 'settings');
    expect((await call('GET', `${P}/merge_requests/1`)).status).toBe(301);
  });

  test('webhooks carry the token, or a signature of Standard Webhooks', async () => {
    const act = async () => {
      await config.commit({ 'x.yaml': '1\n' }, 'Push');
      await open();
      await forge.setDraft('config', 1, false);
      await forge.merge('config', 1);
    };
    const plain = await received('in the clear', act);
    expect(new Set(plain.map(({ headers }) => headers['x-gitlab-event']))).toEqual(
      new Set(['Push Hook', 'Merge Request Hook']),
    );
    expect(plain.every(({ headers }) => headers['x-gitlab-token'] === 'in the clear')).toBe(true);
    const key = Buffer.alloc(32, 7);
    const [signed] = (await received(`whsec_${key.toString('base64')}`, () => config.tag('v1'))).slice(-1);
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = signed!.headers;
    const wanted = createHmac('sha256', key)
      .update(`${id as string}.${at as string}.${signed!.body}`)
      .digest('base64');
    expect(signature).toBe(`v1,${wanted}`);
  });
});

describe('Gitea', () => {
  start('gitea');
  const R = '/repos/acme/config';
  const open = (): Promise<Answer> => call('POST', `${R}/pulls`, { head: 'topic', base: 'main', title: 'Promote' });

  test('a pull request is opened once; it cannot be merged while it is looked at', async () => {
    expect(await open()).toMatchObject({ status: 201, body: { number: 1, state: 'open', mergeable: false } });
    expect(await open()).toMatchObject({
      status: 409,
      body: { message: expect.stringContaining('pull request already exists for these targets') as string },
    });
    const merge = (body: object = {}) => call('POST', `${R}/pulls/1/merge`, { Do: 'squash', ...body });
    expect(await merge()).toMatchObject({ status: 405, body: { message: 'Please try again later' } });
    expect((await merge({ head_commit_id: await config.head() })).status).toBe(409);
    forge.protect('config', 'main', { contexts: ['sluice'] });
    expect(await merge()).toMatchObject({ body: { message: 'Not all required status checks successful' } });
    const sha = await config.head('topic');
    const set = (state: string) => call('POST', `${R}/statuses/${sha}`, { state, context: 'sluice' });
    expect([(await set('success')).status, (await set('success')).status]).toEqual([201, 201]);
    expect((await call('GET', `${R}/commits/${sha}/status`)).body).toMatchObject({ state: 'success' });
    expect((await merge({ head_commit_id: sha, delete_branch_after_merge: true })).status).toBe(200);
    expect((await call('GET', `${R}/pulls/1`)).body).toMatchObject({
      merged: true,
      merge_commit_sha: await config.head(),
    });
    expect(await config.head('topic')).toBeUndefined();
    expect((await call('PATCH', `${R}/pulls/1`, { state: 'closed' })).status).toBe(412);
    expect((await call('DELETE', `${R}/branches/topic`)).status).toBe(404);
  });

  test('labels by their ids, reviewers that there are, comments, conflicts and the right to merge', async () => {
    await open();
    const [known] = (await call('GET', `${R}/labels`)).body as unknown as { id: number; name: string }[];
    await call('POST', `${R}/issues/1/labels`, { labels: [known!.id] });
    expect((await call('POST', `${R}/pulls/1/requested_reviewers`, { reviewers: ['bo'] })).status).toBe(201);
    expect((await call('POST', `${R}/pulls/1/requested_reviewers`, { reviewers: ['nobody'] })).status).toBe(404);
    await call('POST', `${R}/issues/1/comments`, { body: 'one' });
    await call('PATCH', `${R}/issues/comments/1`, { body: 'two' });
    expect(await forge.pullRequest('config')).toMatchObject({
      labels: [known!.name],
      reviewers: ['bo'],
      comments: [{ body: 'two' }],
    });
    await config.commit({ 'eu/a.yaml': 'v: 3\n' }, 'Meanwhile');
    for (const status of [405, 409])
      expect((await call('POST', `${R}/pulls/1/merge`, { Do: 'merge' })).status).toBe(status);
    forge.protect('config', 'main', { mergers: ['Ada'], approvals: 2 });
    expect((await call('GET', `${R}/branches/main`)).body).toMatchObject({
      user_can_merge: false,
      required_approvals: 2,
    });
    forge.archive('config');
    expect((await call('PATCH', `${R}/pulls/1`, { title: 'x' })).status).toBe(423);
  });

  test('webhooks are signed in its own header and in that of GitHub', async () => {
    const seen = await received('a secret', async () => {
      await config.commit({ 'x.yaml': '1\n' }, 'Push', { branch: 'new' });
      await open();
      await forge.closePullRequest('config', 1);
      await forge.reopen('config', 1);
      await forge.retarget('config', 1, 'new');
      await forge.pushOnto('config', 1, { 'y.yaml': '1\n' });
      await forge.setStatus('config', (await config.head())!, 'ci', 'success');
      await config.deleteBranch('topic');
    });
    expect(new Set(seen.map(({ headers }) => headers['x-gitea-event']))).toEqual(
      new Set(['push', 'create', 'delete', 'pull_request', 'status']),
    );
    for (const { headers, body } of seen) {
      const hex = createHmac('sha256', 'a secret').update(body).digest('hex');
      expect([headers['x-gitea-signature'], headers['x-hub-signature-256']]).toEqual([hex, `sha256=${hex}`]);
    }
  });
});
