import DataLoader from 'dataloader';
import { commitWarnings } from '../commands/commit-warnings.ts';
import { storedDefinitions } from '../commands/definition-draft.ts';
import { readManifests } from '../commands/apply-manifests.ts';
import type { Kind, StoredDefinition } from '../core/definitions.ts';
import type { KeptStanding } from '../core/git-source.ts';
import type { Facts, ReleaseState } from '../core/release.ts';
import { repositoryKey } from '../core/trigger/repository.ts';
import type { PlainManifests } from '../manifests/index.ts';
import { isStorable } from './answers.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { readApplications, readDefinitions, readRevisions, readTexts } from '../store/definition-reads.ts';
import type { RevisionKey } from '../store/definition-reads.ts';
import { allDefinitions } from '../store/definitions.ts';
import { statusesOf } from '../store/commit-statuses.ts';
import type { CommitStatusShown } from '../store/commit-statuses.ts';
import { readStandings } from '../store/git-sources.ts';
import { readLooks } from '../store/news.ts';
import type { LookShown } from '../core/receiver/look.ts';
import { pullRequestsOf } from '../store/pull-requests.ts';
import type { PullRequestRecord } from '../store/pull-requests.ts';
import { openErrands } from '../store/outbox.ts';
import type { OpenErrand } from '../store/outbox.ts';
import { readVersions } from '../store/contents.ts';
import { readCounts, readFacts, readPlaces, readStates, readSummaries } from '../store/release-reads.ts';
import { rollbacksOf } from '../store/rollback-reads.ts';
import type { RollbackSummary } from '../store/rollback-reads.ts';
import { loadPromotions } from '../store/load-releases.ts';
import type { AskedPromotions, FrozenRelease, PartialState } from '../store/load-releases.ts';
import type { ReleaseSummary } from '../store/release-reads.ts';

/** A list of fifty releases asks once for what all fifty need: every statement is shared by the whole request. */

type Read<T> = (ids: readonly string[]) => Promise<Map<string, T>>;

/** A key that the database cannot even hold (NUL, half a character) is the key of nothing; PostgreSQL would refuse the whole batch. */
function byKey<T>(read: Read<T>): DataLoader<string, T | null> {
  return new DataLoader(
    async (ids) => {
      const found = await read(ids.filter(isStorable));
      return ids.map((id) => found.get(id) ?? null);
    },
    { maxBatchSize: 1_000 },
  );
}

export function definitionsOf<K extends Kind>(
  context: ApiContext,
  kind: K,
): DataLoader<string, StoredDefinition<K> | null> {
  return loaderOf(context, `definitions/${kind}`, (app) =>
    byKey((names) => readDefinitions(app.dataSource, kind, names)),
  );
}

/** Of a product, by name. */
export function applicationsOfProduct(context: ApiContext): DataLoader<string, StoredDefinition<'Application'>[]> {
  return loaderOf(
    context,
    'applications-of-product',
    ({ dataSource }) =>
      new DataLoader(async (products) => {
        const found = await readApplications(dataSource, products);
        return products.map((product) => found.filter((each) => each.spec.product === product));
      }),
  );
}

/** Looks at repositories, by `repositoryKey`. */
export function looksOf(context: ApiContext): Promise<ReadonlyMap<string, LookShown>> {
  return loaderOf(context, 'looks', async ({ pool }) => {
    const looks = await readLooks(pool);
    return new Map(looks.map((each) => [repositoryKey(each.repository), each]));
  });
}

/** How git sources stand, by name: a handful. */
export const standingsOf = (context: ApiContext): Promise<ReadonlyMap<string, KeptStanding>> =>
  loaderOf(context, 'standings', ({ pool }) => readStandings(pool));

/** What hosts will have against commits into applications: each branch is asked for once. */
export const commitWarningsOf = (context: ApiContext) =>
  loaderOf(
    context,
    'commitWarnings',
    (app) =>
      new DataLoader(async (applications: readonly StoredDefinition<'Application'>[]) => {
        const found = await commitWarnings(app, applications, storedDefinitions(app.dataSource));
        return applications.map(({ metadata }) => found.get(metadata.name) ?? []);
      }),
  );

export function allEnvironments(context: ApiContext): Promise<StoredDefinition<'Environment'>[]> {
  return loaderOf(context, 'environments', ({ dataSource }) => allDefinitions(dataSource, 'Environment'));
}

export function revisionsOf(context: ApiContext) {
  return loaderOf(
    context,
    'revisions',
    (app) =>
      new DataLoader((keys: readonly RevisionKey[]) => readRevisions(app.dataSource, keys), {
        cacheKeyFn: ({ kind, name, revision }) => `${kind}/${name}@${revision}`,
      }),
  );
}

export const textsOf = (context: ApiContext) =>
  loaderOf(
    context,
    'texts',
    (app) =>
      new DataLoader((keys: readonly RevisionKey[]) => readTexts(app.pool, keys), {
        cacheKeyFn: ({ kind, name, revision }) => `${kind}/${name}@${revision}`,
      }),
  );

export const summaries = (context: ApiContext): DataLoader<string, ReleaseSummary | null> =>
  loaderOf(context, 'summaries', ({ pool }) => byKey((ids) => readSummaries(pool, ids)));

export const frozen = (context: ApiContext): DataLoader<string, FrozenRelease | null> =>
  loaderOf(context, 'frozen', ({ releaseEngine }) => byKey((ids) => releaseEngine.frozen.of(ids)));

export const states = (context: ApiContext): DataLoader<string, ReleaseState | null> =>
  loaderOf(context, 'states', ({ pool }) => byKey((ids) => readStates(pool, ids)));

/** A release with some of its promotions. What a request asks for together is read in one statement, at one moment. */
export const promotionsAt = (context: ApiContext) =>
  loaderOf(
    context,
    'promotions-at',
    ({ pool }) =>
      new DataLoader(
        async (asked: readonly AskedPromotions[]) => {
          const found = await loadPromotions(pool, asked);
          return asked.map(({ release }): PartialState | null => found.get(release) ?? null);
        },
        // What is asked for later is read anew: promotions of two moments would make a state that never was.
        { cache: false },
      ),
  );

export const counts = (context: ApiContext) =>
  loaderOf(context, 'counts', ({ pool }) => byKey((ids) => readCounts(pool, ids)));

/** Its promotions with their environments, for readers who may not see all of them. */
export const places = (context: ApiContext) =>
  loaderOf(context, 'places', ({ pool }) => byKey((ids) => readPlaces(pool, ids)));

/** What releases pinned, by content key. */
export const versions = (context: ApiContext) =>
  loaderOf(context, 'versions', ({ pool }) => byKey((ids) => readVersions(pool, ids)));

/** The rollbacks that take a release back. */
export const rollbacks = (context: ApiContext): DataLoader<string, RollbackSummary[] | null> =>
  loaderOf(context, 'rollbacks', ({ pool }) => byKey((ids) => rollbacksOf(pool, ids)));

/** What a release asked of the outside world and is not done. */
export const errands = (context: ApiContext): DataLoader<string, OpenErrand[] | null> =>
  loaderOf(context, 'errands', ({ pool }) => byKey((ids) => openErrands(pool, ids)));

/** The pull requests of its promotions. */
export const pullRequests = (context: ApiContext): DataLoader<string, PullRequestRecord[] | null> =>
  loaderOf(context, 'pull-requests', ({ pool }) =>
    byKey(async (ids) => {
      const found = new Map<string, PullRequestRecord[]>();
      for (const each of await pullRequestsOf(pool, ids))
        found.set(each.releaseId, [...(found.get(each.releaseId) ?? []), each]);
      return found;
    }),
  );

/** What hosts are told of its commits. */
export const commitStatuses = (context: ApiContext): DataLoader<string, CommitStatusShown[] | null> =>
  loaderOf(context, 'commit-statuses', ({ pool }) => byKey((ids) => statusesOf(pool, ids)));

/** Of the newest event that the release had when it was read. */
export const lastCursors = (context: ApiContext) =>
  loaderOf(
    context,
    'last-cursors',
    () =>
      new DataLoader((events: readonly { releaseId: string; sequence: number }[]) => context.log.cursorsOf(events), {
        cacheKeyFn: ({ releaseId, sequence }) => `${releaseId}/${sequence}`,
        maxBatchSize: 1_000,
      }),
  );

/** What other releases do; only releases that have not ended need to know. */
export const facts = (context: ApiContext) =>
  loaderOf(
    context,
    'facts',
    ({ pool, definitions }) =>
      new DataLoader(
        async (releases: readonly ReleaseSummary[]): Promise<Facts[]> => {
          const found = await readFacts(pool, releases, definitions);
          return releases.map(({ id }) => found.get(id) as Facts);
        },
        { cacheKeyFn: ({ id }) => id, maxBatchSize: 1_000 },
      ),
  );

/** What manifests hold: read once for the rule of access and for the command. */
export function manifestsIn(
  context: ApiContext,
  { text, fileName }: { text: string; fileName?: string | null },
): Promise<PlainManifests> {
  const known = loaderOf(context, 'manifests', () => new Map<string, Promise<PlainManifests>>());
  const read = known.get(text) ?? readManifests(context.app, { text, fileName: fileName ?? undefined }, context.actor);
  known.set(text, read);
  return read;
}

/** After a mutation: what the request read before it is old. */
export function forget(context: ApiContext): void {
  context.loaders.clear();
}
