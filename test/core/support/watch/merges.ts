import type { Decision } from '../../../../src/core/decision.ts';
import { STATUS_LEAD } from '../../../../src/core/gates/merge.ts';
import type { PlannedPromotion } from '../../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../../src/core/release.ts';
import type { Facts, PromotionState, ReleaseState, Stimulus } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { actionOf, closingWithin, mergeObstacle, wasClosed } from '../oracle.ts';
import type { Watched } from './watched.ts';

/** Open pull requests: their statuses, and the gates at the time of their merge. */
export class MergeWatch {
  readonly #of: Watched;
  /** By position: whether something was in the way of its merge, whenever that was asked. */
  readonly #asked = new Map<number, { at: number; shut: boolean }[]>();

  constructor(of: Watched) {
    this.#of = of;
  }

  /** A new attempt opens its own pull request. */
  forget(position: number): void {
    this.#asked.delete(position);
  }

  /**
   * The status of an open pull request, held against the oracle: green exactly while nothing is in the way and nothing closes within the
   * lead. A merge is outside the gates where something was in the way from its moment on until it was heard of, and is not where nothing was.
   */
  see(
    old: ReleaseState,
    state: ReleaseState,
    facts: Facts | null,
    stimulus: Stimulus,
    events: Decision['events'],
    now: number,
  ): void {
    this.#of.plan.promotions.forEach((planned, position) => {
      const { pullRequest, environment, steps } = planned;
      const promotion = state.promotions[position] as PromotionState;
      if (pullRequest === undefined || environment === null) return;
      this.#seeMerged(old, position, stimulus, events, now);
      const { merge, startedAt, status } = promotion;
      const open = startedAt !== null && !ENDED_PROMOTION.has(status);
      const awaited = steps.some(
        ({ work }, index) => work.kind === 'merge' && promotion.steps[index]?.status !== 'SUCCEEDED',
      );
      const level = merge?.level ?? null;
      if (!awaited) return claim(level === null, `${planned.name} is merged, and its status says ${level?.state}`);
      if (!open)
        return claim(
          level === null || level.state === 'FAILURE',
          `${planned.name} is over, and its status is ${level?.state}`,
        );
      const stops =
        promotion.steps.some(({ status: of, stop }) => of === 'FAILED' || of === 'TERMINATED' || stop !== null) ||
        this.#isStopped(state, position);
      if (stops)
        return claim(
          level === null || level.state === 'FAILURE',
          `${planned.name} stops, and its status is ${level?.state}`,
        );
      claim(facts !== null, `the merge into ${planned.name} was not asked about`);
      if (facts === null) return;
      const why = mergeObstacle(this.#of.plan, state, position, facts, now);
      const past = this.#asked.get(position) ?? [];
      this.#asked.set(position, [...past, { at: now, shut: why !== null }]);
      const action = actionOf(this.#of.plan);
      const soon = closingWithin(facts, environment, action, promotion, now, STATUS_LEAD);
      const spread = wasClosed(facts, environment, action, promotion, now);
      this.#of.reached.count(
        `merge ${pullRequest.open} ${level?.state} ${why === null ? (soon ? 'closes soon' : 'free') : 'held'}`,
      );
      if (level?.state === 'SUCCESS')
        claim(why === null && !soon, `green, and ${why ?? `${planned.name} closes within a minute`}`);
      else
        claim(
          why !== null || soon || spread,
          `${level?.state} although nothing keeps ${planned.name} from its merge: ${level?.description}`,
        );
    });
  }

  #seeMerged(old: ReleaseState, position: number, stimulus: Stimulus, events: Decision['events'], now: number): void {
    if (stimulus.kind !== 'outcome' || stimulus.promotion !== position || stimulus.outcome.kind !== 'succeeded') return;
    const { pullRequest, changed } = stimulus.outcome;
    const told = events.some(({ event }) => event.type === 'PullRequestMergedOutsideGates');
    if (pullRequest?.state !== 'MERGED')
      claim(!told || (pullRequest !== undefined && changed !== false), 'nothing was merged, and it is told outside');
    if (pullRequest?.state !== 'MERGED' || !events.some(({ event }) => event.type === 'PullRequestMerged')) return;
    const at = Math.min(pullRequest.at ?? now, now);
    const past = this.#asked.get(position) ?? [];
    const before = past.findLastIndex((each) => each.at <= at);
    const since = past.slice(Math.max(0, before));
    if (before < 0 || old.promotions[position]?.merge === null) return;
    // The clock was corrected in between: which came first cannot be told.
    if (past.some((each) => each.at > now)) return;
    this.#of.reached.count(told ? 'merged outside the gates' : 'merged inside the gates');
    if (since.every((each) => each.shut)) claim(told, 'merged while a gate was shut, and nobody was told');
    if (since.every((each) => !each.shut)) claim(!told, 'merged while no gate was shut, and it is told');
  }

  /** Told to end, by whomever. */
  #isStopped({ terminating, halted, rollbacks, skips }: ReleaseState, position: number): boolean {
    if (skips[position]) return true;
    const back = Object.values(rollbacks).some(({ stop }) => stop.includes(position));
    return terminating !== null || (halted && this.#of.plan.onFailure === 'STOP') || back;
  }
}

/** A proposal whose merge has not come. */
export function isUnmerged({ steps }: PlannedPromotion, state: PromotionState, index: number): boolean {
  if (steps[index]?.work.kind !== 'propose') return false;
  return steps.some(({ work, needs }, each) => {
    return work.kind === 'merge' && needs.includes(index) && state.steps[each]?.status !== 'SUCCEEDED';
  });
}
