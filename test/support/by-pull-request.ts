import { randomBytes } from 'node:crypto';
import { test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import { tellPullRequests } from '../../src/commands/tell-pull-request.ts';
import type { ApprovalSpec, PromotionTemplateSpec, PullRequestPolicy, Specs } from '../../src/core/definitions.ts';
import { DEFAULT_PULL_REQUEST } from '../../src/core/definitions.ts';
import type { ReleaseEvent } from '../../src/core/events.ts';
import type { ReleaseState } from '../../src/core/release.ts';
import { makeFolder } from '../drivers/repository.ts';
import { startForge } from '../peers/forges.ts';
import type { StandInKind, TestForge } from '../peers/forges.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { noBareIds } from './bare-ids.ts';
import { openTestEngine } from './engine.ts';
import type { TestEngine } from './engine.ts';
import { PATIENCE } from './patience.ts';

/** What differs from a flow that goes from dev to eu by pull request. */
export interface Picture {
  pullRequest?: Partial<PullRequestPolicy>;
  rollbackPolicies?: Specs['PromotionFlow']['rollbackPolicies'];
  /** Applications of eu, each in a folder of its name. */
  applications?: string[];
  health?: Specs['Application']['health'];
  concurrency?: Specs['Product']['concurrency'];
  /** Who is asked before eu. */
  approval?: ApprovalSpec;
  /** What is promoted; the tag alone when absent. */
  promotion?: PromotionTemplateSpec['promotion'];
}

/** The repository on the stand-in. */
export const REPOSITORY = 'acme/config';

/** The hosts on which whole promotions by pull request are tried. */
export const HOSTS = ['github', 'gitlab', 'gitea'] as const satisfies readonly StandInKind[];

type Told = (name: string, body: () => Promise<void>, timeout?: number) => void;

/**
 * A test of a story that goes the same way on each host: on one of them, the next one for the next test, and on each with SLUICE_TEST_ALL
 * set. What differs between hosts is in the tests of their clients.
 */
export function hostsByTurns(kind: StandInKind): Told {
  let turn = 0;
  return (name, body, timeout) => {
    const isDue = HOSTS[turn % HOSTS.length] === kind;
    turn += 1;
    if (isDue || process.env['SLUICE_TEST_ALL']) test(name, body, timeout);
  };
}

/** A test of what no host has a part in, among those that are tried on hosts by turns: on the first one alone. */
export function onOneHost(kind: StandInKind): Told {
  return (name, body, timeout) => void (kind === HOSTS[0] && test(name, body, timeout));
}

/** Real git, a host that really merges, the real client, a real engine with a worker. */
export class ByPullRequest {
  private constructor(
    readonly engine: TestEngine,
    readonly host: GitHost,
    readonly forge: TestForge,
    readonly config: HostedRepository,
    private readonly folder: ReturnType<typeof makeFolder>,
  ) {}

  /** @param people who can be reviewers; absent: everybody */
  static async open(kind: StandInKind = 'github', people?: string[]): Promise<ByPullRequest> {
    const folder = makeFolder();
    const host = await startGitHost();
    const forge = await startForge(kind, host, { people });
    const config = await host.repository('config');
    const files = {
      'dev/values.yaml': 'tag: "1"\n',
      'eu/values.yaml': 'tag: "1"\nreplicas: 3\n',
      'eu-2/values.yaml': 'tag: "1"\n',
    };
    await config.commit(files, 'First');
    const engine = await openTestEngine(
      { name: 'postgres', queuePrefix: `t${randomBytes(5).toString('hex')}` },
      {
        SLUICE_GIT_AUTHOR_EMAIL: 'sluice@example.com',
        SLUICE_DATA_DIR: folder.path('data'),
        SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
        SLUICE_GIT_PROTOCOLS: 'http',
        SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
        SLUICE_GIT_CREDENTIALS: JSON.stringify({ [`${host.url}/`]: forge.gitLogin }),
      },
    );
    const use = { kind: 'FORGE' as const, forge: kind, url: `${host.url}/`, apiUrl: forge.apiUrl };
    const kept = await setSecret(engine.app, { name: 'forge', value: forge.token, description: null, use }, 'ada');
    if (kept.refusals) throw new Error(JSON.stringify(kept.refusals));
    await engine.startWorker();
    return new ByPullRequest(engine, host, forge, config, folder);
  }

  async close(): Promise<void> {
    const told = await this.forge.pullRequests(this.config.name);
    noBareIds(told.map(({ title, body, comments }) => [title, body, comments.map((each) => each.body)]));
    await this.engine.close();
    await this.forge.close();
    await this.host.close();
    this.folder.remove();
  }

  git(path: string): Specs['Application']['driver'] {
    return { type: 'git', repoURL: this.config.url, branch: 'main', path };
  }

  /** dev, then eu by pull request. */
  async billing({
    pullRequest,
    rollbackPolicies,
    applications = ['eu'],
    health = { type: 'none' },
    concurrency = 'QUEUE',
    approval,
    promotion = { 'values.yaml': { jsonPaths: ['$.tag'] } },
  }: Picture = {}): Promise<void> {
    const { engine } = this;
    await engine.save('Environment', 'dev', { kind: 'NON_PRODUCTION' });
    await engine.save('Environment', 'eu', { kind: 'PRODUCTION' });
    await engine.save('Product', 'billing', {
      promotionFlows: [],
      concurrency,
      queueLimit: 50,
      promotionTemplate: {
        versionSource: { file: 'values.yaml', jsonPath: '$.tag' },
        promotion,
      },
    });
    const application = (path: string, environment: string, spec: Partial<Specs['Application']> = {}) =>
      engine.save('Application', `billing-${path}`, {
        product: 'billing',
        environment,
        driver: this.git(path),
        health: { type: 'none' },
        ...spec,
      });
    await application('dev', 'dev');
    for (const path of applications) await application(path, 'eu', { health });
    await engine.save('PromotionFlow', 'main', {
      triggerEnvironment: 'dev',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      ...(rollbackPolicies && { rollbackPolicies }),
      steps: [
        {
          environment: 'eu',
          dependsOn: ['dev'],
          policy: { action: 'pr', pullRequest: { ...DEFAULT_PULL_REQUEST, ...pullRequest } },
          ...(approval && { approval }),
        },
      ],
    });
  }

  async release(tag: string): Promise<string> {
    await this.config.commit({ 'dev/values.yaml': `tag: "${tag}"\n` }, `Version ${tag}`);
    return this.engine.trigger({ product: 'billing' });
  }

  /** Until the promotion into eu waits for its merge. */
  waits(id: string): Promise<ReleaseState> {
    return this.engine.reached(id, ({ promotions }) => promotions[1]?.status === 'SUSPENDED');
  }

  /** Until a step of the promotion into eu waits for a reason with these words. */
  waitsBecause(id: string, words: string): Promise<ReleaseState> {
    return this.engine.reached(
      id,
      ({ promotions }) => promotions.at(-1)?.steps.some(({ reason }) => reason?.includes(words)) ?? false,
    );
  }

  /**
   * Until the promotion into eu waits for its merge, its repository is not looked at for an hour unless something tells to, and no look
   * that an earlier one led to is under way: what notices the merge is what the test tells.
   */
  async waitsUnseen(id: string): Promise<void> {
    await this.waits(id);
    const later = `UPDATE watched_repository SET next_look_at = now() + interval '1 hour', pull_next_at = now() + interval '1 hour'
      WHERE claimed_until IS NULL AND pull_claimed_until IS NULL AND looked_at IS NOT NULL AND pull_next_at IS NOT NULL`;
    for (const deadline = Date.now() + PATIENCE; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      if ((await this.engine.app.pool.query(later)).rowCount) break;
      if (Date.now() > deadline) throw new Error('the repository was not looked at');
    }
    const minute = Date.now() + 60_000;
    await this.engine.reached(
      id,
      ({ promotions }) => promotions[1]?.steps.some(({ recheckAt }) => (recheckAt ?? 0) > minute) ?? false,
    );
  }

  /** A push to main was seen. */
  async told(): Promise<number> {
    return (await tellPullRequests(this.engine.app, this.config.url, [{ base: 'main' }], 'PUSH')).told;
  }

  async ofType<T extends ReleaseEvent['type']>(id: string, type: T): Promise<Extract<ReleaseEvent, { type: T }>[]> {
    return (await this.engine.events(id)).filter((each) => each.type === type) as never;
  }

  read(): Promise<string | undefined> {
    return this.config.read('eu/values.yaml', 'main');
  }

  /** What a release that ended FAILED says of it. */
  async failure(id: string): Promise<string> {
    const state = await this.engine.ended(id);
    if (state.status !== 'FAILED') throw new Error(`it ended ${state.status}`);
    return state.firstProblem?.message ?? '';
  }

  /** Until every errand is done. */
  async settled(): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const { rows } = await this.engine.app.pool.query(
        `SELECT key, attempts, last_error FROM outbox WHERE lane = 'errand'`,
      );
      if (rows.length === 0) return;
      if (Date.now() > deadline) throw new Error(`not settled: ${JSON.stringify(rows)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async openThere(): Promise<number[]> {
    const all = await this.forge.pullRequests(REPOSITORY);
    return all.filter(({ state }) => state === 'open').map(({ number }) => number);
  }
}
