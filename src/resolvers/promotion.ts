import { Ctx, FieldResolver, Resolver, Root } from 'type-graphql';
import { waitingAtWork } from '../core/waiting.ts';
import type { ApiContext } from '../schema/context.ts';
import { Application, Environment } from '../schema/definition-types.ts';
import { ApplicationPromotion, EnvironmentPromotion } from '../schema/promotion.ts';
import { Release } from '../schema/release.ts';
import { toWaitingReason, WaitingReason } from '../schema/waiting.ts';
import { PullRequest } from '../schema/pull-request.ts';
import { gone } from './answers.ts';
import { pullRequests } from './batches.ts';
import { readNode } from './definitions.ts';
import { readRelease, reasonsOf } from './release-parts.ts';

@Resolver(() => EnvironmentPromotion)
export class EnvironmentPromotionResolver {
  @FieldResolver(() => Release, { description: 'The release that it is a part of.' })
  async release(@Ctx() context: ApiContext, @Root() { parts }: EnvironmentPromotion): Promise<Release> {
    const release = await readRelease(context, parts.id);
    if (!release) throw gone(`release ${parts.id} no longer exists`);
    return release;
  }

  @FieldResolver(() => Environment, {
    nullable: true,
    description: 'The environment; null for a workflow step, and once it is deleted.',
  })
  async environment(
    @Ctx() context: ApiContext,
    @Root() { planned }: EnvironmentPromotion,
  ): Promise<Environment | null> {
    if (planned.environment === null) return null;
    return readNode(context, { kind: 'Environment', type: Environment }, planned.environment);
  }

  @FieldResolver(() => [PullRequest], {
    description:
      'The pull requests that it opened, those of earlier attempts first; none where its changes are commits.',
  })
  async pullRequests(
    @Ctx() context: ApiContext,
    @Root() { parts, position }: EnvironmentPromotion,
  ): Promise<PullRequest[]> {
    const all = (await pullRequests(context).load(parts.id)) ?? [];
    return all.filter((each) => each.position === position).map((each) => PullRequest.of(each));
  }

  @FieldResolver(() => [WaitingReason], {
    description: 'Every gate that it has not met and every step that waits, at once.',
  })
  async waitingFor(
    @Ctx() context: ApiContext,
    @Root() { parts, position }: EnvironmentPromotion,
  ): Promise<WaitingReason[]> {
    const own = waitingAtWork(parts.plan, parts.state, position, context.app.clock.now().getTime());
    if (own !== null) return own.map((each) => toWaitingReason(parts, each));
    const all = await reasonsOf(context, parts.id);
    return all.reasons.filter((each) => each.promotion === position).map((each) => toWaitingReason(all.parts, each));
  }

  @FieldResolver(() => Date, {
    nullable: true,
    description:
      'When it can start at the earliest, all of its gates together; null: it has started, or it is not known.',
  })
  async earliestStart(
    @Ctx() context: ApiContext,
    @Root() { parts, position, state }: EnvironmentPromotion,
  ): Promise<Date | null> {
    if (state.startedAt !== null || state.endedAt !== null) return null;
    const { starts } = await reasonsOf(context, parts.id);
    const at = starts[position] ?? null;
    return at === null ? null : new Date(at);
  }
}

@Resolver(() => ApplicationPromotion)
export class ApplicationPromotionResolver {
  @FieldResolver(() => Application, { nullable: true, description: 'The application; null once it is deleted.' })
  application(@Ctx() context: ApiContext, @Root() { name }: ApplicationPromotion): Promise<Application | null> {
    return readNode(context, { kind: 'Application', type: Application }, name);
  }
}

@Resolver(() => WaitingReason)
export class WaitingReasonResolver {
  @FieldResolver(() => Release, { nullable: true, description: 'The other release that it waits for.' })
  async release(@Ctx() context: ApiContext, @Root() { releaseId }: WaitingReason): Promise<Release | null> {
    return releaseId === null ? null : readRelease(context, releaseId);
  }
}
