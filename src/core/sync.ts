import type { Draft } from './draft.ts';
import { changeOf } from './plan.ts';
import type { PlannedPromotion, PlannedStep } from './plan.ts';
import type { PromotionState } from './release.ts';

/** The change of an application in this promotion, as far as its steps tell. */
export interface Made {
  /** When it was made, or merged, in milliseconds; when the promotion began where nothing was to be made. */
  at: number;
  /** The commit of its ACTION. */
  commit?: string;
  /** Nothing was written: the target had the content already, so what was said of it before may be true still. */
  already: boolean;
}

/** What the steps of a promotion tell of an application's change. */
export function madeBy(planned: PlannedPromotion, { steps, startedAt }: PromotionState, application: number): Made {
  const action = steps[changeOf(planned, application)];
  const commit = action?.outputs?.['COMMIT_SHA'];
  const already = action === undefined || action.unchanged === true;
  return {
    at: action?.runsSince ?? action?.endedAt ?? startedAt ?? 0,
    already,
    ...(commit === undefined ? {} : { commit }),
  };
}

/** Whether the target was seen to run the change. False without a source: then its health is all that is known. */
export function wasSynced(planned: PlannedPromotion, { steps }: PromotionState, application: number): boolean {
  const sync = planned.steps.findIndex((each) => each.application === application && each.phase === 'SYNC');
  return steps[sync]?.status === 'SUCCEEDED';
}

/** Whether a step runs when all that is done for the applications has succeeded: whatever becomes of it, the version is there and good. */
export function isAfterAll({ phase, application }: PlannedStep): boolean {
  return phase === 'ON_SUCCESS' && application === null;
}

/** Its version was found good in its environment, as far as its targets can be asked. */
export function recordVerified(draft: Draft, position: number): void {
  const planned = draft.planned(position);
  const promotion = draft.state.promotions[position] as PromotionState;
  planned.applications.forEach((_, application) => {
    const how = wasSynced(planned, promotion, application) ? 'SYNC_AND_HEALTH' : 'HEALTH_ONLY';
    draft.deploy(position, application, null, how);
  });
}
