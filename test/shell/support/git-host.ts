import type { Random } from '../../../chaos/random.ts';
import type { Clock } from '../../../src/clock.ts';
import type { GitDriverSpec } from '../../../src/core/definitions.ts';
import type { HeadsAnswer } from '../../../src/core/receiver/look.ts';
import type { CommitFacts } from '../../../src/core/trigger/commits.ts';
import { sha256 } from '../../../src/drivers/content.ts';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import type { Driver, Move, PinnedContent } from '../../../src/drivers/driver.ts';
import type { Forge, WantedStatus } from '../../../src/drivers/forge/forge.ts';
import { SECOND } from '../../core/support/builders.ts';
import type { Reached } from '../../core/support/reached.ts';
import { pullRequestsOf, targetDriver } from './pull-requests.ts';
import type { Pull, TargetRepository } from './target-repository.ts';

/** What no driver of a world can tell. */
export const BLIND = {
  matches: async () => undefined,
  contains: async () => undefined,
  between: async () => undefined,
  preview: async () => undefined,
  read: async () => undefined,
  close: async () => undefined,
};

/** Where the trigger environment of a product stands in git. */
export const repositoryOf = (product: string): string => `https://git.example.com/acme/${product}.git`;

/** A commit of a branch; one that left the folder alone has the content of the one before. */
export interface Commit extends CommitFacts {
  parent: string | null;
  touches: boolean;
  content: string;
}

/** A repository with one branch and one folder that counts. */
export class Repository {
  readonly commits = new Map<string, Commit>();
  head = '';

  add(commit: Commit): void {
    this.commits.set(commit.commit, commit);
    this.head = commit.commit;
  }

  at(commit: string): Commit {
    const found = this.commits.get(commit);
    if (!found) throw new PermanentError(`there is no commit ${commit}`);
    return found;
  }

  /** Newest first, from this commit on; without those that `below` has. */
  line(head: string, below?: string): Commit[] {
    const known = new Set(below === undefined ? [] : this.line(below).map(({ commit }) => commit));
    const all: Commit[] = [];
    for (let at: string | null = head; at !== null; at = this.at(at).parent) all.push(this.at(at));
    return all.filter(({ commit }) => !known.has(commit));
  }
}

/** The status of a commit, as its host has it. */
export type ToldStatus = Pick<WantedStatus, 'state' | 'description'>;

/** A host of repositories, whichever process asks: slow at times, and at times it does not answer, or nobody hears that it did. */
export class GitHost {
  readonly repositories = new Map<string, Repository>();
  /** Those to which changes are proposed. */
  readonly targets = new Map<string, TargetRepository>();
  /** Whether a protected branch takes it: its statuses are green. */
  isGreen: (at: TargetRepository, pull: Pull) => boolean = () => true;
  /** By `SHA CONTEXT`. */
  readonly statuses = new Map<string, ToldStatus>();
  readonly #random: Random;
  readonly reached: Reached;
  readonly #calm: () => boolean;

  /** `calm`: it answers whatever it is asked. */
  constructor(random: Random, reached: Reached, calm: () => boolean) {
    this.#random = random;
    this.reached = reached;
    this.#calm = calm;
  }

  #repository(url: string): Repository {
    const found = this.repositories.get(url);
    if (!found) throw new PermanentError(`there is no repository ${url}`);
    return found;
  }

  target(url: string): TargetRepository {
    const found = this.targets.get(url);
    if (!found) throw new PermanentError(`nothing is proposed to ${url}`);
    return found;
  }

  #fails(part: number): boolean {
    return !this.#calm() && this.#random.chance(part);
  }

  /** It has not worked out yet whether a pull request has conflicts. */
  isUnsure(): boolean {
    return this.#fails(0.1);
  }

  async takes(clock: Clock, name: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const ms = this.#random.pick(this.#calm() ? [0, 200] : [0, 0, 0, 200, 2 * SECOND]);
    if (ms > 0) await clock.sleep(name, ms, signal);
  }

  /** Time passes until it does what it is asked for, where it does. */
  async answers(clock: Clock, name: string, signal: AbortSignal): Promise<void> {
    await this.takes(clock, name, signal);
    if (this.#fails(0.06)) throw new TransientError('the host of the repository does not answer');
  }

  /** Time passes until what it has done is known, where it is. */
  async loses(clock: Clock, name: string, signal: AbortSignal): Promise<void> {
    await this.takes(clock, name, signal);
    if (this.#fails(0.06)) throw new TransientError('the host has heard it, and nobody hears that');
  }

  /** The hands of one process. */
  driverOf(clock: Clock): Driver<GitDriverSpec> {
    const none = (): Promise<never> => Promise.reject(new PermanentError('what comes here is proposed'));
    const exchange = async <T>(url: string, signal: AbortSignal, work: (repository: Repository) => T): Promise<T> => {
      await this.takes(clock, 'git', signal);
      if (this.#fails(0.06)) throw new TransientError('the host of the repository does not answer');
      // Between the answer and whoever asked time passes as well: it may be an old one by then.
      const answer = work(this.#repository(url));
      await this.takes(clock, 'git', signal);
      return answer;
    };
    return {
      revision: ({ repoURL }, { commit }, signal) =>
        exchange(repoURL, signal, (at) => {
          const { author, message, date, ...found } = at.at(commit ?? at.head);
          return { commit: found.commit, author, message, date };
        }),
      heads: async ({ repoURL }, branches, signal): Promise<HeadsAnswer> => {
        const failed = this.#fails(0.1) && this.#random.pick(['UNREACHABLE', 'RATE_LIMITED'] as const);
        await this.takes(clock, 'git', signal);
        const target = this.targets.get(repoURL);
        const stand = new Map(target?.branches ?? [['main', this.#repository(repoURL).head]]);
        await this.takes(clock, 'git', signal);
        if (failed) this.reached.count(`a look fails: ${failed}`);
        if (failed) return { kind: 'FAILED', why: failed, message: 'the host says no', retryAfter: 3 * SECOND };
        return {
          kind: 'HEADS',
          heads: new Map(branches.flatMap((each) => (stand.has(each) ? [[each, stand.get(each) as string]] : []))),
        };
      },
      moved: async ({ repoURL }, _template, { from, digest, seen }, signal) =>
        from !== undefined && seen === from
          ? { relation: 'SAME', head: from }
          : exchange(repoURL, signal, (at) => this.#moved(at, from, digest)),
      refs: ({ repoURL }, commit, signal) =>
        exchange(repoURL, signal, ({ head }) => ({ branches: head === commit ? ['main'] : [], tags: [] })),
      pin: ({ repoURL }, _template, { commit }, signal) =>
        exchange(repoURL, signal, (at): PinnedContent => {
          // The commit that brought the content is what is pinned of a head.
          const found = at.line(commit ?? at.head).find(({ touches }) => touches) as Commit;
          const { author, message, date, content } = found;
          const files = { version: { kind: 'whole' as const, text: content } };
          return {
            label: content,
            digest: sha256(content),
            commit: found.commit,
            author,
            message,
            date,
            files,
          };
        }),
      apply: none,
      proposeFiles: none,
      ...BLIND,
      ...targetDriver(this, clock),
    };
  }

  #moved(at: Repository, from: string | undefined, digest: string | undefined): Move {
    const { head } = at;
    if (from === undefined) return { relation: 'FIRST', head };
    if (from === head) return { relation: 'SAME', head };
    const relation = at.line(head).some(({ commit }) => commit === from) ? 'AHEAD' : 'LEFT';
    const commits = at.line(head, from).filter(({ touches }) => touches);
    if (relation === 'AHEAD' && commits.length === 0) return { relation, head, touched: [] };
    const content = at.line(head).find(({ touches }) => touches) as Commit;
    const { commit, author, message, date } = content;
    const now = sha256(content.content);
    this.reached.count(`a branch moved: ${relation}`);
    return {
      relation,
      head,
      touched: ['version'],
      content: { commit, author, message, date, digest: now, label: content.content },
      changed: now !== (digest ?? sha256(at.at(from).content)),
      commits: commits.map(({ parent: _, touches: __, content: ___, ...facts }) => facts),
    };
  }

  forgeOf(clock: Clock): Forge {
    return {
      ...pullRequestsOf(this, clock),
      setStatus: async (_repository, sha, { context, state, description }, { signal }) => {
        await this.takes(clock, 'forge', signal);
        if (this.#fails(0.1)) throw new TransientError('the host of the repository does not answer');
        this.statuses.set(`${sha} ${context}`, { state, description });
        this.reached.count(`a commit is told: ${state}`);
        await this.takes(clock, 'forge', signal);
        if (this.#fails(0.1)) throw new TransientError('the host has heard it, and nobody hears that');
      },
    };
  }
}
