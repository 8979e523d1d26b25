import type { Move } from '../move.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { PromotionState, ReleaseState, Stimulus, ToldTarget } from '../release.ts';
import { abortRunning } from '../steps.ts';

type Told = Extract<Stimulus, { kind: 'rollback-told' }>;

/**
 * A rollback tells the release that it takes back where it stands, all of it, again and again: what this release has not
 * taken in yet, it takes in. Nothing new starts here from the first telling on; what still runs where the rollback has to
 * work is stopped; the promotions show what becomes of their environments, also long after the release has ended.
 */
export function takeRollback(move: Move, told: Told): void {
  const { state } = move;
  const known = state.rollbacks[told.rollback];
  if (known && known.sequence >= told.sequence) return;
  const stop = new Set(known?.stop);
  if (!known) move.emit({ type: 'ReleaseTakenBack', rollback: told.rollback, reason: told.reason });
  move.plan.promotions.forEach(({ environment }, position) => {
    const target = told.targets.find((each) => each.environment === environment);
    const seen = state.promotions[position] as PromotionState;
    if (!target || seen.startedAt === null) return;
    if (!ENDED_PROMOTION.has(seen.status)) {
      if (target.standing !== 'NONE') stop.add(position);
    } else takeStanding(move, position, told.rollback, target);
  });
  const over = known?.over ?? false;
  state.rollbacks = {
    ...state.rollbacks,
    [told.rollback]: { reason: told.reason, sequence: told.sequence, stop: [...stop], over },
  };
  abortRunning(
    move,
    [...stop].filter((position) => !known?.stop.includes(position)),
  );
}

function takeStanding(move: Move, position: number, rollback: string, { standing, reason }: ToldTarget): void {
  const before = (move.state.promotions[position] as PromotionState).status;
  if (before === 'SKIPPED' || before === standing) return;
  if (standing === 'NONE' || standing === 'STOP') return;
  move.promotion(position).status = standing;
  const at = { ...move.atPromotion(position, before), rollback };
  if (standing === 'ROLLING_BACK') return move.emit({ type: 'PromotionRollingBack', ...at });
  if (standing === 'ROLLED_BACK') return move.emit({ type: 'PromotionRolledBack', ...at });
  const why = reason ?? 'the rollback failed';
  const problem = move.problem(`the rollback failed: ${why}`, position);
  move.promotion(position).problem ??= problem;
  move.state.lastProblem = problem;
  move.state.firstProblem ??= problem;
  move.emit({ type: 'PromotionRollbackFailed', ...at, reason: why });
}

/** A retried release goes on from where it failed: the rollbacks so far are history, and hold up nothing any more. */
export function overBy(rollbacks: ReleaseState['rollbacks']): ReleaseState['rollbacks'] {
  return Object.fromEntries(Object.entries(rollbacks).map(([id, each]) => [id, { ...each, stop: [], over: true }]));
}
