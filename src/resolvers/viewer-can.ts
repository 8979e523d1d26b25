import { Arg, Ctx, FieldResolver, Info, Resolver, Root } from 'type-graphql';
import type { GraphQLResolveInfo } from 'graphql';
import { whyNotObeyed } from '../commands/control-release.ts';
import type { Wanted } from '../commands/control-release.ts';
import { mayDo, PERMISSIONS } from '../core/access/index.ts';
import type { Permission } from '../core/access/index.ts';
import { whyNot } from '../core/approvals/may-decide.ts';
import type { PromotionState, ReleaseState } from '../core/release.ts';
import { whyNoOverride } from '../core/stimuli.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { Environment, Product, PromotionFlow } from '../schema/definition-types.ts';
import { toNodeId } from '../schema/node-id.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import { Release } from '../schema/release.ts';
import { PermissionEnum, Viewer } from '../schema/viewer.ts';
import {
  Ability,
  PromotionFlowAbilities,
  EnvironmentAbilities,
  ProductAbilities,
  PromotionAbilities,
  ReleaseAbilities,
} from '../schema/viewer-can.ts';
import { whyNotBegun } from './access/guard.ts';
import { Lookup } from './access/lookup.ts';
import { frozen, states } from './batches.ts';
import { factsOf } from './release-parts.ts';

/** What a mutation says of its rule alone, asked once however many things of a request ask the same. */
function begun(
  context: ApiContext,
  { schema }: GraphQLResolveInfo,
  mutation: string,
  input: object,
): Promise<string | null> {
  const key = `begun/${mutation}/${JSON.stringify(input)}`;
  return loaderOf(context, key, () => whyNotBegun(schema, mutation, input, context));
}

/** Whether an order to a release would be obeyed: first by who gives it, then by what the release does. */
async function ordered(
  context: ApiContext,
  info: GraphQLResolveInfo,
  { mutation, releaseId, wanted }: { mutation: string; releaseId: string; wanted: Wanted },
): Promise<Ability> {
  const refused = await begun(context, info, mutation, { releaseId });
  if (refused !== null) return Ability.of(refused);
  const [release, state] = await Promise.all([frozen(context).load(releaseId), states(context).load(releaseId)]);
  return Ability.of(
    release && state ? (whyNotObeyed(release, state, wanted)?.message ?? null) : 'it is no longer kept',
  );
}

const allowedBy = async (
  context: ApiContext,
  info: GraphQLResolveInfo,
  mutation: string,
  input: object,
): Promise<Ability> => Ability.of(await begun(context, info, mutation, input));

@Resolver(() => Release)
export class ReleaseCanResolver {
  @FieldResolver(() => ReleaseAbilities, { description: 'What the caller could do with it now.' })
  viewerCan(@Root() { fields: { id, product, digest } }: Release): ReleaseAbilities {
    return new ReleaseAbilities({ id, product, digest });
  }
}

@Resolver(() => ReleaseAbilities)
export class ReleaseAbilitiesResolver {
  @FieldResolver(() => Ability, { description: 'To try it again as a whole: `releaseRetry`.' })
  retry(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { release }: ReleaseAbilities,
  ): Promise<Ability> {
    return ordered(context, info, { mutation: 'releaseRetry', releaseId: release.id, wanted: { kind: 'retry' } });
  }

  @FieldResolver(() => Ability, { description: 'To end it: `releaseTerminate`.' })
  terminate(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { release }: ReleaseAbilities,
  ): Promise<Ability> {
    return ordered(context, info, {
      mutation: 'releaseTerminate',
      releaseId: release.id,
      wanted: { kind: 'terminate' },
    });
  }

  @FieldResolver(() => Ability, {
    description:
      'To take its version back wherever it is live: `rollbackStart`. Where that is, and to what it would go back, `planRollback` says.',
  })
  rollback(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { release }: ReleaseAbilities,
  ): Promise<Ability> {
    const { product, digest: version } = release;
    return allowedBy(context, info, 'rollbackStart', { product, version, reason: '' });
  }

  @FieldResolver(() => Ability, { description: 'To mark its version bad for the whole product: `versionMarkBad`.' })
  markBad(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { release }: ReleaseAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'versionMarkBad', { product: release.product });
  }
}

@Resolver(() => EnvironmentPromotion)
export class PromotionCanResolver {
  @FieldResolver(() => PromotionAbilities, { description: 'What the caller could do with it now.' })
  viewerCan(@Root() { parts, position, planned }: EnvironmentPromotion): PromotionAbilities {
    return new PromotionAbilities({ releaseId: parts.id, position, name: planned.name });
  }
}

@Resolver(() => PromotionAbilities)
export class PromotionAbilitiesResolver {
  @FieldResolver(() => Ability, { description: 'To agree that it starts: `promotionApprove` without a `step`.' })
  approve(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { at }: PromotionAbilities,
  ): Promise<Ability> {
    return decided(context, info, at, 'approve');
  }

  @FieldResolver(() => Ability, { description: 'To say no to its start: `promotionReject` without a `step`.' })
  reject(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { at }: PromotionAbilities,
  ): Promise<Ability> {
    return decided(context, info, at, 'reject');
  }

  @FieldResolver(() => Ability, { description: 'To try it again alone: `releaseRetry` with its `environment`.' })
  retry(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { at: { releaseId, position } }: PromotionAbilities,
  ): Promise<Ability> {
    const wanted: Wanted = { kind: 'retry', promotion: position };
    return ordered(context, info, { mutation: 'releaseRetry', releaseId, wanted });
  }

  @FieldResolver(() => Ability, { description: 'To leave it out: `promotionSkip`.' })
  skip(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { at: { releaseId, position } }: PromotionAbilities,
  ): Promise<Ability> {
    const wanted: Wanted = { kind: 'skip', promotion: position };
    return ordered(context, info, { mutation: 'promotionSkip', releaseId, wanted });
  }

  @FieldResolver(() => Ability, { description: 'To let it in although release windows are closed: `windowOverride`.' })
  async override(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { at: { releaseId, position } }: PromotionAbilities,
  ): Promise<Ability> {
    const refused = await begun(context, info, 'windowOverride', { releaseId });
    if (refused !== null) return Ability.of(refused);
    const [release, state] = await Promise.all([frozen(context).load(releaseId), states(context).load(releaseId)]);
    return Ability.of(whyNoOverride(release!.plan, state!, position)?.message ?? null);
  }
}

async function decided(
  context: ApiContext,
  info: GraphQLResolveInfo,
  { releaseId, position }: PromotionAbilities['at'],
  kind: 'approve' | 'reject',
): Promise<Ability> {
  const mutation = kind === 'approve' ? 'promotionApprove' : 'promotionReject';
  const promotionId = toNodeId('EnvironmentPromotion', `${releaseId}/${position}`);
  const refused = await begun(context, info, mutation, { promotionId });
  if (refused !== null) return Ability.of(refused);
  const [release, state] = await Promise.all([frozen(context).load(releaseId), states(context).load(releaseId)]);
  const { attempt } = (state as ReleaseState).promotions[position] as PromotionState;
  const wish = { kind, promotion: position, step: undefined, attempt, by: context.caller };
  const behind = state!.startedAt === null ? (await factsOf(context, releaseId)).behind : null;
  return Ability.of(whyNot(release!.plan, state!, wish, context.app.clock.now().getTime(), behind)?.message ?? null);
}

@Resolver(() => Environment)
export class EnvironmentCanResolver {
  @FieldResolver(() => EnvironmentAbilities, { description: 'What the caller could do with it now.' })
  viewerCan(
    @Root() { name }: Environment,
    @Arg('product', () => String, {
      nullable: true,
      description: 'For the product with this name alone; for all of them when left out, which takes more.',
    })
    product?: string | null,
  ): EnvironmentAbilities {
    return new EnvironmentAbilities({ environment: name, product: product ?? null });
  }
}

@Resolver(() => EnvironmentAbilities)
export class EnvironmentAbilitiesResolver {
  @FieldResolver(() => Ability, { description: 'To put it on hold: `environmentHold`.' })
  hold(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { of }: EnvironmentAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'environmentHold', of);
  }

  @FieldResolver(() => Ability, { description: 'To lift its holds: `environmentRelease`.' })
  release(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { of }: EnvironmentAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'environmentRelease', of);
  }

  @FieldResolver(() => Ability, { description: 'To change its definition: `environmentUpdate`.' })
  edit(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { of }: EnvironmentAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'environmentUpdate', { name: of.environment });
  }

  @FieldResolver(() => Ability, {
    nullable: true,
    description: 'To take it back to the version before: `rollbackStart`; null without a product.',
  })
  rollback(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { of: { product, environment } }: EnvironmentAbilities,
  ): Promise<Ability> | null {
    if (product === null) return null;
    return allowedBy(context, info, 'rollbackStart', { product, environments: [environment], reason: '' });
  }

  @FieldResolver(() => Ability, {
    nullable: true,
    description: 'To mark a version of the product bad there: `versionMarkBad`; null without a product.',
  })
  markBad(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { of: { product, environment } }: EnvironmentAbilities,
  ): Promise<Ability> | null {
    return product === null ? null : allowedBy(context, info, 'versionMarkBad', { product, environment });
  }
}

@Resolver(() => Product)
export class ProductCanResolver {
  @FieldResolver(() => ProductAbilities, { description: 'What the caller could do with it now.' })
  viewerCan(@Root() { name }: Product): ProductAbilities {
    return new ProductAbilities(name);
  }
}

@Resolver(() => ProductAbilities)
export class ProductAbilitiesResolver {
  @FieldResolver(() => Ability, {
    description:
      'To release it by the flow that its rules choose: `releaseTrigger`. Whether there is something to release its source says.',
  })
  trigger(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { product }: ProductAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'releaseTrigger', { product });
  }

  @FieldResolver(() => Ability, { description: 'To change its definition: `productUpdate`.' })
  edit(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { product }: ProductAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'productUpdate', { name: product });
  }

  @FieldResolver(() => Ability, { description: 'To mark a version of it bad everywhere: `versionMarkBad`.' })
  markBad(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { product }: ProductAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'versionMarkBad', { product });
  }
}

@Resolver(() => PromotionFlow)
export class FlowCanResolver {
  @FieldResolver(() => PromotionFlowAbilities, { description: 'What the caller could do with it now.' })
  viewerCan(@Root() { name }: PromotionFlow): PromotionFlowAbilities {
    return new PromotionFlowAbilities(name);
  }
}

@Resolver(() => PromotionFlowAbilities)
export class PromotionFlowAbilitiesResolver {
  @FieldResolver(() => Ability, { description: 'To change it.' })
  edit(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { flow }: PromotionFlowAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'promotionFlowUpdate', { name: flow });
  }

  @FieldResolver(() => Ability, { description: 'To delete it. What names it is found when it is.' })
  delete(
    @Ctx() context: ApiContext,
    @Info() info: GraphQLResolveInfo,
    @Root() { flow }: PromotionFlowAbilities,
  ): Promise<Ability> {
    return allowedBy(context, info, 'promotionFlowDelete', { name: flow });
  }
}

@Resolver(() => Viewer)
export class ViewerPermissionsResolver {
  @FieldResolver(() => [PermissionEnum], {
    description: 'What the caller may do at a place; without arguments: somewhere.',
  })
  async permissions(
    @Ctx() context: ApiContext,
    @Arg('product', () => String, { nullable: true, description: 'For this product; for any when left out.' })
    product?: string | null,
    @Arg('environment', () => String, { nullable: true, description: 'In this environment; in any when left out.' })
    environment?: string | null,
  ): Promise<Permission[]> {
    const { identity } = context;
    if (identity === null) return [...PERMISSIONS];
    const lookup = await Lookup.of(context);
    const target = {
      product: typeof product === 'string' ? lookup.product(product) : ('ANY' as const),
      environment: typeof environment === 'string' ? lookup.environment(environment) : ('ANY' as const),
    };
    return PERMISSIONS.filter((permission) => mayDo(identity.grants, permission, target));
  }
}
