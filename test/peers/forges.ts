import { Deliveries } from './deliveries.ts';
import { startFaultProxy } from './faults.ts';
import type { FaultProxy } from './faults.ts';
import { ZERO } from './git.ts';
import type { Files, GitHost } from './git-host.ts';
import { gitea } from './gitea.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import type { App, Host, HostParts } from './host.ts';
import type { Method } from './merging.ts';
import { Forges } from './pull-requests.ts';
import type { Habits, Protection, PullRequest, PullRequests, Settings, Status } from './pull-requests.ts';
import { serveRest } from './rest.ts';
import type { Call } from './rest.ts';

export type StandInKind = 'github' | 'gitlab' | 'gitea';

export interface ForgeOptions {
  /** Of Sluice's account; absent: one is made up. */
  token?: string;
  /** The name of Sluice's account. */
  account?: string;
  /** GitHub: an App beside the token. */
  app?: App;
  /** Users and `team/NAME` that can be reviewers; absent: everybody. */
  people?: string[];
  /** Gitea: labels that the repositories have; absent: `sluice` and `promotion`. */
  labels?: string[];
}

/** What the stand-in has counted: the judge of what Sluice did. */
export interface Counters {
  /** Pull requests that were opened, each by its head branch. */
  opened: string[];
  closed: string[];
  merged: string[];
  /** Branches that came to be, whoever made them. */
  branches: string[];
  deletedBranches: string[];
  statuses: Status[];
  /** Comments that are there, and how often one was edited. */
  comments: number;
  edits: number;
  /** How often each operation was called: `POST /repos/{owner}/{repo}/pulls`. */
  calls: Record<string, number>;
  /** Requests that were answered with 304. */
  unchanged: number;
}

/** Who does it, and with which rights. */
export interface Doing {
  by?: string;
  /** An administrator ignores what the branch wants. */
  bypass?: boolean;
}

/**
 * A host of pull requests on the repositories of a git host. Its API takes what the real one takes and answers what the real one
 * answers; the other methods are what people do in its pages. Without `by` it is Ada.
 */
export interface TestForge {
  readonly kind: StandInKind;
  /** For the FORGE secret's `apiUrl`: leads through `faults`. */
  readonly apiUrl: string;
  readonly token: string;
  /** Sluice's own account. */
  readonly account: string;
  readonly gitLogin: { username: string; password: string };
  readonly faults: FaultProxy;
  readonly deliveries: Deliveries;
  readonly calls: readonly Call[];
  /** What went against the contract; `close` throws where there is anything. */
  readonly violations: readonly string[];
  pullRequests(repository: string): Promise<readonly PullRequest[]>;
  /** The only open one, or the one with this number. */
  pullRequest(repository: string, number?: number): Promise<PullRequest>;
  settings(repository: string): Settings;
  /** What a branch wants from now on. */
  protect(repository: string, branch: string, wants: Protection): void;
  /** How many looks at a pull request say "not known yet" after a push. */
  unknownLooks(repository: string, looks: number): void;
  /** @returns the commit at which the base stands now. @throws Blocked */
  merge(repository: string, number: number, method?: Method, how?: Doing): Promise<string>;
  enqueue(repository: string, number: number, method?: Method, how?: Doing): Promise<void>;
  mergeWhenGreen(repository: string, number: number, method?: Method, how?: Doing): Promise<void>;
  /** A person opens one for the default branch. @returns its number */
  open(repository: string, head: string, title: string, by?: string): Promise<number>;
  approve(repository: string, number: number, by?: string): Promise<void>;
  closePullRequest(repository: string, number: number, by?: string): Promise<void>;
  reopen(repository: string, number: number, by?: string): Promise<void>;
  retarget(repository: string, number: number, base: string, by?: string): Promise<void>;
  pushOnto(repository: string, number: number, files: Files, message?: string, by?: string): Promise<string>;
  updateBranch(repository: string, number: number, by?: string): Promise<string>;
  deleteBranch(repository: string, branch: string, by?: string): Promise<void>;
  setDraft(repository: string, number: number, draft: boolean): Promise<void>;
  setStatus(repository: string, sha: string, context: string, state: string, by?: string): Promise<void>;
  /** No more changes: pushes and writes are refused. */
  archive(repository: string): void;
  /** When all that happened under the old name is known. */
  rename(from: string, to: string): Promise<void>;
  counters(repository?: string): Promise<Counters>;
  /** When all that happened is known, and all webhooks are sent. */
  idle(): Promise<void>;
  /** @throws where a request, or an answer, went against the contract. */
  close(): Promise<void>;
}

const HOSTS: Record<StandInKind, { host: (parts: HostParts) => Host; habits: Habits }> = {
  github: {
    host: github,
    habits: { noticesForeignMerges: true, train: false, green: ['success'], red: ['failure', 'error'] },
  },
  gitlab: {
    host: gitlab,
    habits: { noticesForeignMerges: true, train: true, green: ['success', 'skipped'], red: ['failed', 'canceled'] },
  },
  gitea: {
    host: gitea,
    // It looks only where an administrator has turned that on.
    habits: { noticesForeignMerges: false, train: false, green: ['success', 'warning'], red: ['failure', 'error'] },
  },
};

export async function startForge(kind: StandInKind, gitHost: GitHost, options: ForgeOptions = {}): Promise<TestForge> {
  const { token = `${kind}-token-of-sluice`, account = 'sluice-bot' } = options;
  const { host: hostOf, habits } = HOSTS[kind];
  const deliveries = new Deliveries((delivery) => host.sign(delivery));
  let telling: Promise<void> = Promise.resolve();
  const failures: string[] = [];
  const forges = new Forges(gitHost, habits, (event) => {
    telling = telling.then(() => host.told(event)).catch((error: unknown) => void failures.push(String(error)));
  });
  const accounts = new Map([[token, account]]);
  const { app, people, labels } = options;
  const host = hostOf({ forges, deliveries, gitHost, token, accounts, app, people, labels });
  gitHost.addLogin(host.gitLogin.username, host.gitLogin.password);
  const rest = await serveRest(host);
  const faults = await startFaultProxy(rest.url);
  const branches: { repository: string; branch: string; made: boolean }[] = [];
  gitHost.onRefMoved(({ repository, ref, before, after }) => {
    if ((before !== ZERO && after !== ZERO) || !ref.startsWith('refs/heads/')) return;
    branches.push({ repository: repository.name, branch: ref.replace('refs/heads/', ''), made: before === ZERO });
  });

  const named = (name: string): string => (name.includes('/') ? name : `acme/${name}`);
  const of = (name: string): PullRequests => {
    const found = forges.find(named(name));
    if (!found) throw new Error(`there is no repository "${name}"`);
    return found;
  };
  const at = async (repository: string, number: number): Promise<[PullRequests, PullRequest]> => {
    const all = of(repository);
    await all.current();
    return [all, all.must(number)];
  };

  return {
    kind,
    apiUrl: `${faults.url}${host.prefix}`,
    token,
    account,
    gitLogin: host.gitLogin,
    faults,
    deliveries,
    calls: rest.calls,
    violations: rest.violations,
    async pullRequests(repository) {
      const all = of(repository);
      await all.current();
      return all.all;
    },
    async pullRequest(repository, number) {
      const all = of(repository);
      await all.current();
      if (number !== undefined) return all.must(number);
      const open = all.all.filter((each) => each.state === 'open');
      if (open.length !== 1) throw new Error(`${open.length} pull requests of ${repository} are open`);
      return open[0]!;
    },
    settings: (repository) => of(repository).settings,
    protect: (repository, branch, wants) => of(repository).protect(branch, wants),
    unknownLooks: (repository, looks) => void (of(repository).unknownLooks = looks),
    async merge(repository, number, method = 'merge', { by = 'Ada', bypass = false } = {}) {
      const [all, pull] = await at(repository, number);
      return await all.merge(pull, method, { by, bypass });
    },
    async enqueue(repository, number, method = 'merge', { by = 'Ada' } = {}) {
      const [all, pull] = await at(repository, number);
      await all.enqueue(pull, method, by);
    },
    async mergeWhenGreen(repository, number, method = 'merge', { by = 'Ada' } = {}) {
      const [all, pull] = await at(repository, number);
      await all.mergeWhenGreen(pull, method, by);
    },
    async open(repository, head, title, by = 'Ada') {
      const all = of(repository);
      const made = await all.open({ head, base: all.repository.branch, title, by });
      if (typeof made === 'string' || 'open' in made) throw new Error(`not opened: ${JSON.stringify(made)}`);
      return made.number;
    },
    async approve(repository, number, by = 'Ada') {
      const [all, pull] = await at(repository, number);
      await all.approve(pull, by);
    },
    async closePullRequest(repository, number, by = 'Ada') {
      const [all, pull] = await at(repository, number);
      await all.close(pull, by);
    },
    async reopen(repository, number, by = 'Ada') {
      const [all, pull] = await at(repository, number);
      await all.reopen(pull, by);
    },
    async retarget(repository, number, base, by = 'Ada') {
      const [all, pull] = await at(repository, number);
      await all.retarget(pull, base, by);
    },
    async pushOnto(repository, number, files, message = 'By hand', by = 'Ada') {
      const [all, pull] = await at(repository, number);
      return await all.pushOnto(pull, files, message, by);
    },
    async updateBranch(repository, number, by = 'Ada') {
      const [all, pull] = await at(repository, number);
      const sha = await all.updateBranch(pull, by);
      await all.current();
      return sha;
    },
    async deleteBranch(repository, branch, by = 'Ada') {
      const all = of(repository);
      await all.repository.deleteBranch(branch, by);
      await all.current();
    },
    async setDraft(repository, number, draft) {
      const [all, pull] = await at(repository, number);
      await all.edit(pull, (each) => void (each.draft = draft));
    },
    async setStatus(repository, sha, context, state, by = 'ci') {
      await of(repository).setStatus({ sha, context, state, description: null, url: null, by });
    },
    archive: (repository) => void (of(repository).repository.archived = true),
    async rename(from, to) {
      await telling;
      gitHost.rename(from, to);
    },
    async counters(repository) {
      const all = repository === undefined ? forges.all() : [of(repository)];
      await Promise.all(all.map((each) => each.current()));
      const names = new Set(all.map((each) => each.repository.name));
      const pulls = all.flatMap((each) => each.all);
      const heads = (state?: PullRequest['state']): string[] =>
        pulls.filter((each) => state === undefined || each.state === state).map((each) => each.head.branch);
      const refs = (made: boolean): string[] =>
        branches.filter((each) => each.made === made && names.has(each.repository)).map((each) => each.branch);
      const calls: Record<string, number> = {};
      for (const { key } of rest.calls) calls[key] = (calls[key] ?? 0) + 1;
      const comments = pulls.flatMap((each) => each.comments);
      return {
        opened: heads(),
        closed: heads('closed'),
        merged: heads('merged'),
        branches: refs(true),
        deletedBranches: refs(false),
        statuses: all.flatMap((each) => each.statuses),
        comments: comments.length,
        edits: comments.reduce((sum, each) => sum + each.edits, 0),
        calls,
        unchanged: rest.calls.filter(({ status }) => status === 304).length,
      };
    },
    async idle() {
      await Promise.all(forges.all().map((each) => each.current()));
      await telling;
      await deliveries.idle();
    },
    async close() {
      await telling;
      await deliveries.close();
      await faults.close();
      await rest.close();
      const wrong = [...rest.violations, ...failures];
      if (wrong.length > 0) throw new Error(`against the contract of ${kind}:\n${wrong.slice(0, 10).join('\n')}`);
    },
  };
}
