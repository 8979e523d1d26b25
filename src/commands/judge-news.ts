import { LRUCache } from 'lru-cache';
import type { Delivery, Purpose } from '../core/receiver/delivery.ts';
import type { News, Projection } from '../core/receiver/news.ts';
import { isWithin, repositoryIdentity } from '../core/receiver/repository.ts';
import type { WebhookUse } from '../core/secrets.ts';
import { matchesGlob } from '../core/selectors.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import { triggerSources } from '../core/trigger/sources.ts';
import type { TriggerSource } from '../core/trigger/sources.ts';
import type { Parts } from '../parts.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { watchedNames } from '../store/news.ts';
import type { NewHint } from '../store/news.ts';
import { awaitedPlaces, requestedRepositories } from '../store/pull-requests.ts';

/** Whose word it is, and what it says. */
export interface Told {
  purpose: Purpose;
  source: string;
  /** The secret that verified it. */
  secret: string;
  use: WebhookUse;
  projection: Projection;
}

/** What comes of a message: where to look, and how the message stands before anybody has looked. */
export interface Judged {
  /** PENDING: a look, or more work, will say what came of it. */
  status: Extract<Delivery['status'], 'PENDING' | 'DONE' | 'REFUSED'>;
  /** In words. */
  outcome: string;
  hints: Omit<NewHint, 'deliveryId'>[];
  /** What has to be done besides looking. */
  orders: Order[];
}

/** Work of a message that is more than a hint; done twice it is the same as once. */
export type Order =
  | { kind: 'CHECK_MERGE_GROUP'; repository: string; commit: string; base: string }
  /** Argo CD has news of what is in these: their releases look at once, and candidates that wait for them. */
  | { kind: 'LOOK_AGAIN'; product: string; environment: string; application: string };

/** What messages can be about, as of one moment: the same for all of them. */
export interface Known {
  snapshot: DefinitionSnapshot;
  watched: Watched[];
  awaited: Awaited[];
}

export async function whatIsKnown({ pool, definitions }: Pick<Parts, 'pool' | 'definitions'>): Promise<Known> {
  const [snapshot, watched, awaited] = await Promise.all([
    definitions.current(),
    watchedNames(pool),
    awaitedPlaces(pool),
  ]);
  return { snapshot, watched, awaited };
}

/**
 * Decides what a verified message is about, among the repositories that are watched and the pull requests that are open. Nothing of
 * it is believed; a secret that is bound to repositories or products tells of these alone.
 */
export async function judgeNews(
  { pool }: Pick<Parts, 'pool'>,
  { snapshot, watched, awaited }: Known,
  told: Told,
): Promise<Judged> {
  const { projection } = told;
  const asksForChecks = projection.news.some(({ kind }) => kind === 'MERGE_GROUP');
  const requested = asksForChecks ? await requestedRepositories(pool) : [];
  const places = new Places(watched, awaited, requested, snapshot, told);
  const parts = projection.news.map((news) => judgeOne(places, told, news));
  const unwanted = projection.nothing === undefined ? [] : [verdict('DONE', projection.nothing)];
  const all = [...parts, ...unwanted];
  // What is wanted counts before what is not, and a refusal before a message that is about nothing.
  const status = (['PENDING', 'REFUSED', 'DONE'] as const).find((each) => all.some((one) => one.status === each));
  return {
    status: status ?? 'DONE',
    outcome: [...new Set(all.map(({ outcome }) => outcome))].join('; ') || 'it tells of nothing',
    hints: all.flatMap(({ hints }) => hints),
    orders: all.flatMap(({ orders }) => orders),
  };
}

const verdict = (status: Judged['status'], outcome: string, more: Partial<Judged> = {}): Judged => ({
  status,
  outcome,
  hints: [],
  orders: [],
  ...more,
});

function judgeOne(places: Places, told: Told, news: News): Judged {
  switch (news.kind) {
    case 'ARGO_CD':
      return judgeArgocd(places, news);
    case 'PRODUCTS':
      return judgeProducts(places, told);
    case 'MERGE_GROUP':
      return judgeMergeGroup(places, news);
    default: {
      const { watched, awaited, why } = places.of(told.projection.repositories);
      if (why !== undefined) return verdict('REFUSED', why);
      if (news.kind === 'PUSH') return judgePush(places, watched, awaited, news, told.source);
      return judgePullRequest(places, watched, awaited, news, told.source);
    }
  }
}

interface Watched {
  repository: string;
  branches: string[];
}

interface Awaited {
  repository: string;
  base: string;
  branch: string;
  number: number | null;
}

function judgePush(
  places: Places,
  watched: Watched[],
  awaited: Awaited[],
  { branch }: Extract<News, { kind: 'PUSH' }>,
  source: string,
): Judged {
  const own = awaited.filter((each) => each.branch === branch);
  if (own.length > 0) {
    const hints = own.map(({ repository, number }) => pullRequestHint(repository, branch, number, source));
    return verdict('PENDING', `branch ${branch} is that of a pull request, which is looked at`, { hints });
  }
  const wanted = watched.filter(({ branches }) => branch === '*' || branches.includes(branch));
  if (wanted.length === 0) {
    const branches = distinct(watched.flatMap((each) => each.branches))
      .slice(0, 10)
      .join(', ');
    return verdict(
      'DONE',
      `${places.matched(watched)}, and no application there is on branch ${branch}: they are on ${branches}`,
    );
  }
  const ref = branch === '*' ? {} : { ref: branch };
  const hints = wanted.map(({ repository }) => ({
    repository,
    kind: 'PUSH' as const,
    via: 'PUSH' as const,
    source,
    ...ref,
  }));
  return verdict('PENDING', `${places.matched(wanted)}: a look is due`, { hints });
}

const pullRequestHint = (
  repository: string,
  ref: string,
  number: number | null,
  source: string,
): Judged['hints'][number] => ({
  repository,
  kind: 'PULL_REQUEST',
  ref,
  ...(number !== null && { number }),
  source,
  via: 'MERGE',
});

function judgePullRequest(
  places: Places,
  watched: Watched[],
  awaited: Awaited[],
  { number, head, base, merged }: Extract<News, { kind: 'PULL_REQUEST' }>,
  source: string,
): Judged {
  const own = awaited.filter((each) => each.number === number || each.branch === head);
  const hints = own.map(({ repository, branch }) => pullRequestHint(repository, branch, number, source));
  // A merge is also a push; either may be lost.
  const moved = merged ? watched.filter(({ branches }) => branches.includes(base)) : [];
  for (const { repository } of moved) hints.push({ repository, kind: 'PUSH', ref: base, source, via: 'MERGE' });
  if (hints.length === 0) {
    const about = merged ? `pull request ${number} was merged into ${base}, which is` : `pull request ${number} is`;
    return verdict('DONE', `${about} none of Sluice, and no application is triggered by it`);
  }
  const what = own.length > 0 ? `pull request ${number} is looked at` : `${places.matched(moved)}: a look is due`;
  return verdict('PENDING', what, { hints });
}

function judgeMergeGroup(places: Places, { commit, base }: Extract<News, { kind: 'MERGE_GROUP' }>): Judged {
  const requested = places.requested();
  if (requested.length === 0)
    return verdict('DONE', 'a merge group of a repository in which Sluice never opened a pull request');
  const orders = requested.map((repository) => ({ kind: 'CHECK_MERGE_GROUP' as const, repository, commit, base }));
  return verdict('PENDING', `a merge group of ${base} is checked`, { orders });
}

function judgeArgocd(places: Places, { application, project }: Extract<News, { kind: 'ARGO_CD' }>): Judged {
  const { found, known } = places.bound(application, project);
  if (found.length === 0)
    return verdict(
      'REFUSED',
      `matched 0 of ${known} applications with an Argo CD source: none that this secret may tell of names the Argo CD application ${application}`,
    );
  const hints = places.hintsFor(
    found.map(({ application: name }) => name),
    'ARGO_CD',
  );
  const names = found.map(({ application: name }) => name).join(', ');
  const orders = found.map((each) => ({ kind: 'LOOK_AGAIN' as const, ...each }));
  return verdict('PENDING', `matched ${names}: sync and health are looked at`, { hints, orders });
}

function judgeProducts(places: Places, { secret, use }: Told): Judged {
  if (use.products.length === 0)
    return verdict('REFUSED', `it names no repository, and secret "${secret}" names no product that it could be about`);
  const hints = places.hintsFor(null, 'DEPLOYMENT');
  if (hints.length === 0) return verdict('REFUSED', `no repository of ${use.products.join(', ')} is watched`);
  return verdict('PENDING', `matched ${hints.length} repositories of ${use.products.join(', ')}: a look is due`, {
    hints,
  });
}

/** The repositories and applications that a secret may tell of. */
class Places {
  readonly #watched: readonly Watched[];
  readonly #awaited: readonly Awaited[];
  readonly #requested: readonly string[];
  readonly #snapshot: DefinitionSnapshot;
  readonly #sources: SourcesByPlace;
  readonly #told: Told;

  constructor(
    watched: readonly Watched[],
    awaited: readonly Awaited[],
    requested: readonly string[],
    snapshot: DefinitionSnapshot,
    told: Told,
  ) {
    this.#watched = watched;
    this.#awaited = awaited;
    this.#requested = requested;
    this.#snapshot = snapshot;
    this.#sources = sourcesOf(snapshot);
    this.#told = told;
  }

  matched = (found: readonly Watched[]): string =>
    `matched ${found.length} of ${this.#watched.length} repositories (${found.map(({ repository }) => repository).join(', ')})`;

  /** Those under these addresses, and why none of them counts. */
  of(addresses: readonly string[]): { watched: Watched[]; awaited: Awaited[]; why?: string } {
    const identities = new Set(addresses.flatMap((each) => repositoryIdentity(each) ?? []));
    const isMeant = ({ repository }: { repository: string }): boolean => identities.has(identityOf(repository));
    const [watched, awaited] = [this.#watched.filter(isMeant), this.#awaited.filter(isMeant)];
    const said = addresses[0] ?? 'no repository';
    const none = `matched 0 of ${this.#watched.length} repositories`;
    if (watched.length + awaited.length === 0)
      return {
        watched,
        awaited,
        why: `${none}: it tells of ${said}, and no application that triggers releases is there, nor an open pull request of Sluice`,
      };
    const { secret, use } = this.#told;
    const prefixes = use.repositories ?? [];
    const within = watched.filter(({ repository }) => isWithin(prefixes, repository));
    const waiting = awaited.filter(({ repository }) => isWithin(prefixes, repository));
    if (within.length + waiting.length === 0)
      return {
        watched: [],
        awaited: [],
        why: `${none}: secret "${secret}" tells of ${prefixes.join(', ')}, not of ${said}`,
      };
    const allowed = within.filter((each) =>
      this.#productsAt(each.repository).some((product) => this.#isAllowed(product)),
    );
    if (allowed.length + waiting.length === 0)
      return {
        watched: [],
        awaited: [],
        why: `${none}: secret "${secret}" tells of ${use.products.join(', ')}, none of which is in ${said}`,
      };
    return { watched: allowed, awaited: waiting };
  }

  /** Of the message's repository, in all spellings in which Sluice ever opened a pull request there. */
  requested(): string[] {
    const { use, projection } = this.#told;
    const identities = new Set(projection.repositories.flatMap((each) => repositoryIdentity(each) ?? []));
    return this.#requested.filter((each) => identities.has(identityOf(each)) && isWithin(use.repositories ?? [], each));
  }

  /** Applications that ask this application of Argo CD, and how many ask any. */
  bound(
    application: string,
    project: string | undefined,
  ): { found: Omit<Extract<Order, { kind: 'LOOK_AGAIN' }>, 'kind'>[]; known: number } {
    const asking = [...this.#snapshot.products.keys()].flatMap((product) =>
      this.#snapshot.applicationsOf(product).flatMap(({ metadata, spec: { sync, environment } }) => {
        if (sync?.type !== 'argocd') return [];
        return [{ asked: sync, product, environment, application: metadata.name }];
      }),
    );
    const found = asking.filter(
      ({ asked, product }) =>
        this.#isAllowed(product) &&
        asked.application === application &&
        (project === undefined || asked.project === project),
    );
    return { found: found.map(({ asked: _, ...each }) => each), known: asking.length };
  }

  /** Hints for the repositories of these applications as far as they trigger releases; null: of all that the secret may tell of. */
  hintsFor(applications: readonly string[] | null, via: 'ARGO_CD' | 'DEPLOYMENT'): Judged['hints'] {
    const keys = new Set(
      this.#sources.all
        .filter(({ application, product }) => this.#isAllowed(product) && (applications?.includes(application) ?? true))
        .map(({ driver }) => repositoryKey(driver.repoURL)),
    );
    return this.#watched
      .filter(({ repository }) => keys.has(repositoryKey(repository)))
      .filter(({ repository }) => isWithin(this.#told.use.repositories ?? [], repository))
      .map(({ repository }) => ({ repository, kind: 'PUSH' as const, source: this.#told.source, via }));
  }

  #productsAt(repository: string): readonly string[] {
    return this.#sources.products.get(repositoryKey(repository)) ?? [];
  }

  #isAllowed(product: string): boolean {
    const { products } = this.#told.use;
    return products.length === 0 || products.some((each) => matchesGlob(each, product));
  }
}

/** What triggers releases, and the products of each repository under its key. */
interface SourcesByPlace {
  all: readonly TriggerSource[];
  products: ReadonlyMap<string, readonly string[]>;
}

// Every message is held against all definitions and repositories; a flood of them would work out the same a thousand times.
const sourcesBySnapshot = new WeakMap<DefinitionSnapshot, SourcesByPlace>();
const identityByAddress = new LRUCache<string, string>({ max: 10_000 });

function sourcesOf(snapshot: DefinitionSnapshot): SourcesByPlace {
  const known = sourcesBySnapshot.get(snapshot);
  if (known) return known;
  const all = triggerSources(snapshot);
  const products = new Map<string, string[]>();
  for (const { driver, product } of all) {
    const key = repositoryKey(driver.repoURL);
    const same = products.get(key);
    if (same) same.push(product);
    else products.set(key, [product]);
  }
  const found = { all, products };
  sourcesBySnapshot.set(snapshot, found);
  return found;
}

/** Of an address that Sluice has; empty when it is none. */
function identityOf(address: string): string {
  const known = identityByAddress.get(address);
  if (known !== undefined) return known;
  const identity = repositoryIdentity(address) ?? '';
  identityByAddress.set(address, identity);
  return identity;
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)];
