import { reachable } from '../flow/graph.ts';
import { DEFAULT_MAX_FAILURE_AGE } from '../definitions.ts';
import type { RollbackPolicySpec, RollbackTargetSpec } from '../definitions.ts';
import type { ReleasePlan } from '../plan.ts';
import type { RollbackCause } from './rollback.ts';

/**
 * The first policy that fits: the environment of the cause is named or is in a named group (or neither is asked for), and the
 * kind of cause is named (or none is). NOT_SYNCED (no check saw the target run the change) and HOOK must be named, and so must
 * MERGED_OUTSIDE_GATES; without such a policy that environment alone goes back, as its promotion says.
 */
export function policyFor(
  plan: Pick<ReleasePlan, 'rollbackPolicies' | 'groups' | 'promotions'> | null,
  cause: Pick<RollbackCause, 'kind' | 'environment'>,
): RollbackPolicySpec | null {
  const fits = ({ when }: RollbackPolicySpec): boolean => {
    if (when.causes !== undefined && !when.causes.includes(cause.kind)) return false;
    if (when.causes === undefined && ONLY_IF_NAMED.has(cause.kind)) return false;
    if (when.environments === undefined && when.groups === undefined) return true;
    if (when.environments?.includes(cause.environment)) return true;
    return (when.groups ?? []).some((group) => membersOf(plan, group).includes(cause.environment));
  };
  const found = plan?.rollbackPolicies?.find(fits) ?? null;
  return found ?? (cause.kind === 'MERGED_OUTSIDE_GATES' ? THAT_ONE_ALONE : null);
}

const ONLY_IF_NAMED: ReadonlySet<RollbackCause['kind']> = new Set(['NOT_SYNCED', 'HOOK', 'MERGED_OUTSIDE_GATES']);

/** The promotion itself has said that it goes back (`onMergeOutsideGates`). The version is not bad: it only came too early. */
const THAT_ONE_ALONE: RollbackPolicySpec = {
  when: {},
  targets: [],
  maxFailureAge: DEFAULT_MAX_FAILURE_AGE,
  onTargetFailure: 'STOP',
  markBad: { scope: 'NONE' },
};

/** The environments that a policy's target names, seen from the environment of the cause; without that environment itself. */
export function reachOf(plan: ReleasePlan | null, cause: string, spec: RollbackTargetSpec): string[] {
  const found = [
    ...(spec.environments ?? []),
    ...(spec.group === undefined ? [] : membersOf(plan, spec.group)),
    ...(spec.siblings ? siblingsOf(plan, cause) : []),
    ...(spec.downstream ? downstreamOf(plan, cause) : []),
  ];
  return [...new Set(found)].filter((name) => name !== cause);
}

type Shape = Pick<ReleasePlan, 'groups' | 'promotions'>;

function membersOf(plan: Shape | null, group: string): string[] {
  const members = plan?.groups.find((each) => each.name === group)?.members ?? [];
  return environmentsAt(plan, members);
}

function siblingsOf(plan: Shape | null, environment: string): string[] {
  const group = plan?.promotions.find((each) => each.environment === environment)?.group ?? null;
  return group === null ? [] : environmentsAt(plan, plan?.groups[group]?.members ?? []);
}

/** Along the frozen dependencies; a workflow step has no environment and is walked through. Groups are nodes behind the promotions. */
function downstreamOf(plan: Shape | null, environment: string): string[] {
  if (!plan) return [];
  const { promotions, groups } = plan;
  const edges: number[][] = [...promotions, ...groups].map(() => []);
  for (const [group, { members }] of groups.entries()) {
    for (const member of members) edges[member]!.push(promotions.length + group);
  }
  for (const [at, { dependsOn }] of promotions.entries()) {
    for (const each of dependsOn)
      edges['promotion' in each ? each.promotion : promotions.length + each.group]!.push(at);
  }
  const start = promotions.findIndex((each) => each.environment === environment);
  return start < 0
    ? []
    : environmentsAt(
        plan,
        [...reachable(edges, start)].sort((a, b) => a - b),
      );
}

function environmentsAt(plan: Shape | null, positions: readonly number[]): string[] {
  return positions.flatMap((at) => plan?.promotions[at]?.environment ?? []);
}
