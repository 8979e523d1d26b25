import { afterEach, beforeEach, describe, expect } from 'vitest';
import { whatIsKnown } from '../../src/commands/judge-news.ts';
import { receiveNews } from '../../src/commands/receive-news.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { tellPullRequests } from '../../src/commands/tell-pull-request.ts';
import { closeAbandoned } from '../../src/commands/tidy-pull-requests.ts';
import { pullRequestsOf } from '../../src/store/pull-requests.ts';
import { approvalOf } from '../core/support/builders.ts';
import { serve } from '../drivers/http-server.ts';
import type { TestForge } from '../peers/forges.ts';
import type { HostedRepository } from '../peers/git-host.ts';
import type { Method } from '../peers/merging.ts';
import { ByPullRequest, HOSTS, hostsByTurns, onOneHost } from '../support/by-pull-request.ts';
import type { Picture } from '../support/by-pull-request.ts';
import type { TestEngine } from '../support/engine.ts';

describe.each(HOSTS)('on %s', (kind) => {
  const byTurns = hostsByTurns(kind);
  const once = onOneHost(kind);
  let at: ByPullRequest;
  let forge: TestForge;
  let config: HostedRepository;
  let engine: TestEngine;
  beforeEach(async () => {
    at = await ByPullRequest.open(kind, ['bo']);
    ({ forge, config, engine } = at);
  });
  afterEach(() => at.close());

  const billing = (picture?: Picture): Promise<void> => at.billing(picture);
  const release = (tag: string): Promise<string> => at.release(tag);

  byTurns('a reviewer whom the host does not know fails nothing, and the event says so', async () => {
    await billing({ pullRequest: { reviewers: ['bo', 'mallory'] } });
    const id = await release('2');
    await at.waits(id);
    const [opened] = await at.ofType(id, 'PullRequestOpened');
    expect(opened?.remarks).toEqual([expect.stringContaining('mallory')]);
  });

  describe('trap 3: whichever way it is merged, the deployment is the commit of the branch', () => {
    for (const method of ['merge', 'squash', 'rebase'] satisfies Method[])
      byTurns(method, async () => {
        await billing();
        const id = await release('2');
        await at.waitsUnseen(id);
        const opened = await forge.pullRequest('acme/config');
        expect(opened).toMatchObject({ base: { branch: 'main' }, title: 'Promote billing 2 to eu' });
        expect(await at.read()).toContain('tag: "1"');
        const commit = await forge.merge('acme/config', opened.number, method);
        expect(await at.told()).toBe(1);
        const state = await engine.ended(id);
        expect(state.status).toBe('SUCCEEDED');
        const outputs = Object.assign({}, ...state.promotions.at(-1)!.steps.map((each) => each.outputs));
        expect(outputs).toMatchObject({ COMMIT_SHA: commit, COMMIT_AUTHOR: expect.stringMatching(/./) });
        expect(await at.read()).toBe('tag: "2"\nreplicas: 3\n');
        const [merged, ...others] = await at.ofType(id, 'PullRequestMerged');
        expect(merged).toMatchObject({ number: opened.number, commit, noticedBy: 'PUSH' });
        expect(others).toEqual([]);
        const { rows } = await engine.app.pool.query(
          `SELECT commit_id FROM deployment WHERE environment = 'eu' AND release_id = $1`,
          [id],
        );
        expect(rows).toEqual([{ commit_id: commit }]);
        const counters = await forge.counters('acme/config');
        expect(counters).toMatchObject({ closed: [] });
        expect(counters.opened).toHaveLength(1);
        expect(counters.deletedBranches).toHaveLength(1);
        const [row] = await pullRequestsOf(engine.app.pool, [id]);
        expect(row).toMatchObject({ state: 'MERGED', number: opened.number, branch: counters.opened[0] });
      });
  });

  describe('each end of a pull request is its own', () => {
    once(
      'trap 4: told by webhook, push and poll, three times each, there is one outcome, and the first is named',
      async () => {
        await billing();
        const id = await release('2');
        await at.waitsUnseen(id);
        const { number } = await forge.pullRequest('acme/config');
        await forge.merge('acme/config', number, 'squash');
        const ways = ['WEBHOOK', 'PUSH', 'POLL'] as const;
        await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
        await Promise.all(
          [...ways, ...ways, ...ways].map((via) =>
            tellPullRequests(engine.app, config.url, [{ number }, { base: 'main' }], via),
          ),
        );
        await engine.ended(id);
        const merged = await at.ofType(id, 'PullRequestMerged');
        expect(merged.map(({ noticedBy }) => noticedBy)).toEqual(['WEBHOOK']);
        expect(await at.ofType(id, 'ActionCommitted')).toHaveLength(1);
      },
    );

    byTurns('trap 4: the webhook of the host tells of the merge, as the host signs it', async () => {
      await billing();
      const value = 'a-secret-of-the-webhook';
      const scheme = ({ github: 'GITHUB', gitlab: 'GITLAB_TOKEN', gitea: 'GITEA' } as const)[kind];
      const use = { kind: 'WEBHOOK' as const, source: kind, products: [], scheme };
      await setSecret(engine.app, { name: 'hook', value, description: null, use }, 'ada');
      const answers: string[] = [];
      const receiver = await serve(({ headers, body }, response) => {
        const told = async (): Promise<string> => {
          const secrets = await engine.app.secrets.webhookSecrets(kind, 'git');
          const message = { purpose: 'git' as const, source: kind, address: null, headers, body: Buffer.from(body) };
          return (await receiveNews(engine.app, message, secrets, () => whatIsKnown(engine.app))).kind;
        };
        void told().then((each) => {
          answers.push(each);
          response.writeHead(204).end();
        });
      });
      const id = await release('2');
      await at.waitsUnseen(id);
      forge.deliveries.to(`http://${receiver.host}/`, value, 'acme/config');
      await forge.merge('acme/config', (await forge.pullRequest('acme/config')).number, 'squash');
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      await forge.idle();
      receiver.close();
      expect(new Set(answers)).toEqual(new Set(['STORED']));
      // Its push tells of it, too; whichever is first.
      expect(['WEBHOOK', 'PUSH']).toContain(
        (await at.ofType(id, 'PullRequestMerged')).map(({ noticedBy }) => noticedBy).join(),
      );
    });

    byTurns('merged between the two questions of a look, it is kept as merged', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      // The host says that it is open, and its answer is under way while somebody merges.
      forge.faults.script(/^GET .*\/(pulls|merge_requests)\/\d+$/, { when: 'LATE', after: 4_000 });
      await at.told();
      while (forge.faults.met.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await forge.merge('acme/config', number, 'squash');
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect(await pullRequestsOf(engine.app.pool, [id])).toMatchObject([{ state: 'MERGED', mergedBy: 'Ada' }]);
    });

    byTurns('a host that says later than its git that it is merged is waited for', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      await config.commit(
        { 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' },
        'Its change, and the host has not heard of it',
      );
      await at.told();
      await at.waitsBecause(id, `its host does not say yet that pull request ${number} is merged`);
      await forge.merge('acme/config', number, 'squash', { by: 'grace' });
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ number, by: 'grace' }]);
      await at.settled();
      expect(await forge.counters('acme/config')).toMatchObject({ closed: [] });
    });

    once('one whose change came by another way is closed, also where its host is asked once more', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      await config.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' }, 'By hand');
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      await at.settled();
      expect(await at.openThere()).toEqual([]);
      expect(await at.ofType(id, 'PullRequestClosed')).toMatchObject([{ number, late: true }]);
      expect(await at.ofType(id, 'PullRequestMerged')).toEqual([]);
    });

    once('one whose change came by another way is told to be merged where that came before it was closed', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      forge.faults.script(/^POST .*comments$/, { when: 'BEFORE', status: 502 });
      await config.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' }, 'By hand');
      await at.told();
      while (forge.faults.met.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      await forge.merge('acme/config', number, 'squash', { by: 'grace' });
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      await at.settled();
      expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ number, by: 'grace', late: true }]);
      expect(await at.ofType(id, 'PullRequestClosed')).toEqual([]);
    });

    byTurns('trap 4: where no webhook comes the list of the host is enough', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      await forge.merge('acme/config', (await forge.pullRequest('acme/config')).number, 'rebase');
      await engine.app.pool.query('UPDATE watched_repository SET pull_next_at = now()');
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      const merged = await at.ofType(id, 'PullRequestMerged');
      expect(merged.map(({ noticedBy }) => noticedBy)).toEqual(['POLL']);
    });

    byTurns(
      'trap 9: closed unmerged by a person it fails by name, and a retry takes over the one that was opened again',
      async () => {
        await billing();
        const id = await release('2');
        await at.waitsUnseen(id);
        const { number } = await forge.pullRequest('acme/config');
        await forge.closePullRequest('acme/config', number, 'grace');
        await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
        // Gitea and Forgejo do not say who did it.
        const by = kind === 'gitea' ? undefined : 'grace';
        const whose = by === undefined ? '' : ` by ${by}`;
        expect(await at.failure(id)).toBe(`pull request ${number} was closed${whose} without being merged`);
        const closed = await at.ofType(id, 'PullRequestClosed');
        expect(closed).toMatchObject([{ number, noticedBy: 'WEBHOOK', ...(by !== undefined && { by }) }]);
        await at.settled();
        await forge.reopen('acme/config', number, 'grace');
        await engine.app.releaseEngine.tell(id, { kind: 'retry', by: 'ada' });
        await at.waits(id);
        expect((await forge.counters('acme/config')).opened).toHaveLength(1);
        await forge.merge('acme/config', number, 'merge');
        await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
        expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      },
    );

    byTurns('trap 9: with its branch deleted it is closed, and a retry opens another one', async () => {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const first = await forge.pullRequest('acme/config');
      await forge.deleteBranch('acme/config', first.head.branch, 'grace');
      await at.told();
      expect(await at.failure(id)).toMatch(/was closed( by grace)? without being merged/);
      await engine.app.releaseEngine.tell(id, { kind: 'retry', by: 'ada' });
      await at.waits(id);
      const [open, ...others] = await at.openThere();
      expect(others).toEqual([]);
      const second = await forge.pullRequest('acme/config', open);
      expect(second.head.branch).not.toBe(first.head.branch);
      await forge.merge('acme/config', second.number, 'squash');
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    });

    byTurns('trap 9: for another branch it fails, and is closed', async () => {
      await billing();
      await config.commit({ 'x.yaml': 'x\n' }, 'Another branch', { branch: 'other' });
      const id = await release('2');
      await at.waits(id);
      const { number } = await forge.pullRequest('acme/config');
      await forge.retarget('acme/config', number, 'other', 'grace');
      await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
      expect(await at.failure(id)).toBe(`pull request ${number} is for branch "other" now, and not for "main"`);
      await at.settled();
      expect(await at.openThere()).toEqual([]);
      expect(await at.ofType(id, 'PullRequestClosed')).toMatchObject([{ number, late: true }]);
    });

    byTurns('trap 1: not known is no conflict; found in conflict twice in a row it fails, and is closed', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      forge.unknownLooks('acme/config', 1);
      await config.commit({ 'eu/values.yaml': 'tag: "9"\nreplicas: 3\n' }, 'By hand');
      await at.told();
      await engine.reached(
        id,
        ({ promotions }) => promotions[1]?.steps.some(({ status }) => status === 'WAITING') ?? false,
      );
      await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
      await engine.reached(
        id,
        ({ promotions }) => promotions[1]?.steps.some(({ reason }) => reason?.includes('conflicts') ?? false) ?? false,
      );
      expect((await engine.app.releaseEngine.look(id, { fresh: true }))?.state.endedAt).toBeNull();
      await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
      expect(await at.failure(id)).toBe(`pull request ${number} conflicts with branch "main"`);
      await at.settled();
      expect(await at.openThere()).toEqual([]);
    });

    /** Grace pushes onto the branch of the pull request, and merges it. */
    async function mergedWith(values: string): Promise<{ id: string; number: number }> {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const { number } = await forge.pullRequest('acme/config');
      await forge.pushOnto('acme/config', number, { 'eu/values.yaml': values }, 'By hand', 'grace');
      await forge.merge('acme/config', number, 'squash', { by: 'grace' });
      await at.told();
      return { id, number };
    }

    once(
      'trap 2: merged with commits of others on its branch it fails by name when the content is another one',
      async () => {
        const { id, number } = await mergedWith('tag: "3"\nreplicas: 3\n');
        expect(await at.failure(id)).toBe(
          `pull request ${number} was merged by grace with another content than 2: values.yaml differs`,
        );
        expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ number, by: 'grace' }]);
      },
    );

    once('trap 2: what others added beside the content is theirs, and no failure', async () => {
      const { id } = await mergedWith('tag: "2"\nreplicas: 9\n');
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    });

    byTurns('trap 10: a draft waits and says so; an archived repository ends it', async () => {
      await billing({ pullRequest: { draft: true } });
      const id = await release('2');
      const state = (await at.waits(id)) as { promotions: { steps: { reason: string | null }[] }[] };
      expect(state.promotions[1]?.steps.map(({ reason }) => reason).join()).toContain('is a draft');
      forge.archive('acme/config');
      const { number } = await forge.pullRequest('acme/config');
      await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
      expect(await at.failure(id)).toContain('is archived');
    });

    byTurns(
      'trap 10: a repository with another name fails it with the new address, where the pull request is closed',
      async () => {
        await billing();
        const id = await release('2');
        await at.waitsUnseen(id);
        const { number } = await forge.pullRequest('acme/config');
        const { url } = config;
        await forge.rename('acme/config', 'acme/renamed');
        await tellPullRequests(engine.app, url, [{ number }], 'WEBHOOK');
        // A look that had asked the host before learns it from git, which knows no new address.
        expect(await at.failure(id)).toMatch(/acme\/renamed|it has moved, and redirects are not followed/);
        await at.settled();
        expect(await forge.pullRequest('acme/renamed', number)).toMatchObject({ state: 'closed' });
        expect((await forge.counters('acme/renamed')).deletedBranches).toHaveLength(1);
        expect(await at.ofType(id, 'PullRequestClosed')).toMatchObject([{ number, late: true }]);
      },
    );

    once('trap 10: the list of a repository that was renamed ends what waits there', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      await forge.rename('acme/config', 'acme/renamed');
      await engine.app.pool.query('UPDATE watched_repository SET pull_next_at = now()');
      expect(await at.failure(id)).toContain('acme/renamed');
    });

    once(
      'trap 10: merged at the new address before anything was noticed, the change is recorded as deployed',
      async () => {
        await billing();
        const id = await release('2');
        await at.waitsUnseen(id);
        const { number } = await forge.pullRequest('acme/config');
        const { url } = config;
        await forge.rename('acme/config', 'acme/renamed');
        const commit = await forge.merge('acme/renamed', number, 'squash', { by: 'grace' });
        await tellPullRequests(engine.app, url, [{ number }], 'WEBHOOK');
        await at.failure(id);
        await at.settled();
        expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ number, by: 'grace', late: true, commit }]);
      },
    );

    once('trap 10: another repository took the name: its pull request of the same number is left alone', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      const { url } = config;
      await forge.rename('acme/config', 'acme/renamed');
      const other = await at.host.repository('config');
      await other.commit({ 'eu/values.yaml': 'tag: "1"\n' }, 'First');
      await other.commit({ 'eu/values.yaml': 'tag: "5"\n' }, 'Theirs', { branch: 'theirs' });
      expect(await forge.open('acme/config', 'theirs', 'Theirs')).toBe(number);
      await tellPullRequests(engine.app, url, [{ number }], 'WEBHOOK');
      expect(await at.failure(id)).toContain('it is another one than was opened');
      await at.settled();
      expect(await forge.pullRequest('acme/config', number)).toMatchObject({ state: 'open', comments: [] });
      expect(await pullRequestsOf(engine.app.pool, [id])).toMatchObject([{ state: 'GONE' }]);
    });

    once('trap 10: what another repository of its name has open is not taken over by a retry', async () => {
      await billing();
      const id = await release('2');
      await at.waitsUnseen(id);
      const { number } = await forge.pullRequest('acme/config');
      await forge.closePullRequest('acme/config', number, 'grace');
      await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
      await at.failure(id);
      await at.settled();
      await forge.rename('acme/config', 'acme/renamed');
      const other = await at.host.repository('config');
      await other.commit({ 'eu/values.yaml': 'tag: "1"\n' }, 'First');
      await other.commit({ 'eu/values.yaml': 'tag: "5"\n' }, 'Theirs', { branch: 'theirs' });
      expect(await forge.open('acme/config', 'theirs', 'Theirs')).toBe(number);
      await engine.app.releaseEngine.tell(id, { kind: 'retry', by: 'ada' });
      await at.waits(id);
      const own = (await at.ofType(id, 'PullRequestOpened')).at(-1);
      expect(own?.number).not.toBe(number);
      expect(own?.branch).not.toBe('theirs');
      expect(await forge.pullRequest('acme/config', number)).toMatchObject({ state: 'open', comments: [] });
    });

    once('trap 11: nothing to change opens nothing, and the promotion succeeds', async () => {
      await billing();
      await config.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 3\n' }, 'By hand');
      const id = await release('2');
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect(await forge.counters('acme/config')).toMatchObject({ opened: [] });
      expect((await at.ofType(id, 'ActionCommitted')).at(-1)).toMatchObject({ changed: false });
    });

    once('trap 12: one for the environment brings all applications, and each waits for its own change', async () => {
      await billing({ pullRequest: { group: 'ENVIRONMENT' }, applications: ['eu', 'eu-2'] });
      const id = await release('2');
      await at.waits(id);
      const { number } = await forge.pullRequest('acme/config');
      await forge.merge('acme/config', number, 'squash');
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
      expect((await forge.counters('acme/config')).opened).toHaveLength(1);
      expect(await config.read('eu-2/values.yaml')).toBe('tag: "2"\n');
    });

    once(
      'trap 12: one for the environment waits for the application that changes where another one does not',
      async () => {
        await billing({ pullRequest: { group: 'ENVIRONMENT' }, applications: ['eu', 'eu-2'] });
        await config.commit({ 'eu/values.yaml': 'tag: "2"\n' }, 'by hand');
        const id = await release('2');
        await at.waits(id);
        await at.settled();
        expect(await at.openThere()).toHaveLength(1);
        const { number } = await forge.pullRequest('acme/config');
        await forge.merge('acme/config', number, 'squash');
        await at.told();
        expect((await engine.ended(id)).status).toBe('SUCCEEDED');
        expect(await config.read('eu-2/values.yaml')).toBe('tag: "2"\n');
      },
    );

    once(
      'trap 12: one for the environment that is open is no merge of the application that does not change',
      async () => {
        const pullRequest = { group: 'ENVIRONMENT', open: 'AT_ONCE', onMergeOutsideGates: 'ROLL_BACK' } as const;
        await billing({ pullRequest, applications: ['eu', 'eu-2'], approval: approvalOf('1') });
        const there = await config.commit({ 'eu/values.yaml': 'tag: "2"\n' }, 'by hand');
        const id = await release('2');
        await at.waitsUnseen(id);
        await at.settled();
        const { rows } = await engine.app.pool.query(
          `SELECT application, commit_id AS commit FROM deployment WHERE environment = 'eu' AND release_id = $1`,
          [id],
        );
        expect(rows).toEqual([{ application: 'billing-eu', commit: there }]);
        expect((await at.ofType(id, 'ActionCommitted')).at(-1)).toMatchObject({ commit: there, changed: false });
        expect(await at.ofType(id, 'PullRequestMergedOutsideGates')).toEqual([]);
        const { number } = await forge.pullRequest('acme/config');
        await forge.merge('acme/config', number, 'squash', { by: 'grace' });
        await at.told();
        await engine.ended(id);
        expect(await at.ofType(id, 'PullRequestMergedOutsideGates')).toMatchObject([{ number, by: 'grace' }]);
      },
    );

    once('trap 12: one for each application is one for each', async () => {
      await billing({ applications: ['eu', 'eu-2'] });
      const id = await release('2');
      await engine.reached(id, ({ promotions }) => promotions[1]?.steps.filter((each) => each.outside).length === 2);
      const numbers = await at.openThere();
      expect(numbers).toHaveLength(2);
      for (const number of numbers) await forge.merge('acme/config', number, 'merge');
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    });

    byTurns('trap 15: a host that deletes the branch by itself is no failure', async () => {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const { number, head } = await forge.pullRequest('acme/config');
      await forge.merge('acme/config', number, 'squash');
      await forge.deleteBranch('acme/config', head.branch);
      await at.told();
      expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    });
  });

  describe('what nothing waits for any more is closed', () => {
    byTurns(
      'the branch of one that was merged is deleted, also when its host did not answer that at first',
      async () => {
        await billing();
        const id = await release('2');
        await at.waits(id);
        const { number, head } = await forge.pullRequest('acme/config');
        await forge.merge('acme/config', number, 'squash');
        forge.faults.script(/^DELETE /, { when: 'BEFORE', status: 502 });
        await at.told();
        expect((await engine.ended(id)).status).toBe('SUCCEEDED');
        await at.settled();
        expect((await forge.counters('acme/config')).deletedBranches).toEqual([head.branch]);
        expect(await at.ofType(id, 'PullRequestMerged')).toHaveLength(1);
      },
    );

    byTurns(
      'trap 13: terminated while it is open it is closed, its branch is deleted, and the release says so',
      async () => {
        await billing();
        const id = await release('2');
        await at.waits(id);
        const { number } = await forge.pullRequest('acme/config');
        await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'not today', by: 'ada' });
        expect((await engine.ended(id)).status).toBe('TERMINATED');
        await at.settled();
        expect(await at.openThere()).toEqual([]);
        const counters = await forge.counters('acme/config');
        expect(counters).toMatchObject({ closed: [expect.any(String)], comments: 1 });
        expect(counters.deletedBranches).toEqual(counters.opened);
        expect(await at.ofType(id, 'PullRequestClosed')).toMatchObject([{ number, late: true }]);
      },
    );

    byTurns('a branch of its name that others have made stays, and so does their pull request', async () => {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const { branch } = (await forge.pullRequest('acme/config')).head;
      await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'not today', by: 'ada' });
      await engine.ended(id);
      await at.settled();
      await config.commit({ 'eu/values.yaml': 'tag: "2"\nreplicas: 5\n' }, 'By hand', { branch });
      const theirs = await config.head(branch);
      const { pool } = engine.app;
      const onGitlab = kind === 'gitlab';
      const opened = await fetch(
        `${forge.apiUrl}/${onGitlab ? 'projects/acme%2Fconfig/merge_requests' : 'repos/acme/config/pulls'}`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${forge.token}`, 'content-type': 'application/json' },
          body: JSON.stringify({
            title: 'Theirs',
            ...(onGitlab ? { source_branch: branch, target_branch: 'main' } : { head: branch, base: 'main' }),
          }),
        },
      );
      const { number, iid } = (await opened.json()) as { number: number; iid: number };
      // As after a proposal that was refused because of that branch: none was opened.
      await pool.query(`UPDATE pull_request SET state = 'OPENING', number = NULL`);
      await pool.query(`UPDATE promotion SET ended_at = ended_at - interval '5 minutes' WHERE release_id = $1`, [id]);
      await closeAbandoned(engine.app);
      expect(await config.head(branch)).toBe(theirs);
      expect(await at.openThere()).toEqual([onGitlab ? iid : number]);
      expect((await pullRequestsOf(pool, [id]))[0]).toMatchObject({ state: 'GONE' });
    });

    byTurns('one whose conversation is locked is closed all the same', async () => {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const message = 'Unable to create comment because issue is locked.';
      forge.faults.script(/^POST .*(comments|notes)$/, { when: 'BEFORE', status: 403, body: { message } });
      await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'not today', by: 'ada' });
      await engine.ended(id);
      await at.settled();
      expect(await at.openThere()).toEqual([]);
      expect(await forge.counters('acme/config')).toMatchObject({ closed: [expect.any(String)], comments: 0 });
    });

    once('trap 13: a merge that wins the race against the end is recorded as the deployment that it is', async () => {
      await billing();
      const id = await release('2');
      await at.waits(id);
      const { number } = await forge.pullRequest('acme/config');
      const commit = await forge.merge('acme/config', number, 'squash', { by: 'grace' });
      await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'too late', by: 'ada' });
      const state = await engine.ended(id);
      await at.settled();
      const { rows } = await engine.app.pool.query(`SELECT commit_id FROM deployment WHERE environment = 'eu'`);
      expect(rows).toEqual([{ commit_id: commit }]);
      // The look that the termination cut off may have seen it, too: then it was no race.
      if (state.promotions[1]?.status === 'TERMINATED')
        expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ number, by: 'grace', late: true, commit }]);
    });

    once('an expiry that is over fails it, and closes it', async () => {
      await billing({ pullRequest: { expiry: 1_500 } });
      const id = await release('2');
      expect(await at.failure(id)).toMatch(/its pull request was not merged within 1s500ms/);
      await at.settled();
      expect(await at.openThere()).toEqual([]);
    });
  });

  byTurns('with merge AUTO Sluice merges by itself, and says that it did', async () => {
    await billing({ pullRequest: { merge: 'AUTO', method: 'SQUASH' } });
    const id = await release('2');
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    const [opened] = await forge.pullRequests('acme/config');
    expect(opened).toMatchObject({ state: 'merged', mergedBy: forge.account });
    expect(await at.ofType(id, 'PullRequestMerged')).toMatchObject([{ noticedBy: 'MERGE', by: forge.account }]);
    expect(await at.ofType(id, 'PullRequestMergedOutsideGates')).toEqual([]);
  });

  once('what somebody pushed onto is not merged by Sluice', async () => {
    await billing({ pullRequest: { merge: 'AUTO', draft: true } });
    const id = await release('2');
    await at.waits(id);
    const { number } = await forge.pullRequest('acme/config');
    await forge.pushOnto('acme/config', number, { 'eu/values.yaml': 'tag: "3"\n' }, 'Another tag', 'grace');
    await forge.setDraft('acme/config', number, false);
    await tellPullRequests(engine.app, config.url, [{ number }], 'WEBHOOK');
    await engine.reached(
      id,
      ({ promotions }) =>
        promotions[1]?.steps.some(({ reason }) => reason?.includes('merges only its own') ?? false) ?? false,
    );
    expect(await at.read()).toContain('tag: "1"');
  });
});
