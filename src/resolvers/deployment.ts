import { Arg, Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { askedOf, foreignKey, PageArgs, toConnection } from '../schema/connection.ts';
import type { Asked, Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { Deployment, DeploymentConnection, DeploymentSelectorInput } from '../schema/deployment.ts';
import { Release } from '../schema/release.ts';
import { listLiveDeployments } from '../store/deployment-reads.ts';
import type { DeploymentKey, LiveDeployment } from '../store/deployment-reads.ts';
import { Guarded, SEES } from './access/rules.ts';
import { visibilityOf } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

@Resolver(() => Deployment)
export class DeploymentResolver {
  @Guarded(SEES)
  @Query(() => DeploymentConnection, {
    description: 'Which version is live where: one entry per application, by product, environment and application.',
  })
  async deployments(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('selector', () => DeploymentSelectorInput, { nullable: true, description: 'Which ones; all when left out.' })
    selector?: DeploymentSelectorInput,
  ): Promise<Connection<Deployment>> {
    const asked = askedOf(page);
    const { limit, backwards } = asked;
    checkStorable({ selector });
    const filter = {
      products: selector?.products ?? undefined,
      environments: selector?.environments ?? undefined,
      applications: selector?.applications ?? undefined,
      visible: await visibilityOf(context),
    };
    const list = { limit, key: keyOf(asked), backwards, filter };
    const { rows, cut } = await listLiveDeployments(readsOf(context), list);
    return toConnection(rows, page, writeKey, toDeployment, cut && writeKey(cut));
  }

  @FieldResolver(() => Release, { nullable: true, description: 'The release that brought it.' })
  release(@Ctx() context: ApiContext, @Root() { releaseId }: Deployment): Promise<Release | null> {
    return readRelease(context, releaseId);
  }
}

const writeKey = ({ product, environment, application }: DeploymentKey): string =>
  `${product}/${environment}/${application}`;

function keyOf(asked: Asked): DeploymentKey | undefined {
  if (asked.key === undefined) return undefined;
  const [product, environment, application] = asked.key.split('/');
  if (product !== undefined && environment !== undefined && application !== undefined) {
    return { product, environment, application };
  }
  throw foreignKey(asked);
}

/** As the API shows it. */
export function toDeployment(row: LiveDeployment): Deployment {
  const { releaseId, product, environment, application, version, digest, commit, at, verifiedAt, drift } = row;
  return Object.assign(new Deployment(), {
    releaseId,
    productName: product,
    environmentName: environment,
    applicationName: application,
    version: { label: version, digest, commit },
    at,
    verifiedAt,
    verified: row.verifiedBy,
    observedAt: row.lookedAt,
    unseen: row.unseen,
    drift: drift && {
      since: new Date(drift.since),
      files: drift.files,
      commit: drift.commit ?? null,
      author: drift.author ?? null,
      subject: drift.subject ?? null,
    },
  });
}
