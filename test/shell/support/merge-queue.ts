import { mergeContext } from '../../../src/commands/judge-merge.ts';
import type { Reached } from '../../core/support/reached.ts';
import type { GitHost } from './git-host.ts';
import type { Scheduler } from './scheduler.ts';
import type { Pull, TargetRepository } from './target-repository.ts';

export interface MergeQueueParts {
  host: GitHost;
  scheduler: Scheduler;
  reached: Reached;
  /** Into which is proposed. */
  environment: string;
}

/** A pull request, where it is, and of which product. */
export interface PullAt {
  product: string;
  at: TargetRepository;
  pull: Pull;
}

interface Level {
  state: string;
  description: string;
}

/** The merge queue of a host, and the judge of what hosts are told before a merge. */
export class MergeQueue {
  readonly #parts: MergeQueueParts;

  constructor(parts: MergeQueueParts) {
    this.#parts = parts;
  }

  /** What its host was told of a commit. */
  told(product: string, commit: string): Level | undefined {
    const { environment, host } = this.#parts;
    return host.statuses.get(`${commit} ${mergeContext(product, environment)}`);
  }

  /** A person lets the queue merge it: that makes a commit of its own, and waits for what it is told of that. */
  enter({ at, pull }: PullAt): void {
    const main = at.branches.get(pull.base) as string;
    const held = at.merged(main, pull.head);
    if (held === null || pull.isRed || !this.#parts.host.isGreen(at, pull)) return;
    at.change(pull, { queued: at.commit(held, [main, pull.head], { byRequest: true }).commit });
    this.#parts.reached.count('a merge queue asks');
  }

  /** Told green it is merged, told red it leaves the queue; and whatever comes before it makes another commit of it. */
  goOn(each: PullAt): void {
    const { at, pull, product } = each;
    const { reached } = this.#parts;
    if (pull.queued === null) return;
    const made = at.at(pull.queued);
    const told = this.told(product, made.commit)?.state;
    reached.count(`a merge queue is told ${told ?? 'nothing yet'}`);
    if (made.parents[0] !== at.branches.get(pull.base)) {
      at.change(pull, { queued: null });
      return this.enter(each);
    }
    if (told === 'SUCCESS') at.land(pull, made, 'queue');
    if (told === 'FAILURE' || told === 'ERROR') at.change(pull, { queued: null });
  }

  /** Null: whatever is open is told as it was judged last; else what is not. */
  async untold(pulls: readonly PullAt[]): Promise<string | null> {
    const { reached, scheduler } = this.#parts;
    const judged = await scheduler.ask<{ repository: string; branch: string; level: Level | null }>(
      `SELECT p.repository, p.branch, m.merge->'level' AS level FROM pull_request p
       JOIN promotion m ON m.release_id = p.release_id AND m.position = p.position AND m.attempt = p.attempt
       WHERE p.state = 'OPEN' AND m.ended_at IS NULL`,
    );
    for (const { at, pull, product } of pulls) {
      const own = judged.find(({ repository, branch }) => repository === at.url && branch === pull.branch);
      if (pull.state !== 'OPEN' || !own?.level) continue;
      for (const commit of [pull.head, pull.queued]) {
        if (commit === null) continue;
        const what = commit === pull.head ? 'pull request' : 'merge group';
        const told = this.told(product, commit);
        const name = `${what} ${pull.number} of ${at.url}`;
        if (told === undefined) return `${name} is told nothing`;
        const wanted = pull.isChanged ? 'ERROR' : own.level.state;
        if (told.state !== wanted) return `${name} is told ${told.state}, and is judged ${wanted}`;
        if (!pull.isChanged && told.description !== own.level.description)
          return `${name} is told "${told.description}", and is judged "${own.level.description}"`;
        reached.count(`promise: a ${what} is told what was judged last`);
      }
    }
    const due = await scheduler.ask<{ sha: string }>(
      `SELECT sha FROM commit_status WHERE about = 'MERGE' AND due_at IS NOT NULL`,
    );
    return due.length > 0 ? `commit ${due[0]?.sha} is not told yet` : null;
  }

  /** Nobody acts: green is what may be merged now. `gates`: one of them does not hold. */
  judge({ at, pull, product }: PullAt, gates: boolean): void {
    const { reached, scheduler } = this.#parts;
    const isGreen = this.told(product, pull.head)?.state === 'SUCCESS';
    reached.count(`promise: a pull request is green while its gates hold, and only then`);
    reached.count(`a pull request that waits is ${isGreen ? 'green' : 'not green'}`);
    if (isGreen !== (!gates && !pull.isChanged))
      scheduler.break(
        `status: pull request ${pull.number} of ${at.url} is ${isGreen ? '' : 'not '}told green, its gates ${gates ? 'do not hold' : 'hold'}`,
      );
  }
}
