import type { ReleasePlan } from './plan.ts';
import { TAKEN_BACK } from './release.ts';
import type { PromotionState, ReleaseState } from './release.ts';
import { whyFailed } from './result.ts';
import { wasTakenBackBy } from './steps.ts';

/** An environment that failed, with the names that hooks of Codefresh promotions know it by. */
export interface FailedEnvironment {
  Name: string;
  Status: PromotionState['status'];
  ErrorMessage: string;
  Applications: string[];
}

/** What a hook is told of a failure, which travels in the parameters of its actions. */
export interface Failures {
  message: string;
  environments: FailedEnvironment[];
}

/** Environments that a hook is told of, and characters of the message of each. */
const MOST = { environments: 100, message: 500 };

/** What went wrong in a release, or in one of its promotions, the earliest first. A message of the termination comes before all others. */
export function failuresOf(plan: ReleasePlan, state: ReleaseState, of?: number): Failures {
  if (of !== undefined) {
    const { problem } = state.promotions[of] as PromotionState;
    return { message: problem?.message ?? '', environments: [failedAt(plan, state, of)] };
  }
  const failed = [...state.promotions.keys()].filter((each) => hasFailed(state.promotions[each] as PromotionState));
  const at = (each: number): string => state.promotions[each]?.problem?.at ?? '';
  failed.sort((one, other) => (at(one) < at(other) ? -1 : at(one) > at(other) ? 1 : one - other));
  const first = failed.map((each) => state.promotions[each]?.problem?.message).find((each) => each !== undefined);
  return {
    message: state.terminating?.reason ?? first ?? whyFailed(plan, state) ?? '',
    environments: failed
      .filter((each) => plan.promotions[each]?.own === undefined)
      .slice(0, MOST.environments)
      .map((each) => failedAt(plan, state, each)),
  };
}

function failedAt(plan: ReleasePlan, state: ReleaseState, position: number): FailedEnvironment {
  const { status, problem } = state.promotions[position] as PromotionState;
  // What had succeeded before a rollback took it back has no problem of its own.
  const message = problem?.message ?? (TAKEN_BACK.has(status) ? wasTakenBackBy(state) : null) ?? '';
  const { name = '', applications = [] } = plan.promotions[position] ?? {};
  return {
    Name: name,
    Status: status,
    ErrorMessage: message.slice(0, MOST.message),
    Applications: applications.map((each) => each.name),
  };
}

/** A promotion that was terminated before it began has done nothing that failed. */
function hasFailed({ status, startedAt }: PromotionState): boolean {
  return status === 'FAILED' || TAKEN_BACK.has(status) || (status === 'TERMINATED' && startedAt !== null);
}
