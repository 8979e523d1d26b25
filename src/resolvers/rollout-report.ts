import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import { reportRollout } from '../commands/report-rollout.ts';
import type { ApiContext } from '../schema/context.ts';
import { RolloutReportInput, RolloutReportPayload } from '../schema/rollout-report.ts';
import type { Lookup } from './access/lookup.ts';
import type { Named } from './access/named.ts';
import { Guarded, may } from './access/rules.ts';
import { ordererOf } from './access/visible.ts';
import { refused, unstorable } from './answers.ts';
import { forget } from './batches.ts';
import { readRelease } from './release-parts.ts';
import { readRollback } from './rollback.ts';

function at({ input }: { input: { product: string; environment: string } }, lookup: Lookup): Promise<Named> {
  return lookup.place(input.product, [{ name: input.environment, path: ['environment'] }]);
}

@Resolver()
export class RolloutReportResolver {
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
    const result = await reportRollout(context.app, given, context.actor, await ordererOf(context));
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
}
