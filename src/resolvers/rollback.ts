import { Arg, Args, Ctx, Field, FieldResolver, ID, Mutation, ObjectType, Query, Resolver, Root } from 'type-graphql';
import { approvePromotion } from '../commands/approve-promotion.ts';
import type { PromotionDecision } from '../commands/decide-promotion.ts';
import { rejectPromotion } from '../commands/reject-promotion.ts';
import { reportRollout } from '../commands/report-rollout.ts';
import type { Result } from '../commands/result.ts';
import { startManualRollback } from '../commands/start-manual-rollback.ts';
import { sees } from '../core/access/index.ts';
import type { Target } from '../core/access/index.ts';
import type { ReleaseStatus } from '../core/release.ts';
import { checkFirst, PageArgs, toConnection } from '../schema/connection.ts';
import type { Connection } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { ReleaseStatusEnum } from '../schema/enums.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { UUID } from '../schema/node.ts';
import { Release } from '../schema/release.ts';
import { RollbackInput, VersionNameType } from '../schema/rollback-plan.ts';
import {
  Rollback,
  RollbackConnection,
  RollbackPayload,
  RollbackTarget,
  RollbackTargetDecisionInput,
  RolloutReportInput,
  targetsOf,
} from '../schema/rollback.ts';
import { UserError } from '../schema/user-errors.ts';
import { listRollbacks, readRollbacks } from '../store/rollback-reads.ts';
import { rollingBack } from './access/release-rules.ts';
import type { Lookup } from './access/lookup.ts';
import { Guarded, may, SEES } from './access/rules.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { checkStorable, refused, unstorable } from './answers.ts';
import { forget, rollbacks } from './batches.ts';
import { readSince, writeSince } from './newest-first.ts';
import { partsOf, readRelease } from './release-parts.ts';

@ObjectType({ description: 'What came of the report of a rollout.' })
class RolloutReportPayload {
  @Field(() => Release, {
    nullable: true,
    description: 'The release that brought the version there; null when refused.',
  })
  release!: Release | null;

  @Field(() => Rollback, {
    nullable: true,
    description: 'The rollback that it started, or that was under way already; null: nothing goes back.',
  })
  rollback!: Rollback | null;

  @Field(() => String, { nullable: true, description: 'What came of it, in words; null when refused.' })
  outcome!: string | null;

  @Field(() => [UserError], { description: 'Why it was refused; empty when it was taken.' })
  userErrors!: UserError[];
}

function at({ input }: { input: { product: string; environment: string } }, lookup: Lookup): Target[] {
  return lookup.places(input.product, [input.environment]);
}

async function targeted({ input }: { input: RollbackTargetDecisionInput }, lookup: Lookup): Promise<Target[]> {
  const id = rollbackIdOf(input.rollbackId);
  const found = UUID.test(id) ? (await readRollbacks(lookup.context.app.pool, [id])).get(id) : undefined;
  return found ? lookup.places(found.product, [input.environment]) : lookup.release(id);
}

@Resolver(() => Rollback)
export class RollbackResolver {
  @Guarded(SEES)
  @Query(() => Rollback, { nullable: true, description: 'The rollback with this id; null when there is none.' })
  rollback(
    @Ctx() context: ApiContext,
    @Arg('id', () => ID, { description: 'Its id, or the bare id that logs and commit messages carry.' }) id: string,
  ): Promise<Rollback | null> {
    return readRollback(context, rollbackIdOf(id));
  }

  @Guarded(SEES)
  @Query(() => RollbackConnection, { description: 'Rollbacks, newest first.' })
  async rollbacks(
    @Ctx() context: ApiContext,
    @Args(() => PageArgs) page: PageArgs,
    @Arg('product', () => String, { nullable: true, description: 'Of this product; of all when left out.' })
    product?: string,
  ): Promise<Connection<Rollback>> {
    const limit = checkFirst(page.first) + 1;
    checkStorable({ product });
    const rows = await listRollbacks(context.app.pool, {
      limit,
      before: readSince(page.after),
      product: product ?? undefined,
      visible: await visibilityOf(context),
    });
    const key = ({ createdAt, id }: { createdAt: Date; id: string }): string =>
      writeSince({ since: createdAt.getTime(), id });
    return toConnection(rows, page, key, (row) => new Rollback(row));
  }

  @Guarded(may('ROLLBACK', rollingBack))
  @Mutation(() => RollbackPayload, {
    description:
      'Takes environments back to the version that was healthy there before, or a version wherever it is live. What a policy of the flow says goes with them. Afterwards the environments are on hold until somebody promotes there again.',
  })
  async rollbackStart(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackInput, { description: 'What to take back, and why.' }) input: RollbackInput,
  ): Promise<RollbackPayload> {
    return changed(context, input, () => {
      const { product, environments, version, to, reason, idempotencyKey } = input;
      const given = {
        product,
        environments: environments ?? undefined,
        version: version ?? undefined,
        to: to ?? undefined,
        reason,
        idempotencyKey: idempotencyKey ?? undefined,
      };
      return startManualRollback(context.app, given, context.actor);
    });
  }

  @Guarded(may('ROLLBACK', targeted))
  @Mutation(() => RollbackPayload, {
    description: 'Agrees that an environment goes back which a rollback has proposed. Again changes nothing.',
  })
  rollbackTargetApprove(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackTargetDecisionInput, { description: 'Which one.' }) input: RollbackTargetDecisionInput,
  ): Promise<RollbackPayload> {
    return decided(context, input, (decision) => approvePromotion(context.app, decision, context.caller));
  }

  @Guarded(may('ROLLBACK', targeted))
  @Mutation(() => RollbackPayload, {
    description: 'Says no to an environment that a rollback has proposed: it stays as it is.',
  })
  rollbackTargetReject(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackTargetDecisionInput, { description: 'Which one.' }) input: RollbackTargetDecisionInput,
  ): Promise<RollbackPayload> {
    return decided(context, input, (decision) => rejectPromotion(context.app, decision, context.caller));
  }

  @Guarded(may('REPORT', at))
  @Mutation(() => RolloutReportPayload, {
    description:
      'Tells how a rollout went, also long after its release has ended. One that FAILED or was ROLLED_BACK starts the rollback that the policy of the release describes, once however often it is told.',
  })
  async rolloutReport(
    @Ctx() context: ApiContext,
    @Arg('input', () => RolloutReportInput, { description: 'What was seen.' }) input: RolloutReportInput,
  ): Promise<RolloutReportPayload> {
    const nothing = { release: null, rollback: null, outcome: null };
    const wrong = unstorable(input);
    if (wrong.length > 0) return { ...nothing, userErrors: refused(wrong) };
    const { product, environment, version, status, message, at: seen, idempotencyKey } = input;
    const given = {
      product,
      environment,
      version: version ?? undefined,
      status,
      message: message ?? undefined,
      at: seen ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
    };
    const result = await reportRollout(context.app, given, context.actor);
    forget(context);
    if (result.refusals) return { ...nothing, userErrors: refused(result.refusals) };
    const { releaseId, rollbackId, outcome } = result.value;
    const release = await readRelease(context, releaseId);
    return {
      release,
      rollback: rollbackId === null ? null : await readRollback(context, rollbackId),
      outcome,
      userErrors: [],
    };
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

/** As the API gave it, that of its release, or the bare id. */
function rollbackIdOf(id: string): string {
  const node = fromNodeId(id);
  return node?.type === 'Rollback' || node?.type === 'Release' ? node.what : id;
}

async function decided(
  context: ApiContext,
  input: RollbackTargetDecisionInput,
  command: (decision: PromotionDecision) => Promise<Result<unknown>>,
): Promise<RollbackPayload> {
  return changed(context, input, async () => {
    const releaseId = rollbackIdOf(input.rollbackId);
    const { environment, comment, idempotencyKey } = input;
    const decision = {
      releaseId,
      environment,
      comment: comment ?? undefined,
      idempotencyKey: idempotencyKey ?? undefined,
    };
    const result = await command(decision);
    return result.refusals ? result : { value: { rollbackId: releaseId } };
  });
}

async function changed(
  context: ApiContext,
  input: object,
  command: () => Promise<Result<{ rollbackId: string }>>,
): Promise<RollbackPayload> {
  const wrong = unstorable(input);
  const result = wrong.length > 0 ? { refusals: wrong } : await command();
  forget(context);
  if (result.refusals) return { rollback: null, userErrors: refused(result.refusals) };
  return { rollback: await readRollback(context, result.value.rollbackId), userErrors: [] };
}
