import { ownStart, startOf } from '../own-steps.ts';
import type { Dependency, PlannedGroup, PlannedPromotion, ReleasePlan } from '../plan.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { PromotionState, ReleaseState } from '../release.ts';
import { isSkippedByPerson } from '../required.ts';
import { EVERY_RELEASE, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate } from './gate.ts';

/** Have enough of the promotions and groups that it depends on succeeded, or been skipped by a person? */
export const dependenciesGate: Gate<'DEPENDENCIES'> = {
  name: 'DEPENDENCIES',
  of: EVERY_RELEASE,
  appliesTo: () => true,
  ask: (question) => askDependencies(question.plan, question.state, promotionOf(question)),
};

export function askDependencies(
  plan: ReleasePlan,
  state: ReleaseState,
  promotion: PlannedPromotion,
): AnswerOf<'DEPENDENCIES'> {
  const { dependsOn, required } = promotion;
  const first = promotion.own === undefined ? ownStart(plan, state) : null;
  const before = first === null ? '' : (plan.promotions[startOf(plan)]?.name ?? '');
  if (first === 'dead') return { gate: 'DEPENDENCIES', verdict: 'fail', reason: `${before} did not succeed` };
  if (first === 'open') return { gate: 'DEPENDENCIES', verdict: 'wait', reason: `waits for ${before}`, who: before };
  let satisfied = 0;
  let dead = 0;
  for (const each of dependsOn) {
    const standing = standingOf(state, each);
    if (standing === 'satisfied') satisfied += 1;
    else if (standing === 'dead') dead += 1;
  }
  const gate = 'DEPENDENCIES' as const;
  if (satisfied >= required)
    return { gate, verdict: 'pass', reason: `${satisfied} of ${dependsOn.length} dependencies are met` };
  const missing = (standing: Standing): string =>
    dependsOn
      .filter((each) => standingOf(state, each) === standing)
      .map((each) => nameOf(plan, each))
      .join(', ');
  if (dead > dependsOn.length - required) {
    return { gate, verdict: 'fail', reason: `${missing('dead')} did not succeed` };
  }
  return { gate, verdict: 'wait', reason: `waits for ${missing('open')}`, who: missing('open') };
}

type Standing = 'satisfied' | 'open' | 'dead';

export function standingOf(state: ReleaseState, dependency: Dependency): Standing {
  if ('group' in dependency) {
    const { status } = state.groups[dependency.group] as ReleaseState['groups'][number];
    return status === 'PASSED' ? 'satisfied' : status === 'FAILED' ? 'dead' : 'open';
  }
  const { status } = state.promotions[dependency.promotion] as PromotionState;
  if (isSkippedByPerson(state, dependency.promotion)) return 'satisfied';
  return status === 'SUCCEEDED' ? 'satisfied' : ENDED_PROMOTION.has(status) ? 'dead' : 'open';
}

export function nameOf(plan: ReleasePlan, dependency: Dependency): string {
  return 'group' in dependency
    ? (plan.groups[dependency.group] as PlannedGroup).name
    : (plan.promotions[dependency.promotion] as PlannedPromotion).name;
}
