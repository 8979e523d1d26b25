import type { FlowStepSpec } from '../definitions.ts';
import { quote, quoteList } from '../wording.ts';
import type { Checking } from './checking.ts';
import { cycleTold, findCycles } from './cycles.ts';
import { stepName, type FlowIndex } from './graph.ts';

/** What steps wait for: everything named is in the flow, nothing waits for itself, the trigger leads everywhere. */
export function checkDependencies(checking: Checking, index: FlowIndex): void {
  const { spec, refusals } = checking;
  spec.steps.forEach((step, i) => {
    checkNames(checking, index, step, i);
    checkCount(checking, step, i);
  });
  for (const cycle of findCycles(index)) {
    const [first, last] = [cycle[0]!, cycle.at(-1)!];
    const at = spec.steps[first - 1]!.dependsOn.findIndex((name) => index.nodeOf.get(name) === last);
    refusals.add(
      'CYCLE',
      `these steps wait for each other: ${cycleTold(index, cycle)}; ` +
        `remove ${quote(index.names[last])} from what ${quote(index.names[first])} depends on, or another of these dependencies`,
      ['spec', 'steps', first - 1, 'dependsOn', at],
    );
  }
}

function checkNames({ spec, known, refusals }: Checking, index: FlowIndex, step: FlowStepSpec, i: number): void {
  const path = ['spec', 'steps', i, 'dependsOn'];
  const own = quote(stepName(step));
  const dependsOn = step.dependsOn ?? [];
  if (dependsOn.length === 0) {
    // Every other step hangs on something, and what hangs on this one is reached as soon as this one is.
    refusals.add(
      'UNREACHABLE',
      `step ${own} depends on nothing, so trigger environment ${quote(spec.triggerEnvironment)} never reaches it; ` +
        `name what it follows in dependsOn, for example [${spec.triggerEnvironment}]`,
      path,
    );
  }
  const seen = new Set<string>();
  dependsOn.forEach((name, at) => {
    if (seen.has(name)) {
      refusals.add('DUPLICATE', `step ${own} depends on ${quote(name)} twice; once is enough`, [...path, at]);
      return;
    }
    seen.add(name);
    const node = index.nodeOf.get(name);
    if (node === i + 1) {
      const what = name === stepName(step) ? 'itself' : `its own environment ${quote(name)}`;
      refusals.add('CYCLE', `step ${own} depends on ${what}, so it could never start; remove it`, [...path, at]);
    } else if (node === undefined) {
      refusals.add('UNKNOWN_REFERENCE', unknownDependency(name), [...path, at]);
    }
  });

  function unknownDependency(name: string): string {
    const members = known.groups.get(name);
    if (members) {
      return (
        `step ${own} depends on group ${quote(name)}, which is not a step of this flow; ` +
        `add a step for the group, or depend on its environments ${quoteList(members)}`
      );
    }
    if (known.environments.has(name)) {
      return (
        `step ${own} depends on environment ${quote(name)}, which is not part of this flow; ` +
        `add a step for it, or remove it from dependsOn`
      );
    }
    const hint = refusals.hint(name, index.nodeOf.keys());
    return `step ${own} depends on ${quote(name)}, which is neither the trigger environment nor a step of this flow.${hint}`;
  }
}

function checkCount({ refusals }: Checking, step: FlowStepSpec, i: number): void {
  const rule = step.dependsOnPolicy;
  if (!rule) return;
  const path = ['spec', 'steps', i, 'dependsOnPolicy', 'count'];
  const most = step.dependsOn?.length ?? 0;
  if (rule.policy === 'AT_LEAST') {
    const { count } = rule;
    if (count === undefined) {
      refusals.add('INVALID', `AT_LEAST needs a count from 1 to ${most}`, path);
    } else if (count > most) {
      refusals.add(
        'INVALID',
        `count is ${count}, but step ${quote(stepName(step))} has ${most} dependencies; use 1 to ${most}`,
        path,
      );
    }
  } else if (rule.count !== undefined) {
    refusals.add('INVALID', `count belongs to AT_LEAST; remove it from ${rule.policy}`, path);
  }
}
