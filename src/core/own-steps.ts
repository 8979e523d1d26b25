import type { Draft } from './draft.ts';
import type { OwnSteps, PlannedPromotion, ReleasePlan } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { PromotionState, ReleaseState } from './release.ts';
import { isSkippedByPerson } from './required.ts';
import { resultOf } from './result.ts';
import { mustStop } from './steps.ts';

/**
 * Hooks that run beside the promotions: those of the release, and of each promotion what is done about its failure. They are promotions
 * without an environment, at the end of the list, so that they are dispatched, tried again, timed, stopped and resumed as all others.
 *
 * ON_START comes first: nothing else starts before it has succeeded, and when it fails nothing else does. ON_SUCCESS runs when
 * everything else has ended well. ON_FAIL runs when it has not, the two others included, also after a termination and in a flow that
 * stops at a failure: what is to be done about a failure outlives it, up to a limit of its own. A release that never started has
 * nothing to tell. A retry makes what comes at the end run again, for it belongs to an end that is no longer true.
 *
 * A promotion's onStart and onSuccess are phases of it, since what comes after must wait for them. Its ON_FAIL stands here: it runs as soon as the
 * promotion has failed or was stopped, and holds up neither the environment nor a rollback of it. The release's own end waits for it.
 */
export function comesAtTheEnd(own: OwnSteps | undefined): boolean {
  return own === 'ON_SUCCESS' || own === 'ON_FAIL';
}

/** Whether it is a hook of the release as a whole. */
export function isOfRelease({ own, of }: Pick<PlannedPromotion, 'own' | 'of'>): boolean {
  return own !== undefined && of === undefined;
}

/** Where the promotion at a position, or the hook there, is; null: in no environment. */
export function environmentAt({ promotions }: Pick<ReleasePlan, 'promotions'>, position: number): string | null {
  const { environment = null, of } = promotions[position] ?? {};
  return of === undefined ? environment : (promotions[of]?.environment ?? null);
}

/** The environment, or the workflow step, in which a promotion or its hook is; null: a hook of the release is in none. */
export function aboutOf({ promotions }: ReleasePlan, { name, own, of }: PlannedPromotion): string | null {
  if (own === undefined) return name;
  return of === undefined ? null : (promotions[of]?.name ?? null);
}

/** Where a release stands with what runs before everything else; null: there is no such thing. */
export function ownStart(plan: ReleasePlan, state: ReleaseState): 'satisfied' | 'open' | 'dead' | null {
  const position = startOf(plan);
  if (position < 0) return null;
  const status = state.promotions[position]?.status ?? 'PENDING';
  return status === 'SUCCEEDED' ? 'satisfied' : ENDED_PROMOTION.has(status) ? 'dead' : 'open';
}

/** Its position; negative: there is none. The release's stand at the end, so that a flow of a thousand environments is not walked through. */
export function startOf({ promotions }: ReleasePlan): number {
  for (let position = promotions.length - 1; position >= 0; position -= 1) {
    const planned = promotions[position] as PlannedPromotion;
    if (!isOfRelease(planned)) break;
    if (planned.own === 'ON_START') return position;
  }
  return -1;
}

/** What comes at the end: it starts, has nothing to do (in words), or is not due yet. */
export function judgeEnd(draft: Draft, position: number): 'START' | 'LATER' | { skip: string } {
  const { plan, state } = draft;
  const { own, of } = draft.planned(position);
  if (of !== undefined) return judgeFailure(draft, of);
  const counts = (each: number): boolean => {
    const other = plan.promotions[each] as PlannedPromotion;
    return !isOfRelease(other) || other.own === 'ON_START' || (own === 'ON_FAIL' && other.own === 'ON_SUCCESS');
  };
  if (state.promotions.some(({ status }, each) => counts(each) && !ENDED_PROMOTION.has(status))) return 'LATER';
  // A group whose last members have just ended says what that means for it first, unless all of it stops.
  const unsettled = state.groups.some(({ status }) => status !== 'PASSED' && status !== 'FAILED');
  if (unsettled && !mustStop(plan, state)) return 'LATER';
  if (state.startedAt === null) return { skip: 'the release never started' };
  const well = resultOf(plan, state, counts) === 'SUCCEEDED';
  if (own === 'ON_SUCCESS') return well ? 'START' : { skip: 'the release did not succeed' };
  return well ? { skip: 'the release succeeded' } : 'START';
}

/** What is done about the failure of a promotion. One that was stopped before it began did not fail. */
function judgeFailure(draft: Draft, of: number): 'START' | 'LATER' | { skip: string } {
  const { status, startedAt } = draft.state.promotions[of] as PromotionState;
  if (!ENDED_PROMOTION.has(status)) return 'LATER';
  const { name } = draft.planned(of);
  if (status === 'SUCCEEDED') return { skip: `${name} succeeded` };
  if (isSkippedByPerson(draft.state, of)) return { skip: `${name} was skipped` };
  return status === 'FAILED' || startedAt !== null ? 'START' : { skip: `${name} was not begun` };
}
