import type { Draft } from './draft.ts';
import { MANNERS } from './kinds/actions.ts';
import type { Progress, PromotionState } from './release.ts';

/**
 * Some actions begin something that goes on by itself, such as a workflow of Argo. A promotion that ends without their success (it was
 * terminated, skipped or taken back, it failed, its time is over) has no use for that, and its worker may be gone: the decision that ends it
 * asks for an errand, which ends what was begun, or may have been.
 */

/** The name of the errand. */
export const END_ACTION = 'end-action';

/** What the errand `end-action` is about. */
export interface EndingData {
  promotion: number;
  attempt: number;
  /** The position of the action's step. */
  step: number;
  /** Why, in words. */
  reason: string;
  /** When this was decided, in milliseconds since the epoch (UTC): nothing is begun from then on, but for what is on its way. */
  since: number;
  /** What the action's last look kept; null: none was recorded, and a worker that is gone may have begun something all the same. */
  progress: Progress | null;
}

/** A promotion ends without success: what its actions began, or may have begun, is to be ended. */
export function askToEnd(draft: Draft, position: number, reason: string): void {
  const { steps, name } = draft.planned(position);
  const { attempt, steps: seen } = draft.state.promotions[position] as PromotionState;
  steps.forEach(({ work }, index) => {
    const step = seen[index];
    if (work.kind !== 'action' || !MANNERS[work.action.type].outlives) return;
    if (step === undefined || step.startedAt === null || step.status === 'SUCCEEDED' || step.closed === true) return;
    const { progress = null } = step;
    const data: EndingData = { promotion: position, attempt, step: index, reason, since: draft.now, progress };
    draft.step(position, index).closed = true;
    draft.work.push({
      kind: 'errand',
      name: END_ACTION,
      of: `p${position}-a${attempt}-s${index}`,
      about: `the workflow of action "${work.action.name}" for ${name} is stopped: ${reason}`,
      promotion: position,
      data,
    });
  });
}
