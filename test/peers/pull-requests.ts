import type { Person } from './git.ts';
import { git, GitFailed, ZERO } from './git.ts';
import type { Files, GitHost, HostedRepository, RefMoved } from './git-host.ts';
import { Conflict, contains, mergeable, mergedCommit } from './merging.ts';
import type { Method } from './merging.ts';

export interface PullRequest {
  number: number;
  repository: string;
  title: string;
  body: string;
  head: { branch: string; sha: string };
  base: { branch: string; sha: string };
  state: 'open' | 'closed' | 'merged';
  draft: boolean;
  author: string;
  createdAt: Date;
  updatedAt: Date;
  /** Of the last change, over all of a repository: times have only seconds. */
  order: number;
  closedAt?: Date;
  closedBy?: string;
  mergedBy?: string;
  method?: Method;
  /** The commit at which the base stood after the merge. */
  mergeCommit?: string;
  labels: string[];
  reviewers: string[];
  approvedBy: string[];
  comments: Comment[];
  /** How often somebody looked since head or base moved: at first the host does not know. */
  looks: number;
  autoMerge?: { method: Method; by: string };
  /** Of GitLab: how its author wants it merged. */
  removeSourceBranch?: boolean;
  squash?: boolean;
}

export interface Comment {
  id: number;
  body: string;
  by: string;
  at: Date;
  edits: number;
}

export interface Status {
  id: number;
  sha: string;
  context: string;
  /** As the host calls it. */
  state: string;
  description: string | null;
  url: string | null;
  by: string;
  at: Date;
  /** Milliseconds since the pull request with this head had ended; undefined where it had not. */
  sinceEnd?: number;
}

/** What a branch wants before it takes a merge. */
export interface Protection {
  /** Status contexts that are green on the head. */
  contexts?: string[];
  approvals?: number;
  /** The head holds all of the base. */
  upToDate?: boolean;
  /** Everything goes in by a merge queue. */
  queue?: boolean;
  /** Accounts that may merge; absent: all who may write. */
  mergers?: string[];
  /** Accounts that may push beside; absent: none. */
  pushers?: string[];
  /** What every commit has to be, as the host's API tells it; texts are regular expressions. */
  commits?: { signed?: boolean; signedOff?: boolean; linear?: boolean; authorEmail?: string; message?: string };
  /** Only an administrator sees what commits have to be, and Sluice's account is none. */
  hidden?: boolean;
}

export interface Settings {
  methods: Method[];
  deleteBranchOnMerge: boolean;
  /** Accounts that may write; absent: all. */
  writers?: string[];
}

/** Why a pull request is not merged now. */
export type Obstacle =
  | { kind: 'closed' | 'draft' | 'conflict' | 'behind' | 'queue' | 'permission' | 'moved' | 'empty' }
  | { kind: 'approvals'; missing: number }
  | { kind: 'context'; context: string; state: 'expected' | 'pending' | 'failing' }
  | { kind: 'method'; method: Method };

/** It cannot be merged, for these reasons. */
export class Blocked extends Error {
  override name = 'Blocked';
  readonly obstacles: Obstacle[];

  constructor(obstacles: Obstacle[]) {
    super(`it cannot be merged: ${JSON.stringify(obstacles)}`);
    this.obstacles = obstacles;
  }
}

/** What happened, for those who send webhooks about it. */
export type ForgeEvent =
  | { kind: 'push'; moved: RefMoved }
  | { kind: 'pull'; action: PullAction; pull: PullRequest; by: string; before?: string; from?: PullRequest['base'] }
  | { kind: 'status'; repository: HostedRepository; status: Status }
  | { kind: 'group'; action: 'checks_requested' | 'destroyed'; repository: HostedRepository; group: Group };
export type PullAction =
  | 'opened'
  | 'closed'
  | 'merged'
  | 'reopened'
  | 'edited'
  | 'synchronize'
  | 'enqueued'
  | 'dequeued';

/** A commit that the merge queue has made and waits for: its checks are reported on `headSha`. */
export interface Group {
  pull: PullRequest;
  method: Method;
  ref: string;
  base: string;
  baseSha: string;
  headSha: string;
}

/** How this host differs from the others in what happens by itself. */
export interface Habits {
  /** A pull request whose head somebody pushed to the base counts as merged. */
  noticesForeignMerges: boolean;
  /** Its queue is a merge train: a plain merge passes it, and its commits are in no branch. */
  train: boolean;
  /** Which states of a status are green, and which will not become so by waiting. */
  green: string[];
  red: string[];
}

const personOf = (name: string): Person => ({
  name,
  email: `${name.toLowerCase().replaceAll(/\W+/g, '.')}@example.com`,
});

/** Stable, and different for different names. */
export function idOf(name: string): number {
  let id = 7;
  for (const char of name) id = (id * 31 + char.charCodeAt(0)) % 1_000_003;
  return id + 1_000;
}

/** The pull requests of one repository, on its real branches. */
export class PullRequests {
  readonly settings: Settings = { methods: ['merge', 'squash', 'rebase', 'fast-forward'], deleteBranchOnMerge: false };
  readonly all: PullRequest[] = [];
  readonly statuses: Status[] = [];
  /** By the names of branches. */
  readonly protections = new Map<string, Protection>();
  readonly queue: Group[] = [];
  /** Looks that answer "not known yet" after head or base has moved. */
  unknownLooks = 1;
  readonly #repository: HostedRepository;
  readonly #habits: Habits;
  readonly #tell: (event: ForgeEvent) => void;
  #last: Promise<unknown> = Promise.resolve();
  #order = 0;

  constructor(repository: HostedRepository, habits: Habits, tell: (event: ForgeEvent) => void) {
    this.#repository = repository;
    this.#habits = habits;
    this.#tell = tell;
  }

  get repository(): HostedRepository {
    return this.#repository;
  }

  /** When all that was pushed is known here too. */
  async current(): Promise<void> {
    await this.#repository.settled();
    await this.#alone(async () => undefined);
  }

  get(number: number): PullRequest | undefined {
    return this.all.find((each) => each.number === number);
  }

  must(number: number): PullRequest {
    const pull = this.get(number);
    if (!pull) throw new Error(`there is no pull request ${number} in ${this.#repository.name}`);
    return pull;
  }

  /** @returns the pull request; 'nothing' where the head holds no commit that the base has not; the open one where there is one */
  open(wanted: {
    head: string;
    base: string;
    title: string;
    body?: string;
    draft?: boolean;
    by: string;
    /** GitLab: one without a commit of its own can be opened. */
    mayBeEmpty?: boolean;
  }): Promise<PullRequest | 'nothing' | 'no head' | 'no base' | { open: PullRequest }> {
    return this.#alone(async () => {
      const [headSha, baseSha] = [await this.#repository.head(wanted.head), await this.#repository.head(wanted.base)];
      if (headSha === undefined) return 'no head';
      if (baseSha === undefined) return 'no base';
      const open = this.all.find(
        (each) => each.state === 'open' && each.head.branch === wanted.head && each.base.branch === wanted.base,
      );
      if (open) return { open };
      if (!wanted.mayBeEmpty && (await contains(this.#repository, baseSha, headSha))) return 'nothing';
      const now = new Date();
      const pull: PullRequest = {
        number: this.all.length + 1,
        repository: this.#repository.name,
        title: wanted.title,
        body: wanted.body ?? '',
        head: { branch: wanted.head, sha: headSha },
        base: { branch: wanted.base, sha: baseSha },
        state: 'open',
        draft: wanted.draft ?? false,
        author: wanted.by,
        createdAt: now,
        updatedAt: now,
        order: 0,
        labels: [],
        reviewers: [],
        approvedBy: [],
        comments: [],
        looks: 0,
      };
      this.all.push(pull);
      this.#touch(pull);
      this.#tell({ kind: 'pull', action: 'opened', pull, by: wanted.by });
      return pull;
    });
  }

  /** Anything about it that is no state: title, labels, a comment. */
  edit(pull: PullRequest, change: (pull: PullRequest) => void): Promise<void> {
    return this.#alone(async () => {
      change(pull);
      this.#touch(pull);
    });
  }

  /** @returns false where it was closed or merged already */
  close(pull: PullRequest, by: string): Promise<boolean> {
    return this.#alone(async () => {
      const closed = this.#close(pull, by);
      if (closed) await this.#leaves(pull);
      return closed;
    });
  }

  reopen(pull: PullRequest, by: string): Promise<void> {
    return this.#alone(async () => {
      if (pull.state !== 'closed') throw new Error(`pull request ${pull.number} is ${pull.state}`);
      const sha = await this.#repository.head(pull.head.branch);
      if (sha === undefined) throw new Error(`branch ${pull.head.branch} is gone`);
      Object.assign(pull, { state: 'open', closedAt: undefined, closedBy: undefined, looks: 0 });
      pull.head.sha = sha;
      this.#touch(pull);
      this.#tell({ kind: 'pull', action: 'reopened', pull, by });
    });
  }

  retarget(pull: PullRequest, base: string, by: string): Promise<void> {
    return this.#alone(async () => {
      const sha = await this.#repository.head(base);
      if (sha === undefined) throw new Error(`there is no branch ${base}`);
      const from = pull.base;
      pull.base = { branch: base, sha };
      pull.looks = 0;
      this.#touch(pull);
      this.#tell({ kind: 'pull', action: 'edited', pull, by, from });
    });
  }

  /** Somebody commits onto its branch. @returns the new head */
  async pushOnto(pull: PullRequest, files: Files, message: string, by: string): Promise<string> {
    const sha = await this.#repository.commit(files, message, { branch: pull.head.branch, author: personOf(by), by });
    await this.current();
    return sha;
  }

  /** The base is merged into its branch: "update branch". @returns the new head */
  updateBranch(pull: PullRequest, by: string): Promise<string> {
    return this.#alone(async () => {
      const [base, head] = [(await this.#repository.head(pull.base.branch))!, pull.head.sha];
      const message = `Merge branch '${pull.base.branch}' into ${pull.head.branch}`;
      const merged = await mergedCommit(this.#repository, 'merge', {
        base: head,
        head: base,
        message,
        by: personOf(by),
      });
      await this.#repository.setRef(`refs/heads/${pull.head.branch}`, merged, head, by);
      return merged;
    });
  }

  approve(pull: PullRequest, by: string): Promise<void> {
    return this.#alone(async () => {
      pull.approvedBy.push(by);
      this.#touch(pull);
      await this.#automatically();
    });
  }

  /** Merges when nothing is in the way any more: at once, perhaps. */
  mergeWhenGreen(pull: PullRequest, method: Method, by: string): Promise<void> {
    return this.#alone(async () => {
      pull.autoMerge = { method, by };
      this.#touch(pull);
      await this.#automatically();
    });
  }

  /**
   * Merges it now.
   * @param how `bypass`: an administrator, who may ignore what the branch wants
   * @throws Blocked
   */
  merge(
    pull: PullRequest,
    method: Method,
    how: { by: string; bypass?: boolean; title?: string; queued?: boolean },
  ): Promise<string> {
    return this.#alone(() => this.#merge(pull, method, how));
  }

  /** @throws Blocked */
  enqueue(pull: PullRequest, method: Method, by: string): Promise<void> {
    return this.#alone(async () => {
      const obstacles = (await this.obstacles(pull, { by })).filter(
        ({ kind }) => kind !== 'queue' && kind !== 'context',
      );
      if (obstacles.length > 0) throw new Blocked(obstacles);
      await this.#enqueue(pull, method, by);
      await this.#automatically();
    });
  }

  async #enqueue(pull: PullRequest, method: Method, by: string): Promise<void> {
    if (this.queue.some((each) => each.pull === pull)) return;
    this.#tell({ kind: 'pull', action: 'enqueued', pull, by });
    this.#touch(pull);
    await this.#group(pull, method);
  }

  /**
   * A status is set, and what waited for it goes on.
   * @returns undefined where the host keeps no more of this context
   */
  setStatus(
    wanted: Pick<Status, 'sha' | 'context' | 'state' | 'description' | 'url' | 'by'>,
    most = 1_000,
  ): Promise<Status | undefined> {
    return this.#alone(async () => {
      const same = this.statusesOf(wanted.sha).filter((each) => sameContext(each, wanted));
      if (same.length >= most) return undefined;
      const of = this.all.filter((each) => each.head.sha === wanted.sha);
      const ended = of.length > 0 && of.every((each) => each.state !== 'open');
      const last = Math.max(...of.map((each) => each.closedAt?.getTime() ?? 0));
      const status: Status = {
        ...wanted,
        id: this.statuses.length + 1,
        at: new Date(),
        ...(ended && { sinceEnd: Date.now() - last }),
      };
      this.statuses.push(status);
      this.#tell({ kind: 'status', repository: this.#repository, status });
      await this.#automatically();
      return status;
    });
  }

  /** Newest first. */
  statusesOf(sha: string): Status[] {
    return this.statuses.filter((each) => each.sha === sha).toReversed();
  }

  /** The newest of each context. */
  combined(sha: string): Status[] {
    const all = this.statusesOf(sha);
    return all.filter((each, index) => all.findIndex((other) => sameContext(other, each)) === index);
  }

  /** What keeps it from being merged now. */
  async obstacles(pull: PullRequest, how: { by?: string; method?: Method } = {}): Promise<Obstacle[]> {
    const { by, method } = how;
    if (pull.state !== 'open') return [{ kind: 'closed' }];
    const wants = this.protections.get(pull.base.branch) ?? {};
    const found: Obstacle[] = [];
    if (by !== undefined && !this.mayMerge(by, pull.base.branch)) found.push({ kind: 'permission' });
    if (pull.draft) found.push({ kind: 'draft' });
    const base = (await this.#repository.head(pull.base.branch))!;
    if (!(await mergeable(this.#repository, base, pull.head.sha))) found.push({ kind: 'conflict' });
    if (method !== undefined && !this.settings.methods.includes(method)) found.push({ kind: 'method', method });
    const missing = (wants.approvals ?? 0) - new Set(pull.approvedBy).size;
    if (missing > 0) found.push({ kind: 'approvals', missing });
    found.push(...this.#contexts(wants, pull.head.sha));
    if (wants.upToDate && !(await contains(this.#repository, pull.head.sha, base))) found.push({ kind: 'behind' });
    if (wants.queue) found.push({ kind: 'queue' });
    if (await contains(this.#repository, base, pull.head.sha)) found.push({ kind: 'empty' });
    return found;
  }

  mayMerge(account: string, branch: string): boolean {
    const mergers = this.protections.get(branch)?.mergers;
    return (
      !this.#repository.archived &&
      (this.settings.writers?.includes(account) ?? true) &&
      (mergers?.includes(account) ?? true)
    );
  }

  /** What a branch wants from now on; pushes are refused but by its pushers. */
  protect(branch: string, wants: Protection): void {
    this.protections.set(branch, wants);
    const known = this.#repository.rules.protectedBranches;
    this.#repository.insistOn({ protectedBranches: { ...known, [branch]: { allow: wants.pushers ?? [] } } });
  }

  /** Whether base and head go together; undefined while the host has not computed it. Each look brings it nearer. */
  async look(pull: PullRequest): Promise<boolean | undefined> {
    pull.looks += 1;
    if (pull.state === 'open' && pull.looks <= this.unknownLooks) return undefined;
    const base = (await this.#repository.head(pull.base.branch)) ?? pull.base.sha;
    return await mergeable(this.#repository, base, pull.head.sha);
  }

  /** A ref has moved: pull requests of that branch follow. */
  noticed(moved: RefMoved): void {
    this.#tell({ kind: 'push', moved });
    void this.#alone(() => this.#follow(moved));
  }

  async #follow({ ref, after, before, by }: RefMoved): Promise<void> {
    const branch = ref.replace('refs/heads/', '');
    for (const pull of this.all.filter((each) => each.state === 'open')) {
      if (branch === pull.head.branch) {
        if (after !== pull.head.sha) await this.#leaves(pull);
        if (after === ZERO) this.#close(pull, by);
        else if (after !== pull.head.sha) {
          pull.head.sha = after;
          pull.looks = 0;
          this.#touch(pull);
          this.#tell({ kind: 'pull', action: 'synchronize', pull, by, before });
        }
      } else if (branch === pull.base.branch && after !== ZERO) {
        pull.looks = 0;
        pull.base.sha = after;
        if (this.#habits.noticesForeignMerges && (await contains(this.#repository, after, pull.head.sha)))
          this.#merged(pull, 'merge', by, after);
      }
    }
    await this.#automatically();
  }

  async #merge(
    pull: PullRequest,
    method: Method,
    how: { by: string; bypass?: boolean; title?: string },
  ): Promise<string> {
    const obstacles = await this.obstacles(pull, { by: how.by, method });
    const final = obstacles.filter(({ kind }) =>
      how.bypass ? kind === 'closed' || kind === 'conflict' : kind !== 'queue' || !this.#habits.train,
    );
    if (final.length > 0) throw new Blocked(final);
    const base = (await this.#repository.head(pull.base.branch))!;
    const commit = await this.#commitOf(pull, method, base, how);
    try {
      await this.#repository.setRef(`refs/heads/${pull.base.branch}`, commit, base, how.by);
    } catch (error) {
      // Somebody pushed in between.
      if (error instanceof GitFailed) throw new Blocked([{ kind: 'moved' }]);
      throw error;
    }
    this.#merged(pull, method, how.by, commit);
    if (this.settings.deleteBranchOnMerge || pull.removeSourceBranch)
      await this.#repository.deleteBranch(pull.head.branch, how.by);
    return commit;
  }

  async #commitOf(
    pull: PullRequest,
    method: Method,
    base: string,
    { by, title }: { by: string; title?: string },
  ): Promise<string> {
    const { head, number } = pull;
    const message =
      method === 'merge'
        ? `${title ?? `Merge pull request #${number} from ${head.branch}`}\n\n${pull.title}`
        : `${title ?? `${pull.title} (#${number})`}\n\n${await this.#repository.git('log', '--format=* %B', `${base}..${head.sha}`)}`;
    try {
      return await mergedCommit(this.#repository, method, { base, head: head.sha, message, by: personOf(by) });
    } catch (error) {
      throw error instanceof Conflict ? new Blocked([{ kind: 'conflict' }]) : error;
    }
  }

  #merged(pull: PullRequest, method: Method, by: string, commit: string): void {
    Object.assign(pull, {
      state: 'merged',
      mergedBy: by,
      mergeCommit: commit,
      method,
      closedAt: new Date(),
      closedBy: by,
    });
    this.#touch(pull);
    this.#tell({ kind: 'pull', action: 'merged', pull, by });
  }

  #close(pull: PullRequest, by: string): boolean {
    if (pull.state !== 'open') return false;
    Object.assign(pull, { state: 'closed', closedAt: new Date(), closedBy: by });
    this.#touch(pull);
    this.#tell({ kind: 'pull', action: 'closed', pull, by });
    return true;
  }

  #touch(pull: PullRequest): void {
    this.#order += 1;
    pull.updatedAt = new Date();
    pull.order = this.#order;
  }

  #contexts(wants: Protection, sha: string): Obstacle[] {
    const has = this.combined(sha);
    return (wants.contexts ?? []).flatMap((context): Obstacle[] => {
      const status = has.find((each) => sameContext(each, { context }));
      if (status && this.#habits.green.includes(status.state)) return [];
      const failing = status && this.#habits.red.includes(status.state);
      return [{ kind: 'context', context, state: !status ? 'expected' : failing ? 'failing' : 'pending' }];
    });
  }

  /** What merges by itself: auto-merge, and the head of the queue. */
  async #automatically(): Promise<void> {
    for (const pull of this.all) {
      if (pull.state !== 'open' || !pull.autoMerge) continue;
      const { method, by } = pull.autoMerge;
      const obstacles = await this.obstacles(pull, { by, method });
      if (obstacles.some(({ kind }) => kind !== 'queue')) continue;
      await (obstacles.length > 0 ? this.#enqueue(pull, method, by) : this.#merge(pull, method, { by }));
    }
    for (let group = this.queue[0]; group; group = this.queue[0]) {
      const wants = this.protections.get(group.base) ?? {};
      const open = this.#contexts(wants, group.headSha);
      if (open.some((each) => each.kind === 'context' && each.state === 'failing')) await this.#dequeue(group);
      else if (open.length === 0) await this.#mergeGroup(group);
      else return;
    }
  }

  /** A commit on top of the base, or of the group before it, in a branch of the queue. */
  async #group(pull: PullRequest, method: Method): Promise<void> {
    const baseSha = this.queue.at(-1)?.headSha ?? (await this.#repository.head(pull.base.branch))!;
    const headSha = await this.#commitOf(pull, method, baseSha, { by: 'merge-queue' });
    const ref = this.#habits.train
      ? `refs/merge-requests/${pull.number}/train`
      : `refs/heads/gh-readonly-queue/${pull.base.branch}/pr-${pull.number}-${baseSha}`;
    const group: Group = { pull, method, ref, base: pull.base.branch, baseSha, headSha };
    this.queue.push(group);
    await this.#repository.setRef(ref, headSha, undefined, 'merge-queue');
    this.#tell({ kind: 'group', action: 'checks_requested', repository: this.#repository, group });
  }

  async #mergeGroup(group: Group): Promise<void> {
    const { pull, method, headSha, base, baseSha, ref } = group;
    this.queue.shift();
    await this.#repository.setRef(`refs/heads/${base}`, headSha, baseSha, 'merge-queue');
    this.#merged(pull, method, 'merge-queue', headSha);
    this.#tell({ kind: 'group', action: 'destroyed', repository: this.#repository, group });
    await this.#repository.setRef(ref, ZERO, undefined, 'merge-queue');
    if (this.settings.deleteBranchOnMerge) await this.#repository.deleteBranch(pull.head.branch, 'merge-queue');
  }

  /** Closed, or with another head, it is not merged by the queue. */
  async #leaves(pull: PullRequest): Promise<void> {
    if (this.#habits.train) delete pull.autoMerge;
    const group = this.queue.find((each) => each.pull === pull);
    if (group) await this.#dequeue(group);
  }

  /** It leaves the queue, and the groups behind it are made anew. */
  async #dequeue(failed: Group): Promise<void> {
    const all = this.queue.splice(0);
    for (const group of all) {
      this.#tell({ kind: 'group', action: 'destroyed', repository: this.#repository, group });
      await this.#repository.setRef(group.ref, ZERO, undefined, 'merge-queue');
    }
    if (this.#habits.train) delete failed.pull.autoMerge;
    this.#touch(failed.pull);
    this.#tell({ kind: 'pull', action: 'dequeued', pull: failed.pull, by: 'merge-queue' });
    for (const group of all) if (group !== failed) await this.#group(group.pull, group.method);
  }

  /** One change of the pull requests after the other. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }
}

/** GitHub: contexts are the same in upper and lower case. */
const sameContext = (one: { context: string }, other: { context: string }): boolean =>
  one.context.toLowerCase() === other.context.toLowerCase();

/** All repositories of a git host, with their pull requests. */
export class Forges {
  readonly #all = new Map<HostedRepository, PullRequests>();
  readonly #gitHost: GitHost;
  readonly #habits: Habits;
  readonly #tell: (event: ForgeEvent) => void;

  constructor(gitHost: GitHost, habits: Habits, tell: (event: ForgeEvent) => void) {
    this.#gitHost = gitHost;
    this.#habits = habits;
    this.#tell = tell;
    gitHost.onRefMoved((moved) => this.#of(moved.repository).noticed(moved));
  }

  /** By its name, or one that it had. Absent where there is no such repository. */
  find(name: string): PullRequests | undefined {
    const repository = this.#gitHost.find(this.#gitHost.renamedTo(name) ?? name);
    return repository && this.#of(repository);
  }

  all(): PullRequests[] {
    return [...this.#all.values()];
  }

  #of(repository: HostedRepository): PullRequests {
    let known = this.#all.get(repository);
    if (!known) {
      known = new PullRequests(repository, this.#habits, this.#tell);
      this.#all.set(repository, known);
    }
    return known;
  }
}

/** The first-parent commits since `before`, newest first. */
export async function commitsBetween(
  repository: HostedRepository,
  before: string,
  after: string,
): Promise<
  { sha: string; tree: string; message: string; at: string; author: Person; committer: Person; files: Files }[]
> {
  const range = before === ZERO ? [after, '-20'] : [`${before}..${after}`];
  const said = await git(repository.path, [
    'log',
    '--format=%H%x00%T%x00%B%x00%cI%x00%an%x00%ae%x00%cn%x00%ce%x01',
    ...range,
  ]);
  return await Promise.all(
    said
      .split('\x01')
      .map((each) => each.trim().split('\0'))
      .filter((parts) => parts.length > 1)
      .map(async ([sha, tree, message, at, an, ae, cn, ce]) => ({
        sha: sha!,
        tree: tree!,
        message: message!.trim(),
        at: at!,
        author: { name: an!, email: ae! },
        committer: { name: cn!, email: ce! },
        files: Object.fromEntries(
          (await repository.git('show', '--format=', '--name-status', '--no-renames', '-m', '--first-parent', sha!))
            .split('\n')
            .filter(Boolean)
            .map((line) => [line.slice(2), line[0]!]),
        ),
      })),
  );
}
