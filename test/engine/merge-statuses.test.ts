import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkMergeGroup } from '../../src/commands/check-merge-group.ts';
import { approvePromotion } from '../../src/commands/decide-promotion.ts';
import { holdEnvironment, releaseEnvironment } from '../../src/commands/hold-environment.ts';
import { processNews } from '../../src/commands/process-news.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { tellPullRequests } from '../../src/commands/tell-pull-request.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import type { ApprovalSpec, PullRequestPolicy } from '../../src/core/definitions.ts';
import type { SecretUse } from '../../src/core/secrets.ts';
import { startForge } from '../peers/forges.ts';
import type { StandInKind, TestForge } from '../peers/forges.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { Blocked } from '../peers/pull-requests.ts';
import type { Status } from '../peers/pull-requests.ts';
import { HOSTS, hostsByTurns } from '../support/by-pull-request.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { PATIENCE } from '../support/patience.ts';

/** Whole promotions by pull request, on hosts that really merge: what their protected branch is told, and what it then does. */

const CONTEXT = 'sluice/billing/eu';
/** As each host calls it. */
const GREEN: Record<StandInKind, string> = { github: 'success', gitlab: 'success', gitea: 'success' };
const RED: Record<StandInKind, string> = { github: 'pending', gitlab: 'pending', gitea: 'pending' };

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** dev → eu, where eu is changed by pull request, on a host whose branch wants the status. */
class World {
  readonly kind: StandInKind;
  readonly host: GitHost;
  readonly forge: TestForge;
  readonly live: HostedRepository;
  readonly engine: TestEngine;
  readonly #root: string;

  private constructor(parts: Pick<World, 'kind' | 'host' | 'forge' | 'live' | 'engine'> & { root: string }) {
    ({ kind: this.kind, host: this.host, forge: this.forge, live: this.live, engine: this.engine } = parts);
    this.#root = parts.root;
  }

  static async open(
    kind: StandInKind,
    more: Partial<PullRequestPolicy> = {},
    { approval, queue }: { approval?: ApprovalSpec; queue?: boolean } = {},
  ): Promise<World> {
    const root = mkdtempSync(join(tmpdir(), 'sluice-merges-'));
    const host = await startGitHost();
    const forge = await startForge(kind, host);
    const live = await host.repository('live');
    await live.commit({ 'dev/values.yaml': 'tag: 2\n', 'eu/values.yaml': 'tag: 1\n' }, 'By hand');
    forge.protect('live', 'main', { contexts: [CONTEXT], ...(queue && { queue }) });
    const engine = await openTestEngine(
      { name: 'postgres', queuePrefix: 't' },
      {
        SLUICE_DATA_DIR: join(root, 'data'),
        SLUICE_GIT_PROTOCOLS: 'http',
        SLUICE_GIT_AUTHOR_EMAIL: 'bot@acme.example',
        SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
        SLUICE_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      },
    );
    const secret = async (name: string, value: string, use: SecretUse): Promise<void> => {
      const { refusals } = await setSecret(engine.app, { name, value, description: null, use }, 'ada');
      expect(refusals).toBeUndefined();
    };
    const { username, password } = forge.gitLogin;
    await secret('git', password, { kind: 'GIT', url: `${host.url}/`, username });
    await secret('forge', forge.token, { kind: 'FORGE', forge: kind, url: `${host.url}/`, apiUrl: forge.apiUrl });
    await engine.save('Environment', 'dev', { kind: 'NON_PRODUCTION' });
    await engine.save('Environment', 'eu', { kind: 'PRODUCTION' });
    await engine.save('Product', 'billing', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
    for (const environment of ['dev', 'eu'])
      await engine.save('Application', `billing-${environment}`, {
        product: 'billing',
        environment,
        driver: { type: 'git', repoURL: live.url, branch: 'main', path: environment },
        health: { type: 'none' },
      });
    const policy = { action: 'pr' as const, pullRequest: { ...DEFAULT_PULL_REQUEST, ...more } };
    await engine.save('PromotionFlow', 'to-eu', {
      triggerEnvironment: 'dev',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      steps: [{ environment: 'eu', dependsOn: ['dev'], policy, ...(approval && { approval }) }],
    });
    await engine.startWorker();
    world = new World({ kind, host, forge, live, engine, root });
    return world;
  }

  /** A release whose pull request is open. */
  async proposed(): Promise<{ id: string; number: number; head: string }> {
    const id = await this.engine.trigger({ product: 'billing' });
    const pull = await until(async () => (await this.forge.pullRequests('live')).find((each) => each.state === 'open'));
    return { id, number: pull.number, head: pull.head.sha };
  }

  async statuses(sha: string): Promise<Status[]> {
    const { statuses } = await this.forge.counters('live');
    return statuses.filter((each) => each.sha === sha && each.context === CONTEXT);
  }

  /** The newest status of a commit, once it says so. */
  async says(sha: string, state: string): Promise<Status> {
    const seen = async (): Promise<Status[]> => this.statuses(sha);
    return until(async () => {
      const last = (await seen()).at(-1);
      return last?.state === state ? last : undefined;
    }).catch(async () => {
      const { rows } = await this.engine.app.pool.query(
        'SELECT sha, state, description, last_error, due_at FROM commit_status',
      );
      const heads = await this.engine.app.pool.query(
        'SELECT state, head_sha, proposed_sha, judge_at FROM pull_request',
      );
      throw new Error(`${sha} is not ${state}: ${JSON.stringify([await seen(), rows, heads.rows])}`);
    });
  }

  hold = (): Promise<unknown> => holdEnvironment(this.engine.app, { environment: 'eu', reason: 'audit' }, 'grace');
  lift = (): Promise<unknown> => releaseEnvironment(this.engine.app, { environment: 'eu' }, 'grace');
  look = (number: number): Promise<unknown> =>
    tellPullRequests(this.engine.app, this.live.url, [{ number }], 'WEBHOOK');

  async events(id: string, type: string): Promise<unknown[]> {
    return (await this.engine.events(id)).filter((each) => each.type === type);
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.forge.close();
    await this.host.close();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + PATIENCE; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`it did not come: ${look.toString()}`);
  }
}

describe.each(HOSTS)('on %s', { timeout: 60_000 }, (kind) => {
  const byTurns = hostsByTurns(kind);
  byTurns('the branch takes the merge while all gates hold, and no status follows it', async () => {
    const { engine, forge, live } = await World.open(kind);
    const w = world!;
    const { id, number, head } = await w.proposed();
    await w.says(head, GREEN[kind]);
    await w.hold();
    await w.says(head, RED[kind]);
    await expect(forge.merge('live', number)).rejects.toThrow(Blocked);
    await w.lift();
    await w.says(head, GREEN[kind]);
    await forge.merge('live', number, 'squash');
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await live.read('eu/values.yaml')).toBe('tag: 2\n');
    expect(await w.events(id, 'PullRequestMergedOutsideGates')).toEqual([]);
    await w.hold();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await w.statuses(head)).filter(({ sinceEnd }) => sinceEnd !== undefined)).toEqual([]);
  });

  byTurns('trap 5: a merge outside the gates is recorded with who did it, and goes on to health', async () => {
    const { engine, forge } = await World.open(kind);
    const w = world!;
    const { id, number, head } = await w.proposed();
    await w.says(head, GREEN[kind]);
    await w.hold();
    await w.says(head, RED[kind]);
    await forge.merge('live', number, 'merge', { by: 'Grace', bypass: true });
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await w.events(id, 'PullRequestMergedOutsideGates')).toMatchObject([{ number, unmet: [{ gate: 'HOLD' }] }]);
    const { rows } = await engine.app.pool.query<{ action: string; outcome: string }>(
      `SELECT action, outcome FROM audit_log WHERE objects @> $1::jsonb AND transport = 'GIT_HOST'`,
      [JSON.stringify([{ kind: 'Release', name: id }])],
    );
    expect(rows).toEqual([{ action: 'pullRequestMergedOutsideGates', outcome: 'DONE' }]);
  });

  byTurns('trap 7: with auto-merge the host merges when the last approval is there, and not before', async () => {
    const approval = { rules: [{ count: 2 }], forbidInitiator: true, expiry: 60_000, onExpiry: 'FAIL' as const };
    const { engine, forge } = await World.open(kind, { open: 'AT_ONCE' }, { approval });
    const w = world!;
    const { id, number, head } = await w.proposed();
    await w.says(head, RED[kind]);
    await forge.mergeWhenGreen('live', number);
    const approve = (name: string): Promise<unknown> =>
      approvePromotion(
        engine.app,
        { releaseId: id, environment: 'eu' },
        { name, kind: 'PERSON', groups: [], roles: [] },
      );
    await approve('grace');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await forge.pullRequest('live', number)).state).toBe('open');
    await approve('alan');
    await until(async () => ((await forge.pullRequest('live', number)).state === 'merged' ? true : undefined));
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await w.events(id, 'PullRequestMergedOutsideGates')).toEqual([]);
  });

  byTurns('trap 2: what is pushed onto the branch is an error there; "update branch" keeps the status', async () => {
    const { forge, live } = await World.open(kind);
    const w = world!;
    const { number, head } = await w.proposed();
    await w.says(head, GREEN[kind]);
    await live.commit({ 'other/file': 'x\n' }, 'Somebody else');
    const updated = await forge.updateBranch('live', number);
    await w.look(number);
    await w.says(updated, GREEN[kind]);
    const pushed = await forge.pushOnto('live', number, { 'eu/values.yaml': 'tag: 3\n' });
    await w.look(number);
    await w.says(pushed, kind === 'gitlab' ? 'failed' : 'error');
  });
});

test('trap 8: a merge queue is told of its own commit, and merges no red one', { timeout: 60_000 }, async () => {
  const { engine, forge, live } = await World.open('github', {}, { queue: true });
  const w = world!;
  const { id, number, head } = await w.proposed();
  await w.says(head, 'success');
  await w.hold();
  await w.says(head, 'pending');
  await forge.enqueue('live', number, 'squash');
  const group = async (): Promise<string> =>
    until(async () => {
      const refs = await live.git('for-each-ref', '--format=%(objectname)', 'refs/heads/gh-readonly-queue');
      return refs.split('\n').find(Boolean);
    });
  const commit = await group();
  const asked = { repository: live.url, commit, base: 'main' };
  // The host tells of a commit before all that serve it have it: until it is there it is not known what is in it.
  const late = 'f'.repeat(40);
  await expect(checkMergeGroup(engine.app, { ...asked, commit: late })).rejects.toThrow('cannot be fetched yet');
  const { rows } = await engine.app.pool.query('SELECT state FROM commit_status WHERE sha = $1', [late]);
  expect(rows).toEqual([]);
  // As its webhook tells it, which is verified and stored by then.
  const projection = {
    event: 'merge_group',
    repositories: [live.url],
    news: [{ kind: 'MERGE_GROUP', commit, base: 'main' }],
  };
  const use = { kind: 'WEBHOOK' as const, source: 'github', products: [], repositories: [`${w.host.url}/`] };
  const delivery = {
    id: randomUUID(),
    purpose: 'git',
    source: 'github',
    verifiedBy: 'hook',
    body: JSON.stringify(projection),
  };
  await processNews(engine.app, delivery as Parameters<typeof processNews>[1], use);
  await w.says(commit, 'pending');
  expect((await forge.pullRequest('live', number)).state).toBe('open');
  await w.lift();
  await until(async () => ((await forge.pullRequest('live', number)).state === 'merged' ? true : undefined));
  await w.look(number);
  expect((await engine.ended(id)).status).toBe('SUCCEEDED');
  // A group of other people's requests is let through: a check that is required would hold the queue for good.
  const other = await live.commit({ 'other/file': 'x\n' }, 'Of people', { branch: 'gh-readonly-queue/main/pr-9-x' });
  expect(await checkMergeGroup(engine.app, { ...asked, commit: other })).toBe('no promotion is in that merge group');
  await w.says(other, 'success');
});

test(
  'trap 33: a reason that changes while a gate waits is sent, and that GitLab keeps the old one is no error',
  { timeout: 60_000 },
  async () => {
    const approval = { rules: [{ count: 1 }], forbidInitiator: true, expiry: 60_000, onExpiry: 'FAIL' as const };
    const { engine, forge } = await World.open('gitlab', { open: 'AT_ONCE' }, { approval });
    const w = world!;
    const { head } = await w.proposed();
    await w.says(head, 'pending');
    await w.hold();
    const sent = await until(async () => {
      const { rows } = await engine.app.pool.query<{ description: string; done: boolean; error: string | null }>(
        `SELECT description, generation = applied AS done, last_error AS error FROM commit_status WHERE sha = $1`,
        [head],
      );
      return rows.find(({ description, done, error }) => error !== null || (done && description.includes('hold')));
    });
    expect(sent.error).toBeNull();
    const { calls } = await forge.counters('live');
    expect(calls['POST /projects/{id}/statuses/{ref}']).toBeGreaterThan(1);
    expect((await w.statuses(head)).map(({ state }) => state)).toEqual(['pending']);
  },
);

describe('trap 8: a merge train of GitLab', { timeout: 60_000 }, () => {
  const train = async (): Promise<string> =>
    until(async () => {
      const refs = await world!.live.git('for-each-ref', '--format=%(objectname)', 'refs/merge-requests');
      return refs.split('\n').find(Boolean);
    });
  const boardings = async (): Promise<[number | undefined, number | undefined]> => {
    const { calls } = await world!.forge.counters('live');
    const at = '/projects/{id}/';
    return [calls[`POST ${at}merge_trains/merge_requests/{iid}`], calls[`PUT ${at}merge_requests/{iid}/merge`]];
  };

  test('the commit of the train is told what its gates say, and the head keeps its own', async () => {
    const { engine, forge, live } = await World.open('gitlab', {}, { queue: true });
    const w = world!;
    const { id, number, head } = await w.proposed();
    await w.says(head, 'success');
    await forge.mergeWhenGreen('live', number, 'squash');
    const commit = await train();
    await w.hold();
    await w.says(head, 'pending');
    await w.look(number);
    await w.says(commit, 'pending');
    expect((await forge.pullRequest('live', number)).state).toBe('open');
    const waiting = await engine.reached(id, ({ promotions }) =>
      promotions[1]!.steps.some(({ reason }) => reason?.includes('in the queue of its host') ?? false),
    );
    expect(waiting.endedAt).toBeNull();
    await w.lift();
    await until(async () => ((await forge.pullRequest('live', number)).state === 'merged' ? true : undefined));
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await live.head('main')).toBe(commit);
    expect(await w.events(id, 'PullRequestMergedOutsideGates')).toEqual([]);
    expect(await w.events(id, 'PullRequestClosed')).toEqual([]);
  });

  test('Sluice that merges by itself boards it, and passes nobody', async () => {
    const { engine, forge, live } = await World.open('gitlab', { merge: 'AUTO', method: 'SQUASH' }, { queue: true });
    const w = world!;
    const { id, number } = await w.proposed();
    await until(async () => {
      await w.look(number);
      return (await forge.pullRequest('live', number)).state === 'merged' ? true : undefined;
    });
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('SUCCEEDED');
    expect(await live.read('eu/values.yaml')).toBe('tag: 2\n');
    const [boarded, merged] = await boardings();
    expect(boarded).toBeGreaterThan(0);
    expect(merged).toBeUndefined();
  });
});

test(
  'trap 8: a group with the pull request of an earlier attempt is not called free of promotions',
  { timeout: 60_000 },
  async () => {
    const { engine, forge, live } = await World.open('github', {}, { queue: true });
    const w = world!;
    const { id, number } = await w.proposed();
    await engine.reached(id, ({ promotions }) => promotions[1]?.status === 'SUSPENDED');
    await forge.closePullRequest('live', number, 'grace');
    await w.look(number);
    expect((await engine.ended(id)).status).toBe('FAILED');
    await w.hold();
    await engine.app.releaseEngine.tell(id, { kind: 'retry', by: 'ada' });
    // Its closing is not through yet: the host has it in its queue still.
    await engine.app.pool.query(`UPDATE pull_request SET state = 'OPEN'`);
    const group = (branch: string, files: Record<string, string>): Promise<string> =>
      live.commit(files, 'Of the queue', { branch: `gh-readonly-queue/main/${branch}` });
    const commit = await group('pr-1-x', { 'eu/values.yaml': 'tag: 2\n' });
    const asked = { repository: live.url, base: 'main' };
    expect(await checkMergeGroup(engine.app, { ...asked, commit })).toBe(
      'no promotion is in that merge group, but the change of an earlier attempt: sluice/billing/eu',
    );
    expect((await w.says(commit, 'failure')).description).toContain('an earlier attempt');
    const other = await group('pr-9-x', { 'other/file': 'x\n' });
    await checkMergeGroup(engine.app, { ...asked, commit: other });
    await w.says(other, 'success');
  },
);

test('ROLL_BACK takes back what was merged outside the gates', { timeout: 90_000 }, async () => {
  const { engine, forge, live } = await World.open('github', { onMergeOutsideGates: 'ROLL_BACK' });
  const w = world!;
  const first = await w.proposed();
  await w.says(first.head, 'success');
  await forge.merge('live', first.number);
  await w.look(first.number);
  expect((await engine.ended(first.id)).status).toBe('SUCCEEDED');
  await live.commit({ 'dev/values.yaml': 'tag: 3\n' }, 'Next');
  const next = await w.proposed();
  await w.says(next.head, 'success');
  await w.hold();
  await w.says(next.head, 'pending');
  await forge.merge('live', next.number, 'merge', { by: 'Grace', bypass: true });
  await w.look(next.number);
  const rollback = await until(async () => {
    const { rows } = await engine.app.pool.query<{ id: string; cause: { kind: string } }>(
      `SELECT id, cause FROM rollback WHERE cause->>'kind' = 'MERGED_OUTSIDE_GATES'`,
    );
    return rows[0];
  });
  expect((await engine.ended(rollback.id)).status).toBe('SUCCEEDED');
  expect(await live.read('eu/values.yaml')).toBe('tag: 2\n');
});
