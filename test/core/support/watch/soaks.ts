import type { HealthClock, Observation } from '../../../../src/core/health-clock.ts';
import type { PlannedApplication, PlannedStep } from '../../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../../src/core/release.ts';
import type { GroupState, ReleaseState, Stimulus } from '../../../../src/core/release.ts';
import { claim } from '../claim.ts';
import { plannedAt } from './watched.ts';
import type { Watched } from './watched.ts';

interface Look {
  at: number;
  seen: readonly Observation[];
}

/**
 * How long something can have been healthy, said once more: a list of all looks, walked from the first to the last. It counts
 * all the time between a look that found it healthy and the next one; whoever counts more counts what nobody saw.
 */
class Looks {
  readonly #looks: Look[] = [];
  readonly #begun: number | null;

  /** `begun`: when it was found healthy by other means. */
  constructor(begun: number | null = null) {
    this.#begun = begun;
  }

  add(at: number, seen: readonly Observation[]): void {
    this.#looks.push({ at, seen });
  }

  /** Null: it is not healthy now. */
  healthyFor(freshness: number | undefined): number | null {
    let total = 0;
    let last = this.#begun === null ? null : { at: this.#begun, healthy: true };
    const known = new Map<number, number>();
    for (const { at, seen } of this.#looks) {
      const fresh = seen.filter((each) => freshness === undefined || each.at === undefined || at - each.at < freshness);
      if (last?.healthy) total += Math.max(0, at - last.at);
      const bad = fresh.some((each) => each.status === 'DEGRADED' || each.status === 'PROGRESSING');
      const came = seen.some(({ unhealthyAt }, index) => {
        const before = known.get(index);
        return unhealthyAt !== undefined && before !== undefined && unhealthyAt !== before;
      });
      seen.forEach(({ unhealthyAt }, index) => {
        if (unhealthyAt !== undefined) known.set(index, unhealthyAt);
      });
      const healthy = fresh.length === seen.length && seen.every((each) => each.status === 'HEALTHY');
      const told = Math.max(...seen.map((each) => Math.min(each.at ?? at, at)));
      // Seen after the last look, which found it unknown.
      if (healthy && last && !last.healthy && told >= last.at) total += at - told;
      if (bad || came || last === null) total = 0;
      last = { at, healthy };
    }
    return last?.healthy ? total : null;
  }
}

/** What was heard of the health of members and of steps that soak, and for how long they can have been healthy. */
export class SoakWatch {
  readonly #of: Watched;
  /** `group G/member`, and `step promotion/step` of a soak. */
  readonly #looks = new Map<string, Looks>();

  constructor(of: Watched) {
    this.#of = of;
  }

  begin(position: number, step: string, at: number): void {
    this.#looks.set(`step ${position}/${step}`, new Looks(at));
  }

  forgetGroup(group: number): void {
    for (const key of this.#looks.keys()) if (key.startsWith(`group ${group}/`)) this.#looks.delete(key);
  }

  /** Null: the member is not healthy now. */
  memberHealthyFor(group: number, member: number, freshness: number | undefined): number | null {
    return this.#looks.get(`group ${group}/${member}`)?.healthyFor(freshness) ?? null;
  }

  /** What this decision is told of anybody's health. */
  hear(old: ReleaseState, stimulus: Stimulus, moved: number): void {
    if (stimulus.kind === 'group-answer') {
      const { status, generation } = old.groups[stimulus.group] as GroupState;
      if (status !== 'ASKING' || generation !== stimulus.generation || old.endedAt !== null) return;
      for (const member of this.#of.plan.groups[stimulus.group]?.members ?? []) {
        if (old.promotions[member]?.status !== 'SUCCEEDED') continue;
        const seen = stimulus.health.filter((each) => each.promotion === member);
        const key = `group ${stimulus.group}/${member}`;
        const looks = this.#looks.get(key) ?? new Looks();
        looks.add(moved, seen.length > 0 ? seen : [{ status: 'UNKNOWN' }]);
        this.#looks.set(key, looks);
      }
    }
    old.promotions.forEach(({ steps, status, attempt, startedAt }, position) => {
      if (startedAt === null || ENDED_PROMOTION.has(status)) return;
      const planned = plannedAt(this.#of, position);
      steps.forEach((step, index) => {
        const { id, application } = planned.steps[index] as PlannedStep;
        const looks = this.#looks.get(`step ${position}/${id}`);
        if (!looks) return;
        if (stimulus.kind === 'outcome' && stimulus.promotion === position && stimulus.step === index) {
          const owner =
            attempt === stimulus.attempt && step.status === 'RUNNING' && step.dispatch === stimulus.dispatch;
          if (owner && stimulus.outcome.kind === 'observed') looks.add(moved, [stimulus.outcome.health]);
        } else if (
          stimulus.kind === 'health-reported' &&
          (step.status === 'WAITING' || (step.status === 'RUNNING' && step.clock?.status !== stimulus.status))
        ) {
          const { name } = planned.applications[application as number] as PlannedApplication;
          if (stimulus.environment === planned.environment && stimulus.application === name)
            looks.add(moved, [stimulus]);
        }
      });
    });
  }

  claimSoaked(position: number, step: string, stimulus: Stimulus): void {
    const planned = plannedAt(this.#of, position).steps.find((each) => each.id === step);
    if (planned?.work.kind !== 'soak' || stimulus.kind !== 'outcome' || stimulus.outcome.kind !== 'observed') return;
    const known = this.#looks.get(`step ${position}/${step}`)?.healthyFor(undefined) ?? null;
    claim(known !== null && known >= planned.work.duration, `${step} has soaked for ${known} ms only`);
    this.#of.reached.count('step passed its soak');
  }
}

/** What a clock of health counts anew, or does not count. */
export function countSoak(
  of: Watched,
  whose: 'step' | 'member',
  before: number,
  { status, healthyFor }: HealthClock,
): void {
  if (before > 0 && healthyFor === 0) of.reached.count(`soak of a ${whose} begins anew`);
  if (before > 0 && status === 'UNKNOWN') of.reached.count(`soak of a ${whose} stands still`);
}
