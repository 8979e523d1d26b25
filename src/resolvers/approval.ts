import { Arg, Ctx, FieldResolver, Mutation, Resolver, Root } from 'type-graphql';
import { approvePromotion, rejectPromotion } from '../commands/decide-promotion.ts';
import { createApprovalLink } from '../commands/create-approval-link.ts';
import type { DecidedPromotion, PromotionDecision } from '../commands/decide-promotion.ts';
import type { Result } from '../commands/result.ts';
import { mayDo } from '../core/access/index.ts';
import { mayApprove, permissionToDecide } from '../core/approvals/may-decide.ts';
import { Approval, ApprovalLinkCreateInput, ApprovalStatusEnum, PromotionDecisionInput } from '../schema/approval.ts';
import type { ShownApprovalStatus } from '../schema/approval.ts';
import { ApprovalLinkPayload, PromotionPayload } from '../schema/approval-payloads.ts';
import type { ApiContext } from '../schema/context.ts';
import { EnvironmentPromotion } from '../schema/promotion.ts';
import type { WholeRelease } from '../schema/promotion.ts';
import { deciding, decisionPlace, linking, placesOf } from './access/release-rules.ts';
import { Lookup } from './access/lookup.ts';
import { Guarded, may } from './access/rules.ts';
import { refused, unstorable } from './answers.ts';
import { forget } from './batches.ts';
import { partsOf } from './release-parts.ts';

@Resolver(() => Approval)
export class ApprovalResolver {
  @FieldResolver(() => ApprovalStatusEnum, { description: 'Where it stands.' })
  status(@Ctx() { app }: ApiContext, @Root() approval: Approval): ShownApprovalStatus {
    return approval.shownStatus(app.clock.now().getTime());
  }

  @FieldResolver(() => Boolean, {
    description:
      'Whether an approval of the caller would count now: by the rules, by what the caller may do, and because something is missing. A release window may still hold it.',
  })
  async viewerCanApprove(@Ctx() context: ApiContext, @Root() { of }: Approval): Promise<boolean> {
    return canApprove(context, await partsOf(context, of.releaseId), { promotion: of.position, step: of.step });
  }
}

@Resolver()
export class PromotionDecisionResolver {
  @Mutation(() => PromotionPayload, {
    description:
      'Agrees that a promotion starts, or that a step of it goes on. It does so at once when nothing else is missing. Again, by the same person, changes nothing.',
  })
  @Guarded(may('APPROVE', deciding, ['ROLLBACK']))
  promotionApprove(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionDecisionInput, { description: 'On which promotion.' }) input: PromotionDecisionInput,
  ): Promise<PromotionPayload> {
    return decided(context, input, (decision) => approvePromotion(context.app, decision, context.caller));
  }

  @Mutation(() => PromotionPayload, {
    description: 'Says no to a promotion, or to a step of it: final for its attempt, which fails with what was said.',
  })
  @Guarded(may('APPROVE', deciding, ['ROLLBACK']))
  promotionReject(
    @Ctx() context: ApiContext,
    @Arg('input', () => PromotionDecisionInput, { description: 'On which promotion.' }) input: PromotionDecisionInput,
  ): Promise<PromotionPayload> {
    return decided(context, input, (decision) => rejectPromotion(context.app, decision, context.caller));
  }

  @Mutation(() => ApprovalLinkPayload, {
    description:
      'Makes a signed link with which one person decides once, on the start of a promotion or on a step that asks, without signing in. Opening it decides nothing: it shows what is asked, and a button.',
  })
  @Guarded(may('APPROVE', linking, ['ROLLBACK', 'BRING_APPROVALS']))
  async approvalLinkCreate(
    @Ctx() context: ApiContext,
    @Arg('input', () => ApprovalLinkCreateInput, { description: 'For what, and for whom.' })
    input: ApprovalLinkCreateInput,
  ): Promise<ApprovalLinkPayload> {
    const wrong = unstorable(input);
    const place = wrong.length > 0 ? { refusals: wrong } : await decisionPlace(context, input);
    const { decision, step, approver, expiresIn, idempotencyKey } = input;
    const result = place.refusals
      ? place
      : await createApprovalLink(
          context.app,
          {
            ...place.value,
            step: step ?? undefined,
            decision,
            approver: approver ?? undefined,
            expiresIn: expiresIn ?? undefined,
            idempotencyKey: idempotencyKey ?? undefined,
          },
          context.caller,
          context.identity,
        );
    forget(context);
    if (result.refusals) {
      return { url: null, expiresAt: null, promotion: null, userErrors: refused(result.refusals) };
    }
    const { url, link, position } = result.value;
    const promotion = new EnvironmentPromotion(await partsOf(context, link.releaseId), position);
    return { url, expiresAt: link.expiresAt, promotion, userErrors: [] };
  }
}

/** Whether an approval of the caller would count now. */
export async function canApprove(
  context: ApiContext,
  parts: WholeRelease,
  place: { promotion: number; step?: number },
): Promise<boolean> {
  const { identity, caller, app } = context;
  if (!mayApprove(parts.plan, parts.state, place, caller, app.clock.now().getTime())) return false;
  if (identity === null) return true;
  const targets = placesOf(await Lookup.of(context), parts.plan, place.promotion);
  return targets.every((each) => mayDo(identity.grants, permissionToDecide(parts.plan), each));
}

async function decided(
  context: ApiContext,
  input: PromotionDecisionInput,
  command: (decision: PromotionDecision) => Promise<Result<DecidedPromotion>>,
): Promise<PromotionPayload> {
  const result = await decide(context, input, command);
  forget(context);
  if (result.refusals) return { promotion: null, userErrors: refused(result.refusals) };
  const parts = await partsOf(context, result.value.releaseId);
  return { promotion: new EnvironmentPromotion(parts, result.value.position), userErrors: [] };
}

async function decide(
  context: ApiContext,
  input: PromotionDecisionInput,
  command: (decision: PromotionDecision) => Promise<Result<DecidedPromotion>>,
): Promise<Result<DecidedPromotion>> {
  const wrong = unstorable(input);
  if (wrong.length > 0) return { refusals: wrong };
  const place = await decisionPlace(context, input);
  if (place.refusals) return place;
  return command({
    ...place.value,
    step: input.step ?? undefined,
    attempt: input.attempt ?? undefined,
    comment: input.comment ?? undefined,
    idempotencyKey: input.idempotencyKey ?? undefined,
  });
}
