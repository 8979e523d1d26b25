import type { Random } from '../../../chaos/random.ts';
import type { Landing, PinnedContent } from '../../../src/drivers/driver.ts';

/** Where an environment of a product stands in git: what is promoted there is proposed. */
export const targetOf = (product: string): string => `https://git.example.com/acme/${product}-live.git`;

/** What a folder holds. */
export type Held = Pick<PinnedContent, 'label' | 'digest'>;

/** A commit of a repository with one folder. */
export interface TargetCommit extends Held {
  commit: string;
  /** The first is of its own branch. */
  parents: string[];
  date: string;
  /** The key with which a promotion has signed it. */
  key?: string;
  /** Whatever of it came by pull request. */
  byRequest?: true;
}

/** A pull request as its host has it. */
export interface Pull {
  number: number;
  branch: string;
  base: string;
  title: string;
  state: 'OPEN' | 'MERGED' | 'CLOSED';
  /** Where its branch stands, or stood last. */
  head: string;
  /** What its host asks for besides: checks of others, on which a red one keeps it from being merged. */
  isRed: boolean;
  /** Somebody has pushed onto its branch what was not proposed. */
  isChanged: boolean;
  /** A person had closed it, and has opened it again. */
  isReopened: boolean;
  by: string | null;
  mergedAt: string | null;
  mergeCommit: string | null;
  updatedAt: string;
  /** The commit by which a merge queue would bring it to its base. */
  queued: string | null;
}

/** A repository that promotions are proposed to, with its pull requests: git and its host in one. */
export class TargetRepository {
  readonly url: string;
  readonly commits = new Map<string, TargetCommit>();
  readonly branches = new Map<string, string>();
  readonly pulls: Pull[] = [];
  /** Branches that were made, in their order. */
  readonly made: string[] = [];
  /** How often anything about a pull request has changed. */
  changes = 0;
  readonly #random: Random;
  readonly #date: () => string;

  constructor(url: string, random: Random, date: () => string) {
    this.url = url;
    this.#random = random;
    this.#date = date;
    this.branches.set('main', this.commit({ label: 'nothing', digest: 'nothing' }, []).commit);
  }

  commit({ label, digest }: Held, parents: string[], more: Pick<TargetCommit, 'key' | 'byRequest'> = {}): TargetCommit {
    const commit = Array.from({ length: 40 }, () => this.#random.whole(0, 15).toString(16)).join('');
    const made = { commit, label, digest, parents, date: this.#date(), ...more };
    this.commits.set(commit, made);
    return made;
  }

  at(commit: string): TargetCommit {
    return this.commits.get(commit) as TargetCommit;
  }

  head(branch: string): TargetCommit | undefined {
    const commit = this.branches.get(branch);
    return commit === undefined ? undefined : this.at(commit);
  }

  /** It, and all that it comes from. */
  history(commit: string): Set<string> {
    const known = new Set<string>();
    const ahead = [commit];
    for (let at = ahead.pop(); at !== undefined; at = ahead.pop()) {
      if (known.has(at)) continue;
      known.add(at);
      ahead.push(...this.at(at).parents);
    }
    return known;
  }

  /** Of the branch itself, the newest first. */
  line(commit: string): TargetCommit[] {
    const all: TargetCommit[] = [];
    for (let at: string | undefined = commit; at !== undefined; at = this.at(at).parents[0]) all.push(this.at(at));
    return all;
  }

  /** The commit of that key, as far as a branch has it. */
  signed(branch: string, key: string): TargetCommit | undefined {
    const head = this.branches.get(branch);
    return head === undefined
      ? undefined
      : [...this.history(head)].map((each) => this.at(each)).find((each) => each.key === key);
  }

  /** What `main` would hold at a commit of it with another one merged into it; null: both have changed it, each in its own way. */
  merged(into: string, from: string): Held | null {
    const theirs = this.history(from);
    const base = this.line(into).find(({ commit }) => theirs.has(commit)) as TargetCommit;
    const [one, other] = [this.at(into), this.at(from)];
    if (other.digest === base.digest || other.digest === one.digest) return one;
    return one.digest === base.digest ? other : null;
  }

  /** Whether a branch holds the content, or held it since, and by which commit it came to do so. */
  landed(branch: string, { digest }: Held, { since, contains }: { since?: string; contains?: string }): Landing {
    const head = this.branches.get(branch) as string;
    const known = this.history(head);
    const line = this.line(head);
    const before = since === undefined ? null : this.at(since).digest === digest;
    const after = since !== undefined && known.has(since) && before === false;
    const range = after
      ? line
          .slice(
            0,
            line.findIndex(({ commit }) => commit === since),
          )
          .toReversed()
      : [];
    const began = line.slice(0, lengthOf(line, digest)).at(-1);
    const found = after ? range.find((each) => each.digest === digest) : began;
    const holds = this.at(head).digest === digest;
    return {
      head,
      contains: contains === undefined ? null : known.has(contains),
      before,
      drift: holds ? null : { files: ['version'] },
      ...(found && {
        effect: { commit: found.commit, author: 'Ada', message: 'It', date: found.date, changed: !before },
      }),
    };
  }

  /** @returns the commit of the merge; null: it conflicts */
  merge(pull: Pull, by: string, how: 'MERGE' | 'SQUASH'): TargetCommit | null {
    const into = this.branches.get(pull.base) as string;
    const held = this.merged(into, pull.head);
    if (held === null) return null;
    const made = this.commit(held, how === 'MERGE' ? [into, pull.head] : [into], { byRequest: true });
    this.land(pull, made, by);
    return made;
  }

  /** It is on its base now. */
  land(pull: Pull, { commit, date }: TargetCommit, by: string): void {
    this.branches.set(pull.base, commit);
    Object.assign(pull, { mergeCommit: commit, mergedAt: date, queued: null });
    this.change(pull, { state: 'MERGED', by });
  }

  change(pull: Pull, to: Partial<Pull>): void {
    Object.assign(pull, to, { updatedAt: this.#date() });
    this.changes += 1;
  }

  /** Somebody pushes to a branch; the host sees it in the pull request. */
  push(branch: string, made: TargetCommit, more: Partial<Pull> = {}): void {
    this.branches.set(branch, made.commit);
    const own = this.pulls.find((each) => each.branch === branch && each.state === 'OPEN');
    if (own) this.change(own, { head: made.commit, queued: null, ...more });
  }
}

/** Of how many commits, from the newest on, all hold the content. */
function lengthOf(line: readonly TargetCommit[], digest: string): number {
  const other = line.findIndex((each) => each.digest !== digest);
  return other < 0 ? line.length : other;
}
