import type { FlowStepSpec } from '../definitions.ts';
import type { FlowEdit } from '../kinds/flow-edit.ts';
import { quote, quoteList } from '../wording.ts';
import { depending, type Editing } from './editing.ts';
import { environmentsOf, reachable, stepName } from './graph.ts';
import { withNames, type Renaming } from './names.ts';

type RemoveStep = Extract<FlowEdit, { type: 'removeStep' }>;

/**
 * Removes a step. The steps that depend on it depend on what it depended on: then each of the others comes after exactly what it
 * came after before. Or they depend on something earlier that the caller names, or go with it.
 */
export function removeStep(flow: Editing, { step: name, dependents, reconnectTo }: RemoveStep): void {
  const at = flow.step(name, ['step'], 'choose another trigger by renaming it');
  if (at === undefined) return;
  const { index } = flow;
  const node = at + 1;
  if (dependents === 'REMOVE') {
    if (reconnectTo.length > 0) {
      const message = 'with dependents REMOVE nothing is left to reconnect: leave reconnectTo out, or take RECONNECT';
      return flow.refuse('INVALID', message, ['reconnectTo']);
    }
    return take(flow, reachable(index.dependents, node).add(node), null);
  }
  const before = reachable(index.dependencies, node);
  const choices = quoteList([...before].map((each) => index.names[each]!));
  const behind = index.dependents[node]!.map((each) => index.names[each]!);
  if (behind.length > 0 && dependents === undefined && reconnectTo.length === 0) {
    const message = `${quoteList(behind)} depend on ${quote(name)}: reconnect to one of ${choices}, or remove the dependents`;
    return flow.refuse('INVALID', message, ['dependents'], ['spec', 'steps', at]);
  }
  reconnectTo.forEach((each, i) => {
    const target = index.nodeOf.get(each);
    if (target !== undefined && before.has(target) && target !== node) return;
    const message = `${quote(each)} does not come before ${quote(name)}; choose one of ${choices}`;
    flow.refuse('INVALID', message, ['reconnectTo', i], ['spec', 'steps', at]);
  });
  if (flow.refusals.length > 0) return;
  const own = flow.spec.steps[at]!;
  const toOwn = reconnectTo.length === 0;
  const instead = (toOwn ? own.dependsOn : reconnectTo).filter((each) => index.nodeOf.get(each) !== node);
  take(flow, new Set([node]), (step) => reconnected(flow, step, own, node, { instead, toOwn }));
}

/** The step without `gone`, in whose place it depends on `instead`: what that one depended on itself (`toOwn`), or what the caller says. */
function reconnected(
  flow: Editing,
  step: FlowStepSpec,
  gone: FlowStepSpec,
  node: number,
  { instead, toOwn }: { instead: readonly string[]; toOwn: boolean },
): FlowStepSpec {
  // Dependencies on single members of a removed group lead to its node as well.
  const leads = (name: string): boolean => flow.index.nodeOf.get(name) === node;
  if (!step.dependsOn.some(leads)) return step;
  const name = stepName(step);
  const path = flow.place(...(toOwn ? ['step'] : ['reconnectTo']));
  for (const field of ['dependsOn', 'dependsOnPolicy']) flow.origins.changed(name, field, path);
  const { dependsOnPolicy: rule, ...rest } = step;
  const ruled = (policy: FlowStepSpec['dependsOnPolicy']): FlowStepSpec =>
    policy === undefined ? rest : { ...rest, dependsOnPolicy: policy };
  if (toOwn && step.dependsOn.every(leads)) {
    // It waited for that step alone: it starts when that one would have.
    return { ...ruled(gone.dependsOnPolicy), dependsOn: [...new Set(instead)] };
  }
  const counts = (policy: FlowStepSpec['dependsOnPolicy']): boolean => policy !== undefined && policy.policy !== 'ALL';
  if (toOwn && instead.length > 1 && (counts(rule) || counts(gone.dependsOnPolicy))) {
    const message =
      `step ${quote(name)} depends on ${quoteList(instead)} in place of ${quote(stepName(gone))}, ` +
      'and how many of them are needed cannot stay the same: look at its dependsOnPolicy';
    flow.note(message, ['step'], ['spec', 'steps', name, 'dependsOnPolicy']);
  }
  return depending(
    ruled(rule),
    step.dependsOn.flatMap((each) => (leads(each) ? instead : [each])),
  );
}

/** Takes these nodes out, and their names from wherever the flow names them. */
function take(
  flow: Editing,
  gone: ReadonlySet<number>,
  reconnect: ((step: FlowStepSpec) => FlowStepSpec) | null,
): void {
  const { spec, groups } = flow;
  const leaving = spec.steps.filter((_, at) => gone.has(at + 1));
  const left = spec.steps.filter((_, at) => !gone.has(at + 1));
  const steps = reconnect ? left.map(reconnect) : left;
  const promotes = (those: readonly FlowStepSpec[]) => ({
    STEP: new Set<string>(),
    ENVIRONMENT: new Set(those.flatMap((step) => environmentsOf(step, groups))),
    GROUP: new Set(those.map(({ group }) => group)),
  });
  const [before, after] = [promotes(leaving), promotes(left)];
  const isGone: Renaming = (what, name) => (before[what].has(name) && !after[what].has(name) ? undefined : name);
  const named = withNames({ ...spec, steps }, isGone);
  for (const step of leaving) flow.origins.removed(named.spec, stepName(step));
  for (const field of ['steps', 'rollbackPolicies']) flow.origins.changedFlow(field, flow.place('step'));
  flow.become(named.spec);
  for (const path of named.emptied) {
    const message = `${path.join('.')} was only for what is removed with ${quote(leaving.map(stepName)[0])}, and is removed, too`;
    flow.note(message, ['step'], ['spec', String(path[0])]);
  }
}
