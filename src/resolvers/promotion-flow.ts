import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { knownNames } from '../commands/check-references.ts';
import { saveDefinition } from '../commands/save-definition.ts';
import type { Definition, PromotionFlowSpec } from '../core/definitions.ts';
import { addEnvironments, checkFlow, removeEnvironment } from '../core/flow.ts';
import type { FlowEdit, Known } from '../core/flow.ts';
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
import { toDefinition } from './definition-input.ts';
import { change, definitionPayload } from './definitions.ts';

const { PromotionFlow: PROMOTION_FLOW } = DEFINITION_TYPES;
const PromotionFlowPayload = PROMOTION_FLOW.payload;

@Resolver(() => PromotionFlow)
export class PromotionFlowResolver {
  @FieldResolver(() => [String], {
    description: 'What is accepted and may not do what one expects, as things are now.',
  })
  async warnings(@Ctx() context: ApiContext, @Root() flow: PromotionFlow): Promise<string[]> {
    const known = await loaderOf<Promise<Known>>(context, 'known-names', (app) => knownNames(app.dataSource));
    return checkFlow(flow.stored.spec as PromotionFlowSpec, known).warnings;
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
    const { after } = input;
    const environments = input.environments ?? [];
    const names = input.groups ?? [];
    return change(context, PROMOTION_FLOW, input, async (before) => {
      if (environments.length + names.length === 0) {
        return { refusals: [refusal('INVALID', 'name an environment or a group to add', ['environments'])] };
      }
      const { groups } = await knownNames(context.app.dataSource);
      const first: FlowEdit =
        environments.length > 0 ? addEnvironments(before.spec, environments, after, { groups }) : { spec: before.spec };
      if (first.refusals || names.length === 0) return edited(before, first);
      const second = addEnvironments(first.spec, names, after, { kind: 'group', groups });
      if (!second.refusals) return edited(before, second);
      const inGroups = second.refusals.map(({ path: [head, ...rest], ...each }) => ({
        ...each,
        path: [head === 'environments' ? 'groups' : (head ?? 'groups'), ...rest],
      }));
      return { refusals: inGroups };
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
    const { environment, reconnectTo, removeDependents } = input;
    return change(context, PROMOTION_FLOW, input, async (before) => {
      if (removeDependents && reconnectTo) {
        const message = 'give either reconnectTo or removeDependents, not both';
        return { refusals: [refusal('INVALID', message, ['reconnectTo'])] };
      }
      const { groups } = await knownNames(context.app.dataSource);
      const target = removeDependents ? 'REMOVE_DEPENDENTS' : (reconnectTo ?? undefined);
      return edited(before, removeEnvironment(before.spec, environment, target, groups));
    });
  }
}

function edited(before: Definition<'PromotionFlow'>, edit: FlowEdit) {
  const { kind, metadata } = before;
  return edit.refusals ? { refusals: edit.refusals } : { value: { kind, metadata, spec: edit.spec } };
}
