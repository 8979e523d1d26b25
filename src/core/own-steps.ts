import type { Draft } from './draft.ts';
import type { OwnSteps, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { ReleaseState } from './release.ts';
import { resultOf } from './result.ts';
import { mustStop } from './steps.ts';

/**
 * The steps of a release itself: what runs once, before its environments or after them. They are promotions without an environment, at
 * the end of the list, so that they are dispatched, tried again, timed, stopped and resumed as all others.
 *
 * ON_START comes first: nothing else starts before it has succeeded, and when it fails nothing else does. ON_SUCCESS runs when
 * everything else has ended well. ON_FAIL runs when it has not, the two others included, also after a termination and in a flow that
 * stops at a failure: what is to be done about a failure outlives it, up to a limit of its own. A release that never started has
 * nothing to tell. A retry makes what comes at the end run again, for it belongs to an end that is no longer true.
 */
export function comesAtTheEnd(own: OwnSteps | undefined): boolean {
  return own === 'ON_SUCCESS' || own === 'ON_FAIL';
}

/** Where a release stands with what runs before everything else; null: there is no such thing. */
export function ownStart(plan: ReleasePlan, state: ReleaseState): 'satisfied' | 'open' | 'dead' | null {
  const position = startOf(plan);
  if (position < 0) return null;
  const status = state.promotions[position]?.status ?? 'PENDING';
  return status === 'SUCCEEDED' ? 'satisfied' : ENDED_PROMOTION.has(status) ? 'dead' : 'open';
}

/** Its position; negative: there is none. They stand at the end, so that a flow of a thousand environments is not walked through. */
export function startOf({ promotions }: ReleasePlan): number {
  for (let position = promotions.length - 1; promotions[position]?.own !== undefined; position -= 1)
    if (promotions[position]?.own === 'ON_START') return position;
  return -1;
}

/** What comes at the end: it starts, has nothing to do (in words), or is not due yet. */
export function judgeEnd({ plan, state }: Draft, position: number): 'START' | 'LATER' | { skip: string } {
  const own = plan.promotions[position]?.own;
  const counts = (each: number): boolean =>
    !comesAtTheEnd(plan.promotions[each]?.own) || (own === 'ON_FAIL' && plan.promotions[each]?.own === 'ON_SUCCESS');
  if (state.promotions.some(({ status }, each) => counts(each) && !ENDED_PROMOTION.has(status))) return 'LATER';
  // A group whose last members have just ended says what that means for it first, unless all of it stops.
  const unsettled = state.groups.some(({ status }) => status !== 'PASSED' && status !== 'FAILED');
  if (unsettled && !mustStop(plan, state)) return 'LATER';
  if (state.startedAt === null) return { skip: 'the release never started' };
  const well = resultOf(plan, state, counts) === 'SUCCEEDED';
  if (own === 'ON_SUCCESS') return well ? 'START' : { skip: 'the release did not succeed' };
  return well ? { skip: 'the release succeeded' } : 'START';
}
