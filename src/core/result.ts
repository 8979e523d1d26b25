import type { ReleasePlan } from './plan.ts';
import { BAD_PROMOTION } from './release.ts';
import type { ReleaseState } from './release.ts';
import { wasTakenBackBy } from './steps.ts';

/** What a release of which nothing is left to do has come to, by those of its promotions that `counts`. */
export function resultOf(
  plan: ReleasePlan,
  state: ReleaseState,
  counts: (position: number) => boolean = () => true,
): 'TERMINATED' | 'FAILED' | 'SUCCEEDED' {
  const { groups, terminating } = state;
  const promotions = state.promotions.filter((_, position) => counts(position));
  const stopped = promotions.some((each) => each.status === 'TERMINATED');
  const bad =
    promotions.some((each) => BAD_PROMOTION.has(each.status)) ||
    groups.some((each) => each.status === 'FAILED') ||
    (terminating === null && stopped) ||
    isImpossible(plan);
  const cut = terminating !== null && (stopped || groups.some((each) => each.status !== 'PASSED'));
  return cut ? 'TERMINATED' : bad ? 'FAILED' : 'SUCCEEDED';
}

/** Why it has come to FAILED, in words: its first problem, or what else makes it so where all went well at first. */
export function whyFailed(plan: ReleasePlan, state: ReleaseState): string | undefined {
  const impossible = plan.rollback?.targets.find((each) => each.decision === 'IMPOSSIBLE');
  const group = state.groups.find(({ status }) => status === 'FAILED');
  // Cut short by an earlier termination, and still so after a retry of something else.
  const cut = state.promotions.find(({ status, problem }) => status === 'TERMINATED' && problem !== null);
  return (
    state.firstProblem?.message ??
    group?.reason ??
    cut?.problem?.message ??
    wasTakenBackBy(state) ??
    (impossible && `${impossible.environment} cannot go back: ${impossible.reason}`)
  );
}

/** What should have gone back and cannot: a person has to look. */
function isImpossible({ rollback }: ReleasePlan): boolean {
  return rollback?.targets.some((each) => each.decision === 'IMPOSSIBLE') ?? false;
}
