import type { Clock } from '../../../src/clock.ts';
import type { GitDriverSpec } from '../../../src/core/definitions.ts';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import type { Driver, Proposal } from '../../../src/drivers/driver.ts';
import { NothingToPropose } from '../../../src/drivers/forge/forge.ts';
import type { Forge, PullRequestSeen } from '../../../src/drivers/forge/forge.ts';
import type { Reached } from '../../core/support/reached.ts';
import type { Pull, TargetCommit, TargetRepository } from './target-repository.ts';

/** A host, as far as its pull requests need it. */
export interface AskedHost {
  readonly reached: Reached;
  target(url: string): TargetRepository;
  /** Time passes. */
  takes(clock: Clock, name: string, signal: AbortSignal): Promise<void>;
  /** Time passes until it does what it is asked for, where it does. */
  answers(clock: Clock, name: string, signal: AbortSignal): Promise<void>;
  /** Time passes until what it has done is known, where it is. */
  loses(clock: Clock, name: string, signal: AbortSignal): Promise<void>;
  /** It has not worked out yet whether a pull request has conflicts. */
  isUnsure(): boolean;
  /** Whether a protected branch takes it: it is told green. */
  isGreen(at: TargetRepository, pull: Pull): boolean;
}

/** What is asked of git about a repository that promotions are proposed to. */
export type TargetDriver = Pick<Driver<GitDriverSpec>, 'propose' | 'landed' | 'observe' | 'contains'>;

/** As git answers the process with this clock. */
export function targetDriver(host: AskedHost, clock: Clock): TargetDriver {
  const exchange = async <T>(url: string, signal: AbortSignal, work: (at: TargetRepository) => T): Promise<T> => {
    await host.answers(clock, 'git', signal);
    const answer = work(host.target(url));
    await host.takes(clock, 'git', signal);
    return answer;
  };
  return {
    propose: async (parts, branch, context) => {
      const { target, content } = parts[0]!;
      const { signal, key } = context;
      const at = host.target(target.repoURL);
      const told = (made: TargetCommit): Proposal => ({
        commit: made.commit,
        author: 'Sluice',
        message: 'It',
        date: made.date,
        changed: true,
        branch,
        head: at.branches.get(branch),
        base: made.parents[0] as string,
        files: [],
      });
      await host.answers(clock, 'git', signal);
      const found = at.signed(branch, key);
      if (found) return told(found);
      const onto = at.head(target.branch) as TargetCommit;
      if (onto.digest === content.digest) return { changed: false, base: onto.commit, branch, files: [] };
      await host.takes(clock, 'git', signal);
      if (context.stillMine && !(await context.stillMine()))
        throw new TransientError('it is not this run that does it');
      await host.takes(clock, 'git', signal);
      // A push creates it, and goes over none.
      if (!at.branches.has(branch)) {
        at.branches.set(branch, at.commit(content, [onto.commit], { key }).commit);
        at.made.push(branch);
        host.reached.count('a branch is proposed');
      }
      await host.loses(clock, 'git', signal);
      const there = at.signed(branch, key);
      if (!there) throw new PermanentError(`branch "${branch}" is of somebody else`);
      return told(there);
    },
    landed: ({ repoURL, branch }, content, asked, signal) =>
      exchange(repoURL, signal, (at) => at.landed(branch, content, asked)),
    observe: async ({ repoURL, branch }, key, signal) => {
      const made = await exchange(repoURL, signal, (at) => at.signed(branch, key));
      return made && { commit: made.commit, author: 'Sluice', message: 'It', date: made.date, changed: true };
    },
    contains: ({ repoURL }, { commit, content }, revision, signal) =>
      exchange(repoURL, signal, (at) => {
        if (!at.commits.has(revision)) return { kind: 'UNKNOWN' };
        if (!at.history(revision).has(commit)) return { kind: 'BEFORE' };
        const holds = content === undefined || at.at(revision).digest === content.digest;
        return holds ? { kind: 'HOLDS' } : { kind: 'OTHER', files: ['version'] };
      }),
  };
}

/** As the host of the repositories answers the process with this clock; statuses are another matter. */
export function pullRequestsOf(host: AskedHost, clock: Clock): Omit<Forge, 'setStatus'> {
  const { reached } = host;
  /** Its answer may be an old one by the time at which it is there, or be lost. */
  const call = async <T>(url: string, signal: AbortSignal, work: (at: TargetRepository) => T): Promise<T> => {
    await host.answers(clock, 'forge', signal);
    const answer = work(host.target(url));
    await host.loses(clock, 'forge', signal);
    return answer;
  };
  const seenOf = (at: TargetRepository, pull: Pull): PullRequestSeen => seen(host, at, pull);
  const newest = (at: TargetRepository, head: string, base?: string): Pull | undefined =>
    at.pulls.findLast((each) => each.branch === head && (base === undefined || each.base === base));
  const numbered = (at: TargetRepository, number: number): Pull => {
    const found = at.pulls.find((each) => each.number === number);
    if (!found) throw new PermanentError(`there is no pull request ${number}`);
    return found;
  };
  return {
    kind: 'github',
    open: (repository, { head, base, title }, { signal }) =>
      call(repository, signal, (at) => {
        const there = newest(at, head, base);
        if (there) return { ...seenOf(at, there), opened: false, remarks: [] };
        const commit = at.branches.get(head);
        if (commit === undefined) throw new PermanentError(`there is no branch "${head}"`);
        if (at.history(at.branches.get(base) as string).has(commit)) throw new NothingToPropose('nothing to merge');
        const pull: Pull = {
          number: at.pulls.length + 1,
          branch: head,
          base,
          title,
          state: 'OPEN',
          head: commit,
          isRed: false,
          isChanged: false,
          isReopened: false,
          by: null,
          mergedAt: null,
          mergeCommit: null,
          queued: null,
          updatedAt: '',
        };
        at.pulls.push(pull);
        at.change(pull, {});
        reached.count('a pull request is opened');
        return { ...seenOf(at, pull), opened: true, remarks: [] };
      }),
    find: (repository, { head, base }, { signal }) =>
      call(repository, signal, (at) => {
        const found = newest(at, head, base);
        return found && seenOf(at, found);
      }),
    get: (repository, number, { signal }) => call(repository, signal, (at) => seenOf(at, numbered(at, number))),
    list: (repository, { etag, updatedAfter = '' }, { signal }) =>
      call(repository, signal, (at) => {
        const now = String(at.changes);
        if (etag === now) return { seen: [], etag: now, unchanged: true };
        const touched = at.pulls.filter((each) => each.updatedAt >= updatedAfter);
        return { seen: touched.map((each) => seenOf(at, each)), etag: now, unchanged: false };
      }),
    close: (repository, number, { signal }) =>
      call(repository, signal, (at) => {
        const pull = numbered(at, number);
        reached.count(`Sluice closes a pull request that is ${pull.state}`);
        if (pull.state === 'OPEN') at.change(pull, { state: 'CLOSED', by: 'sluice', queued: null });
        return seenOf(at, pull);
      }),
    merge: (repository, number, { sha }, { signal }) =>
      call(repository, signal, (at) => {
        const pull = numbered(at, number);
        if (pull.state === 'MERGED') return { kind: 'MERGED', commit: pull.mergeCommit as string };
        if (pull.state === 'CLOSED') throw new PermanentError('it is closed');
        if (pull.head !== sha) throw new PermanentError('its head has moved');
        if (pull.isRed || !host.isGreen(at, pull)) return { kind: 'NOT_YET', why: 'a check is red' };
        const made = at.merge(pull, 'sluice', 'SQUASH');
        if (!made) throw new PermanentError('it has conflicts');
        reached.count('Sluice merges a pull request');
        return { kind: 'MERGED', commit: made.commit };
      }),
    deleteBranch: (repository, branch, { signal }) =>
      call(repository, signal, (at) => {
        if (at.branches.delete(branch)) reached.count('Sluice deletes a branch');
      }),
    comment: (repository, number, _comment, { signal }) => call(repository, signal, (at) => void numbered(at, number)),
    mayMerge: (repository, _base, { signal }) => call(repository, signal, () => ({ may: true })),
    commitRules: (repository, _base, { signal }) => call(repository, signal, () => ({ rules: [] })),
  };
}

function seen(host: AskedHost, at: TargetRepository, pull: Pull): PullRequestSeen {
  const { number, state, title, branch, base, head, by, mergedAt, mergeCommit, updatedAt, isRed, queued } = pull;
  const held = at.merged(at.branches.get(base) as string, head);
  return {
    number,
    url: `${at.url}/pulls/${number}`,
    state,
    draft: false,
    title,
    head: { branch, sha: head },
    base,
    updatedAt,
    mergeable: host.isUnsure() ? 'UNKNOWN' : held === null ? 'NO' : 'YES',
    ...(isRed && state === 'OPEN' && { blocked: 'a check is red' }),
    ...(by !== null && { by }),
    ...(mergedAt !== null && { mergedAt }),
    ...(mergeCommit !== null && { mergeCommit }),
    ...(queued !== null && state === 'OPEN' && { queue: { commit: queued } }),
  };
}
