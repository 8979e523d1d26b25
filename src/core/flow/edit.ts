import type { FlowStepSpec, PromotionFlowSpec } from '../definitions.ts';
import { refusal, type Refusal } from '../problems.ts';
import { quote, quoteList } from '../wording.ts';
import { indexFlow, NO_GROUPS, reachable, stepName, type Members } from './graph.ts';

/** The changed flow (the given one is left alone), or why not. The result still goes through `checkFlow`. */
export type FlowEdit = { spec: PromotionFlowSpec; refusals?: undefined } | { spec?: undefined; refusals: Refusal[] };

/**
 * Adds a step for each of `names`, each depending on all of `after` (steps, the trigger, or members of a group step).
 * Paths are those of the arguments: `['environments', i]` and `['after', i]`.
 */
export function addEnvironments(
  spec: PromotionFlowSpec,
  names: readonly string[],
  after: readonly string[],
  options: { kind?: 'environment' | 'group'; groups?: Members } = {},
): FlowEdit {
  const { kind = 'environment', groups = NO_GROUPS } = options;
  const { nodeOf } = indexFlow(spec, groups);
  const refusals: Refusal[] = [];
  if (names.length === 0) refusals.push(refusal('INVALID', `name the ${kind} to add`, ['environments']));
  if (after.length === 0) {
    const message = `say what to add it after, for example ${quote(spec.triggerEnvironment)}`;
    refusals.push(refusal('INVALID', message, ['after']));
  }
  names.forEach((name, i) => {
    if (!nodeOf.has(name) && names.indexOf(name) === i) return;
    refusals.push(refusal('DUPLICATE', `${kind} ${quote(name)} is already in the flow`, ['environments', i]));
  });
  after.forEach((name, i) => {
    if (nodeOf.has(name)) return;
    const there = quoteList([...nodeOf.keys()]);
    refusals.push(refusal('UNKNOWN_REFERENCE', `${quote(name)} is not in the flow, which has ${there}`, ['after', i]));
  });
  if (refusals.length > 0) return { refusals };
  const dependsOn = [...new Set(after)];
  const added = names.map((name): FlowStepSpec => ({ [kind]: name, dependsOn: [...dependsOn] }));
  return { spec: { ...spec, steps: [...spec.steps, ...added] } };
}

/**
 * Takes the step `name` (environment, group or workflow step) out. What depended on it is connected to `reconnectTo`,
 * which must come before it, or is removed too, with everything behind it (`'REMOVE_DEPENDENTS'`). Without dependents
 * `reconnectTo` is not needed. The last target can be removed: `checkFlow` is what refuses an empty flow.
 */
export function removeEnvironment(
  spec: PromotionFlowSpec,
  name: string,
  reconnectTo?: string,
  groups: Members = NO_GROUPS,
): FlowEdit {
  const refuse = (code: Refusal['code'], message: string, field: string): FlowEdit => ({
    refusals: [refusal(code, message, [field])],
  });
  const index = indexFlow(spec, groups);
  const node = index.nodeOf.get(name);
  if (name === spec.triggerEnvironment) {
    return refuse(
      'INVALID',
      `${quote(name)} is the trigger environment; choose another trigger instead`,
      'environment',
    );
  }
  if (node === undefined) return refuse('NOT_FOUND', `${quote(name)} is not in the flow`, 'environment');
  const own = index.names[node]!;
  if (own !== name) {
    const message = `${quote(name)} is in the flow by group ${quote(own)}; change the group, or remove its step`;
    return refuse('INVALID', message, 'environment');
  }
  const dependents = index.dependents[node]!;
  if (reconnectTo === 'REMOVE_DEPENDENTS') {
    const gone = reachable(index.dependents, node).add(node);
    return { spec: { ...spec, steps: spec.steps.filter((_, i) => !gone.has(i + 1)) } };
  }
  if (dependents.length === 0) return { spec: without() };

  const before = reachable(index.dependencies, node);
  const choices = quoteList([...before].map((each) => index.names[each]!));
  if (reconnectTo === undefined) {
    const behind = quoteList(dependents.map((each) => index.names[each]!));
    const message = `${behind} depend on ${quote(name)}: reconnect to one of ${choices}, or remove the dependents`;
    return refuse('INVALID', message, 'reconnectTo');
  }
  const target = index.nodeOf.get(reconnectTo);
  if (target === undefined || !before.has(target)) {
    const message = `${quote(reconnectTo)} does not come before ${quote(name)}; choose one of ${choices}`;
    return refuse('INVALID', message, 'reconnectTo');
  }
  return { spec: without(reconnectTo) };

  function without(replacement?: string): PromotionFlowSpec {
    const steps = spec.steps
      .filter((step) => stepName(step) !== name)
      .map((step) => (replacement === undefined ? step : reconnected(step, replacement)));
    return { ...spec, steps };
  }

  function reconnected(step: FlowStepSpec, replacement: string): FlowStepSpec {
    // Dependencies on single members of a removed group lead to its node as well.
    if (!step.dependsOn.some((each) => index.nodeOf.get(each) === node)) return step;
    const dependsOn = [
      ...new Set(step.dependsOn.map((each) => (index.nodeOf.get(each) === node ? replacement : each))),
    ];
    const rule = step.dependsOnPolicy;
    // Two dependencies may have become one; "at least 2" of what is left would never be true.
    if (rule?.count === undefined) return { ...step, dependsOn };
    return { ...step, dependsOn, dependsOnPolicy: { ...rule, count: Math.min(rule.count, dependsOn.length) } };
  }
}
