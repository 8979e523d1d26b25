import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { approvePromotion, rejectPromotion } from '../commands/decide-promotion.ts';
import type { PromotionDecision } from '../commands/decide-promotion.ts';
import type { Result } from '../commands/result.ts';
import { startManualRollback } from '../commands/start-manual-rollback.ts';
import type { ApiContext } from '../schema/context.ts';
import { RollbackInput } from '../schema/rollback-plan.ts';
import { RollbackPayload, RollbackTargetDecisionInput } from '../schema/rollback.ts';
import { bareRollbackId, decidingOnTarget, noRollback, takingBack } from './access/release-rules.ts';
import { Guarded, may } from './access/rules.ts';
import { ordererOf } from './access/visible.ts';
import { refused, unstorable } from './answers.ts';
import { forget } from './batches.ts';
import { rollbackOf } from './orders.ts';
import { rollbackIdOf } from './release-id.ts';
import { readRollback } from './rollback.ts';

@Resolver()
export class RollbackCommandResolver {
  @Guarded(may('ROLLBACK', takingBack))
  @Mutation(() => RollbackPayload, {
    description:
      'Takes environments back to the version that was healthy there before, or a version wherever it is live. What a policy of the flow says goes with them. Afterwards the environments are on hold until a person promotes there again.',
  })
  async rollbackStart(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackInput, { description: 'What to take back, and why.' }) input: RollbackInput,
  ): Promise<RollbackPayload> {
    const orderer = await ordererOf(context);
    return changed(context, input, () => startManualRollback(context.app, rollbackOf(input), context.actor, orderer));
  }

  @Guarded(may('ROLLBACK', decidingOnTarget))
  @Mutation(() => RollbackPayload, {
    description: 'Agrees that an environment goes back which a rollback has proposed. Again changes nothing.',
  })
  rollbackTargetApprove(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackTargetDecisionInput, { description: 'Which one.' }) input: RollbackTargetDecisionInput,
  ): Promise<RollbackPayload> {
    return decided(context, input, (decision) => approvePromotion(context.app, decision, context.caller));
  }

  @Guarded(may('ROLLBACK', decidingOnTarget))
  @Mutation(() => RollbackPayload, {
    description: 'Says no to an environment that a rollback has proposed: it stays as it is.',
  })
  rollbackTargetReject(
    @Ctx() context: ApiContext,
    @Arg('input', () => RollbackTargetDecisionInput, { description: 'Which one.' }) input: RollbackTargetDecisionInput,
  ): Promise<RollbackPayload> {
    return decided(context, input, (decision) => rejectPromotion(context.app, decision, context.caller));
  }
}

async function decided(
  context: ApiContext,
  input: RollbackTargetDecisionInput,
  command: (decision: PromotionDecision) => Promise<Result<unknown>>,
): Promise<RollbackPayload> {
  return changed(context, input, async () => {
    const releaseId = await rollbackIdOf(context, input.rollbackId);
    if (!(await readRollback(context, releaseId))) return { refusals: [noRollback(bareRollbackId(input.rollbackId))] };
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
