import { afterEach, describe, expect, test, vi } from 'vitest';
import { PermanentError } from '../../../src/drivers/driver.ts';
import type { ForgeKind } from '../../../src/core/forges.ts';
import { meaningOf } from '../../../src/drivers/forge/refusals.ts';
import type { Meaning } from '../../../src/drivers/forge/refusals.ts';
import { answering } from './support.ts';
import type { Reply } from './support.ts';

// What hosts were seen to answer, or say in their documents and sources that they do.

const call = { signal: new AbortController().signal };
const close: (() => void)[] = [];
afterEach(() => close.splice(0).forEach((each) => each()));

describe('a refusal to merge', () => {
  test.each<[ForgeKind, number, string, Meaning | undefined]>([
    ['github', 405, 'Required status check "ci/build" is expected.', 'PASSES'],
    ['github', 405, '2 of 3 required status checks are pending.', 'PASSES'],
    ['github', 405, '3 of 5 required status checks have not succeeded: 1 expected.', 'PASSES'],
    ['github', 405, 'At least 1 approving review is required by reviewers with write access.', 'PASSES'],
    ['github', 405, 'Waiting on code owner review from acme/platform.', 'PASSES'],
    ['github', 405, 'Base branch was modified. Review and try the merge again.', 'PASSES'],
    ['github', 405, 'Merge already in progress', 'PASSES'],
    ['github', 405, 'Pull Request is still a draft', 'PASSES'],
    ['github', 405, 'Repository rule violations found\n\nRequired status check "ci" is expected.\n\n', 'PASSES'],
    ['github', 405, 'Repository rule violations found\n\nChanges must be made through the merge queue\n\n', 'QUEUE'],
    ['github', 405, 'Pull Request is not mergeable', 'LOOK'],
    ['github', 405, 'Pull Request has merge conflicts', 'LOOK'],
    ['github', 405, 'Squash merges are not allowed on this repository.', 'FINAL'],
    ['github', 405, 'Merge commits are not allowed on this repository.', 'FINAL'],
    ['github', 405, 'This branch must not contain merge commits.', 'FINAL'],
    ['github', 405, "This branch can't be rebased", 'FINAL'],
    ['github', 405, "You're not authorized to push to this branch. Visit https://docs.github.com/ for more.", 'FINAL'],
    ['github', 409, 'Head branch was modified. Review and try the merge again.', 'FINAL'],
    ['github', 409, 'Merge conflict', 'PASSES'],
    ['github', 403, 'Resource not accessible by integration', undefined],
    ['github', 404, 'Not Found', undefined],
    ['gitlab', 405, '405 Method Not Allowed', 'LOOK'],
    ['gitlab', 406, 'Branch cannot be merged', 'LOOK'],
    ['gitlab', 422, 'Branch cannot be merged', 'LOOK'],
    ['gitlab', 409, 'SHA does not match HEAD of source branch: 0123abcd', 'FINAL'],
    ['gitlab', 409, 'Merge request is being processed', 'PASSES'],
    ['gitlab', 403, '403 Forbidden', undefined],
    ['gitea', 405, 'Please try again later', 'PASSES'],
    ['gitea', 405, 'PR is not ready to be merged: not all required status checks successful', 'PASSES'],
    ['gitea', 405, 'Does not have enough approvals', 'PASSES'],
    ['gitea', 405, 'The head branch is behind the base branch', 'PASSES'],
    ['gitea', 405, 'Work in progress PRs cannot be merged', 'PASSES'],
    ['gitea', 405, 'User not allowed to merge PR', 'FINAL'],
    ['gitea', 405, 'Invalid merge style [repo_id: 1, style: rebase]: not allowed', 'FINAL'],
    ['gitea', 405, '', 'LOOK'],
    ['gitea', 409, 'head out of date', 'FINAL'],
    ['gitea', 409, 'Merge conflict', 'LOOK'],
    ['gitea', 423, 'repo is archived', undefined],
  ])('%s %i %j', (kind, status, words, meaning) => {
    expect(meaningOf(kind, { status, words })).toBe(meaning);
  });
});

const HEAD = 'a'.repeat(40);
const GITLAB = '/projects/acme%2Fconfig/merge_requests/7';
const request = (more: object = {}) => ({
  iid: 7,
  web_url: 'https://gitlab.example/acme/config/-/merge_requests/7',
  state: 'opened',
  draft: false,
  title: 'Promote',
  source_branch: 'sluice/a',
  target_branch: 'main',
  source_project_id: 1,
  target_project_id: 1,
  sha: HEAD,
  merge_status: 'can_be_merged',
  detailed_merge_status: 'mergeable',
  has_conflicts: false,
  updated_at: '2026-11-28T10:00:00.000Z',
  ...more,
});
const MERGED = request({
  state: 'merged',
  merged_at: '2026-11-28T10:05:00.000Z',
  merge_user: { username: 'ada' },
  merge_commit_sha: 'b'.repeat(40),
});

const gitlab = async (replies: Record<string, Reply | Reply[]>) => {
  const project = { status: 200, body: { merge_trains_enabled: false } };
  const peer = await answering('gitlab', { 'GET /projects/acme%2Fconfig': project, ...replies });
  close.push(peer.close);
  const merge = () => peer.forge.merge(peer.repository, 7, { sha: HEAD }, call);
  return { ...peer, merge, get: () => peer.forge.get(peer.repository, 7, call) };
};

describe('GitLab', () => {
  test('405 for what is merged already is done', async () => {
    const { merge, asked } = await gitlab({
      [`GET ${GITLAB}`]: [
        { status: 200, body: request() },
        { status: 200, body: MERGED },
      ],
      [`PUT ${GITLAB}/merge`]: { status: 405, body: { message: '405 Method Not Allowed' } },
    });
    expect(await merge()).toEqual({ kind: 'MERGED', commit: 'b'.repeat(40) });
    expect(asked.map(({ method }) => method)).toEqual(['GET', 'GET', 'PUT', 'GET']);
    expect(JSON.parse(asked[2]!.body)).toEqual({ sha: HEAD });
  });

  test('locked is merging now: not asked again, and not closed', async () => {
    const { merge, get, asked } = await gitlab({
      [`GET ${GITLAB}`]: { status: 200, body: request({ state: 'locked' }) },
    });
    expect(await merge()).toEqual({ kind: 'NOT_YET', why: 'GitLab is merging it' });
    expect(await get()).toMatchObject({ state: 'OPEN', blocked: 'GitLab is merging it' });
    expect(asked.every(({ method }) => method === 'GET')).toBe(true);
  });

  test.each([
    ['checking', 'NOT_YET'],
    ['ci_still_running', 'NOT_YET'],
    ['not_approved', 'NOT_YET'],
    ['discussions_not_resolved', 'NOT_YET'],
    ['conflict', 'FINAL'],
  ])('405 while it is %s: %s', async (detailed, wanted) => {
    const { merge } = await gitlab({
      [`GET ${GITLAB}`]: { status: 200, body: request({ detailed_merge_status: detailed }) },
      [`PUT ${GITLAB}/merge`]: { status: 405, body: { message: '405 Method Not Allowed' } },
    });
    const came = await merge().then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof PermanentError ? 'FINAL' : 'BROKEN'),
    );
    expect(came).toBe(wanted);
  });

  const TRAIN = '/projects/acme%2Fconfig/merge_trains/merge_requests/7';
  const car = (more: object = {}) => ({
    status: 'fresh',
    pipeline: { sha: 'c'.repeat(40), ref: 'refs/merge-requests/7/train' },
    ...more,
  });
  const onItsWay = { status: 200, body: request({ merge_when_pipeline_succeeds: true }) };

  test.each<[string, number, object, string | undefined]>([
    ['on the train', 200, car(), 'c'.repeat(40)],
    ['before its pipeline has begun', 200, car({ status: 'idle', pipeline: null }), undefined],
    [
      'with the pipeline of its branch',
      200,
      car({ pipeline: { sha: HEAD, ref: 'refs/merge-requests/7/head' } }),
      undefined,
    ],
    ['when it was on one before', 200, car({ status: 'skip_merged' }), undefined],
    ['with auto-merge where the project has no train', 403, { message: '403 Forbidden' }, undefined],
    ['with auto-merge where GitLab knows no trains', 404, { error: '404 Not Found' }, undefined],
  ])('trap 8: the commit of a merge train is told only while there is one: %s', async (_name, status, body, commit) => {
    const { get } = await gitlab({
      [`GET ${GITLAB}`]: onItsWay,
      'GET /projects/acme%2Fconfig': { status: 200, body: { merge_trains_enabled: true } },
      [`GET ${TRAIN}`]: { status, body },
    });
    const { state, head, queue } = await get();
    expect({ state, head: head.sha, commit: queue?.commit }).toEqual({ state: 'OPEN', head: HEAD, commit });
  });

  test('a merge request that GitLab is to merge by itself is merged by nobody else', async () => {
    const { merge, asked } = await gitlab({ [`GET ${GITLAB}`]: onItsWay });
    expect(await merge()).toEqual({ kind: 'QUEUED' });
    expect(asked.map(({ method }) => method)).toEqual(['GET']);
  });

  test.each<[string, number, object, string]>([
    ['taken, and nothing done', 201, [], 'NOT_YET'],
    ['on it already', 409, { message: '409 Conflict - already on a merge train' }, 'NOT_YET'],
    ['another head', 409, { message: 'SHA does not match HEAD of source branch: x' }, 'FINAL'],
    ['not to be merged now', 400, { message: '400 Bad request - Failed to merge' }, 'NOT_YET'],
    ['no right', 403, { message: '403 Forbidden' }, 'FINAL'],
  ])('where the project has a merge train nothing passes it: %s', async (_name, status, body, wanted) => {
    const { merge, asked } = await gitlab({
      [`GET ${GITLAB}`]: { status: 200, body: request() },
      'GET /projects/acme%2Fconfig': { status: 200, body: { merge_trains_enabled: true } },
      [`POST ${TRAIN}`]: { status, body },
      [`GET ${TRAIN}`]: { status: 404, body: { message: '404 Not Found' } },
    });
    const came = await merge().then(
      ({ kind }) => kind,
      (error: unknown) => (error instanceof PermanentError ? 'FINAL' : 'BROKEN'),
    );
    expect(came).toBe(wanted);
    expect(asked.filter(({ method }) => method === 'PUT')).toEqual([]);
  });

  test('401 at a merge is a right that is missing, and no token that has expired', async () => {
    const { merge } = await gitlab({
      [`GET ${GITLAB}`]: { status: 200, body: request() },
      [`PUT ${GITLAB}/merge`]: { status: 401, body: { message: '401 Unauthorized' } },
    });
    await expect(merge()).rejects.toThrow(
      'secret "bot" may not merge merge request !7 in acme/config (401 Unauthorized)',
    );
  });

  test.each([
    ['a merge commit', { merge_commit_sha: 'b'.repeat(40), squash_commit_sha: 'c'.repeat(40) }, 'b'.repeat(40)],
    ['a squash that was fast-forwarded', { merge_commit_sha: null, squash_commit_sha: 'c'.repeat(40) }, 'c'.repeat(40)],
    [
      'trap 3: a fast-forward, which has no commit of its own',
      { merge_commit_sha: null, squash_commit_sha: null },
      HEAD,
    ],
  ])('the commit of %s', async (_what, more, commit) => {
    const { get } = await gitlab({ [`GET ${GITLAB}`]: { status: 200, body: { ...MERGED, ...more } } });
    expect(await get()).toMatchObject({ state: 'MERGED', mergeCommit: commit, by: 'ada' });
  });

  test('a branch of the same name in a fork is another one', async () => {
    const { forge, repository } = await gitlab({
      'GET /projects/acme%2Fconfig/merge_requests': { status: 200, body: [request({ source_project_id: 2 })] },
    });
    expect(await forge.find(repository, { head: 'sluice/a' }, call)).toBeUndefined();
  });
});

const PULLS = '/repos/acme/config/pulls';
const pull = (more: object = {}) => ({
  number: 7,
  html_url: 'https://github.com/acme/config/pull/7',
  state: 'open',
  draft: false,
  title: 'Promote',
  head: { ref: 'sluice/a', sha: HEAD, repo: { full_name: 'acme/config' } },
  base: { ref: 'main', repo: { full_name: 'acme/config', archived: false } },
  mergeable: true,
  mergeable_state: 'clean',
  merged_at: null,
  merge_commit_sha: 'd'.repeat(40),
  updated_at: '2026-11-28T10:00:00Z',
  ...more,
});

const github = async (replies: Record<string, Reply | Reply[]>) => {
  const peer = await answering('github', replies);
  close.push(peer.close);
  return { ...peer, find: () => peer.forge.find(peer.repository, { head: 'sluice/a', base: 'main' }, call) };
};

describe('GitHub', () => {
  test('a head is asked for with its owner; what comes of others all the same is left out', async () => {
    const others = [
      pull({ number: 9, head: { ref: 'sluice/b', sha: HEAD, repo: { full_name: 'acme/config' } } }),
      pull({ number: 8, head: { ref: 'sluice/a', sha: HEAD, repo: { full_name: 'mallory/config' } } }),
      pull({ number: 6, head: { ref: 'sluice/a', sha: HEAD, repo: null } }),
    ];
    const { find, asked } = await github({ [`GET ${PULLS}`]: { status: 200, body: [...others, pull()] } });
    expect(await find()).toMatchObject({ number: 7 });
    const query = new URL(asked[0]!.url, 'http://x').searchParams;
    expect([query.get('head'), query.get('state'), query.get('base')]).toEqual(['acme:sluice/a', 'all', 'main']);
    expect(asked[0]!.headers).toMatchObject({
      'x-github-api-version': '2022-11-28',
      authorization: expect.stringMatching(/^Bearer /),
    });
  });

  test('trap 3: the sha of a test merge is no merge commit', async () => {
    const { forge, repository } = await github({ [`GET ${PULLS}/7`]: { status: 200, body: pull() } });
    expect(await forge.get(repository, 7, call)).not.toHaveProperty('mergeCommit');
  });

  test.each<[boolean | null, string, string, string | undefined]>([
    [null, 'unknown', 'UNKNOWN', undefined],
    [true, 'clean', 'YES', undefined],
    [true, 'unstable', 'YES', undefined],
    [true, 'blocked', 'YES', 'reviews or checks are missing that the branch requires'],
    [true, 'behind', 'YES', 'it is behind main, which has to be in it'],
    [false, 'dirty', 'NO', 'it has conflicts with main'],
  ])('trap 1: mergeable %s, %s', async (mergeable, mergeable_state, wanted, blocked) => {
    const { forge, repository } = await github({
      [`GET ${PULLS}/7`]: { status: 200, body: pull({ mergeable, mergeable_state }) },
    });
    const seen = await forge.get(repository, 7, call);
    expect([seen.mergeable, seen.blocked]).toEqual([wanted, blocked]);
  });

  test('a redirect is an answer: nothing is asked of where it leads, and the message has it', async () => {
    const { forge, repository, asked } = await github({
      [`GET ${PULLS}/7`]: {
        status: 301,
        headers: { location: 'http://elsewhere.example/repositories/1/pulls/7' },
        body: {},
      },
    });
    await expect(forge.get(repository, 7, call)).rejects.toThrow(
      'has moved to http://elsewhere.example/repositories/1/pulls/7',
    );
    expect(asked).toHaveLength(1);
  });

  test('when GitHub takes no more statuses of a commit, the last one decides whether it is set', async () => {
    const full = {
      status: 422,
      body: {
        message: 'Validation Failed',
        errors: [{ message: 'This SHA and context has reached the maximum number of statuses.' }],
      },
    };
    const { forge, repository } = await github({
      [`POST /repos/acme/config/statuses/${HEAD}`]: full,
      [`GET /repos/acme/config/commits/${HEAD}/status`]: {
        status: 200,
        body: { statuses: [{ context: 'Sluice/Shop', state: 'success' }] },
      },
    });
    const set = (state: 'SUCCESS' | 'PENDING') =>
      forge.setStatus(repository, HEAD, { context: 'sluice/shop', state, description: '' }, call);
    await set('SUCCESS');
    await expect(set('PENDING')).rejects.toThrow(/maximum number of statuses/);
  });

  test('deliveries are read page by page until they are older than asked for', async () => {
    const item = (id: number, at: string) => ({
      id,
      guid: `g${id}`,
      event: 'push',
      delivered_at: at,
      status_code: 502,
      redelivery: false,
    });
    const next = { link: '<http://x/repos/acme/config/hooks/5/deliveries?per_page=100&cursor=v1_2%3D>; rel="next"' };
    const { forge, repository, asked } = await github({
      'GET /repos/acme/config/hooks': {
        status: 200,
        body: [
          { id: 5, config: { url: 'https://sluice.example/hooks/git/github' } },
          { id: 6, config: {} },
        ],
      },
      'GET /repos/acme/config/hooks/5/deliveries': [
        { status: 200, headers: next, body: [item(3, '2026-11-28T10:03:00Z')] },
        { status: 200, headers: next, body: [item(2, '2026-11-28T10:02:00Z'), item(1, '2026-11-28T09:00:00Z')] },
      ],
    });
    const found = await forge.deliveries!.since(
      repository,
      new Date('2026-11-28T10:00:00Z'),
      'https://sluice.example/',
      call,
    );
    expect(found.map(({ id, hook, deliveryId, status }) => [id, hook, deliveryId, status])).toEqual([
      ['3', '5', 'g3', 502],
      ['2', '5', 'g2', 502],
    ]);
    expect(asked.slice(1).map(({ url }) => new URL(url, 'http://x').searchParams.get('cursor'))).toEqual([
      null,
      'v1_2=',
    ]);
  });

  test('an operation that GitHub wants to take away writes nothing to the console', async () => {
    const warn = vi.spyOn(console, 'warn');
    const headers = {
      deprecation: 'Mon, 01 Jun 2026 00:00:00 GMT',
      link: '<https://docs.github.com>; rel="deprecation"',
    };
    const { forge, repository } = await github({ [`GET ${PULLS}/7`]: { status: 200, headers, body: pull() } });
    await forge.get(repository, 7, call);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test.each([
    ['never', 'pull_request', { may: false, why: 'main takes a pull request only after 2 approving reviews' }],
    ['never', 'update', { may: false, why: 'main is changed only by those who may bypass its ruleset' }],
    ['pull_requests_only', 'pull_request', { may: true }],
    ['always', 'update', { may: true }],
    ['never', 'required_status_checks', { may: true }],
  ])('a ruleset that lets it past %s, with the rule %s', async (bypass, type, wanted) => {
    const rule = {
      type,
      ruleset_id: 3,
      ...(type === 'pull_request' && { parameters: { required_approving_review_count: 2 } }),
    };
    const { forge, repository } = await github({
      'GET /repos/acme/config': { status: 200, body: { archived: false, permissions: { push: true } } },
      'GET /repos/acme/config/rules/branches/main': { status: 200, body: [rule] },
      'GET /repos/acme/config/rulesets/3': { status: 200, body: { id: 3, current_user_can_bypass: bypass } },
      'GET /repos/acme/config/branches/main': { status: 200, body: { protected: false } },
    });
    expect(await forge.mayMerge(repository, 'main', call)).toEqual(wanted);
  });

  test.each([
    [false, false, { may: false, why: 'main takes a pull request only after 1 approving review' }],
    [true, true, { may: false, why: 'main takes a pull request only after 1 approving review' }],
    [true, false, { may: true }],
  ])('a classic protection: an administrator (%s) is held where it says so (%s)', async (admin, enforced, wanted) => {
    const { forge, repository } = await github({
      'GET /repos/acme/config': { status: 200, body: { archived: false, permissions: { push: true, admin } } },
      'GET /repos/acme/config/rules/branches/main': { status: 200, body: [] },
      'GET /repos/acme/config/branches/main': { status: 200, body: { protected: true } },
      'GET /repos/acme/config/branches/main/protection': {
        status: 200,
        body: {
          required_pull_request_reviews: { required_approving_review_count: 1 },
          enforce_admins: { enabled: enforced },
        },
      },
    });
    expect(await forge.mayMerge(repository, 'main', call)).toEqual(wanted);
  });

  test('a protection that may not be seen is said, and no reason against it', async () => {
    const { forge, repository } = await github({
      'GET /repos/acme/config': { status: 200, body: { archived: false, permissions: { push: true } } },
      'GET /repos/acme/config/rules/branches/main': { status: 200, body: [] },
      'GET /repos/acme/config/branches/main': { status: 200, body: { protected: true } },
      'GET /repos/acme/config/branches/main/protection': {
        status: 403,
        body: { message: 'Resource not accessible by personal access token' },
      },
    });
    expect(await forge.mayMerge(repository, 'main', call)).toEqual({
      may: true,
      why: 'main is protected, and secret "bot" may not see how (Administration: read)',
    });
  });

  test('what a host says cannot steer a terminal, and is bounded', async () => {
    const { forge, repository } = await github({
      [`GET ${PULLS}/7`]: { status: 422, body: { message: `\u001b[31m${'x'.repeat(5_000)}` } },
    });
    const error: unknown = await forge.get(repository, 7, call).catch((each: unknown) => each);
    expect((error as Error).message).toMatch(
      /^GitHub refused to see pull request #7 in acme\/config: 422, \\u001b\[31mxxx/,
    );
    expect((error as Error).message.length).toBeLessThan(500);
  });

  test('a comment of another user who copied the mark is left, and ours is edited', async () => {
    const at = '/repos/acme/config/issues/7/comments';
    const mine = { id: 2, body: 'old\n\n<!-- sluice:k -->' };
    const { forge, repository, asked } = await github({
      [`GET ${at}`]: { status: 200, body: [{ id: 1, body: 'evil <!-- sluice:k -->' }, mine] },
      'PATCH /repos/acme/config/issues/comments/1': {
        status: 403,
        body: { message: 'Must have admin rights to Repository.' },
      },
      'PATCH /repos/acme/config/issues/comments/2': { status: 200, body: {} },
    });
    await forge.comment(repository, 7, { key: 'k', body: 'new' }, call);
    expect(asked.map(({ method, url }) => `${method} ${url.replace(/.*\/issues|\?.*/g, '')}`)).toEqual([
      'GET /7/comments',
      'PATCH /comments/1',
      'PATCH /comments/2',
    ]);
  });
});
