import type { Parts } from '../parts.ts';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import type { Caller } from '../core/caller.ts';
import { decideOnPromotion } from './decide-promotion.ts';
import type { DecidedPromotion, PromotionDecision } from './decide-promotion.ts';
import type { Result } from './result.ts';

/**
 * Somebody agrees that a promotion starts. It starts at once when nobody and nothing else is missing. Again, by the same
 * person, changes nothing.
 */
export function approvePromotion(
  app: Parts,
  input: PromotionDecision,
  caller: Caller | null,
  via: DecisionChannel = 'API',
): Promise<Result<DecidedPromotion>> {
  return decideOnPromotion(app, 'approve', input, caller, via);
}
