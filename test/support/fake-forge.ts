import type { CommitRule } from '../../src/core/commit-rules.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import type {
  Call,
  Forge,
  HowToMerge,
  MergeAnswer,
  NewPullRequest,
  PullRequestOpened,
  PullRequestSeen,
  WantedStatus,
} from '../../src/drivers/forge/forge.ts';

/** A pull request of the fake, with what it was opened with. */
export interface FakePullRequest extends PullRequestSeen {
  repository: string;
  wanted: NewPullRequest;
  comments: Map<string, string>;
}

/**
 * A forge in memory, for tests that need no git behind it: pull requests, statuses, and what was really done, counted. People act by
 * `closeByPerson`, `mergeByPerson`, `pushOnto`, `retarget`. The stand-ins of test/peers have real repositories and the API of a host.
 */
export class FakeForge implements Forge {
  readonly kind = 'github';
  readonly pullRequests: FakePullRequest[] = [];
  readonly statuses: (WantedStatus & { repository: string; sha: string })[] = [];
  readonly deletedBranches: string[] = [];
  /** What was really done; asking is not counted. */
  readonly counters = { opened: 0, closed: 0, merged: 0, statuses: 0, comments: 0, branchesDeleted: 0 };
  /** Every call by name, in order. */
  readonly calls: string[] = [];
  /** The next call of a method throws this, once each. */
  readonly faults = new Map<keyof Forge, Error>();
  /** A repository that takes no changes any more. */
  readonly archived = new Set<string>();
  /** By `repository base`; absent: it may. */
  readonly protectedBranches = new Map<string, string>();
  /** What `merge` answers instead of merging. */
  mergeAnswer: MergeAnswer | undefined;
  now: () => Date = () => new Date();
  /** The head of a branch, when there is git behind the test. */
  headOf: (repository: string, branch: string) => string = (_, branch) => `sha-of-${branch}`;

  async open(repository: string, wanted: NewPullRequest, call: Call): Promise<PullRequestOpened> {
    this.#enter('open', call);
    const there = this.#newest(repository, wanted);
    if (there) return { ...this.#seen(there), opened: false, remarks: [] };
    const number = this.pullRequests.length + 1;
    const { title, head: branch, base, draft = false } = wanted;
    const made: FakePullRequest = {
      repository,
      number,
      url: `${repository.replace(/\.git$/, '')}/pull/${number}`,
      state: 'OPEN',
      draft,
      title,
      head: { branch, sha: this.headOf(repository, branch) },
      base,
      mergeable: 'YES',
      updatedAt: this.now().toISOString(),
      wanted,
      comments: new Map(),
    };
    this.pullRequests.push(made);
    this.counters.opened += 1;
    return { ...this.#seen(made), opened: true, remarks: [] };
  }

  async find(
    repository: string,
    by: { head: string; base?: string | undefined },
    call: Call,
  ): Promise<PullRequestSeen | undefined> {
    this.#enter('find', call);
    const found = this.#newest(repository, by);
    return found && this.#seen(found);
  }

  async get(repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    this.#enter('get', call);
    return this.#seen(this.pullRequest(repository, number));
  }

  async list(
    repository: string,
    since: { etag?: string | undefined; updatedAfter?: string | undefined },
    call: Call,
  ): Promise<{ seen: PullRequestSeen[]; etag?: string; unchanged: boolean }> {
    this.#enter('list', call);
    const all = this.pullRequests.filter((each) => each.repository === repository).map((each) => this.#seen(each));
    const etag = JSON.stringify(all);
    if (since.etag === etag) return { seen: [], etag, unchanged: true };
    const { updatedAfter } = since;
    const seen = all.filter(({ updatedAt }) => updatedAfter === undefined || updatedAt >= updatedAfter);
    return { seen: seen.sort((a, b) => (a.updatedAt < b.updatedAt ? 1 : -1)), etag, unchanged: false };
  }

  async close(repository: string, number: number, call: Call): Promise<PullRequestSeen> {
    this.#enter('close', call);
    this.#writable(repository);
    const one = this.pullRequest(repository, number);
    if (one.state === 'OPEN') {
      this.#change(one, { state: 'CLOSED', by: 'sluice' });
      this.counters.closed += 1;
    }
    return this.#seen(one);
  }

  async merge(repository: string, number: number, { sha }: HowToMerge, call: Call): Promise<MergeAnswer> {
    this.#enter('merge', call);
    this.#writable(repository);
    const one = this.pullRequest(repository, number);
    if (one.state === 'MERGED') return { kind: 'MERGED', ...(one.mergeCommit && { commit: one.mergeCommit }) };
    if (one.state === 'CLOSED') throw new PermanentError(`pull request #${number} is closed`);
    if (one.head.sha !== sha)
      throw new PermanentError(`the head of pull request #${number} is ${one.head.sha}, not ${sha}`);
    if (this.mergeAnswer) return this.mergeAnswer;
    if (one.mergeable === 'NO') throw new PermanentError(`pull request #${number} has conflicts with ${one.base}`);
    this.mergeByPerson(repository, number, { by: 'sluice' });
    return { kind: 'MERGED', commit: one.mergeCommit! };
  }

  async deleteBranch(repository: string, branch: string, call: Call): Promise<void> {
    this.#enter('deleteBranch', call);
    this.deletedBranches.push(branch);
    this.counters.branchesDeleted += 1;
    // A host closes what has lost its head.
    for (const each of this.pullRequests)
      if (each.repository === repository && each.head.branch === branch && each.state === 'OPEN')
        this.#change(each, { state: 'CLOSED' });
  }

  async setStatus(repository: string, sha: string, status: WantedStatus, call: Call): Promise<void> {
    this.#enter('setStatus', call);
    this.statuses.push({ ...status, repository, sha });
    this.counters.statuses += 1;
  }

  async comment(
    repository: string,
    number: number,
    { key, body }: { key: string; body: string },
    call: Call,
  ): Promise<void> {
    this.#enter('comment', call);
    this.pullRequest(repository, number).comments.set(key, body);
    this.counters.comments += 1;
  }

  async mayMerge(repository: string, base: string, call: Call): Promise<{ may: boolean; why?: string }> {
    this.#enter('mayMerge', call);
    const why = this.protectedBranches.get(`${repository} ${base}`);
    return why === undefined ? { may: true } : { may: false, why };
  }

  /** By `repository base`. */
  readonly commitsWanted = new Map<string, CommitRule[]>();

  async commitRules(repository: string, base: string, call: Call): Promise<{ rules: CommitRule[] }> {
    this.#enter('commitRules', call);
    return { rules: this.commitsWanted.get(`${repository} ${base}`) ?? [] };
  }

  /** As it stands, to be looked at; people's actions change it. */
  pullRequest(repository: string, number: number): FakePullRequest {
    const found = this.pullRequests.find((each) => each.repository === repository && each.number === number);
    if (!found) throw new PermanentError(`${repository} has no pull request #${number}`);
    return found;
  }

  /** The status that holds for a commit and context now. */
  statusOf(sha: string, context: string): WantedStatus | undefined {
    return this.statuses.findLast((each) => each.sha === sha && each.context === context);
  }

  mergeByPerson(repository: string, number: number, { by = 'ada', commit = `merge-of-${number}` } = {}): void {
    const mergedAt = this.now().toISOString();
    this.#change(this.pullRequest(repository, number), { state: 'MERGED', mergedAt, mergeCommit: commit, by });
    this.counters.merged += 1;
  }

  closeByPerson(repository: string, number: number, by = 'ada'): void {
    this.#change(this.pullRequest(repository, number), { state: 'CLOSED', by });
  }

  reopen(repository: string, number: number): void {
    const one = this.pullRequest(repository, number);
    delete one.by;
    this.#change(one, { state: 'OPEN' });
  }

  /** Somebody pushes a commit onto its branch. */
  pushOnto(repository: string, number: number, sha: string): void {
    const one = this.pullRequest(repository, number);
    this.#change(one, { head: { ...one.head, sha } });
  }

  retarget(repository: string, number: number, base: string): void {
    this.#change(this.pullRequest(repository, number), { base });
  }

  #newest(
    repository: string,
    { head, base }: { head: string; base?: string | undefined },
  ): FakePullRequest | undefined {
    return this.pullRequests.findLast(
      (each) =>
        each.repository === repository && each.head.branch === head && (base === undefined || each.base === base),
    );
  }

  #seen({ wanted: _, comments: __, repository, ...seen }: FakePullRequest): PullRequestSeen {
    return { ...structuredClone(seen), ...(this.archived.has(repository) && { archived: true }) };
  }

  #change(one: FakePullRequest, change: Partial<FakePullRequest>): void {
    Object.assign(one, change, { updatedAt: this.now().toISOString() });
  }

  #writable(repository: string): void {
    if (this.archived.has(repository)) throw new PermanentError(`the repository ${repository} is archived`);
  }

  #enter(method: keyof Forge, { signal }: Call): void {
    signal.throwIfAborted();
    this.calls.push(method);
    const fault = this.faults.get(method);
    this.faults.delete(method);
    if (fault) throw fault;
  }
}

/** For `faults`. */
export const unreachable = (retryAfter?: number): TransientError =>
  new TransientError('the forge does not answer', retryAfter === undefined ? {} : { retryAfter });
