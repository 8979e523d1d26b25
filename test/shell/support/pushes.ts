import type { Random } from '../../../chaos/random.ts';
import type { App } from '../../../src/app.ts';
import { reportDeployment } from '../../../src/commands/report-deployment.ts';
import type { Result } from '../../../src/commands/result.ts';
import {
  dismissCandidate,
  releaseCandidateNow,
  retryCandidate,
} from '../../../src/commands/trigger/control-candidate.ts';
import { pauseTriggers, resumeTriggers } from '../../../src/commands/trigger/pause-triggers.ts';
import type { CandidateStatus } from '../../../src/core/trigger/candidate.ts';
import type { CandidateFacts } from '../../../src/core/trigger/kept.ts';
import type { Reached } from '../../core/support/reached.ts';
import { SECOND } from '../../core/support/builders.ts';
import { Repository, repositoryOf } from './git-host.ts';
import type { Commit, GitHost } from './git-host.ts';
import type { Scheduler } from './scheduler.ts';

interface Candidate {
  id: string;
  product: string;
  status: CandidateStatus;
  reason: string;
  facts: CandidateFacts;
  createdAt: Date;
  coalescedAt: Date;
  dueAt: Date | null;
  attempts: number;
  releaseId: string | null;
}

export interface PushesParts {
  /** Products whose changes are pushed, */
  products: readonly string[];
  /** and those of them whose trigger environment is healthy when somebody reports it. */
  reported: readonly string[];
  host: GitHost;
  scheduler: Scheduler;
  random: Random;
  reached: Reached;
  ask: <T>(what: string, run: (app: App) => Promise<Result<T>>) => Promise<Result<T> | null>;
  someone: () => string;
}

/** People who push, what becomes of it by itself, and the judge of that. */
export class Pushes {
  readonly #parts: PushesParts;
  #made = 0;
  /** Product (empty: all of them) → its pause was answered, and nobody tried to end it since. */
  readonly #paused = new Map<string, string>();
  /** Candidates of which a person wanted more than one thing. */
  readonly #insisted = new Set<string>();
  readonly #toVerify: (() => Promise<void>)[] = [];

  constructor(parts: PushesParts) {
    this.#parts = parts;
    for (const product of parts.products) {
      const repository = new Repository();
      parts.host.repositories.set(repositoryOf(product), repository);
      repository.add(this.#commit(product, null));
    }
  }

  #commit(product: string, parent: Commit | null, more: Partial<Commit> = {}): Commit {
    const { random, scheduler } = this.#parts;
    const number = (this.#made += 1);
    return {
      commit: Array.from({ length: 40 }, () => random.whole(0, 15).toString(16)).join(''),
      parent: parent?.commit ?? null,
      author: 'Ada <ada@example.com>',
      ...(random.chance(0.5) && { email: 'ada@example.com' }),
      message: `Change ${number}`,
      // Git dates by the second.
      date: new Date(scheduler.now - (scheduler.now % SECOND)).toISOString(),
      touches: true,
      content: `${product}-push-${number}`,
      ...more,
    };
  }

  /** Somebody pushes, once the branch was looked at: the first look is where it begins. @returns whether it was */
  async push(product: string, releases: readonly string[]): Promise<boolean> {
    const { host, random, reached, scheduler } = this.#parts;
    const cursors = await scheduler.ask('SELECT FROM trigger_cursor WHERE application = $1', [`${product}-dev`]);
    if (cursors.length === 0) return false;
    const repository = host.repositories.get(repositoryOf(product)) as Repository;
    const head = repository.at(repository.head);
    const how = random.pick(['change', 'change', 'change', 'change', 'change', 'elsewhere', 'force', 'own'] as const);
    reached.count(`stimulus push: ${how}`);
    scheduler.tell(`PUSH to ${product}: ${how}`);
    // What a Sluice has pushed itself says for which release; where that is not known here, it is a change like any other.
    const claim = { signed: false, here: true, releases: [releases.at(-1) ?? 'none'], chain: 0 };
    const parent = how === 'force' && head.parent !== null ? repository.at(head.parent) : head;
    const more = how === 'elsewhere' ? { touches: false, content: head.content } : how === 'own' ? { claim } : {};
    repository.add(this.#commit(product, parent, more));
    // Some hosts tell, and some senders say what runs: a look comes early.
    if (random.chance(0.5)) this.#tell(product);
    return true;
  }

  #tell(product: string): void {
    const { ask, host, someone, scheduler } = this.#parts;
    const { head } = host.repositories.get(repositoryOf(product)) as Repository;
    const at = new Date(scheduler.now);
    const input = { application: `${product}-dev`, commit: head, at };
    void ask('tell of a push', (app) => reportDeployment(app, input, someone()));
  }

  pause(product: string): void {
    const { ask, someone, random } = this.#parts;
    const of = random.chance(0.7) ? product : undefined;
    const by = someone();
    const input = { product: of, reason: `${by} says so`, idempotencyKey: by };
    void ask('pause', (app) => pauseTriggers(app, input, by)).then((answer) => {
      if (answer?.value) this.#paused.set(of ?? '', answer.value.id);
    });
  }

  resume(product: string | null): Promise<unknown> {
    const { ask, someone } = this.#parts;
    this.#paused.delete(product ?? '');
    return ask('resume', (app) => resumeTriggers(app, { product }, someone()));
  }

  /** A person says what becomes of one. */
  async decide(): Promise<void> {
    const { ask, random, someone } = this.#parts;
    const all = await this.#candidates();
    if (all.length === 0) return;
    const { id } = random.pick(all.slice(-4));
    const by = someone();
    const what = random.pick(['release', 'retry', 'dismiss'] as const);
    if (what !== 'dismiss') this.#insisted.add(id);
    const work = (app: App): Promise<Result<unknown>> =>
      what === 'release'
        ? releaseCandidateNow(app, id, by)
        : what === 'retry'
          ? retryCandidate(app, id, by)
          : dismissCandidate(app, { id, reason: `${by} says so` }, by);
    void ask(`${what} a candidate`, work).then((answer) => {
      if (answer?.value && what !== 'retry') this.#toVerify.push(() => this.#verifyDecided(id, what, by));
    });
  }

  async #verifyDecided(id: string, what: 'release' | 'dismiss', by: string): Promise<void> {
    const { reached, scheduler } = this.#parts;
    if (what === 'dismiss' && this.#insisted.has(id)) return;
    reached.count('promise: what is answered of a candidate is so');
    const found = (await this.#candidates()).find((each) => each.id === id);
    const isSo = what === 'release' ? found?.releaseId != null : found?.status === 'DISMISSED';
    if (!isSo) scheduler.break(`answer: ${by} was told of the ${what} of candidate ${id}, and it is ${found?.status}`);
  }

  /** A release is there. */
  seeRelease(id: string, product: string): void {
    const pauses = [this.#paused.get(product), this.#paused.get('')].filter((each) => each !== undefined);
    this.#toVerify.push(() => this.#verifyWanted(id, product, pauses));
  }

  /** What was promised to somebody, before anything else happens. */
  async verify(): Promise<void> {
    for (const look of this.#toVerify.splice(0)) await look();
  }

  /** Somebody has asked for it, or triggers are not paused. */
  async #verifyWanted(id: string, product: string, pauses: string[]): Promise<void> {
    const { reached, scheduler } = this.#parts;
    const [found] = await scheduler.ask<{ trigger: string; kind: string }>(
      `SELECT trigger->>'kind' AS trigger, kind FROM release WHERE id = $1`,
      [id],
    );
    if (found?.kind !== 'FORWARD' || found.trigger === 'MANUAL') return;
    reached.count('promise: nothing becomes a release by itself while triggers are paused');
    if (pauses.length === 0) return;
    const still = await scheduler.ask('SELECT FROM trigger_pause WHERE id = ANY($1::uuid[]) AND resumed_at IS NULL', [
      pauses,
    ]);
    if (still.length > 0)
      scheduler.break(`pause: ${id} of ${product} came by itself, and its triggers were paused before`);
  }

  #candidates(): Promise<Candidate[]> {
    return this.#parts.scheduler.ask<Candidate & Record<string, unknown>>(
      `SELECT id, product, status, reason, facts, created_at AS "createdAt", coalesced_at AS "coalescedAt", due_at AS "dueAt", attempts,
         release_id AS "releaseId" FROM candidate ORDER BY created_at, id`,
    );
  }

  /** Whatever was pushed was looked at, nothing is tried again, and what is open waits for the trigger environment or the end of a pause. */
  async isAtRest(): Promise<boolean> {
    const { host, products, scheduler } = this.#parts;
    if (products.length === 0) return true;
    const cursors = await scheduler.ask<{ application: string; head: string | null }>(
      'SELECT application, head FROM trigger_cursor',
    );
    const looked = products.every((product) => {
      const { head } = host.repositories.get(repositoryOf(product)) as Repository;
      return cursors.find(({ application }) => application === `${product}-dev`)?.head === head;
    });
    const open = (await this.#candidates()).filter(({ dueAt }) => dueAt !== null);
    // A pause does not count the tries before it anew.
    const rests = ({ status, attempts, reason }: Candidate): boolean =>
      status === 'WAITING' && (attempts === 0 || /are paused/.test(reason));
    return looked && open.every(rests);
  }

  /** Nobody acts: what has not ended says what it waits for, and that is missing. */
  async judgeWaiting(): Promise<void> {
    const { reached, reported, scheduler } = this.#parts;
    if (!(await this.isAtRest())) return scheduler.break(`trigger: it never comes to rest, ${await this.standing()}`);
    for (const { id, product, status, reason, dueAt, facts } of await this.#candidates()) {
      if (dueAt === null) continue;
      reached.count('promise: a candidate that has not ended waits for what is missing');
      const paused = await scheduler.ask(
        'SELECT FROM trigger_pause WHERE resumed_at IS NULL AND (product IS NULL OR product = $1)',
        [product],
      );
      const [report] = await scheduler.ask<{ status: string; at: Date }>(
        'SELECT status, at FROM health_report WHERE application = $1',
        [`${product}-dev`],
      );
      const isHealthy =
        !reported.includes(product) || (report?.status === 'HEALTHY' && report.at.getTime() >= facts.since);
      const waits = paused.length > 0 ? /are paused/ : isHealthy ? null : /waits for the trigger environment/;
      if (status === 'WAITING' && waits?.test(reason)) {
        reached.count(`a candidate waits: ${paused.length > 0 ? 'paused' : 'for its environment'}`);
        continue;
      }
      scheduler.break(
        `trigger: candidate ${id} of ${product} is ${status}, nothing is missing, and it says: ${reason}`,
      );
    }
  }

  /** All that waits is over, and each commit is told. */
  async isOver(): Promise<boolean> {
    const { scheduler } = this.#parts;
    const open = (await this.#candidates()).filter(({ dueAt }) => dueAt !== null);
    const statuses = await scheduler.ask('SELECT FROM commit_status WHERE due_at IS NOT NULL OR follows');
    return open.length === 0 && statuses.length === 0 && (await this.isAtRest());
  }

  /** Where everything stands that came of pushes. */
  async standing(): Promise<string> {
    const all = await this.#candidates();
    const looks = await this.#parts.scheduler.ask<{ line: string }>(
      `SELECT repository || ' next ' || next_look_at || coalesce(', claimed until ' || claimed_until, '') || coalesce(', ' || error, '') AS line
       FROM watched_repository`,
    );
    const statuses = await this.#parts.scheduler.ask<{ line: string }>(
      `SELECT left(sha, 7) || ' ' || state || ' due ' || coalesce(due_at::text, 'never') || coalesce(', ' || last_error, '') AS line
       FROM commit_status WHERE due_at IS NOT NULL OR follows`,
    );
    const open = all.filter(({ dueAt }) => dueAt !== null);
    return [
      ...open.map(
        (each) => `candidate ${each.id} of ${each.product} is ${each.status} (${each.attempts}): ${each.reason}`,
      ),
      ...[...looks, ...statuses].map(({ line }) => line),
    ].join(' | ');
  }

  /** When everything has ended. @returns the releases that came by themselves */
  async judge(): Promise<Set<string>> {
    const { host, products, reached, scheduler } = this.#parts;
    const all = await this.#candidates();
    const releases = await scheduler.ask<{ id: string; candidate: string | null; kind: string; number: number }>(
      `SELECT id, trigger->'news'->>'candidate' AS candidate, trigger->>'kind' AS kind, number::float8 FROM release
       WHERE kind = 'FORWARD' ORDER BY number`,
    );
    const made = releases.filter(({ candidate }) => candidate !== null);
    for (const { id, status, reason, releaseId, facts, product } of all) {
      reached.count(`candidate ${status}`);
      reached.count('promise: a candidate is one release, or says why it is none');
      const own = made.filter(({ candidate }) => candidate === id);
      const right = status === 'RELEASED' ? own.length === 1 && own[0]?.id === releaseId : own.length === 0;
      if (!right) scheduler.break(`trigger: candidate ${id} is ${status}, and it was released ${own.length} times`);
      // Nothing of a world is a reason to refuse one, and a day is longer than a world.
      if (status === 'REFUSED' || status === 'FAILED' || reason === '')
        scheduler.break(`trigger: candidate ${id} of ${product} is ${status}: ${reason}`);
      const same = all.filter((each) => each.status === 'RELEASED' && each.facts.commit === facts.commit);
      if (same.length > 1) scheduler.break(`trigger: ${facts.commit} was released ${same.length} times`);
    }
    const madeAt = new Map(all.map(({ id, createdAt }) => [id, createdAt.getTime()]));
    for (const product of products) {
      const own = made.filter(({ candidate, kind }) => kind !== 'MANUAL' && isOf(all, candidate, product));
      reached.count('promise: what came later is released later', own.length);
      const times = own.map(({ candidate }) => madeAt.get(candidate as string) as number);
      if (times.some((each, at) => at > 0 && each < (times[at - 1] as number)))
        scheduler.break(`trigger: an older state of ${product} was released after a newer one`);
      // What is superseded hands on what it tells.
      const last = all.filter(({ status }) => status !== 'SUPERSEDED');
      const noted = new Set(last.flatMap(({ facts }) => facts.commits.map(({ commit }) => commit)));
      const repository = host.repositories.get(repositoryOf(product)) as Repository;
      for (const { commit, touches, claim, parent } of repository.line(repository.head)) {
        if (!touches || claim !== undefined || parent === null) continue;
        reached.count('promise: no change is lost');
        if (!noted.has(commit))
          scheduler.break(`trigger: ${commit} of ${product} was pushed, and no candidate tells of it`);
      }
    }
    await this.#judgeStatuses();
    return new Set(made.map(({ id }) => id));
  }

  /** What hosts were told last is how the newest release of the commit ended. */
  async #judgeStatuses(): Promise<void> {
    const { host, reached, scheduler } = this.#parts;
    const rows = await scheduler.ask<{ sha: string; context: string; state: string; status: string }>(
      `SELECT s.sha, s.context, s.state, r.status FROM commit_status s JOIN release r ON r.id = s.release_id WHERE s.about = 'RELEASE'`,
    );
    for (const { sha, context, state, status } of rows) {
      reached.count('promise: a commit is told how its release ended');
      const told = host.statuses.get(`${sha} ${context}`)?.state;
      const ended = status === 'SUCCEEDED' ? 'SUCCESS' : 'FAILURE';
      if (told !== state || state !== ended)
        scheduler.break(`status: ${context} of ${sha} is ${state}, its host has ${told}, and its release is ${status}`);
    }
  }
}

const isOf = (all: readonly Candidate[], id: string | null, product: string): boolean =>
  all.some((each) => each.id === id && each.product === product);
