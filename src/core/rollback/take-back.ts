import type { Draft } from '../draft.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { PromotionState, ReleaseState, Stimulus, ToldTarget } from '../release.ts';
import { abortRunning } from '../steps.ts';

type Told = Extract<Stimulus, { kind: 'rollback-told' }>;

/**
 * A rollback tells the release that it takes back where it stands, all of it, again and again: what this release has not
 * taken in yet, it takes in. Nothing new starts here from the first telling on; what still runs where the rollback has to
 * work is stopped; the promotions show what becomes of their environments, also long after the release has ended.
 */
export function applyRollbackNews(draft: Draft, told: Told): void {
  const { state } = draft;
  const known = state.rollbacks[told.rollback];
  if (known && known.sequence >= told.sequence) return;
  const stop = new Set(known?.stop);
  if (!known) draft.emit({ type: 'ReleaseTakenBack', rollback: told.rollback, reason: told.reason });
  draft.plan.promotions.forEach(({ environment }, position) => {
    const target = told.targets.find((each) => each.environment === environment);
    const seen = state.promotions[position] as PromotionState;
    if (!target || seen.startedAt === null) return;
    if (!ENDED_PROMOTION.has(seen.status)) {
      if (target.standing !== 'NONE') stop.add(position);
    } else applyStanding(draft, position, told.rollback, target);
  });
  const over = known?.over ?? false;
  state.rollbacks = {
    ...state.rollbacks,
    [told.rollback]: { called: told.called, reason: told.reason, sequence: told.sequence, stop: [...stop], over },
  };
  abortRunning(
    draft,
    [...stop].filter((position) => !known?.stop.includes(position)),
  );
}

function applyStanding(draft: Draft, position: number, rollback: string, { standing, reason }: ToldTarget): void {
  const before = (draft.state.promotions[position] as PromotionState).status;
  if (before === 'SKIPPED' || before === standing) return;
  if (standing === 'NONE' || standing === 'STOP') return;
  draft.promotion(position).status = standing;
  const at = { ...draft.atPromotion(position, before), rollback };
  if (standing === 'ROLLING_BACK') return draft.emit({ type: 'PromotionRollingBack', ...at });
  if (standing === 'ROLLED_BACK') return draft.emit({ type: 'PromotionRolledBack', ...at });
  const why = reason ?? 'the rollback failed';
  const problem = draft.problem(`the rollback failed: ${why}`, position);
  draft.promotion(position).problem ??= problem;
  draft.state.lastProblem = problem;
  draft.state.firstProblem ??= problem;
  draft.emit({ type: 'PromotionRollbackFailed', ...at, reason: why });
}

/** A retried release goes on from where it failed: the rollbacks so far are history, and hold up nothing any more. */
export function overBy(rollbacks: ReleaseState['rollbacks']): ReleaseState['rollbacks'] {
  return Object.fromEntries(Object.entries(rollbacks).map(([id, each]) => [id, { ...each, stop: [], over: true }]));
}
