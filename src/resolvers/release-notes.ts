import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import { comparedIn, beginningOf } from '../commands/compare-places.ts';
import type { InPlace } from '../commands/compare-places.ts';
import { comingRelease, notesBetween, partFor } from '../commands/release-notes.ts';
import type { Notes } from '../commands/release-notes.ts';
import { refusable } from '../commands/result.ts';
import { sees } from '../core/access/index.ts';
import type { Compared } from '../core/deployment-matrix.ts';
import { CommitNoteType } from '../schema/candidate.ts';
import { badInput } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { RELEASE_NAMES } from '../schema/node.ts';
import { ReleaseTriggerInput } from '../schema/release.ts';
import { EnvironmentNotes, NotedCommit, ReleaseNotesPayload } from '../schema/release-notes.ts';
import { readBefore } from '../store/deployment-history.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import { releasing } from './access/release-rules.ts';
import { Guarded, may, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable, refused, unstorable } from './answers.ts';
import { frozen } from './batches.ts';
import { triggerOf } from './orders.ts';
import { inPlace, placeOf, snapshotOf } from './places.ts';
import { readsOf } from './reads.ts';
import { releaseIdOf } from './release-id.ts';
import { readRelease } from './release-parts.ts';

/** Environments of which one question tells. */
const MOST_ENVIRONMENTS = 50;
/** Reading commits for one question, in milliseconds. */
const READING = 10_000;

const ENVIRONMENTS = `The names of the environments; when left out, those of its flow, as far as ${MOST_ENVIRONMENTS}.`;

@Resolver()
export class ReleaseNotesResolver {
  @Guarded(SEES)
  @Query(() => [EnvironmentNotes], {
    description:
      'What a release brings to each of its environments, beside what was there before it: commits, their authors, and the issues that they name. Empty when there is no such release.',
  })
  async releaseNotes(
    @Ctx() context: ApiContext,
    @Arg('releaseId', () => ID, { description: `Which one: ${RELEASE_NAMES}.` }) releaseId: string,
    @Arg('environments', () => [String], { nullable: true, description: ENVIRONMENTS }) environments?: string[],
  ): Promise<EnvironmentNotes[]> {
    checkStorable({ environments });
    const id = await releaseIdOf(context, releaseId);
    if ((await readRelease(context, id)) === null) return [];
    const release = await frozen(context).load(id);
    if (!release) return [];
    const snapshot = await snapshotOf(context);
    const visibility = await visibilityOf(context);
    const { product, triggerEnvironment, promotions } = release.plan;
    const named = chosen(
      environments,
      promotions.flatMap(({ environment }) => environment ?? []),
      triggerEnvironment,
    );
    const seen = named.filter((each) => sees(visibility, product, each));
    const before = await placesBefore(context, release, seen);
    const signal = context.app.clock.limit('look', READING);
    return Promise.all(
      seen.map(async (environment) => {
        const after = placeOf({ product, environment }, applicationsIn(release, environment));
        const sides = { before: before.get(environment) ?? null, after };
        const pair = comparedBoth(snapshot, sides);
        return shown(await notesBetween(context.app, snapshot, product, { environment, ...pair }, signal));
      }),
    );
  }

  @Guarded(may('VIEW', releasing))
  @Query(() => ReleaseNotesPayload, {
    description:
      'What `releaseTrigger` with the same input would bring to each environment, beside what is there now. Nothing is created; the sources are asked where they stand.',
  })
  async comingReleaseNotes(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseTriggerInput, { description: 'What to release.' }) input: ReleaseTriggerInput,
    @Arg('environments', () => [String], { nullable: true, description: ENVIRONMENTS }) environments?: string[],
  ): Promise<ReleaseNotesPayload> {
    const wrong = [...unstorable(input), ...unstorable({ environments })];
    const result =
      wrong.length > 0 ? { refusals: wrong } : await refusable(() => comingRelease(context.app, triggerOf(input)));
    if (result.refusals) return { notes: [], userErrors: refused(result.refusals) };
    const { product, snapshot, promotions } = result.value;
    const signal = context.app.clock.limit('look', READING);
    const named = new Set(
      chosen(
        environments,
        promotions.flatMap(({ environment }) => environment ?? []),
        '',
      ),
    );
    const notes = promotions
      .filter(({ name }) => named.has(name))
      .map(async (promotion) => {
        const environment = promotion.name;
        const there = await inPlace(context, { product, environment });
        const before = there.applications.length === 0 ? null : comparedOne(snapshot, there);
        const after = partFor(result.value, promotion);
        return shown(await notesBetween(context.app, snapshot, product, { environment, before, after }, signal));
      });
    return { notes: await Promise.all(notes), userErrors: [] };
  }
}

/** Those of the release that were asked for, in its order; where versions begin nothing is brought. */
function chosen(asked: readonly string[] | null | undefined, all: readonly string[], beginning: string): string[] {
  if (asked && asked.length > MOST_ENVIRONMENTS)
    throw badInput(
      `\`environments\` has ${asked.length} names; at most ${MOST_ENVIRONMENTS} are told of`,
      'environments',
    );
  return all.filter((each) => each !== beginning && (asked?.includes(each) ?? true)).slice(0, MOST_ENVIRONMENTS);
}

const applicationsIn = (release: FrozenRelease, environment: string): InPlace['applications'] =>
  (release.plan.promotions.find((each) => each.environment === environment)?.applications ?? []).map(({ name }) => ({
    name,
    release,
  }));

/** By environment: what was there before the release, or is there while it has not come. */
async function placesBefore(
  context: ApiContext,
  release: FrozenRelease,
  environments: readonly string[],
): Promise<Map<string, InPlace>> {
  const { product } = release.plan;
  const keys = environments.flatMap((environment) =>
    applicationsIn(release, environment).map(({ name: application }) => ({ product, environment, application })),
  );
  const rows = await readBefore(readsOf(context), release.id, keys);
  const releases = await Promise.all(rows.map(({ releaseId }) => frozen(context).load(releaseId)));
  const found = new Map<string, InPlace['applications'][number][]>();
  for (const [index, { environment, application: name }] of rows.entries()) {
    const brought = releases[index];
    if (brought) found.set(environment, [...(found.get(environment) ?? []), { name, release: brought }]);
  }
  return new Map([...found].map(([environment, all]) => [environment, placeOf({ product, environment }, all)]));
}

function comparedBoth(
  snapshot: DefinitionSnapshot,
  { before, after }: { before: InPlace | null; after: InPlace },
): { before: Compared | null; after: Compared } {
  const applications = snapshot.applicationsOf(after.product);
  const beginning = beginningOf(snapshot, after) ?? '';
  return {
    before: before && comparedIn(before, applications, beginning),
    after: comparedIn(after, applications, beginning),
  };
}

function comparedOne(snapshot: DefinitionSnapshot, place: InPlace): Compared {
  return comparedIn(place, snapshot.applicationsOf(place.product), beginningOf(snapshot, place) ?? '');
}

function shown({ environment, commits, ...notes }: Notes): EnvironmentNotes {
  const authors = new Set(commits.map(({ author }) => author.replace(/\s*<[^<>]*>$/, '')));
  const issues = new Map(commits.flatMap((each) => each.issues.map((issue) => [issue.key, issue] as const)));
  return {
    ...notes,
    environmentName: environment,
    commits: commits.map(({ issues: own, ...each }) =>
      Object.assign(new NotedCommit(), CommitNoteType.of(each), { issues: own }),
    ),
    authors: [...authors],
    issues: [...issues.values()],
  };
}
