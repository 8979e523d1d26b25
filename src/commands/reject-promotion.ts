import type { Parts } from '../parts.ts';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import type { Caller } from '../core/caller.ts';
import { decideOnPromotion } from './decide-promotion.ts';
import type { DecidedPromotion, PromotionDecision } from './decide-promotion.ts';
import type { Result } from './result.ts';

/** Somebody says no: final for this attempt of the promotion, which fails with what was said. */
export function rejectPromotion(
  app: Parts,
  input: PromotionDecision,
  caller: Caller | null,
  via: DecisionChannel = 'API',
): Promise<Result<DecidedPromotion>> {
  return decideOnPromotion(app, 'reject', input, caller, via);
}
