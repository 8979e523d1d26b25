import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import type { Forge, MergeAnswer, PullRequestSeen } from '../../../src/drivers/forge/forge.ts';
import { NothingToPropose, RepositoryMoved } from '../../../src/drivers/forge/forge.ts';
import { FAULTS } from '../../peers/faults.ts';
import { startForge } from '../../peers/forges.ts';
import type { StandInKind, TestForge } from '../../peers/forges.ts';
import { startGitHost } from '../../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../../peers/git-host.ts';
import { serve } from '../http-server.ts';
import { forgeOf, MemoryBudgets } from './support.ts';

// Every client against a stand-in on real repositories, which holds each request and each answer against the host's published shapes:
// `close` throws where one does not fit.

const call = { signal: new AbortController().signal };
const HEAD = 'sluice/shop/eu/0123456789abcdef';
const wanted = { head: HEAD, base: 'main', title: 'Promote shop to eu', body: 'The plan.' };

let host: GitHost;
let peer: TestForge;
let config: HostedRepository;
let forge: Forge;
let budgets: MemoryBudgets;

const start = (kind: StandInKind): void => {
  beforeEach(async () => {
    host = await startGitHost();
    peer = await startForge(kind, host, { people: ['bo'], labels: ['promotion'] });
    config = await host.repository('config');
    await config.commit({ 'eu/a.yaml': 'v: 1\n', 'dev/a.yaml': 'v: 2\n' }, 'First');
    await config.commit({ 'eu/a.yaml': 'v: 2\n' }, 'Promote', { branch: HEAD });
    budgets = new MemoryBudgets();
    forge = await forgeOf(config.url, kind, { apiUrl: peer.apiUrl, value: peer.token, budgets });
  });
  afterEach(async () => {
    await peer.close();
    await host.close();
  });
};

const open = (more: Partial<typeof wanted> & object = {}) => forge.open(config.url, { ...wanted, ...more }, call);
const get = (number: number) => forge.get(config.url, number, call);
const merge = (number: number, sha: string, how: object = {}): Promise<MergeAnswer> =>
  forge.merge(config.url, number, { sha, ...how }, call);
const opened = async (): Promise<string[]> => (await peer.counters('config')).opened;

/** Hosts compute late whether there are conflicts. */
async function settled(number: number): Promise<PullRequestSeen> {
  for (;;) {
    const seen = await get(number);
    if (seen.mergeable !== 'UNKNOWN') return seen;
  }
}

describe.each<StandInKind>(['github', 'gitlab', 'gitea'])('%s', (kind) => {
  start(kind);

  test('a pull request is opened once; asked again, the same one is answered', async () => {
    const first = await open();
    expect(first).toMatchObject({
      opened: true,
      state: 'OPEN',
      draft: false,
      title: 'Promote shop to eu',
      head: { branch: HEAD, sha: await config.head(HEAD) },
      base: 'main',
      remarks: [],
    });
    expect(first.url).toContain(String(first.number));
    expect(await open()).toMatchObject({ opened: false, number: first.number });
    expect(await opened()).toEqual([HEAD]);
  });

  test('two at the same time open one', async () => {
    const both = await Promise.all([open(), open(), open()]);
    expect(new Set(both.map(({ number }) => number)).size).toBe(1);
    expect(await opened()).toEqual([HEAD]);
  });

  test('an answer that was lost, or cut, or a 502 after the fact leaves one pull request, which the next try takes', async () => {
    peer.faults.script(/^POST .*(pulls|merge_requests)$/, FAULTS.lost, FAULTS.cut, FAULTS.badGatewayAfter);
    for (const head of [HEAD, `${HEAD}2`, `${HEAD}3`]) {
      if (head !== HEAD) await config.commit({ 'eu/a.yaml': `v: ${head}\n` }, 'Promote', { branch: head });
      await expect(open({ head })).rejects.toBeInstanceOf(TransientError);
      expect(await open({ head })).toMatchObject({ opened: false, state: 'OPEN' });
    }
    expect((await opened()).sort()).toEqual([HEAD, `${HEAD}2`, `${HEAD}3`]);
  });

  test('it is found by its head in any state, the newest, and no other branch is taken for it', async () => {
    const { number } = await open();
    await config.commit({ 'eu/a.yaml': 'v: 3\n' }, 'Other', { branch: `${HEAD}-other` });
    await open({ head: `${HEAD}-other` });
    const find = (head: string, base?: string) => forge.find(config.url, { head, base }, call);
    expect(await find(HEAD)).toMatchObject({ number, state: 'OPEN' });
    expect(await find(HEAD, 'release')).toBeUndefined();
    expect(await find('sluice/shop/eu')).toBeUndefined();
    await peer.closePullRequest('config', number, 'Ada');
    expect(await find(HEAD)).toMatchObject({ number, state: 'CLOSED' });
    await peer.reopen('config', number);
    await peer.merge('config', number);
    expect(await find(HEAD)).toMatchObject({ number, state: 'MERGED' });
    expect(await open()).toMatchObject({ number, state: 'MERGED', opened: false });
  });

  test('labels and reviewers are added; who is none is a remark and no failure', async () => {
    const more = { labels: ['promotion'], reviewers: ['bo', 'mallory'] };
    const { number, remarks } = await forge.open(config.url, { ...wanted, ...more }, call);
    expect(remarks).toEqual([expect.stringContaining('mallory')]);
    const seen = await peer.pullRequest('config', number);
    expect(seen.labels).toEqual(['promotion']);
    expect(seen.reviewers).toEqual(['bo']);
  });

  test('a draft is one, and says that it is not merged because of that', async () => {
    const { number, draft } = await forge.open(config.url, { ...wanted, draft: true }, call);
    expect(draft).toBe(true);
    expect(await merge(number, (await config.head(HEAD))!)).toMatchObject({ kind: 'NOT_YET' });
    expect(await get(number)).toMatchObject({ draft: true, state: 'OPEN' });
  });

  test('trap 14: texts are cut to what the host takes, and not refused', async () => {
    const { number } = await open({ title: 't'.repeat(400), body: 'b'.repeat(70_000) });
    const { title, body } = await peer.pullRequest('config', number);
    expect(title.length).toBeLessThanOrEqual(255);
    expect([body.length, body.endsWith('…')]).toEqual([65_536, true]);
  });

  test('trap 1: conflicts are unknown at first and NO later; such a one is never merged', async () => {
    const { number } = await open();
    await config.commit({ 'eu/a.yaml': 'v: 9\n' }, 'By hand');
    peer.unknownLooks('config', 2);
    const seen = await settled(number);
    expect(seen).toMatchObject({ mergeable: 'NO', blocked: 'it has conflicts with main' });
    await expect(merge(number, seen.head.sha)).rejects.toThrow(/cannot be merged: it has conflicts with main/);
    expect((await get(number)).state).toBe('OPEN');
  });

  test('a merge is done once: its answer may be lost, and the next try learns that it is merged', async () => {
    const { number, head } = await open();
    await settled(number);
    peer.faults.script(/^(PUT|POST) .*\/merge$/, FAULTS.lost);
    await expect(merge(number, head.sha)).rejects.toBeInstanceOf(TransientError);
    const again = await merge(number, head.sha);
    expect(again.kind).toBe('MERGED');
    expect(await merge(number, head.sha)).toEqual(again);
    expect(await get(number)).toMatchObject({ state: 'MERGED', by: peer.account });
    expect((await peer.counters('config')).merged).toEqual([HEAD]);
    expect(await config.read('eu/a.yaml')).toBe('v: 2\n');
  });

  test('trap 2: only the head that was judged is merged', async () => {
    const { number, head } = await open();
    const pushed = await peer.pushOnto('config', number, { 'eu/a.yaml': 'v: 666\n' });
    await expect(merge(number, head.sha)).rejects.toThrow(`another head: ${pushed}, and ${head.sha} was to be merged`);
    expect((await get(number)).head.sha).toBe(pushed);
    expect(await config.read('eu/a.yaml')).toBe('v: 1\n');
  });

  test.each(['MERGE', 'SQUASH', 'REBASE'] as const)(
    'trap 3: after %s the commit is one of the base, and before it none is told',
    async (method) => {
      const { number, head } = await open();
      const before = await settled(number);
      expect(before).not.toHaveProperty('mergeCommit');
      const answer = await merge(number, head.sha, { method, title: 'Promote' });
      const { mergeCommit, mergedAt, by } = await get(number);
      expect(answer).toEqual({ kind: 'MERGED', commit: mergeCommit });
      expect(await config.git('merge-base', '--is-ancestor', mergeCommit!, 'main').then(() => true)).toBe(true);
      expect([Date.parse(mergedAt!) > 0, by]).toEqual([true, peer.account]);
    },
  );

  test('checks and reviews that are missing pass; they end no wait', async () => {
    peer.protect('config', 'main', { contexts: ['ci'], approvals: 1 });
    const { number, head } = await open();
    await settled(number);
    expect(await merge(number, head.sha)).toMatchObject({ kind: 'NOT_YET', why: expect.stringMatching(/./) });
    await peer.setStatus('config', head.sha, 'ci', 'success');
    expect(await merge(number, head.sha)).toMatchObject({ kind: 'NOT_YET' });
    await peer.approve('config', number);
    expect(await merge(number, head.sha)).toMatchObject({ kind: 'MERGED' });
  });

  test('who may not merge is told so for good, and by the secret', async () => {
    peer.protect('config', 'main', { mergers: ['ada'] });
    const { number, head } = await open();
    await settled(number);
    const refused = merge(number, head.sha);
    await expect(refused).rejects.toBeInstanceOf(PermanentError);
    await expect(refused).rejects.toThrow(/bot/);
  });

  test('closing is done once; one that was merged meanwhile stays merged', async () => {
    const { number } = await open();
    expect(await forge.close(config.url, number, call)).toMatchObject({ state: 'CLOSED' });
    expect(await forge.close(config.url, number, call)).toMatchObject({ state: 'CLOSED' });
    await peer.reopen('config', number);
    await peer.merge('config', number);
    expect(await forge.close(config.url, number, call)).toMatchObject({ state: 'MERGED' });
  });

  test('one that somebody has closed is not merged, for good', async () => {
    const { number, head } = await open();
    await peer.closePullRequest('config', number);
    await expect(merge(number, head.sha)).rejects.toThrow(/is closed, and cannot be merged/);
    await expect(merge(number, head.sha)).rejects.toBeInstanceOf(PermanentError);
  });

  test('the merge wins the race against the close: the close answers MERGED', async () => {
    const { number } = await open();
    const close = forge.close(config.url, number, call);
    await peer.merge('config', number);
    expect(['MERGED', 'CLOSED']).toContain((await close).state);
    expect((await get(number)).state).toBe((await peer.pullRequest('config', number)).state.toUpperCase());
  });

  test('trap 15: a branch that is gone is deleted, whoever deleted it', async () => {
    const { number } = await open();
    await peer.merge('config', number);
    await forge.deleteBranch(config.url, HEAD, call);
    await forge.deleteBranch(config.url, HEAD, call);
    expect(await config.head(HEAD)).toBeUndefined();
    expect((await peer.counters('config')).deletedBranches).toEqual([HEAD]);
  });

  test('trap 10: an archived repository is refused for good, by name', async () => {
    const { number } = await open();
    peer.archive('config');
    const refused = forge.close(config.url, number, call);
    await expect(refused).rejects.toBeInstanceOf(PermanentError);
    await expect(refused).rejects.toThrow(/acme\/config is archived|acme\/config/);
    expect(await forge.mayMerge(config.url, 'main', call)).toEqual({
      may: false,
      why: 'the repository acme/config is archived',
    });
  });

  test('trap 10: a repository that has moved is not followed; its new address is told', async () => {
    const { number } = await open();
    await peer.rename('acme/config', 'acme/settings');
    const asked = get(number);
    await expect(asked).rejects.toBeInstanceOf(PermanentError);
    await expect(asked).rejects.toThrow(/the repository acme\/config has moved to http:.*acme\/settings: write/);
    await expect(asked).rejects.toMatchObject({ from: 'acme/config', to: 'acme/settings' });
    const told = forge.setStatus(
      config.url,
      (await config.head(HEAD))!,
      { context: 'c', state: 'PENDING', description: '' },
      call,
    );
    await expect(told).rejects.toMatchObject({ from: 'acme/config', to: 'acme/settings' });
    await expect(told).rejects.toBeInstanceOf(RepositoryMoved);
  });

  test('a token that is none names its secret, and is not told', async () => {
    const value = 'no-token-0123456789';
    const stranger = await forgeOf(config.url, kind, { apiUrl: peer.apiUrl, value });
    const asked = stranger.get(config.url, 1, call);
    await expect(asked).rejects.toThrow(/does not take the token of secret "bot".*`sluice secret set bot`/);
    await expect(asked).rejects.not.toThrow(value);
  });

  test('a comment is edited where it is there, and added once', async () => {
    const { number } = await open();
    const comment = (body: string) => forge.comment(config.url, number, { key: 'gates', body }, call);
    await comment('waits for a window');
    await comment('waits for a window');
    await comment('holds');
    await forge.comment(config.url, number, { key: 'other', body: 'x'.repeat(70_000) }, call);
    const { comments, edits } = await peer.counters('config');
    expect([comments, edits]).toEqual([2, 1]);
    const [first, second] = (await peer.pullRequest('config', number)).comments;
    expect(first!.body).toBe('holds\n\n<!-- sluice:gates -->');
    expect(second!.body.length).toBeLessThanOrEqual(65_536);
    expect(second!.body).toMatch(/<!-- sluice:other -->$/);
  });

  test('a status is set in every state, and back', async () => {
    const sha = (await config.head(HEAD))!;
    const set = (state: 'PENDING' | 'SUCCESS' | 'FAILURE' | 'ERROR', description = 'd'.repeat(200)) =>
      forge.setStatus(
        config.url,
        sha,
        { context: 'sluice/shop/eu', state, description, url: 'https://sluice.example/r/1' },
        call,
      );
    for (const state of ['PENDING', 'SUCCESS', 'FAILURE', 'PENDING', 'SUCCESS', 'ERROR'] as const) await set(state);
    const { statuses } = await peer.counters('config');
    expect(statuses.map(({ context, sha: of }) => [context, of])).toEqual(Array(6).fill(['sluice/shop/eu', sha]));
    expect(Math.max(...statuses.map(({ description }) => description!.length))).toBe(140);
  });

  test('a page for people, as a proxy gives it with 200, is no answer: what was asked for is not taken for done', async () => {
    const sha = (await config.head(HEAD))!;
    const { number } = await open();
    const page = {
      when: 'BEFORE',
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html>Sign in',
    } as const;
    const status = { context: 'sluice/shop/eu', state: 'SUCCESS', description: 'd' } as const;
    for (const ask of [
      () => get(number),
      () => forge.setStatus(config.url, sha, status, call),
      () => forge.comment(config.url, number, { key: 'k', body: 'b' }, call),
      () => forge.deleteBranch(config.url, HEAD, call),
    ]) {
      const over = peer.faults.script(/./, page, page, page);
      const error: unknown = await ask().catch((each: unknown) => each);
      over();
      expect(error).toBeInstanceOf(TransientError);
      expect((error as Error).message).toContain('something else than JSON');
    }
  });

  test('the newest touched come first, in one call, and what has not changed is told so', async () => {
    const { number } = await open();
    await config.commit({ 'eu/a.yaml': 'v: 3\n' }, 'Other', { branch: 'other' });
    const second = await open({ head: 'other' });
    const list = (since: object) => forge.list(config.url, since, call);
    const first = await list({});
    expect(first.seen.map((each) => each.number)).toEqual([second.number, number]);
    expect(await list({ etag: first.etag })).toEqual({ seen: [], etag: first.etag, unchanged: true });
    await peer.closePullRequest('config', number);
    const next = await list({ etag: first.etag });
    expect(next.unchanged).toBe(false);
    expect(next.seen[0]).toMatchObject({ number, state: 'CLOSED' });
    const later = new Date(Date.now() + 3_600_000).toISOString();
    expect((await list({ updatedAfter: later })).seen).toEqual([]);
    expect((await list({ updatedAfter: new Date(Date.now() - 60_000).toISOString() })).seen).toHaveLength(2);
  });

  test('whether it may merge is known before', async () => {
    expect(await forge.mayMerge(config.url, 'main', call)).toEqual({ may: true });
    peer.protect('config', 'main', { approvals: 2 });
    expect(await forge.mayMerge(config.url, 'main', call)).toEqual({
      may: false,
      why: expect.stringMatching(/\b2 appro/),
    });
  });

  test('what commits into the branch have to be is known before, and what may not be seen is told', async () => {
    const rules = () => forge.commitRules(config.url, 'main', call);
    expect(await rules()).toEqual({ rules: [] });
    const commits = { signed: true, signedOff: true, linear: true, authorEmail: '@acme\\.example$', message: '^feat' };
    peer.protect('config', 'main', { commits });
    const text = (of: string, expression: string) => ({
      kind: of,
      pattern: { operator: 'REGEX', text: expression, negate: false },
    });
    const texts = [text('AUTHOR_EMAIL', commits.authorEmail), text('MESSAGE', commits.message)];
    const [signatures, signOff, linear] = [{ kind: 'SIGNATURES' }, { kind: 'SIGN_OFF' }, { kind: 'LINEAR_HISTORY' }];
    const expected = {
      github: [signatures, linear, ...texts],
      gitlab: [signatures, signOff, ...texts],
      gitea: [signatures],
    };
    expect(new Set((await rules()).rules.map((each) => JSON.stringify(each)))).toEqual(
      new Set(expected[kind].map((each) => JSON.stringify(each))),
    );
    peer.protect('config', 'main', { commits, hidden: true });
    expect(await rules()).toEqual({ rules: [], unseen: expect.stringMatching(/which takes?( | the role )\S+/) });
  });

  test('a limit of the host holds the next calls of all', async () => {
    const { number } = await open();
    peer.faults.script(/./, FAULTS.tooMany(30));
    await expect(get(number)).rejects.toMatchObject({ retryAfter: 30_000 });
    const before = peer.calls.length;
    await expect(get(number)).rejects.toThrow(/calls of secret "bot" to .* wait: its limit is reached \(429\)/);
    expect(peer.calls.length).toBe(before);
  });
});

describe('GitHub', () => {
  start('github');

  test('nothing to propose is told apart', async () => {
    await config.forcePush('same', (await config.head())!);
    await expect(open({ head: 'same' })).rejects.toBeInstanceOf(NothingToPropose);
    expect(await opened()).toEqual([]);
  });

  test('who closed it is asked of the issue', async () => {
    const { number } = await open();
    await peer.closePullRequest('config', number, 'Ada');
    expect(await get(number)).toMatchObject({ state: 'CLOSED', by: 'Ada' });
  });

  test('a merge queue takes it in, and is asked for once', async () => {
    peer.protect('config', 'main', { queue: true });
    const { number, head } = await open();
    await settled(number);
    expect(await merge(number, head.sha)).toEqual({ kind: 'QUEUED' });
    const again = await merge(number, head.sha);
    expect(['QUEUED', 'MERGED']).toContain(again.kind);
  });

  test('a method that the repository does not allow is refused for good', async () => {
    peer.settings('config').methods = ['squash'];
    const { number, head } = await open();
    await settled(number);
    const refused = merge(number, head.sha, { method: 'REBASE' });
    await expect(refused).rejects.toBeInstanceOf(PermanentError);
    await expect(refused).rejects.toThrow('Rebase merges are not allowed on this repository.');
  });

  test('deliveries that failed are listed, and asked for again', async () => {
    await peer.idle();
    const answers: number[] = [];
    const receiver = await serve((_asked, response) => {
      const status = answers.length === 0 ? 500 : 200;
      answers.push(status);
      response.writeHead(status).end();
    });
    peer.deliveries.to(`http://${receiver.host}/hooks/git/github`, 'a-secret-of-webhooks', 'acme/config');
    const before = new Date(Date.now() - 5_000);
    await open();
    await peer.idle();
    const since = (at: Date, url = `http://${receiver.host}/hooks/`) =>
      forge.deliveries!.since(config.url, at, url, call);
    const [failed] = (await since(before)).filter(({ status }) => status >= 300);
    expect(failed).toMatchObject({ event: 'pull_request', status: 500, redelivery: false });
    expect(await since(before, 'https://elsewhere.example/')).toEqual([]);
    expect(await since(new Date(Date.now() + 60_000))).toEqual([]);
    await forge.deliveries!.redeliver(config.url, failed!, call);
    await peer.idle();
    const again = (await since(before)).filter(({ deliveryId }) => deliveryId === failed!.deliveryId);
    expect(again.map(({ status, redelivery }) => [status, redelivery])).toEqual([
      [200, true],
      [500, false],
    ]);
    receiver.close();
  });
});

describe('a GitHub App', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
  beforeEach(async () => {
    host = await startGitHost();
    const app = { id: '77', publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string, installation: 42 };
    peer = await startForge('github', host, { app });
    config = await host.repository('config');
    await config.commit({ 'eu/a.yaml': 'v: 1\n' }, 'First');
    await config.commit({ 'eu/a.yaml': 'v: 2\n' }, 'Promote', { branch: HEAD });
    budgets = new MemoryBudgets();
    forge = await forgeOf(config.url, 'github', { apiUrl: peer.apiUrl, value: pem, app: { id: '77' }, budgets });
  });
  afterEach(async () => {
    await peer.close();
    await host.close();
  });
  const exchanges = () =>
    peer.calls.filter(({ key }) => key === 'POST /app/installations/{installation_id}/access_tokens');

  test('a token is made for the one repository and what the call needs, and kept', async () => {
    const { number, head } = await open();
    await get(number);
    await Promise.all([get(number), get(number)]);
    await forge.setStatus(config.url, head.sha, { context: 'c', state: 'SUCCESS', description: '' }, call);
    await forge.deleteBranch(config.url, HEAD, call);
    expect(exchanges().map(({ body }) => body)).toEqual([
      { repositories: ['config'], permissions: { pull_requests: 'write' } },
      { repositories: ['config'], permissions: { statuses: 'write' } },
      { repositories: ['config'], permissions: { contents: 'write', pull_requests: 'write' } },
    ]);
    // The exchange is drawn from the App's budget, all else from the installation's.
    expect([...budgets.rows.keys()].sort()).toEqual(['bot/42', 'bot/app']);
  });

  test('calls that begin together make one token, and who stops waiting ends it for no other', async () => {
    const { number } = await peer.pullRequests('config').then(async () => open());
    const fresh = await forgeOf(config.url, 'github', { apiUrl: peer.apiUrl, value: pem, app: { id: '77' } });
    const before = exchanges().length;
    const stop = new AbortController();
    const stopped = fresh.get(config.url, number, { signal: stop.signal });
    const others = [fresh.get(config.url, number, call), fresh.get(config.url, number, call)];
    stop.abort(new Error('stopped'));
    await expect(stopped).rejects.toThrow('stopped');
    expect((await Promise.all(others)).map((each) => each.number)).toEqual([number, number]);
    expect(exchanges().length).toBe(before + 1);
  });

  test('a token that was revoked is replaced, once', async () => {
    const { number } = await open();
    const message = { message: 'Bad credentials', status: '401' };
    peer.faults.script(/GET .*pulls\/1$/, { when: 'BEFORE', status: 401, body: message });
    const before = exchanges().length;
    expect((await get(number)).number).toBe(number);
    expect(exchanges().length).toBe(before + 1);
    peer.faults.script(
      /GET .*pulls\/1$/,
      { when: 'BEFORE', status: 401, body: message },
      { when: 'BEFORE', status: 401, body: message },
    );
    await expect(get(number)).rejects.toThrow(/does not take the key of App 77 in secret "bot"/);
  });

  test('an App that is not there is refused by name, and a key that is none is not quoted', async () => {
    const other = { apiUrl: peer.apiUrl, value: pem };
    const unknown = await forgeOf(config.url, 'github', { ...other, app: { id: '78' } });
    await expect(unknown.get(config.url, 1, call)).rejects.toThrow(/does not take the key of App 78 in secret "bot"/);
    const elsewhere = await forgeOf(config.url, 'github', { ...other, app: { id: '77', installation: '43' } });
    await expect(elsewhere.get(config.url, 1, call)).rejects.toThrow(
      'App 77 of secret "bot" has no installation 43 with acme/config: install it there',
    );
    const value = '-----BEGIN RSA PRIVATE KEY-----\nbm90IGEga2V5\n-----END RSA PRIVATE KEY-----\n';
    const broken = await forgeOf(config.url, 'github', { ...other, value, app: { id: '77' } });
    const asked = broken.get(config.url, 1, call);
    await expect(asked).rejects.toThrow('the private key of App 77 in secret "bot" cannot sign: set it again');
    await expect(asked).rejects.not.toThrow('bm90IGEga2V5');
  });

  test('deliveries are those of the App', async () => {
    expect(await forge.deliveries!.since(config.url, new Date(0), 'https://sluice.example/', call)).toEqual([]);
    expect(peer.calls.map(({ key }) => key)).toEqual(['GET /app/hook/deliveries']);
  });
});

describe('GitLab', () => {
  start('gitlab');

  test('trap 33: a status that has the state already is set, though GitLab refuses it', async () => {
    const sha = (await config.head(HEAD))!;
    const set = (state: 'PENDING' | 'SUCCESS' | 'FAILURE', description: string) =>
      forge.setStatus(config.url, sha, { context: 'sluice/shop/eu', state, description }, call);
    await set('PENDING', 'waits for a window');
    await set('PENDING', 'waits for an approval');
    await set('SUCCESS', 'holds');
    await set('PENDING', 'waits for a window');
    await set('PENDING', 'waits for a window');
    await set('FAILURE', 'on hold');
    const { statuses } = await peer.counters('config');
    expect(statuses.map(({ state, description }) => [state, description])).toEqual([
      ['pending', 'waits for a window'],
      ['success', 'holds'],
      ['pending', 'waits for a window'],
      ['failed', 'on hold'],
    ]);
  });

  describe('with a merge train', () => {
    beforeEach(() => peer.protect('config', 'main', { contexts: ['ci'], queue: true }));
    const trainRef = 'refs/merge-requests/1/train';
    const onTrain = async (): Promise<string> => config.git('for-each-ref', '--format=%(objectname)', trainRef);
    const green = async (sha: string): Promise<void> => peer.setStatus('config', sha, 'ci', 'success');
    const plainMerges = async (): Promise<number | undefined> =>
      (await peer.counters('config')).calls['PUT /projects/{id}/merge_requests/{iid}/merge'];
    /** On the train, once its own pipeline has passed. */
    const boarded = async () => {
      const { number, head } = await open();
      await settled(number);
      expect(await merge(number, head.sha, { method: 'SQUASH' })).toEqual({ kind: 'QUEUED' });
      await green(head.sha);
      return { number, head: head.sha, train: await onTrain() };
    };

    test('trap 8: Sluice boards it and passes it never; the commit of the train is another one than the head', async () => {
      peer.unknownLooks('config', 2);
      const { number, head } = await open();
      // GitLab takes the call and does nothing: it does not know yet whether there are conflicts.
      expect(await merge(number, head.sha)).toMatchObject({ kind: 'NOT_YET' });
      await settled(number);
      expect(await merge(number, head.sha)).toEqual({ kind: 'QUEUED' });
      expect((await get(number)).queue).toEqual({});
      await green(head.sha);
      const train = await onTrain();
      expect(await get(number)).toMatchObject({ state: 'OPEN', head: { sha: head.sha }, queue: { commit: train } });
      expect(train).not.toBe(head.sha);
      expect(await merge(number, head.sha)).toEqual({ kind: 'QUEUED' });
      expect(await plainMerges()).toBeUndefined();
      await green(train);
      const seen = await get(number);
      expect(seen).toMatchObject({ state: 'MERGED', head: { sha: head.sha } });
      expect(seen).not.toHaveProperty('queue');
      expect(await config.head('main')).toBe(train);
    });

    test("a status on the train's commit is there, and none on the head", async () => {
      const { head, train } = await boarded();
      const status = { context: 'sluice/shop/eu', state: 'PENDING' as const, description: 'waits for a window' };
      await forge.setStatus(config.url, train, status, call);
      const { statuses } = await peer.counters('config');
      const ours = statuses.filter(({ context }) => context === 'sluice/shop/eu');
      expect(ours.map(({ sha, state }) => [sha, state])).toEqual([[train, 'pending']]);
      expect(ours[0]!.sha).not.toBe(head);
    });

    test('what falls off the train is open, is on none, and may board again', async () => {
      const { number, head, train } = await boarded();
      await peer.setStatus('config', train, 'ci', 'failed');
      const seen = await get(number);
      expect(seen.state).toBe('OPEN');
      expect(seen).not.toHaveProperty('queue');
      expect(await merge(number, head)).toEqual({ kind: 'QUEUED' });
      expect(await get(number)).toMatchObject({ queue: { commit: await onTrain() } });
    });

    test('closed on the train it is closed, and never merged', async () => {
      const { number, train } = await boarded();
      expect(await forge.close(config.url, number, call)).toMatchObject({ state: 'CLOSED' });
      await green(train);
      expect((await get(number)).state).toBe('CLOSED');
      expect(await config.read('eu/a.yaml')).toBe('v: 1\n');
    });

    test('trap 2: what is pushed onto its branch takes it off the train', async () => {
      const { number, head } = await boarded();
      const pushed = await peer.pushOnto('config', number, { 'eu/a.yaml': 'v: 666\n' });
      expect(await get(number)).toMatchObject({ state: 'OPEN', head: { sha: pushed } });
      await expect(merge(number, head)).rejects.toThrow(`another head: ${pushed}`);
    });
  });
});
