import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { endOf } from '../core/deployment-history.ts';
import { askedOf, foreignKey, PageArgs, toConnection } from '../schema/connection.ts';
import type { Asked, Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { PastDeployment, PastDeploymentConnection } from '../schema/deployment-history.ts';
import { Release } from '../schema/release.ts';
import { UNSEEN_CAUSE } from '../schema/rollback-plan.ts';
import { readDeploymentHistory } from '../store/deployment-history.ts';
import type { DeploymentPlace, PastDeployment as Row } from '../store/deployment-history.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { readsOf } from './reads.ts';
import { readRelease } from './release-parts.ts';

@Resolver(() => PastDeployment)
export class DeploymentHistoryResolver {
  @Guarded(SEES)
  @Query(() => PastDeploymentConnection, {
    description:
      'What was brought to an environment of a product, the newest first: from when to when, by which release, and why it went.',
  })
  async deploymentHistory(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('product', () => String, { description: 'The name of the product.' }) product: string,
    @Arg('environment', () => String, { description: 'The name of the environment.' }) environment: string,
    @Arg('application', () => String, { nullable: true, description: 'Of this application alone.' })
    application?: string,
  ): Promise<Connection<PastDeployment>> {
    const asked = askedOf(page);
    const { limit, backwards } = asked;
    checkStorable({ product, environment, application });
    const from = placeOf(asked);
    const place = { product, environment, application: application ?? undefined };
    const isSeen = await seesPlace(context, product, environment);
    const rows = isSeen ? await readDeploymentHistory(readsOf(context), place, { limit, key: from, backwards }) : [];
    const seen = await Promise.all(rows.map(({ cause }) => isCauseSeen(context, product, cause)));
    const shown = rows.map((row, index) => ({ row, seen: seen[index]! }));
    return toConnection(shown, page, ({ row }) => `${row.at.getTime()}/${row.id}`, toPast);
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The release that brought it.' })
  release(@Ctx() context: ApiContext, @Root() { releaseId }: PastDeployment): Promise<Release | null> {
    return readRelease(context, releaseId);
  }

  @FieldResolver(() => Release, {
    nullable: true,
    description: 'The release that brought what came after it; null: nothing did.',
  })
  async next(@Ctx() context: ApiContext, @Root() { nextReleaseId }: PastDeployment): Promise<Release | null> {
    return nextReleaseId === null ? null : readRelease(context, nextReleaseId);
  }
}

/** What happened in an environment that is not seen is not told. */
async function isCauseSeen(context: ApiContext, product: string, cause: Row['cause']): Promise<boolean> {
  return cause === null || seesPlace(context, product, cause.environment);
}

function placeOf(asked: Asked): DeploymentPlace | undefined {
  if (asked.key === undefined) return undefined;
  const [, at, id] = /^(\d{1,15})\/(\d{1,18})$/.exec(asked.key) ?? [];
  if (at !== undefined && id !== undefined) return { at: Number(at), id };
  throw foreignKey(asked);
}

function toPast({ row, seen }: { row: Row; seen: boolean }): PastDeployment {
  const { version, digest, commit, verifiedAt, until, nextReleaseId, nextKind, cause } = row;
  return Object.assign(new PastDeployment(), {
    releaseId: row.releaseId,
    nextReleaseId,
    productName: row.product,
    environmentName: row.environment,
    applicationName: row.application,
    version: { label: version, digest, commit },
    since: row.at,
    until,
    verifiedAt,
    verified: row.verifiedBy,
    end: endOf(nextKind),
    reason: cause && (seen ? cause.reason : UNSEEN_CAUSE.reason),
  });
}
