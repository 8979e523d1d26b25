import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { knownNames } from '../commands/check-references.ts';
import { saveDefinition } from '../commands/save-definition.ts';
import type { FlowStepSpec, PromotionFlowSpec } from '../core/definitions.ts';
import { checkFlow, sentencesOf } from '../core/flow.ts';
import type { Known } from '../core/flow.ts';
import { refusal } from '../core/problems.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { DEFINITION_TYPES, PromotionFlow } from '../schema/definition-types.ts';
import {
  PromotionFlowAddEnvironmentsInput,
  PromotionFlowRemoveEnvironmentInput,
  PromotionFlowSaveInput,
} from '../schema/promotion-flow.ts';
import { saves } from './access/definition-rules.ts';
import { Guarded } from './access/rules.ts';
import { refused } from './answers.ts';
import { toDefinition } from './definition-input.ts';
import { definitionPayload } from './definitions.ts';
import { applyEdits } from './flow-edits.ts';

const { PromotionFlow: PROMOTION_FLOW } = DEFINITION_TYPES;
const PromotionFlowPayload = PROMOTION_FLOW.payload;

@Resolver(() => PromotionFlow)
export class PromotionFlowResolver {
  @FieldResolver(() => [String], {
    description: 'What is accepted and may not do what one expects, as things are now.',
  })
  async warnings(@Ctx() context: ApiContext, @Root() flow: PromotionFlow): Promise<string[]> {
    const known = await loaderOf<Promise<Known>>(context, 'known-names', (app) => knownNames(app.dataSource));
    return sentencesOf(checkFlow(flow.stored.spec as PromotionFlowSpec, known).warnings);
  }

  @Guarded(saves('PromotionFlow', 'SAVE'))
  @Mutation(() => PromotionFlowPayload, {
    description: 'Creates a promotion flow, or replaces it as a whole by a new revision.',
  })
  async promotionFlowSave(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionFlowSaveInput, { description: 'The flow.' }) input: PromotionFlowSaveInput,
  ): Promise<object> {
    const given = toDefinition('PromotionFlow', input);
    const options = {
      mode: 'UPSERT' as const,
      expectedRevision: input.expectedRevision ?? undefined,
      idempotencyKey: input.idempotencyKey ?? undefined,
      actor: context.actor,
    };
    const result = given.refusals ? given : await saveDefinition(context.app, given.value, options);
    return definitionPayload(context, PROMOTION_FLOW, input, result);
  }

  @Guarded(saves('PromotionFlow', 'CHANGE'))
  @Mutation(() => PromotionFlowPayload, {
    description: 'Adds environments or groups to a flow, side by side, each depending on everything in `after`.',
  })
  async promotionFlowAddEnvironments(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionFlowAddEnvironmentsInput, { description: 'What, and where.' })
    input: PromotionFlowAddEnvironmentsInput,
  ): Promise<object> {
    const { after, environments, groups } = input;
    const ofEnvironments = (environments ?? []).map((environment): FlowStepSpec => ({ environment, dependsOn: [] }));
    const ofGroups = (groups ?? []).map((group): FlowStepSpec => ({ group, dependsOn: [] }));
    const steps = [...ofEnvironments, ...ofGroups];
    return applyEdits(context, input, [{ type: 'addSteps', steps, after, before: [] }], (path) => {
      if (path[0] !== 'steps') return path;
      const at = Number(path[1] ?? 0);
      return at < ofEnvironments.length || ofGroups.length === 0
        ? ['environments', ...path.slice(1, 2)]
        : ['groups', at - ofEnvironments.length];
    });
  }

  @Guarded(saves('PromotionFlow', 'CHANGE'))
  @Mutation(() => PromotionFlowPayload, {
    description:
      'Takes an environment, group or workflow step out of a flow and reconnects what depended on it, or removes that too.',
  })
  async promotionFlowRemoveEnvironment(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionFlowRemoveEnvironmentInput, {
      description: 'What, and what becomes of its dependents.',
    })
    input: PromotionFlowRemoveEnvironmentInput,
  ): Promise<object> {
    const { environment: step, removeDependents, reconnectTo } = input;
    if (removeDependents && reconnectTo) {
      const message = 'give either reconnectTo or removeDependents, not both';
      return { promotionFlow: null, userErrors: refused([refusal('INVALID', message, ['reconnectTo'])]) };
    }
    const dependents = removeDependents ? ('REMOVE' as const) : undefined;
    const edit = { type: 'removeStep' as const, step, dependents, reconnectTo: reconnectTo ? [reconnectTo] : [] };
    return applyEdits(context, input, [edit], ([field]) => [field === 'step' ? 'environment' : 'reconnectTo']);
  }
}
