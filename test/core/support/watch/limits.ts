import type { Decision } from '../../../../src/core/decision.ts';
import { DEFAULT_MAX_AGE } from '../../../../src/core/definitions.ts';
import type { PlannedStep } from '../../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../../src/core/release.ts';
import type { PromotionState, ReleaseState, StepState } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { isSoak, plannedAt, positionOf } from './watched.ts';
import type { Watched } from './watched.ts';

/** What a step says of itself that was not seen to run the change in time. */
export const TOO_LATE = 'not seen to run the change within';

/** The limits of a release and of its promotions, and its age, counted once more. */
export class LimitWatch {
  readonly #of: Watched;
  /** How long it has moved: of the release, and by position of promotions with a limit. */
  readonly #times = new Map<'release' | number, { moved: number; since: number | null }>();
  /** From when its age counts. */
  #born: number;

  constructor(of: Watched, born: number) {
    this.#of = of;
    this.#born = born;
  }

  /** What ends because of a limit had reached it, and what had reached one ends. */
  see(old: ReleaseState, state: ReleaseState, events: Decision['events'], now: number): void {
    const total = (key: 'release' | number): number => {
      const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
      return moved + (since === null ? 0 : Math.max(0, now - since));
    };
    const { timeout, maxAge = DEFAULT_MAX_AGE } = this.#of.plan;
    for (const { event } of events) {
      if (event.type === 'ReleaseTerminating' && event.reason.startsWith("the flow's limit")) {
        claim(total('release') >= timeout, `it moved for ${total('release')} of ${timeout} ms, and is ended`);
        this.#of.reached.count('ended by its limit');
      }
      if (event.type === 'ReleaseTerminating' && event.reason.startsWith('it is older')) {
        claim(now - this.#born >= maxAge, `it is ${now - this.#born} of ${maxAge} ms old, and is ended`);
        this.#of.reached.count('ended by its age');
      }
      if (event.type === 'StepFailed' && event.message.includes(TOO_LATE)) {
        const position = positionOf(this.#of, event.environment);
        const step = plannedAt(this.#of, position).steps.findIndex((each) => each.id === event.step);
        const { startedAt } = (state.promotions[position] as PromotionState).steps[step] as StepState;
        const { patience = 0 } = plannedAt(this.#of, position).steps[step] as PlannedStep;
        claim(
          now - (startedAt as number) >= patience,
          `${event.step} was given ${now - (startedAt as number)} ms only`,
        );
        this.#of.reached.count('sync came too late');
      }
      if (event.type === 'StepFailed' && event.message.startsWith('the limit of')) {
        const position = positionOf(this.#of, event.environment);
        const limit = plannedAt(this.#of, position).timeout ?? Infinity;
        // It had reached it when it was told to stop; the clock may have gone back since.
        const stopped = old.promotions[position]?.steps.some((step) => step.stop !== null);
        claim(
          stopped === true || total(position) >= limit,
          `${event.environment} moved for ${total(position)} of ${limit} ms, and failed`,
        );
        this.#of.reached.count('environment ended by its limit');
      }
      if (event.type === 'ReleaseRetried') {
        if (old.endedAt === null) for (const each of event.environments) this.#times.delete(positionOf(this.#of, each));
        else {
          this.#born = now;
          this.#times.clear();
        }
      }
      if (event.type === 'PromotionStarted') this.#times.delete(positionOf(this.#of, event.environment));
    }
    state.promotions.forEach(({ steps }, position) => {
      const limit = plannedAt(this.#of, position).timeout ?? Infinity;
      steps.forEach(({ stop }, index) => {
        const news = stop !== null && !old.promotions[position]?.steps[index]?.stop;
        if (news && stop.message.startsWith('the limit of'))
          claim(total(position) >= limit, 'stopped before its limit');
      });
    });
    const open = state.endedAt === null && state.terminating === null;
    if (open && state.startedAt !== null)
      claim(total('release') < timeout, `it has moved for ${total('release')} ms, and goes on`);
    if (open) claim(now - this.#born < maxAge, `it is ${now - this.#born} ms old, and goes on`);
    const turn = (key: 'release' | number, moves: boolean): void => {
      const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
      if (moves !== (since !== null))
        this.#times.set(key, moves ? { moved, since: now } : { moved: total(key), since: null });
    };
    const moving = state.promotions.map(({ steps, status, startedAt }, position) => {
      if (startedAt === null || ENDED_PROMOTION.has(status)) return false;
      const busy = steps.filter((step) => step.status === 'RUNNING' || step.status === 'WAITING');
      const unseen = (step: StepState): boolean =>
        isSoak(this.#of, position, steps.indexOf(step)) && step.clock?.status === 'UNKNOWN';
      return busy.some((step) => !step.outside && !unseen(step));
    });
    moving.forEach((moves, position) => {
      if (plannedAt(this.#of, position).timeout !== null) turn(position, moves);
    });
    const asks = state.groups.some((each) => ['ASKING', 'WAITING'].includes(each.status) && each.unknownSince === null);
    turn('release', state.endedAt === null && state.startedAt !== null && (asks || moving.includes(true)));
    if (!open) return;
    const due = [this.#born + maxAge, ...this.#reaches('release', timeout)];
    state.promotions.forEach(({ status, steps }, position) => {
      const limit = plannedAt(this.#of, position).timeout;
      const begun = steps.some((step) => (step.status === 'RUNNING' && !step.stop) || step.status === 'WAITING');
      if (limit !== null && begun && !ENDED_PROMOTION.has(status)) due.push(...this.#reaches(position, limit));
    });
    for (const at of due)
      claim(state.wakeAt !== null && state.wakeAt <= at, `a limit is over at ${at}, it wakes at ${state.wakeAt}`);
  }

  #reaches(key: 'release' | number, limit: number): number[] {
    const { moved, since } = this.#times.get(key) ?? { moved: 0, since: null };
    return since === null ? [] : [since + limit - moved];
  }
}
