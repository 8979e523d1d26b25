import type { RollbackCauseKind } from '../../../../src/core/definitions.ts';
import type { Decision } from '../../../../src/core/decision.ts';
import type { StepWork } from '../../../../src/core/plan.ts';
import type { PromotionState, ReleaseState, StepState, Stimulus } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { TOO_LATE } from './limits.ts';
import { nameOf, plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';

/** Steps that only look. */
const LOOKS: ReadonlySet<StepWork['kind']> = new Set(['sync', 'health', 'soak']);

/** What is known of the health of a change: who was told during a look, and who may be taken back. */
export class ReportWatch {
  readonly #of: Watched;
  /** `promotion/step` of healths and soaks: the last look could tell how it is. */
  readonly #told = new Set<string>();
  /** `promotion/step`: told HEALTHY or DEGRADED while a look at its health was under way. */
  readonly #toldInLook = new Set<string>();

  constructor(of: Watched) {
    this.#of = of;
  }

  /** A health that somebody told while it was looked at is looked at again at once. */
  seeTold(old: ReleaseState, state: ReleaseState, stimulus: Stimulus, now: number): void {
    this.#of.plan.promotions.forEach(({ environment, applications, steps }, position) => {
      steps.forEach(({ work, application }, index) => {
        if (work.kind !== 'health' && work.kind !== 'sync') return;
        const key = `${position}/${index}`;
        const was = old.promotions[position]?.steps[index] as StepState;
        const step = state.promotions[position]?.steps[index] as StepState;
        const mine = stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index;
        if (
          mine &&
          (stimulus.outcome.kind === 'pending' || stimulus.outcome.kind === 'observed') &&
          was.dispatch === stimulus.dispatch &&
          this.#toldInLook.has(key)
        ) {
          this.#of.reached.count('told between look and record');
          const again = step.status !== 'WAITING' || (step.recheckAt ?? Infinity) <= now;
          claim(again, `${steps[index]?.id} was told while it was looked at, and waits until ${step.recheckAt}`);
        }
        if (step.status !== 'RUNNING' || step.dispatch !== was.dispatch || was.status !== 'RUNNING')
          this.#toldInLook.delete(key);
        const about = work.kind === 'health' ? 'health-reported' : 'deployment-reported';
        if (stimulus.kind !== 'health-reported' && stimulus.kind !== 'deployment-reported') return;
        if (stimulus.kind !== about || was.status !== 'RUNNING' || step.status !== 'RUNNING') return;
        const { environment: where, application: who } = stimulus;
        // Told twice, it is heard once.
        if (old.heard.some((each) => each.key === stimulus.key)) return;
        if (where !== environment || applications[application as number]?.name !== who) return;
        const status = stimulus.kind === 'health-reported' ? stimulus.status : 'HEALTHY';
        if (status === 'HEALTHY' || status === 'DEGRADED') this.#toldInLook.add(key);
        else this.#toldInLook.delete(key);
      });
    });
  }

  /** What nobody knows takes nothing back: a rollback is asked for where something failed that was seen to. */
  seeKnown(old: ReleaseState, stimulus: Stimulus, { state, events, work, changed }: Decision): void {
    const late = stimulus.kind === 'rollout-reported' && old.endedAt !== null;
    if (late) claim(changed.length === 0 && work.length === 0, 'reported after the end, and something changed');
    if (late && events.length > 0) this.#of.reached.count('a rollout reported after the end');
    const heard = old.heard.some((each) => each.key === stimulus.key);
    this.#of.plan.promotions.forEach(({ environment, applications, steps }, position) => {
      const before = old.promotions[position] as PromotionState;
      const own = events.flatMap(({ event }) =>
        'step' in event && event.environment === nameOf(this.#of, position) ? [event] : [],
      );
      steps.forEach(({ id, work: { kind }, application }, index) => {
        if (!LOOKS.has(kind)) return;
        const key = `${position}/${index}`;
        const was = before.steps[index] as StepState;
        const turn = (known: boolean): void => void (known ? this.#told.add(key) : this.#told.delete(key));
        // A soak begins after a look that found it healthy.
        if (own.some((each) => each.type === 'StepStarted' && each.step === id)) turn(kind === 'soak');
        if (stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index) {
          const { attempt, dispatch, outcome } = stimulus;
          if (attempt !== before.attempt || was.status !== 'RUNNING' || was.dispatch !== dispatch || was.stop) return;
          if (outcome.kind === 'observed') turn(outcome.health.status !== 'UNKNOWN');
          // That a target does not run the change says nothing of how it is.
          else if (outcome.kind !== 'aborted')
            turn(kind !== 'sync' && outcome.kind === 'failed' && outcome.unclear !== true);
        }
        if (stimulus.kind === 'health-reported' && kind === 'soak' && !heard) {
          const about = applications[application as number]?.name === stimulus.application;
          if (about && stimulus.environment === environment) turn(stimulus.status !== 'UNKNOWN');
        }
        if (stimulus.kind === 'rollout-reported' && stimulus.environment === environment && !heard) {
          const bad = stimulus.status === 'FAILED' || stimulus.status === 'ROLLED_BACK';
          if (bad && stimulus.attempt === before.attempt) turn(true);
        }
        const isSilent = (each: (typeof own)[number]): boolean =>
          each.type === 'StepFailed' &&
          each.step === id &&
          (each.message.includes('no report came within') || each.message.includes(TOO_LATE));
        if (own.some(isSilent)) turn(false);
      });
      const seen = steps.some(({ work: { kind }, phase }, index) => {
        const failed = state.promotions[position]?.steps[index]?.status === 'FAILED';
        return (
          failed &&
          phase !== 'ON_START' &&
          phase !== 'ON_SUCCESS' &&
          (!LOOKS.has(kind) || this.#told.has(`${position}/${index}`))
        );
      });
      const asked = work.find((each) => each.kind === 'roll-back' && each.promotion === position);
      const notSynced = steps.some(
        ({ work: { kind } }, index) => kind === 'sync' && state.promotions[position]?.steps[index]?.status === 'FAILED',
      );
      const hookFailed = steps.some(
        ({ phase }, index) => phase === 'ON_SUCCESS' && state.promotions[position]?.steps[index]?.status === 'FAILED',
      );
      const wants = (cause: RollbackCauseKind): boolean =>
        this.#of.plan.rollbackPolicies?.some(({ when }) => when.causes?.includes(cause)) ?? false;
      if (asked?.kind === 'roll-back' && asked.cause === 'NOT_SYNCED') {
        claim(
          notSynced && wants('NOT_SYNCED'),
          `${nameOf(this.#of, position)} goes back for want of its sync, and no policy wants that`,
        );
        this.#of.reached.count('not synced, and it goes back');
      } else if (asked?.kind === 'roll-back' && asked.cause === 'HOOK') {
        claim(
          hookFailed && !seen && wants('HOOK'),
          `${nameOf(this.#of, position)} goes back for a hook, and no policy wants that`,
        );
        this.#of.reached.count('a hook failed, and it goes back');
      } else if (asked?.kind === 'roll-back' && asked.cause === 'MERGED_OUTSIDE_GATES') {
        const wanted = plannedAt(this.#of, position).pullRequest?.onMergeOutsideGates === 'ROLL_BACK';
        claim(
          wanted && events.some(({ event }) => event.type === 'PullRequestMergedOutsideGates'),
          `${nameOf(this.#of, position)} goes back for a merge, and nothing says that it should`,
        );
        this.#of.reached.count('merged outside the gates, and it goes back');
      } else claim(!asked || seen, `${nameOf(this.#of, position)} goes back, and nobody could tell how it is`);
      if (notSynced && before.status !== 'FAILED' && state.promotions[position]?.status === 'FAILED' && !asked)
        this.#of.reached.count('not synced, and nothing goes back');
      if (hookFailed && before.status !== 'FAILED' && state.promotions[position]?.status === 'FAILED' && !asked)
        this.#of.reached.count('a hook failed, and nothing goes back');
      const { status, startedAt } = state.promotions[position] as PromotionState;
      if (status === 'FAILED' && before.status !== 'FAILED' && startedAt !== null && !seen)
        this.#of.reached.count('failed, and nobody could tell how it is');
    });
  }
}
