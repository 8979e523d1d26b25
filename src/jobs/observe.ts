import type { Parts } from '../parts.ts';
import { rollBackDegraded } from '../commands/roll-back-degraded.ts';
import { changedAt, countLook, toleranceOf } from '../core/health-tolerance.ts';
import type { PlannedApplication, PlannedPromotion } from '../core/plan.ts';
import type { PromotionState } from '../core/release.ts';
import type { FrozenRelease } from '../store/load-releases.ts';
import { lookAgain, claimDueObservations } from '../store/observations.ts';
import type { Observation } from '../store/observations.ts';
import { checkHealth } from './runners/health.ts';
import type { Hands } from './runners/runner.ts';
import { Watch } from './watch.ts';

/**
 * Looks after environments for as long as a policy wants it after their promotion. What there is to look at stands in the
 * database, with the time of the next look: a worker that dies leaves it to another one. DEGRADED starts a rollback once it counts (health-tolerance.ts); UNKNOWN
 * and PROGRESSING are looked at again.
 */
export class Observer extends Watch {
  readonly #hands: Hands;

  constructor(app: Parts, hands: Hands) {
    super(app, 'observer', app.limits.observeEvery, 'environments could not be looked after this time');
    this.#hands = hands;
  }

  async round(): Promise<void> {
    const due = await claimDueObservations(this.app.pool, this.app.limits.observations, 2 * LIMIT);
    await Promise.all(due.map((each) => this.#look(each)));
  }

  async #look(observation: Observation): Promise<void> {
    const to = await this.app.releaseEngine.look(observation.releaseId, { fresh: false });
    if (!to) return;
    const promoted = to.release.plan.promotions[observation.position] as PlannedPromotion;
    const state = to.state.promotions[observation.position] as PromotionState;
    const asked = promoted.applications.filter((each) => each.spec.health.type !== 'none');
    let again = AGAIN;
    const badLooks: Record<string, number> = {};
    const now = this.app.clock.now().getTime();
    for (const application of asked) {
      const answer = await this.#ask(to.release, promoted, state, application);
      const at = { changedAt: changedAt(promoted, state, promoted.applications.indexOf(application)), now };
      const before = observation.badLooks[application.name] ?? 0;
      const look = countLook(toleranceOf(application.spec.health), before, answer.status, at);
      if (look.badLooks > 0) badLooks[application.name] = look.badLooks;
      if (look.final) {
        const told = `${application.name} became DEGRADED after its promotion`;
        return rollBackDegraded(this.app, observation, answer.message ? `${told}: ${answer.message}` : told);
      }
      again = Math.min(again, answer.recheckAfter ?? AGAIN);
    }
    await lookAgain(this.app.pool, { ...observation, badLooks }, Math.max(1_000, again));
  }

  /** Who cannot be asked is UNKNOWN, and asked again. */
  #ask(...[release, promoted, state, application]: Asked): ReturnType<typeof checkHealth> {
    const signal = this.app.clock.limit('observer', LIMIT);
    return checkHealth(this.#hands, release, promoted, state, application, signal).catch((error: unknown) => ({
      status: 'UNKNOWN' as const,
      message: String(error),
    }));
  }
}

type Asked = [FrozenRelease, PlannedPromotion, PromotionState, PlannedApplication];

/** In milliseconds. */
const LIMIT = 15_000;
const AGAIN = 15_000;
