import type { Decision } from '../../../../src/core/decision.ts';
import { ENDED_PROMOTION } from '../../../../src/core/release.ts';
import type { PromotionState, ReleaseState, Stimulus } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { nameOf, plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';

/** What hooks may change: nothing of the version that they come after, and nothing of others when they only tell of a failure. */
export class HookWatch {
  readonly #of: Watched;
  /** `promotion/application` of what was found good. */
  readonly #proven = new Set<string>();
  /** What hooks have handed on, as their successes were told. */
  readonly #context = new Map<string, string>();

  constructor(of: Watched) {
    this.#of = of;
  }

  see(old: ReleaseState, stimulus: Stimulus, { state, events, deployments }: Decision): void {
    this.#seeContext(old, stimulus, state, events);
    for (const { promotion, application, verified } of deployments) {
      if (verified === null) continue;
      this.#proven.add(`${promotion}/${application}`);
      const { steps } = state.promotions[promotion] as PromotionState;
      const open = plannedAt(this.#of, promotion).steps.filter(
        ({ phase }, index) => phase !== 'ON_SUCCESS' && steps[index]?.status !== 'SUCCEEDED',
      );
      claim(open.length === 0, `${nameOf(this.#of, promotion)} is proven before ${open[0]?.id}`);
    }
    for (const { event } of events) {
      if (event.type !== 'StepStarted' || event.phase !== 'ON_SUCCESS') continue;
      const position = this.#of.plan.promotions.findIndex(({ name }) => name === event.environment);
      plannedAt(this.#of, position).applications.forEach((_, application) =>
        claim(
          this.#proven.has(`${position}/${application}`),
          `${event.environment} is not proven before ${event.step}`,
        ),
      );
    }
    if (!state.halted || old.halted) return;
    const isNew = (position: number): boolean =>
      !ENDED_PROMOTION.has(old.promotions[position]?.status ?? 'PENDING') &&
      ENDED_PROMOTION.has(state.promotions[position]?.status ?? 'PENDING');
    const cause =
      [...state.promotions.keys()].some((each) => isNew(each) && plannedAt(this.#of, each).own !== 'ON_FAIL') ||
      // A group that a person made begin anew can fail again at once.
      state.groups.some(
        ({ status }, each) =>
          status === 'FAILED' &&
          (old.groups[each]?.status !== 'FAILED' || stimulus.kind === 'skip' || stimulus.kind === 'retry'),
      );
    claim(cause, 'the release is halted, and only a hook has failed');
  }

  /** Folded from what was told: the last value under a name wins, and what is no context fails its step and changes nothing. */
  #seeContext(old: ReleaseState, stimulus: Stimulus, state: ReleaseState, events: Decision['events']): void {
    for (const { event } of events) {
      if (event.type !== 'StepSucceeded' || !event.phase.startsWith('ON_')) continue;
      const text = event.outputs?.['PROMOTION_CONTEXT'];
      if (text === undefined) continue;
      for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>)) {
        this.#of.reached.count(`context ${this.#context.has(name) ? 'replaced' : 'handed on'}`);
        this.#context.set(name, value);
      }
    }
    const kept = Object.entries(state.context);
    const isSame =
      kept.length === this.#context.size && kept.every(([name, value]) => this.#context.get(name) === value);
    claim(isSame, `the context has ${kept.map(([name, value]) => `${name}: ${value.slice(0, 40)}`).join(', ')}`);
    const size = JSON.stringify(state.context).length;
    claim(size <= 65_536, `the context has ${size} characters`);
    if (stimulus.kind !== 'outcome' || stimulus.outcome.kind !== 'succeeded') return;
    const [before, now] = [old, state].map(
      ({ promotions }) => promotions[stimulus.promotion]?.steps[stimulus.step]?.status,
    );
    const handed = stimulus.outcome.outputs?.['PROMOTION_CONTEXT'];
    if (handed !== undefined && before === 'RUNNING' && now === 'FAILED')
      this.#of.reached.count(handed.length > 1_000 ? 'context too large' : 'context that is none');
  }
}
