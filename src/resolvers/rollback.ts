import { Arg, Args, Ctx, FieldResolver, ID, Query, Resolver, Root } from 'type-graphql';
import { sees } from '../core/access/index.ts';
import type { ReleaseStatus } from '../core/release.ts';
import { PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { ReleaseStatusEnum } from '../schema/enums.ts';
import { RELEASE_NAMES, UUID } from '../schema/node.ts';
import { Release } from '../schema/release.ts';
import { RollbackCause, VersionNameType } from '../schema/rollback-plan.ts';
import { Rollback, RollbackConnection, RollbackTarget, targetsOf } from '../schema/rollback.ts';
import { listRollbacks, readRollbacks } from '../store/rollback-reads.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { checkStorable } from './answers.ts';
import { rollbacks } from './batches.ts';
import { cutSince, pageOf, writeSince } from './newest-first.ts';
import { rollbackIdOf } from './release-id.ts';
import { partsOf, readRelease } from './release-parts.ts';
import { readsOf } from './reads.ts';

@Resolver(() => Rollback)
export class RollbackResolver {
  @Guarded(SEES)
  @Query(() => Rollback, { nullable: true, description: 'The rollback with this id; null when there is none.' })
  rollback(
    @Ctx() context: ApiContext,
    @Arg('id', () => ID, { description: `Named as its release is: ${RELEASE_NAMES}.` }) id: string,
  ): Promise<Rollback | null> {
    return rollbackIdOf(context, id).then((known) => readRollback(context, known));
  }

  @Guarded(SEES)
  @Query(() => RollbackConnection, { description: 'Rollbacks, newest first.' })
  async rollbacks(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('product', () => String, { nullable: true, description: 'Of this product; of all when left out.' })
    product?: string,
  ): Promise<Connection<Rollback>> {
    const read = pageOf(context, page);
    checkStorable({ product });
    const { rows, cut } = await listRollbacks(readsOf(context), {
      ...read,
      product: product ?? undefined,
      visible: await visibilityOf(context),
    });
    const key = ({ createdAt, id }: { createdAt: Date; id: string }): string =>
      writeSince({ since: createdAt.getTime(), id });
    return toConnection(rows, page, key, (row) => new Rollback(row), cutSince(cut));
  }

  @FieldResolver(() => RollbackCause, { description: 'Why it was started.' })
  async cause(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<RollbackCause> {
    return RollbackCause.of(fields.cause, await seesPlace(context, fields.product, fields.cause.environment));
  }

  @FieldResolver(() => Release, {
    nullable: true,
    description: 'The release that does the work: steps, events, status.',
  })
  release(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<Release | null> {
    return readRelease(context, fields.id);
  }

  @FieldResolver(() => ReleaseStatusEnum, { description: 'Where it is: the status of its release.' })
  async status(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<ReleaseStatus> {
    return (await partsOf(context, fields.id)).state.status;
  }

  @FieldResolver(() => VersionNameType, { description: 'The version that is taken back.' })
  async version(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<VersionNameType> {
    const { plan } = await partsOf(context, fields.id);
    return plan.rollback?.version ?? { label: '', digest: '' };
  }

  @FieldResolver(() => [RollbackTarget], {
    description: 'Every environment that was looked at, taken or not, and why.',
  })
  async targets(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<RollbackTarget[]> {
    const visibility = await visibilityOf(context);
    const targets = targetsOf(await partsOf(context, fields.id));
    return targets.filter(({ environment }) => sees(visibility, fields.product, environment));
  }

  @FieldResolver(() => [Release], { description: 'The releases that it takes back, wholly or in part.' })
  async origins(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<Release[]> {
    const found = await Promise.all(fields.origins.map((id) => readRelease(context, id)));
    return found.filter((each) => each !== null);
  }

  @FieldResolver(() => Date, { nullable: true, description: 'When nothing was left to do.' })
  async endedAt(@Ctx() context: ApiContext, @Root() { fields }: Rollback): Promise<Date | null> {
    const { endedAt } = (await partsOf(context, fields.id)).state;
    return endedAt === null ? null : new Date(endedAt);
  }
}

@Resolver(() => Release)
export class ReleaseRollbacksResolver {
  @FieldResolver(() => [Rollback], { description: 'The rollbacks that take it back, wholly or in part; newest first.' })
  async rollbacks(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Rollback[]> {
    return ((await rollbacks(context).load(fields.id)) ?? []).map((each) => new Rollback(each));
  }

  @FieldResolver(() => Rollback, {
    nullable: true,
    description: 'Of a release of kind ROLLBACK: why it is there, and what becomes of each environment.',
  })
  async rollback(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Rollback | null> {
    return fields.kind === 'ROLLBACK' ? readRollback(context, fields.id) : null;
  }
}

export async function readRollback(context: ApiContext, id: string): Promise<Rollback | null> {
  const found = UUID.test(id) ? (await readRollbacks(context.app.pool, [id])).get(id) : undefined;
  return found && (await seesPlace(context, found.product, null)) ? new Rollback(found) : null;
}
