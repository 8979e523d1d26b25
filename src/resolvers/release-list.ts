import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { askedOf, badInput, numberIn, PageArgs, toConnection } from '../schema/connection.ts';
import type { CountedConnection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { Release, ReleaseConnection, ReleaseFacet, ReleaseFacets, ReleaseFilterInput } from '../schema/release.ts';
import { listReleases, readTraits } from '../store/release-reads.ts';
import type { ReleaseFilter, ReleaseTraits } from '../store/release-reads.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { countResolver } from './counts.ts';
import { readsOf } from './reads.ts';

/** As far as a list is counted. */
const COUNTED = 1_000;
/** Names in one facet. */
const SHOWN = 50;

interface ReleaseList extends CountedConnection<Release> {
  traits: (this: void) => Promise<ReleaseTraits[]>;
}

@Resolver(() => ReleaseConnection)
export class ReleaseListResolver extends countResolver(ReleaseConnection, COUNTED) {
  @Guarded(SEES)
  @Query(() => ReleaseConnection, { description: 'Releases, newest first.' })
  async releases(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('filter', () => ReleaseFilterInput, { nullable: true, description: 'Which ones; all when left out.' })
    input?: ReleaseFilterInput,
  ): Promise<ReleaseList> {
    const asked = askedOf(page);
    const { limit, backwards } = asked;
    checkStorable({ filter: input });
    const filter: ReleaseFilter = { ...toFilter(input), visible: await visibilityOf(context) };
    const entries = context.app.limits.entriesPerPage;
    const { rows, cut } = await listReleases(readsOf(context), {
      limit,
      backwards,
      entries,
      key: numberIn(asked),
      filter,
    });
    const connection = toConnection(
      rows,
      page,
      (row) => String(row.number),
      (row) => new Release(row),
      cut && String(cut[0]),
    );
    let looked: ReturnType<typeof readTraits> | undefined;
    // Once, whichever of count and facets are asked for; no more than a page may look at.
    const most = Math.min(COUNTED, entries);
    const look = (): ReturnType<typeof readTraits> =>
      (looked ??= readTraits(readsOf(context), { limit: most + 1, entries, filter }));
    return {
      ...connection,
      async counted() {
        const all = await look();
        return { count: Math.min(all.rows.length, most), isCapped: all.rows.length > most || all.cut !== null };
      },
      traits: async () => (await look()).rows.slice(0, most),
    };
  }

  @FieldResolver(() => ReleaseFacets, {
    description: 'Which values its releases have, to choose the next filter from.',
  })
  async facets(@Root() { traits }: ReleaseList): Promise<ReleaseFacets> {
    const all = await traits();
    const facet = (key: keyof ReleaseTraits): ReleaseFacet[] => facetOf(all.flatMap((each) => each[key] ?? []));
    return {
      products: facet('product'),
      flows: facet('flow'),
      statuses: facet('status'),
      kinds: facet('kind'),
      actors: facet('actor'),
    };
  }
}

function facetOf(values: readonly string[]): ReleaseFacet[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const facets = [...counts].map(([value, count]) => ({ value, count }));
  return facets.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, SHOWN);
}

/** Null is how GraphQL leaves something out. */
function toFilter(input: ReleaseFilterInput | null | undefined): ReleaseFilter {
  const { status, commit, ...same } = input ?? {};
  if (typeof commit === 'string' && !/^[0-9a-f]{7,64}$/i.test(commit)) {
    throw badInput(
      `commit is '${commit.slice(0, 70)}': expected its id, or the first 7 hexadecimal digits or more`,
      'filter.commit',
    );
  }
  const given = Object.entries({ ...same, statuses: status, commit: commit?.toLowerCase() });
  return Object.fromEntries(given.filter(([, value]) => value !== null && value !== undefined));
}
