import { isDeepStrictEqual } from 'node:util';
import { Arg, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import { frozenPolicy } from '../core/policies.ts';
import type { ApiContext } from '../schema/context.ts';
import { toNode } from '../schema/definition.ts';
import { PromotionPolicy } from '../schema/definition-types.ts';
import { EffectiveSetting, FrozenPolicyType, PolicyEvaluation } from '../schema/policy.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import { Guarded, SEES } from './access/rules.ts';
import { seesPlace } from './access/visible.ts';
import { checkStorable, gone } from './answers.ts';

@Resolver()
export class PolicyResolver {
  @Guarded(SEES)
  @Query(() => PolicyEvaluation, {
    description:
      'What holds in an environment when it is promoted: the settings of the flow and of all policies, merged by the function that plans ' +
      'releases. Nothing is created.',
  })
  async evaluatePolicy(
    @Ctx() context: ApiContext,
    @Arg('product', () => String, { description: 'The name of the product.' }) product: string,
    @Arg('environment', () => String, { description: 'The name of the environment.' }) environment: string,
    @Arg('flow', () => String, {
      nullable: true,
      description:
        'The name of a flow, whose step for the environment goes before policies; policies alone when left out.',
    })
    flow?: string | null,
  ): Promise<PolicyEvaluation> {
    checkStorable({ product, environment, flow });
    const snapshot = await context.app.definitions.current();
    const known = snapshot.environments.some(({ metadata }) => metadata.name === environment);
    if (!known || !(await seesPlace(context, null, environment)))
      throw gone(`there is no environment "${environment}"`);
    if (!snapshot.products.has(product) || !(await seesPlace(context, product, environment)))
      throw gone(`there is no product "${product}"`);
    const found = snapshot.evaluate(product, environment, flow ?? undefined);
    if (found === null) throw gone(`flow "${flow}" is not there, or does not promote environment "${environment}"`);
    const { merged, policies, findings } = found;
    return {
      settings: EffectiveSetting.all(frozenPolicy(merged), merged.pullRequest?.value),
      policies: policies.map((each) => toNode(PromotionPolicy, each)),
      findings: findings.map(({ severity, ...each }) => ({ ...each, refuses: severity === 'REFUSED' })),
    };
  }
}

@Resolver(() => EnvironmentPromotion)
export class PromotionPolicyOfReleaseResolver {
  @FieldResolver(() => FrozenPolicyType, {
    nullable: true,
    description:
      'What is done there, and who said so, as it was when the release was created; null for a step without an environment, a rollback, and a ' +
      'release that is older than policies.',
  })
  async policy(
    @Ctx() { app }: ApiContext,
    @Root() { parts, planned }: EnvironmentPromotion,
  ): Promise<FrozenPolicyType | null> {
    const { policy, pullRequest, environment } = planned;
    if (policy === undefined || environment === null) return null;
    const { product, flow } = parts.plan;
    const now = (await app.definitions.current()).evaluate(product, environment, flow.name);
    const newerExists = now === null || !isDeepStrictEqual(frozenPolicy(now.merged), policy);
    return { settings: EffectiveSetting.all(policy, pullRequest), newerExists };
  }
}
