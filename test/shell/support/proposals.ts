import type { Random } from '../../../chaos/random.ts';
import type { App } from '../../../src/app.ts';
import type { Result } from '../../../src/commands/result.ts';
import type { PlannedPromotion } from '../../../src/core/plan.ts';
import type { WaitingReason } from '../../../src/core/waiting.ts';
import { addHints } from '../../../src/store/news.ts';
import type { Reached } from '../../core/support/reached.ts';
import { SECOND } from '../../core/support/builders.ts';
import type { Proposed } from './definitions.ts';
import type { GitHost } from './git-host.ts';
import { MergeQueue } from './merge-queue.ts';
import type { PullAt } from './merge-queue.ts';
import type { Scheduler } from './scheduler.ts';
import { TargetRepository, targetOf } from './target-repository.ts';
import type { Pull, TargetCommit } from './target-repository.ts';

/** What Sluice remembers of a pull request; `isOver`: nothing waits for it any more. */
interface Remembered {
  releaseId: string;
  position: number;
  attempt: number;
  repository: string;
  branch: string;
  state: string;
  isOver: boolean;
}

export interface ProposalsParts {
  /** Null: nothing is proposed in this world. */
  proposed: Proposed | null;
  products: readonly string[];
  host: GitHost;
  scheduler: Scheduler;
  random: Random;
  reached: Reached;
  /** What its target runs from now on. */
  runs: (application: string, label: string) => void;
  ask: <T>(what: string, run: (app: App) => Promise<Result<T>>) => Promise<Result<T> | null>;
}

/** People at the host of pull requests, and the judge of what becomes of those of Sluice. */
export class Proposals {
  readonly #parts: ProposalsParts;
  readonly #repositories = new Map<string, TargetRepository>();
  readonly #queue: MergeQueue;
  #made = 0;

  constructor(parts: ProposalsParts) {
    this.#parts = parts;
    const { host, products, proposed, random, reached, scheduler } = parts;
    this.#queue = new MergeQueue({ host, scheduler, reached, environment: proposed?.environment ?? '' });
    if (proposed === null) return;
    // Hosts date by the second.
    const date = (): string => new Date(scheduler.now - (scheduler.now % SECOND)).toISOString();
    for (const product of products) {
      const repository = new TargetRepository(targetOf(product), random, date);
      this.#repositories.set(product, repository);
      host.targets.set(repository.url, repository);
    }
    host.isGreen = (at, pull) => {
      const product = products.find((each) => targetOf(each) === at.url) as string;
      return !proposed.isProtected || this.#queue.told(product, pull.head)?.state === 'SUCCESS';
    };
  }

  get #pulls(): PullAt[] {
    return [...this.#repositories].flatMap(([product, at]) => at.pulls.map((pull) => ({ product, at, pull })));
  }

  /** Something waits for people there. */
  get isOpen(): boolean {
    return this.#pulls.some(({ pull }) => pull.state === 'OPEN');
  }

  /** A person does something at the host, and the host may tell. */
  act(): void {
    const { random, reached, scheduler } = this.#parts;
    const open = this.#pulls.filter(({ pull }) => pull.state === 'OPEN');
    const closed = this.#pulls.filter(({ pull }) => pull.state === 'CLOSED' && pull.by !== 'sluice');
    if (closed.length > 0 && random.chance(0.1)) return this.#reopen(random.pick(closed));
    if (open.length === 0) return;
    const queued = open.filter(({ pull }) => pull.queued !== null);
    if (queued.length > 0 && random.chance(0.6)) return this.#queue.goOn(random.pick(queued));
    const chosen = random.pick(open);
    const { at, pull } = chosen;
    const how = random.pick([
      'merge',
      'close',
      'check',
      'check',
      'update',
      'update',
      'queue',
      'queue',
      'onto',
      'hand',
    ] as const);
    reached.count(`stimulus pull request: ${how}`);
    scheduler.tell(`PULL REQUEST ${pull.number} of ${at.url}: ${how}`);
    if (how === 'merge') this.#merge(at, pull);
    if (how === 'queue') this.#queue.enter(chosen);
    if (how === 'close') at.change(pull, { state: 'CLOSED', by: 'ada', queued: null });
    if (how === 'check') at.change(pull, { isRed: !pull.isRed, queued: null });
    if (how === 'update') this.#update(at, pull);
    if (how === 'onto') at.push(pull.branch, at.commit(this.#other(), [pull.head]), { isChanged: true });
    if (how === 'hand') at.push('main', at.commit(this.#other(), [at.branches.get('main') as string]));
    if (random.chance(0.5)) this.#tell(at, pull);
  }

  #reopen({ at, pull }: { at: TargetRepository; pull: Pull }): void {
    if (at.pulls.some((each) => each.branch === pull.branch && each.state === 'OPEN') || !at.branches.has(pull.branch))
      return;
    this.#parts.reached.count('stimulus pull request: reopen');
    at.change(pull, { state: 'OPEN', by: null, isReopened: true });
  }

  #other(): { label: string; digest: string } {
    const label = `by-hand-${(this.#made += 1)}`;
    return { label, digest: label };
  }

  #update(at: TargetRepository, pull: Pull): void {
    const main = at.branches.get('main') as string;
    const held = at.merged(main, pull.head);
    if (held) at.push(pull.branch, at.commit(held, [pull.head, main]));
  }

  /** As the host lets people. @returns whether it is merged */
  #merge(at: TargetRepository, pull: Pull): boolean {
    const { host, random, reached } = this.#parts;
    if (pull.isRed || !host.isGreen(at, pull)) return false;
    const made = at.merge(pull, 'ada', random.pick(['MERGE', 'SQUASH']));
    if (made) reached.count('a person merges a pull request');
    return made !== null;
  }

  #tell({ url: repository }: TargetRepository, { number, branch: ref }: Pull): void {
    const { ask } = this.#parts;
    void ask('tell of a pull request', async (app) => {
      await addHints(app.pool, [{ repository, kind: 'PULL_REQUEST', number, ref, via: 'MERGE' }]);
      return { value: null };
    });
  }

  /** What is on a branch is what its target runs. */
  verify(): void {
    const { proposed, runs } = this.#parts;
    for (const [product, at] of this.#repositories)
      runs(`${product}-${proposed?.environment}`, (at.head('main') as TargetCommit).label);
  }

  #remembered(): Promise<Remembered[]> {
    return this.#parts.scheduler.ask<Remembered & Record<string, unknown>>(
      `SELECT p.release_id AS "releaseId", p.position, p.attempt, p.repository, p.branch, p.state,
         m.attempt > p.attempt OR m.ended_at IS NOT NULL AS "isOver"
       FROM pull_request p JOIN promotion m ON m.release_id = p.release_id AND m.position = p.position
       ORDER BY p.release_id, p.position, p.attempt`,
    );
  }

  /** Null: nothing is left to be done at the host; else what is. */
  async #undone(): Promise<string | null> {
    const rows = await this.#remembered();
    for (const { at, pull } of this.#pulls) {
      if (pull.isReopened) continue;
      const name = `pull request ${pull.number} of ${at.url}`;
      const own = rows.findLast(({ repository, branch }) => repository === at.url && branch === pull.branch);
      if (own === undefined) return `${name} is remembered by nobody`;
      if (pull.state === 'OPEN' && own.isOver) return `${name} is open, and nothing waits for it`;
      if (pull.state !== own.state) return `${name} is ${pull.state}, and is remembered as ${own.state}`;
    }
    for (const [, at] of this.#repositories)
      for (const branch of at.branches.keys()) {
        const own = at.pulls.findLast((each) => each.branch === branch);
        const isKept = own !== undefined && (own.state === 'OPEN' || own.isReopened || own.by !== 'sluice');
        const isBegun = own === undefined && rows.some((each) => each.branch === branch && !each.isOver);
        // The branch of what was merged as it was proposed goes; of what a person has closed or changed it stays.
        if (
          branch !== 'main' &&
          ((own?.state === 'MERGED' && !own.isChanged) || (!isKept && !isBegun)) &&
          !own?.isReopened
        )
          return `branch ${branch} of ${at.url} is left`;
      }
    return this.#queue.untold(this.#pulls);
  }

  async isAtRest(): Promise<boolean> {
    return this.#repositories.size === 0 || (await this.#undone()) === null;
  }

  async standing(): Promise<string> {
    return this.#repositories.size === 0 ? '' : ((await this.#undone()) ?? 'nothing is left at the host');
  }

  /** Nobody acts: what waits for a merge waits for people. @returns `RELEASE PROMOTION STEP` of those that do */
  async judgeWaiting(known: ReadonlyMap<string, WaitingReason[]>): Promise<Set<string>> {
    const { reached, scheduler } = this.#parts;
    const awaited = new Set<string>();
    if (this.#repositories.size === 0) return awaited;
    const rows = await this.#remembered();
    const plans = await scheduler.ask<{ id: string; promotions: PlannedPromotion[] }>(
      `SELECT release_id AS id, plan->'promotions' AS promotions FROM release_plan WHERE release_id = ANY($1)`,
      [[...known.keys()]],
    );
    for (const [id, reasons] of known)
      for (const reason of reasons) {
        if (!('step' in reason) || reason.step === undefined || reason.promotion === null) continue;
        const planned = plans.find((each) => each.id === id)?.promotions[reason.promotion];
        if (planned?.steps[reason.step]?.work.kind !== 'merge') continue;
        const own = rows.findLast(
          (each) => each.releaseId === id && each.position === reason.promotion && !each.isOver,
        );
        const found = this.#pulls.find(({ at, pull }) => at.url === own?.repository && pull.branch === own.branch);
        reached.count('promise: who waits for a merge waits for one that is to come');
        const gates = reasons.some(({ kind, promotion }) => promotion === reason.promotion && GATES.has(kind));
        const wrong = this.#wrongWait(found, planned.pullRequest?.merge === 'AUTO' && !gates);
        if (found) this.#queue.judge(found, gates);
        if (wrong !== null) scheduler.break(`merge: ${id} waits (${reason.message}), and ${wrong}`);
        reached.count(`waits for a merge: ${planned.pullRequest?.merge}`);
        awaited.add(`${id} ${reason.promotion} ${reason.step}`);
      }
    return awaited;
  }

  #wrongWait(found: { at: TargetRepository; pull: Pull } | undefined, byItself: boolean): string | null {
    if (found === undefined) return 'there is no pull request';
    const { at, pull } = found;
    if (pull.state !== 'OPEN') return `its pull request is ${pull.state}`;
    const mayMerge = !pull.isRed && !pull.isChanged && pull.queued === null && this.#parts.host.isGreen(at, pull);
    const isOwn = at.at(pull.head).key !== undefined;
    if (byItself && mayMerge && isOwn && at.merged(at.branches.get(pull.base) as string, pull.head))
      return 'Sluice may merge it';
    return null;
  }

  /** People merge what is open, where its host lets them. */
  finish(): void {
    for (const each of this.#pulls) {
      const { at, pull } = each;
      if (pull.state !== 'OPEN') continue;
      if (pull.queued !== null) this.#queue.goOn(each);
      if (pull.queued !== null || pull.mergedAt !== null) continue;
      if (pull.isRed) at.change(pull, { isRed: false });
      if (at.merged(at.branches.get(pull.base) as string, pull.head) === null)
        at.change(pull, { state: 'CLOSED', by: 'ada' });
      // What nobody waits for any more is told green by nobody.
      else if (!this.#merge(at, pull) && pull.isReopened) at.change(pull, { state: 'CLOSED', by: 'ada' });
    }
  }

  async isOver(): Promise<boolean> {
    return this.#pulls.every(({ pull }) => pull.state !== 'OPEN') && (await this.isAtRest());
  }

  /** When everything has ended. */
  async judge(): Promise<void> {
    const { proposed, reached, scheduler } = this.#parts;
    if (proposed === null) return;
    for (const [, at] of this.#repositories)
      for (const branch of at.made) {
        reached.count('promise: for one key there is one branch and one pull request');
        const branches = at.made.filter((each) => each === branch).length;
        const pulls = at.pulls.filter((each) => each.branch === branch).length;
        if (branches > 1 || pulls > 1)
          scheduler.break(`pull request: ${branch} was made ${branches} times, with ${pulls} pull requests`);
      }
    const ends = await scheduler.ask<{ url: string; type: string }>(
      `SELECT event->>'url' AS url, event->>'type' AS type FROM logged_event WHERE event->>'type' IN ('PullRequestMerged', 'PullRequestClosed')`,
    );
    for (const { at, pull } of this.#pulls) {
      if (pull.isReopened) continue;
      reached.count('promise: what becomes of a pull request is told once');
      const told = ends.filter(({ url }) => url === `${at.url}/pulls/${pull.number}`).map(({ type }) => type);
      const wanted = pull.state === 'MERGED' ? 'PullRequestMerged' : 'PullRequestClosed';
      if (told.length !== 1 || told[0] !== wanted)
        scheduler.break(
          `pull request: ${pull.number} of ${at.url} is ${pull.state}, and told is ${told.join(', ') || 'nothing'}`,
        );
    }
    const outside = await scheduler.ask<{ url: string }>(
      `SELECT event->>'url' AS url FROM logged_event WHERE event->>'type' = 'PullRequestMergedOutsideGates'`,
    );
    for (const { url } of outside) {
      // Nobody pushes here by hand what is promoted.
      reached.count('promise: what is told to be merged outside the gates was merged');
      const found = this.#pulls.find(({ at, pull }) => url === `${at.url}/pulls/${pull.number}`);
      if (found?.pull.state !== 'MERGED')
        scheduler.break(`pull request: ${url} is ${found?.pull.state}, and is told to be merged outside the gates`);
    }
    await this.#judgeCommits(proposed);
  }

  /** What is told to be on a branch is there, and what came there by pull request is recorded. */
  async #judgeCommits({ environment }: Proposed): Promise<void> {
    const { reached, scheduler } = this.#parts;
    // Of a rollback too: what it brought there.
    const told = await scheduler.ask<{ id: string; product: string; version: string; commit: string }>(
      `SELECT e.release_id AS id, d.product, d.version, e.event->>'commit' AS commit FROM logged_event e
       JOIN deployment d ON d.release_id = e.release_id AND d.application = e.event->>'application'
       WHERE e.event->>'type' = 'ActionCommitted' AND e.event->>'environment' = $1`,
      [environment],
    );
    for (const { id, product, version, commit } of told) {
      const at = this.#repositories.get(product) as TargetRepository;
      reached.count('promise: what is told to be on a branch is there');
      const found = at.line(at.branches.get('main') as string).find((each) => each.commit === commit);
      if (found?.label !== version)
        scheduler.break(
          `pull request: ${id} says that ${version} is on its branch at ${commit}, which has ${found?.label}`,
        );
    }
    for (const [product, at] of this.#repositories) {
      const head = at.head('main') as TargetCommit;
      if (head.byRequest === undefined || at.pulls.some(({ isChanged, isReopened }) => isChanged || isReopened))
        continue;
      reached.count('promise: what was merged is recorded');
      const [newest] = await scheduler.ask<{ version: string }>(
        `SELECT version FROM deployment WHERE product = $1 AND environment = $2 ORDER BY at DESC, id DESC LIMIT 1`,
        [product, environment],
      );
      if (newest?.version !== head.label)
        scheduler.break(`pull request: ${head.label} was merged for ${product}, and recorded is ${newest?.version}`);
    }
  }
}

const GATES: ReadonlySet<WaitingReason['kind']> = new Set(['APPROVAL', 'WINDOW', 'HOLD', 'VERSION']);
