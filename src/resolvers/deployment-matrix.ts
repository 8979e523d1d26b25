import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { beginningOf, comparePlaces, versionIn } from '../commands/compare-places.ts';
import { sees } from '../core/access/index.ts';
import { placeNow } from '../core/deployment-matrix.ts';
import type { LiveApplication } from '../core/deployment-matrix.ts';
import { marks } from '../core/holds.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import { BadVersion } from '../schema/bad-version.ts';
import { askedOf, PageArgs, toConnection } from '../schema/connection.ts';
import type { Asked, Connection } from '../schema/connection.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { dateOf } from '../schema/values.ts';
import { DeploymentSelectorInput } from '../schema/deployment.ts';
import {
  Comparison,
  DeploymentCell,
  DeploymentMatrixAxes,
  DeploymentMatrixConnection,
  DeploymentMatrixRow,
  PromotionOnItsWay,
} from '../schema/deployment-matrix.ts';
import { EnvironmentHold } from '../schema/environment-hold.ts';
import { Release } from '../schema/release.ts';
import { readHoldsOf, readMarksOf, readOnTheirWay } from '../store/deployment-matrix.ts';
import type { LiveInPlace, Place } from '../store/deployment-matrix.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { frozen } from './batches.ts';
import { toDeployment } from './deployment.ts';
import { inPlace, liveIn, MOST_PLACES, snapshotOf } from './places.ts';
import { readsOf } from './reads.ts';
import { readRelease } from './release-parts.ts';

/** Promotions on their way that a place shows. */
const MOST_IN_FLIGHT = 5;
/** Places that one operation compares. */
const MOST_COMPARED = 200;
/** Counting commits for one operation, in milliseconds. */
const COUNTING = 5_000;

@Resolver(() => DeploymentCell)
export class DeploymentMatrixResolver {
  @Guarded(SEES)
  @Query(() => DeploymentMatrixConnection, {
    description:
      'The table of products and environments: what is live in each, how it is, what is on its way, what stands against it. A row per product that has an application there, by name; a page ends early where its rows have more than 2,000 cells together.',
  })
  async deploymentMatrix(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('selector', () => DeploymentSelectorInput, { nullable: true, description: 'Which ones; all when left out.' })
    selector?: DeploymentSelectorInput,
    @Arg('compareTo', () => String, {
      nullable: true,
      description:
        'The name of the environment with which `comparison` compares; when left out, the one in which the versions of each place begin.',
    })
    compareTo?: string,
  ): Promise<Connection<DeploymentMatrixRow>> {
    const { size, key, backwards } = askedOf(page);
    checkStorable({ selector, compareTo });
    const { rows, cut } = await rowsOf(context, { size, key, backwards, selector });
    const places = rows.slice(0, size).flatMap((each) => each.places);
    const cells = await cellsOf(context, places, compareTo ?? null);
    const nodeOf = ({ product }: Row): DeploymentMatrixRow => ({
      productName: product,
      cells: cells.filter((each) => each.product === product),
    });
    return toConnection(rows, page, ({ product }) => product, nodeOf, cut);
  }

  @Guarded(SEES)
  @Query(() => DeploymentMatrixAxes, {
    description:
      'The names along the sides of `deploymentMatrix`. A screen that shows a part of a large table asks for the cells of the rows and columns that are seen, by `selector`.',
  })
  async deploymentMatrixAxes(
    @Ctx() context: ApiContext,
    @Arg('selector', () => DeploymentSelectorInput, { nullable: true, description: 'Which ones; all when left out.' })
    selector?: DeploymentSelectorInput,
  ): Promise<DeploymentMatrixAxes> {
    checkStorable({ selector });
    const snapshot = await snapshotOf(context);
    const there = await environmentsOf(context, selector);
    const columns = new Set<string>();
    const productNames = [...snapshot.products.keys()].sort().filter((product) => {
      const here = there(product);
      for (const each of here) columns.add(each);
      return here.size > 0;
    });
    const environmentNames = [...columns].sort();
    const production = new Set(
      snapshot.environments.filter(({ spec }) => spec.kind === 'PRODUCTION').map(({ metadata }) => metadata.name),
    );
    return { productNames, environmentNames, productionNames: environmentNames.filter((each) => production.has(each)) };
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The release that brought what came there last.' })
  async release(@Ctx() context: ApiContext, @Root() { live }: DeploymentCell): Promise<Release | null> {
    const newest = live.reduce<DeploymentCell['live'][number] | null>(
      (last, each) => (last && last.at >= each.at ? last : each),
      null,
    );
    return newest && readRelease(context, newest.releaseId);
  }

  @FieldResolver(() => Comparison, {
    nullable: true,
    description:
      'How its version relates to the one of another environment, with the number of commits where this server has fetched them; null: nothing was brought there yet.',
  })
  async comparison(@Ctx() context: ApiContext, @Root() cell: DeploymentCell): Promise<Comparison | null> {
    const { product, environmentName: environment, compareTo } = cell;
    if (cell.live.length === 0) return null;
    const snapshot = await snapshotOf(context);
    const here = await inPlace(context, { product, environment });
    const to = compareTo ?? beginningOf(snapshot, here) ?? null;
    const unknown = (reason: string): Comparison => ({ to, relation: 'UNKNOWN', behind: null, ahead: null, reason });
    if (to === null) return unknown('the flow by which the version came is not there any more: name an environment');
    const isSeen = sees(await visibilityOf(context), product, to);
    const there = isSeen ? await inPlace(context, { product, environment: to }) : null;
    if (!there || there.applications.length === 0) return unknown(`nothing of the product is live in ${to}`);
    const comparing = loaderOf(context, 'comparing', ({ clock }) => ({
      left: MOST_COMPARED,
      signal: clock.limit('look', COUNTING),
    }));
    comparing.left -= 1;
    if (comparing.left < 0) return unknown(`one operation compares ${MOST_COMPARED} places at most: ask for fewer`);
    return { to, ...(await comparePlaces(context.app, snapshot, [here, there], comparing.signal)) };
  }
}

@Resolver(() => PromotionOnItsWay)
export class PromotionOnItsWayResolver {
  @FieldResolver(() => Release, { nullable: true, description: 'Its release.' })
  release(@Ctx() context: ApiContext, @Root() { releaseId }: PromotionOnItsWay): Promise<Release | null> {
    return readRelease(context, releaseId);
  }
}

interface Row {
  product: string;
  places: Place[];
}

/** Which rows, from which product on. */
type Rows = Pick<Asked, 'size'> & Partial<Pick<Asked, 'key' | 'backwards'>> & { selector?: DeploymentSelectorInput };

/** In which environments a product has an application that was asked for and that the caller sees. */
async function environmentsOf(
  context: ApiContext,
  selector?: DeploymentSelectorInput,
): Promise<(product: string) => Set<string>> {
  const snapshot = await snapshotOf(context);
  const visibility = await visibilityOf(context);
  const [products, environments, applications] = [
    selector?.products,
    selector?.environments,
    selector?.applications,
  ].map((each) => each && new Set(each));
  return (product) => {
    const there = new Set<string>();
    if (products && !products.has(product)) return there;
    for (const { metadata, spec } of snapshot.applicationsOf(product)) {
      if (applications && !applications.has(metadata.name)) continue;
      if (environments && !environments.has(spec.environment)) continue;
      if (sees(visibility, product, spec.environment)) there.add(spec.environment);
    }
    return there;
  };
}

/** One row more than asked for when there is one; `cut`: the page has as many places as it may, and goes on after this product. */
async function rowsOf(
  context: ApiContext,
  { size, key, backwards, selector }: Rows,
): Promise<{ rows: Row[]; cut: string | null }> {
  const snapshot = await snapshotOf(context);
  const there = await environmentsOf(context, selector);
  const rows: Row[] = [];
  let count = 0;
  const inOrder = [...snapshot.products.keys()].sort();
  const isPast = (product: string): boolean => key !== undefined && (backwards ? product >= key : product <= key);
  for (const product of backwards ? inOrder.reverse() : inOrder) {
    if (isPast(product)) continue;
    const places = [...there(product)].sort().map((environment) => ({ product, environment }));
    if (places.length === 0) continue;
    if (rows.length > 0 && count + places.length > MOST_PLACES) return { rows, cut: rows.at(-1)!.product };
    rows.push({ product, places });
    if (rows.length > size) break;
    count += places.length;
  }
  return { rows, cut: null };
}

async function cellsOf(
  context: ApiContext,
  places: readonly Place[],
  compareTo: string | null,
): Promise<DeploymentCell[]> {
  const { app } = context;
  const now = app.clock.now().getTime();
  const reads = readsOf(context);
  const products = [...new Set(places.map(({ product }) => product))];
  const environments = [...new Set(places.map(({ environment }) => environment))];
  const [live, open, holds, snapshot] = await Promise.all([
    Promise.all(places.map((each) => liveIn(context).load(each))),
    readOnTheirWay(reads, places, MOST_IN_FLIGHT),
    readHoldsOf(reads, { environments, products, at: now }),
    snapshotOf(context),
  ]);
  const versions = await Promise.all(live.flat().map((each) => versionOf(context, each)));
  const versionOfRow = new Map(live.flat().map((each, index) => [each, versions[index]!]));
  const marked = live.flat().map((each) => ({ product: each.product, digest: versionOfRow.get(each)!.digest }));
  const known = new Map(marked.map((each) => [`${each.product} ${each.digest}`, each]));
  const bad = await readMarksOf(reads, [...known.values()], now);
  return places.map(({ product, environment }, index) => {
    const here = live[index]!;
    const digests = here.map((each) => versionOfRow.get(each)!.digest);
    const there = placeNow(here.map((each) => toLive(each, versionOfRow.get(each)!)));
    return Object.assign(new DeploymentCell(), {
      product,
      live: here,
      compareTo,
      environmentName: environment,
      version: there?.version ?? null,
      since: there && new Date(there.since),
      health: there && { status: there.health.status, at: dateOf(there.health.at) },
      drifted: there?.drifted ?? false,
      applications: here.map(toDeployment),
      inFlight: open
        .filter((each) => each.product === product && each.environment === environment)
        .map(({ releaseId, status, startedAt }) =>
          Object.assign(new PromotionOnItsWay(), { releaseId, status, startedAt }),
        ),
      holds: holds
        .filter((each) => each.environment === environment && (each.product === null || each.product === product))
        .map((each) => new EnvironmentHold(each, now)),
      badVersions: bad
        .filter((each) => each.product === product && digests.includes(each.digest))
        .filter((each) => marks(each, environment, snapshot.groupsOf(environment)))
        .map((each) => new BadVersion(each, now)),
    });
  });
}

/** Of a rollback each environment has another one. */
async function versionOf(context: ApiContext, row: LiveInPlace): Promise<VersionRef> {
  const release = row.releaseKind === 'ROLLBACK' ? await frozen(context).load(row.releaseId) : null;
  return release ? versionIn(release, row.environment) : { label: row.releaseVersion, digest: row.releaseDigest };
}

function toLive(row: LiveInPlace, version: VersionRef): LiveApplication {
  const { application, at, verifiedAt, drift, reported, reportedAt } = row;
  return {
    application,
    version,
    at: at.getTime(),
    verifiedAt: verifiedAt && verifiedAt.getTime(),
    drifted: drift !== null,
    report: reported && reportedAt && { status: reported, at: reportedAt.getTime() },
  };
}
