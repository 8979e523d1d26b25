import type { Draft } from './draft.ts';
import { freshGroup } from './group-gate.ts';
import { FRESH_METER } from './limits.ts';
import { comesAtTheEnd } from './own-steps.ts';
import { refusal } from './problems.ts';
import { isUnmerged } from './pull-request.ts';
import { TAKEN_BACK } from './release.ts';
import type { ReleaseState, Stimulus } from './release.ts';
import { overBy } from './rollback/take-back.ts';
import { freshStep } from './step.ts';

/** Of two that come at once the second finds it retried. Null: it can be. */
export function whyNoRetry(status: ReleaseState['status']): string | null {
  return status === 'FAILED' || status === 'TERMINATED'
    ? null
    : `only a release that FAILED or was TERMINATED can be retried, it is ${status}`;
}

/**
 * From the exact point of failure: steps that succeeded stay, everything else of what did not succeed begins again. What was
 * taken back begins from its start, and the gate of its group is asked anew: what succeeded there is undone.
 */
export function applyRetry(draft: Draft, stimulus: Stimulus): void {
  const { state } = draft;
  const unfit = whyNoRetry(state.status);
  if (unfit !== null) return void draft.refused.set(stimulus, refusal('WRONG_STATE', unfit, ['releaseId']));
  state.rollbacks = overBy(state.rollbacks);
  const again: string[] = [];
  const undone = new Set<number | null>();
  state.promotions.forEach((seen, position) => {
    const atTheEnd = comesAtTheEnd(draft.planned(position).own);
    if (seen.status === 'SUCCEEDED' && !atTheEnd) return;
    const takenBack = TAKEN_BACK.has(seen.status);
    if (takenBack) undone.add(draft.planned(position).group);
    const promotion = draft.promotion(position);
    again.push(draft.planned(position).name);
    // An approval belongs to the attempt that it was asked for: its approvers are asked again.
    if (promotion.startedAt !== null || promotion.approval !== null) promotion.attempt += 1;
    const fresh = { startedAt: null, endedAt: null, problem: null, evidence: null, approval: null, merge: null };
    Object.assign(promotion, { status: 'PENDING', ...fresh });
    promotion.steps.forEach((step, index) => {
      const again = isUnmerged(draft.planned(position), seen, index);
      if (step.status !== 'SUCCEEDED' || takenBack || atTheEnd || again)
        Object.assign(draft.step(position, index), freshStep(), { dispatch: step.dispatch });
    });
  });
  state.groups.forEach((group, position) => {
    if (group.status !== 'PASSED' || undone.has(position))
      Object.assign(draft.group(position), freshGroup(group.generation));
  });
  Object.assign(state, {
    status: 'QUEUED',
    startedAt: null,
    endedAt: null,
    deadline: null,
    countsFrom: draft.now,
    moving: FRESH_METER,
    limited: {},
    terminating: null,
    halted: false,
  });
  draft.emit({ type: 'ReleaseRetried', environments: again });
}
