import { Arg, Args, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql';
import { retryRelease, skipPromotion, terminateRelease } from '../commands/control-release.ts';
import type { Result } from '../commands/result.ts';
import { planRelease, triggerRelease } from '../commands/trigger-release.ts';
import { sees } from '../core/access/index.ts';
import { isOfRelease } from '../core/own-steps.ts';
import type { PlannedPromotion, ReleasePlan as FrozenPlan } from '../core/plan.ts';
import type { PromotionStatus } from '../core/release.ts';
import { badInput } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { RELEASE_NAMES } from '../schema/node.ts';
import { Product, PromotionFlow } from '../schema/definition-types.ts';
import { CommitStatus } from '../schema/commit-status.ts';
import { Errand } from '../schema/errand.ts';
import { StepOutput } from '../schema/event-types.ts';
import { EnvironmentPromotion, PromotionStep, ReleaseGroup, seenOf } from '../schema/promotion.ts';
import {
  PromotionsArgs,
  PromotionSkipInput,
  PromotionStatusCounts,
  Release,
  ReleasePayload,
  ReleaseRetryInput,
  ReleaseSource,
  ReleaseTerminateInput,
  ReleaseTriggerInput,
  Version,
} from '../schema/release.ts';
import { ReleasePlan, ReleasePlanPayload, ReleaseSkeleton } from '../schema/release-plan.ts';
import { toWaitingReason, WaitingReason } from '../schema/waiting.ts';
import { positionsWith } from '../store/load-releases.ts';
import { ordererOf, visibilityOf } from './access/visible.ts';
import { releasing, triggering } from './access/release-rules.ts';
import { Guarded, SEES, may } from './access/rules.ts';
import { checkStorable, gone, refused, unstorable } from './answers.ts';
import { commitStatuses, counts, errands, forget, frozen, lastCursors, places, versions } from './batches.ts';
import { readNode } from './definitions.ts';
import { triggerOf } from './orders.ts';
import { releaseIdOf } from './release-id.ts';
import { partsAt, partsOf, planFor, readRelease, readSkeleton, reasonsOf } from './release-parts.ts';

@Resolver(() => Release)
export class ReleaseResolver {
  @Guarded(SEES)
  @Query(() => Release, { nullable: true, description: 'The release with this id; null when there is none.' })
  release(
    @Ctx() context: ApiContext,
    @Arg('id', () => ID, { description: `Which one: ${RELEASE_NAMES}.` }) id: string,
  ): Promise<Release | null> {
    return releaseIdOf(context, id).then((known) => readRelease(context, known));
  }

  @Guarded(may('VIEW', releasing))
  @Query(() => ReleasePlanPayload, {
    description: 'What `releaseTrigger` would do with the same input. Nothing is created, and nothing is fetched.',
  })
  async planRelease(
    @Ctx() { app }: ApiContext,
    @Arg('input', () => ReleaseTriggerInput, { description: 'What to release.' }) input: ReleaseTriggerInput,
  ): Promise<ReleasePlanPayload> {
    const wrong = unstorable(input);
    const result = wrong.length > 0 ? { refusals: wrong } : await planRelease(app, triggerOf(input));
    if (result.refusals) return { plan: null, userErrors: refused(result.refusals) };
    return { plan: ReleasePlan.of(result.value.plan), userErrors: [] };
  }

  @Guarded(may('PROMOTE', triggering))
  @Mutation(() => ReleasePayload, {
    description: 'Creates a release: pins its version, freezes its plan, and sets it going.',
  })
  async releaseTrigger(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseTriggerInput, { description: 'What to release.' }) input: ReleaseTriggerInput,
  ): Promise<ReleasePayload> {
    const orderer = await ordererOf(context);
    return moved(context, input, () => triggerRelease(context.app, triggerOf(input), context.actor, orderer));
  }

  @Guarded(may('TERMINATE', ({ input }, lookup) => lookup.release(input.releaseId, 'ROLLBACK'), ['ROLLBACK']))
  @Mutation(() => ReleasePayload, {
    description: 'Ends a release: nothing new starts, what runs is stopped. Again changes nothing.',
  })
  async releaseTerminate(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseTerminateInput, { description: 'Which one, and why.' }) input: ReleaseTerminateInput,
  ): Promise<ReleasePayload> {
    const releaseId = await releaseIdOf(context, input.releaseId);
    const reason = input.reason ?? undefined;
    return moved(context, input, () => terminateRelease(context.app, { releaseId, reason }, context.actor));
  }

  @Guarded(may('RETRY', ({ input }, lookup) => lookup.release(input.releaseId, 'ROLLBACK'), ['ROLLBACK']))
  @Mutation(() => ReleasePayload, {
    description:
      'Tries a release again that failed or was terminated, from the exact point, or one environment of any release; steps that succeeded are not run again.',
  })
  async releaseRetry(
    @Ctx() context: ApiContext,
    @Arg('input', () => ReleaseRetryInput, { description: 'Which one.' }) input: ReleaseRetryInput,
  ): Promise<ReleasePayload> {
    const releaseId = await releaseIdOf(context, input.releaseId);
    const environment = input.environment ?? undefined;
    return moved(context, input, () => retryRelease(context.app, { releaseId, environment }, context.actor));
  }

  @Guarded(may('OVERRIDE', ({ input }, lookup) => lookup.release(input.releaseId)))
  @Mutation(() => ReleasePayload, {
    description:
      'Leaves an environment out of a release: what depends on it goes on as if it had succeeded, and it leaves the count of its group. What is at work there is stopped; what did not succeed can be skipped afterwards, also when the release has ended.',
  })
  async promotionSkip(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionSkipInput, { description: 'Which one, and why.' }) input: PromotionSkipInput,
  ): Promise<ReleasePayload> {
    const releaseId = await releaseIdOf(context, input.releaseId);
    const { environment, reason } = input;
    return moved(context, input, () => skipPromotion(context.app, { releaseId, environment, reason }, context.actor));
  }

  @FieldResolver(() => Product, { nullable: true, description: 'Its product; null once that is deleted.' })
  product(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Product | null> {
    return readNode(context, { kind: 'Product', type: Product }, fields.product);
  }

  @FieldResolver(() => PromotionFlow, {
    nullable: true,
    description: 'The flow, as it was at the revision that the release froze.',
  })
  flow(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<PromotionFlow | null> {
    return readNode(context, { kind: 'PromotionFlow', type: PromotionFlow }, fields.flow, fields.flowRevision);
  }

  @FieldResolver(() => Version, { description: 'What it brings everywhere.' })
  async version(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Version> {
    const { id, version: label, digest } = fields;
    const sources = Object.values((await versions(context).load(id)) ?? {});
    return { label, digest, commit: sources.length === 1 ? (sources[0]?.commit ?? null) : null };
  }

  @FieldResolver(() => [ReleaseSource], { description: 'What was pinned, per application of the trigger environment.' })
  async sources(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<ReleaseSource[]> {
    const pinned = (await versions(context).load(fields.id)) ?? {};
    return Object.entries(pinned).map(([application, { label, digest, commit, author, message, date }]) => ({
      application,
      version: { label, digest, commit: commit ?? null },
      author: author ?? null,
      message: message ?? null,
      date: date === undefined ? null : new Date(date),
    }));
  }

  @FieldResolver(() => PromotionStatusCounts, { description: 'How many of its promotions have which status.' })
  async counts(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<PromotionStatusCounts> {
    const { id, product } = fields;
    const visibility = await visibilityOf(context);
    if (visibility === null) return PromotionStatusCounts.of((await counts(context).load(id)) ?? {});
    const seen: Partial<Record<PromotionStatus, number>> = {};
    for (const { environment, status } of (await places(context).load(id)) ?? [])
      if (sees(visibility, product, environment)) seen[status] = (seen[status] ?? 0) + 1;
    return PromotionStatusCounts.of(seen);
  }

  @FieldResolver(() => ReleaseSkeleton, {
    description: 'What it promotes, and what after what: constant from its creation on.',
  })
  async skeleton(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<ReleaseSkeleton> {
    const found = await readSkeleton(context, fields.id);
    if (!found) throw gone(`release ${fields.id} no longer exists`);
    return found;
  }

  @FieldResolver(() => [EnvironmentPromotion], {
    description: 'Its promotions, in the order of the flow; the trigger environment is the first.',
  })
  async promotions(
    @Ctx() context: ApiContext,
    @Root() { fields }: Release,
    @Args(() => PromotionsArgs) wanted: PromotionsArgs,
  ): Promise<EnvironmentPromotion[]> {
    const { plan, sees } = await planFor(context, fields.id);
    const positions = positionsOf(plan, 'PROMOTIONS').filter(sees);
    const chosen = await chosenOf(context, fields.id, plan, positions, wanted);
    const parts = chosen === positions ? await partsOf(context, fields.id) : await partsAt(context, fields.id, chosen);
    return seenOf(parts, chosen);
  }

  @FieldResolver(() => [PromotionStep], {
    description:
      'Steps of the release itself, which run once: its hooks, before its environments (ON_START) and after them (ON_SUCCESS, ON_FAIL). Empty where it has none.',
  })
  async steps(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<PromotionStep[]> {
    const parts = await partsOf(context, fields.id);
    return seenOf(parts, positionsOf(parts.plan, 'HOOKS')).flatMap((each) => each.steps);
  }

  @FieldResolver(() => [StepOutput], {
    description:
      'What its hooks have handed on to later ones, by the output `PROMOTION_CONTEXT`. Empty for those who do not see all of its environments.',
  })
  async promotionContext(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<StepOutput[]> {
    const parts = await partsOf(context, fields.id);
    if (![...parts.plan.promotions.keys()].every((each) => parts.sees(each))) return [];
    return Object.entries(parts.state.context).map(([name, value]) => ({ name, value }));
  }

  @FieldResolver(() => [ReleaseGroup], { description: 'Its groups, with where their gates stand.' })
  async groups(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<ReleaseGroup[]> {
    const parts = await partsOf(context, fields.id);
    return parts.plan.groups.map((_, position) => new ReleaseGroup(parts, position));
  }

  @FieldResolver(() => [WaitingReason], {
    description:
      'Everything that it waits for now, at once; the causes first, then what waits for them inside the release. What moves by itself right now is not waiting.',
  })
  async waitingFor(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<WaitingReason[]> {
    const { parts, reasons } = await reasonsOf(context, fields.id);
    return reasons.map((each) => toWaitingReason(parts, each));
  }

  @FieldResolver(() => Date, {
    nullable: true,
    description:
      'When the next promotion can start at the earliest, all of its gates together; null: none is left, or it is not known.',
  })
  async earliestNextStart(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Date | null> {
    const { starts } = await reasonsOf(context, fields.id);
    const known = starts.filter((each) => each !== null);
    // Not Math.min(...): a wide flow has more starts than a call may have arguments.
    const at = known.reduce<number | null>((least, each) => (least === null || each < least ? each : least), null);
    return at === null ? null : new Date(at);
  }

  @FieldResolver(() => [Errand], {
    description: 'What it asked of the outside world and is not done yet, also after its end; the oldest first.',
  })
  async errands(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<Errand[]> {
    const open = (await errands(context).load(fields.id)) ?? [];
    if (open.length === 0) return [];
    const parts = await partsOf(context, fields.id);
    return open.flatMap((each) => {
      if (each.promotion === null) return [Errand.of(each, null)];
      return seenOf(parts, [each.promotion]).map((promotion) => Errand.of(each, promotion));
    });
  }

  @FieldResolver(() => [CommitStatus], {
    description:
      'What hosts of repositories are told of its pull requests and of the commit that it brings, by context.',
  })
  async commitStatuses(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<CommitStatus[]> {
    const all = (await commitStatuses(context).load(fields.id)) ?? [];
    if (all.length === 0) return [];
    const parts = await partsOf(context, fields.id);
    return all.flatMap((each) => {
      if (each.position === null) return [CommitStatus.of(each, null)];
      return seenOf(parts, [each.position]).map((promotion) => CommitStatus.of(each, promotion));
    });
  }

  @FieldResolver(() => [String], {
    description: 'What is possible and may not be meant, as it was when the release was created.',
  })
  async warnings(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<string[]> {
    return (await frozen(context).load(fields.id))?.plan.warnings ?? [];
  }

  @FieldResolver(() => String, {
    description: 'The place of its newest event: subscribe after it and nothing is missed.',
  })
  async lastCursor(@Ctx() context: ApiContext, @Root() { fields }: Release): Promise<string> {
    const { id: releaseId, sequence } = fields;
    return (await lastCursors(context).load({ releaseId, sequence })) ?? '';
  }
}

async function moved(
  context: ApiContext,
  input: object,
  command: () => Promise<Result<{ releaseId: string }>>,
): Promise<ReleasePayload> {
  const wrong = unstorable(input);
  const result = wrong.length > 0 ? { refusals: wrong } : await command();
  forget(context);
  if (result.refusals) return { release: null, userErrors: refused(result.refusals) };
  return { release: await readRelease(context, result.value.releaseId), userErrors: [] };
}

/** Where the plan has promotions, or hooks of the release as a whole. */
function positionsOf({ promotions }: FrozenPlan, which: 'PROMOTIONS' | 'HOOKS'): number[] {
  return [...promotions.keys()].filter((each) => {
    const planned = promotions[each] as PlannedPromotion;
    return which === 'HOOKS' ? isOfRelease(planned) : planned.own === undefined;
  });
}

/** Those of these positions that were asked for; the very same list where all of them were. */
async function chosenOf(
  context: ApiContext,
  releaseId: string,
  { promotions }: FrozenPlan,
  positions: number[],
  { first, after, status, names }: PromotionsArgs,
): Promise<number[]> {
  checkStorable({ after, names });
  let chosen = positions;
  if (names) {
    const wanted = new Set(names);
    chosen = chosen.filter((each) => wanted.has(promotions[each]?.name as string));
  }
  if (typeof after === 'string') {
    const place = positions.find((each) => promotions[each]?.name === after);
    if (place === undefined) throw badInput(`the release has no promotion "${after}"`, 'after');
    chosen = chosen.filter((each) => each > place);
  }
  if (status) {
    const such = new Set(await positionsWith(context.app.pool, releaseId, status));
    chosen = chosen.filter((each) => such.has(each));
  }
  if (typeof first !== 'number') return chosen;
  if (first < 1) throw badInput(`\`first\` is ${first}; it must be at least 1`, 'first');
  return chosen.slice(0, first);
}
