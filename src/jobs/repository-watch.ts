import type { Timer } from '../clock.ts';
import { giveUpHints, lookAtRepository } from '../commands/look-at-repository.ts';
import { driverOf } from '../commands/sync-source.ts';
import { tellHintedPullRequests } from '../commands/tell-hinted.ts';
import type { StoredDefinition } from '../core/definitions.ts';
import { stateOf } from '../core/git-source.ts';
import type { KeptStanding } from '../core/git-source.ts';
import { watchedRepositories } from '../core/receiver/watched.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import { triggerSources } from '../core/trigger/sources.ts';
import type { Parts } from '../parts.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { readStandings } from '../store/git-sources.ts';
import {
  claimRepositories,
  dueRepositories,
  lookSoon,
  renewClaims,
  retryStopped,
  saveWatched,
  watchedNames,
} from '../store/news.ts';
import { awaitedPlaces } from '../store/pull-requests.ts';
import type { Claimed, Watched } from '../store/news.ts';
import { Watch } from './watch.ts';

/**
 * Looks at repositories for changes: each in its interval, and at once when a hint says that there may be one. When each is due stands in
 * the database, so many workers look no more often than one. It is what guarantees that no change is missed; webhooks only
 * make it faster. A look that takes its time holds up its own repository alone.
 */
export class RepositoryWatch extends Watch {
  readonly #running = new Map<string, { host: string; done: Promise<void> }>();
  readonly #closing = new AbortController();
  #known: DefinitionSnapshot | null = null;
  #awaited = '';
  #renewed = 0;
  #passes = 0;
  #hurried: Timer | null = null;
  #round: Promise<void> | null = null;
  #again = false;

  constructor(app: Parts) {
    super(app, 'repositories', PAUSE, 'repositories could not be looked at this time');
  }

  override start(): void {
    retryStopped(this.app.pool).catch((error: unknown) => this.app.log.warn({ error }, 'stopped looks stay stopped'));
    super.start();
  }

  /** A hint came: a round begins now, and another one after the one that is under way. */
  hurry(): void {
    if (this.rounds.closed) return;
    this.round().catch((error: unknown) => this.app.log.warn({ error }, 'a hint waits for the next round'));
  }

  /** One at a time; whoever asks meanwhile gets one more. Resolves when due looks were begun, not when they have ended. */
  round(): Promise<void> {
    this.#again = this.#round !== null;
    this.#round ??= this.#rounds().finally(() => (this.#round = null));
    return this.#round;
  }

  /** Resolves when all looks that were begun have ended. */
  async settled(): Promise<void> {
    await this.#round;
    await Promise.all([...this.#running.values()].map(({ done }) => done));
  }

  override async close(): Promise<void> {
    const closed = super.close();
    this.#hurried?.cancel();
    this.#closing.abort(new Error('this process ends'));
    await closed;
    await this.settled();
  }

  async #rounds(): Promise<void> {
    do {
      this.#again = false;
      await this.#once();
    } while (this.#again && !this.rounds.closed);
  }

  async #once(): Promise<void> {
    const { pool, definitions, clock } = this.app;
    const snapshot = await definitions.current();
    const awaited = (await awaitedPlaces(pool)).map(({ repository, base: branch }) => ({ repository, branch }));
    const places = JSON.stringify(awaited);
    const isNew = snapshot !== this.#known || places !== this.#awaited;
    if (isNew || this.#passes % SURE === 0) {
      const { sources } = snapshot;
      const asked = sources.map(({ spec }) => ({ driver: driverOf(spec), interval: spec.interval }));
      const watched = watchedRepositories([...triggerSources(snapshot), ...asked], awaited);
      // A process that has ended since may have been the last one to write them, from what it knew before.
      const saved =
        (!isNew && isKept(watched, await watchedNames(pool))) || (await saveWatched(pool, watched, snapshot.revision));
      if (isNew) await lookSoon(pool, unsynced(watched, sources, await readStandings(pool)));
      this.#known = saved ? snapshot : null;
      this.#awaited = places;
    }
    await tellHintedPullRequests(this.app);
    if (this.#passes++ % 60 === 0) await giveUpHints(this.app);
    if (this.#running.size > 0 && clock.elapsed() - this.#renewed > LEASE / 3) {
      await renewClaims(pool, [...this.#running.keys()], LEASE);
      this.#renewed = clock.elapsed();
    }
    const due = await dueRepositories(pool, MOST);
    const busy = new Map<string, number>();
    for (const { host } of this.#running.values()) busy.set(host, (busy.get(host) ?? 0) + 1);
    const chosen = due.filter(({ repository, host }) => {
      const taken = busy.get(host) ?? 0;
      if (taken >= PER_HOST || this.#running.has(repository)) return false;
      busy.set(host, taken + 1);
      return true;
    });
    const names = chosen.slice(0, MOST - this.#running.size).map(({ repository }) => repository);
    for (const claimed of await claimRepositories(pool, names, LEASE)) this.#begin(claimed);
  }

  #begin(claimed: Claimed): void {
    const { repository, host } = claimed;
    const { log } = this.app;
    const done = lookAtRepository(this.app, claimed, this.#closing.signal)
      .catch((error: unknown) => {
        if (!this.#closing.signal.aborted) log.warn({ error, repository }, 'a look at a repository broke off');
      })
      .finally(() => {
        this.#running.delete(repository);
        // A place at the host is free, and a hint may have come meanwhile.
        this.#soon();
      });
    this.#running.set(repository, { host, done });
  }

  #soon(): void {
    this.#hurried ??= this.app.clock.after('repositories', SOON, () => {
      this.#hurried = null;
      this.hurry();
    });
  }
}

/** Whether the repositories that are kept are these, with their branches. */
function isKept(watched: readonly Watched[], kept: readonly Pick<Watched, 'repository' | 'branches'>[]): boolean {
  const branches = new Map(kept.map((each) => [each.repository, JSON.stringify(each.branches)]));
  return (
    branches.size === watched.length &&
    watched.every((each) => branches.get(each.repository) === JSON.stringify(each.branches))
  );
}

/** Of these repositories those with a git source that is not as it is defined now: a sync may set right what definitions kept from it. */
function unsynced(
  watched: readonly Watched[],
  sources: readonly StoredDefinition<'GitSource'>[],
  standings: ReadonlyMap<string, KeptStanding>,
): string[] {
  const waiting = sources.filter(
    ({ metadata, revision }) => stateOf(standings.get(metadata.name) ?? null, revision) !== 'SYNCED',
  );
  const keys = new Set(waiting.map(({ spec }) => repositoryKey(spec.repoURL)));
  return watched.map(({ repository }) => repository).filter((each) => keys.has(repositoryKey(each)));
}

/** In milliseconds. */
const PAUSE = 1_000;
const SOON = 20;
/** Each so many rounds what is watched is compared with what should be. */
const SURE = 10;
/** It is renewed while the process lives: so long a repository is nobody's after its worker was killed. */
const LEASE = 10_000;
/** Looks at once: of a process, and of it at one host. */
const MOST = 32;
const PER_HOST = 4;
