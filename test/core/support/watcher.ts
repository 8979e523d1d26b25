import { decisionTime } from '../../../src/core/clock.ts';
import type { Decision } from '../../../src/core/decision.ts';
import type { ReleasePlan } from '../../../src/core/plan.ts';
import { ENDED_RELEASE } from '../../../src/core/release.ts';
import type { Facts, PromotionState, ReleaseState, Stimulus } from '../../../src/core/release.ts';
import { claim, deepFreeze, same } from './claim.ts';
import type { Reached } from './reached.ts';
import { HookWatch } from './watch/hooks.ts';
import { LimitWatch } from './watch/limits.ts';
import { LogWatch } from './watch/log.ts';
import { MergeWatch } from './watch/merges.ts';
import { claimGroup, claimPromotion, claimStale } from './watch/promotions.ts';
import { ReportWatch } from './watch/reports.ts';
import { SoakWatch } from './watch/soaks.ts';
import { nameOf } from './watch/watched.ts';
import type { Watched } from './watch/watched.ts';
import { claimOwnEnded, claimWhole } from './watch/whole.ts';
import { advance } from './advance.ts';

/** Sees every decision before it is saved and checks all that must always hold; each theme has its file in `watch`. */
export class Watcher implements Watched {
  readonly plan: ReleasePlan;
  readonly reached: Reached;
  readonly #log: LogWatch;
  readonly #hooks: HookWatch;
  readonly #limits: LimitWatch;
  readonly #merges: MergeWatch;
  readonly #reports: ReportWatch;
  readonly #soaks: SoakWatch;
  /** Those that were given to a job. */
  readonly #dispatches = new Set<string>();

  constructor(plan: ReleasePlan, state: ReleaseState, reached: Reached) {
    this.plan = plan;
    this.reached = reached;
    this.#hooks = new HookWatch(this);
    this.#limits = new LimitWatch(this, state.createdAt);
    this.#merges = new MergeWatch(this);
    this.#reports = new ReportWatch(this);
    this.#soaks = new SoakWatch(this);
    this.#log = new LogWatch(this, state, this.#merges, this.#soaks);
    deepFreeze(plan);
    deepFreeze(state);
  }

  see(
    old: ReleaseState,
    stimulus: Stimulus,
    facts: Facts | null,
    now: number,
    decision: Decision,
    thorough = true,
  ): void {
    const { state, events, work, changed } = decision;
    deepFreeze(state);
    const moved = decisionTime(now, old.lastEventAt);

    if (stimulus.kind === 'terminate' && stimulus.onlyIf === 'QUEUED' && old.startedAt !== null)
      this.reached.count('superseded too late');
    this.#soaks.hear(old, stimulus, moved);
    this.#log.see(old, stimulus, facts, moved, decision);

    state.promotions.forEach((promotion, position) => {
      const before = old.promotions[position] as PromotionState;
      if (promotion === before) return claim(!changed.includes(position), 'changed lists what did not change');
      const differs = !same(promotion, before);
      // There and back in one decision: it could have started, and another member of its group took the place.
      const back =
        !differs && events.some(({ event }) => 'before' in event && event.environment === nameOf(this, position));
      if (!back)
        claim(
          differs === changed.includes(position),
          `${nameOf(this, position)} differs: ${differs}, told: ${!differs}`,
        );
      claimPromotion(this, old, state, position, stimulus, decision, this.#log.hasBegunAgain(position));
    });
    claim(new Set(changed).size === changed.length, 'changed lists a promotion twice');
    for (const each of work) {
      if (each.kind !== 'dispatch') continue;
      for (const { promotion, dispatch } of each.promotions) {
        const key = `${promotion}/${dispatch}`;
        claim(!this.#dispatches.has(key), `dispatch ${key} was given away before`);
        this.#dispatches.add(key);
      }
    }
    state.groups.forEach((group, position) => claimGroup(this, old, group, position, stimulus, decision));
    this.#limits.see(old, state, events, moved);
    this.#reports.seeTold(old, state, stimulus, moved);
    this.#reports.seeKnown(old, stimulus, decision);
    this.#hooks.see(old, stimulus, decision);
    claimOwnEnded(this, old, state);
    claimWhole(this, state, facts, moved);
    this.#merges.see(old, state, facts, stimulus, events, moved);
    claimStale(this, old, stimulus, facts, now, state);

    // Refused while it went on, and ended by its limit in the same decision: a retry now is another question.
    // The same where it ended at once, because nothing was left that could go on.
    const wants = stimulus.kind === 'retry' || stimulus.kind === 'skip';
    const refused = wants && (decision.refused.size > 0 || ENDED_RELEASE.has(state.status));
    // It told nothing, and something else of the decision did: what it means now is another question, too.
    const unheard = stimulus.key !== undefined && !events.some(({ event }) => ONCE.has(event.type));
    if (!thorough || refused || unheard) return;
    const again = advance(this.plan, state, [stimulus], facts, now);
    claim(again !== 'NEEDS_FACTS', 'the same question needs facts the second time only');
    // Also what only adds to the log: a commit whose answer was lost is decided again. Whoever is told of a pull request once more while it is
    // looked at looks once more, and not a third time.
    if (stimulus.kind === 'pull-request-told') this.#claimOnceMore(again, state, stimulus, facts, now);
    else this.#claimNothing(again, state, stimulus.kind);
    const looked = advance(this.plan, state, [{ kind: 'tick' }], facts, now);
    claim(looked !== 'NEEDS_FACTS', 'looking again needs facts');
    this.#claimNothing(looked, state, 'tick');
  }

  #claimOnceMore(again: Decision, before: ReleaseState, stimulus: Stimulus, facts: Facts | null, now: number): void {
    const { events, work, changed, state } = again;
    if (changed.length === 0) return this.#claimNothing(again, before, stimulus.kind);
    claim(events.length === 0 && work.length === 0, `${stimulus.kind} twice does more than to ask for another look`);
    const thrice = advance(this.plan, state, [stimulus], facts, now);
    claim(thrice !== 'NEEDS_FACTS', 'the same question needs facts the third time only');
    this.#claimNothing(thrice, state, `${stimulus.kind} three times`);
  }

  #claimNothing({ events, work, changed, state }: Decision, before: ReleaseState, what: string): void {
    const told = events.map((each) => each.event.type);
    claim(
      told.length === 0 && work.length === 0 && changed.length === 0,
      `${what} twice: ${JSON.stringify({ told, work, changed })}`,
    );
    if (events.length > 0) return;
    // What was skipped in the same decision may have asked to be woken before: once too often does no harm, too late would.
    const inTime = before.wakeAt !== null && before.wakeAt <= (state.wakeAt ?? Infinity);
    const wakeAt = inTime ? before.wakeAt : state.wakeAt;
    claim(same({ ...state, wakeAt }, before), `${what} twice changed the state`);
  }
}

/** What a keyed stimulus adds to the log. */
const ONCE: ReadonlySet<string> = new Set([
  'HealthChanged',
  'DeploymentReported',
  'RolloutReported',
  'RollbackJoined',
  'ReleaseTerminating',
  'ReleaseRetried',
  'PromotionSkipped',
]);
