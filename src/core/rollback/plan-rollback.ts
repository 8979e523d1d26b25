import type { RollbackPolicySpec, RollbackTargetSpec } from '../definitions.ts';
import { judge, type Why } from './judge.ts';
import type { RollbackQuestion } from './question.ts';
import { reachOf } from './reach.ts';
import type { RollbackPlan, RollbackTarget } from './rollback.ts';

export type { EnvironmentFacts, PastDeployment, RollbackQuestion, RollbackRequest } from './question.ts';
export { policyFor } from './reach.ts';

/**
 * What a rollback would do: every environment that it looks at, taken or not, and why. A function of the question alone, so
 * it shows what would happen and decides what does. The environment of the cause comes first, then what a person named, then
 * what the policy names, in its order.
 */
export function planRollback(question: RollbackQuestion): RollbackPlan {
  const { cause, version, policy, asked } = question;
  const known = new Map(question.environments.map((each) => [each.name, each]));
  const targets: RollbackTarget[] = [];
  let budget = policy?.budget ?? Infinity;
  for (const [name, why] of looksAt(question)) {
    const facts = known.get(name);
    const target = facts ? judge(question, facts, why, budget) : gone(question.product, name);
    if (target.decision === 'INCLUDED' && why.kind !== 'NAMED' && why.kind !== 'RUNS_IT') budget -= 1;
    targets.push(target);
  }
  return {
    cause,
    version,
    targets,
    maxParallel: policy?.maxParallel ?? null,
    onTargetFailure: policy?.onTargetFailure ?? 'STOP',
    markBad: policy?.markBad ?? markedByPerson(asked),
  };
}

function looksAt({ cause, policy, plan, asked, environments }: RollbackQuestion): Map<string, Why> {
  const found = new Map<string, Why>();
  if (asked === null) found.set(cause.environment, { kind: 'CAUSE' });
  else if (asked.environments === 'EVERYTHING_THAT_RUNS_IT') {
    // The list is complete: a policy adds no environment.
    return new Map(environments.map(({ name }) => [name, { kind: 'RUNS_IT' }]));
  } else for (const name of asked.environments) found.set(name, { kind: 'NAMED' });
  const named = new Map<string, RollbackTargetSpec[]>();
  for (const spec of policy?.targets ?? []) {
    for (const name of reachOf(plan, cause.environment, spec)) named.set(name, [...(named.get(name) ?? []), spec]);
  }
  for (const [name, specs] of named) if (!found.has(name)) found.set(name, { kind: 'POLICY', specs });
  return found;
}

function gone(product: string, environment: string): RollbackTarget {
  const reason = `product ${product} has no application in ${environment}`;
  return { environment, decision: 'LEFT_ALONE', reason, from: null, to: null, approval: null };
}

/** Without a policy: one environment's rollback says nothing about the others, taking it back everywhere does. */
function markedByPerson(asked: RollbackQuestion['asked']): RollbackPolicySpec['markBad'] {
  if (asked === null) return { scope: 'NONE' };
  return { scope: asked.environments === 'EVERYTHING_THAT_RUNS_IT' ? 'PRODUCT' : 'ENVIRONMENT' };
}
