import type { FlowStepSpec, PromotionFlowSpec } from '../definitions.ts';
import { flowChanges, stepChanges, type FlowEdit } from '../kinds/flow-edit.ts';
import type { ObjectShape } from '../kinds/shape.ts';
import { quote, quoteList } from '../wording.ts';
import { refuseCycle } from './edit-add.ts';
import type { Editing } from './editing.ts';
import { environmentsOf, stepName } from './graph.ts';
import { withNames } from './names.ts';

type Edit<T extends FlowEdit['type']> = Extract<FlowEdit, { type: T }>;
type Plain = Record<string, unknown>;

/** A quorum stays as it is: when it is more than what is left, the check of the flow says so, and no gate becomes weaker unseen. */
export function setDependencies(flow: Editing, { step: name, dependsOn }: Edit<'setDependencies'>): void {
  const at = flow.step(name, ['step'], 'it waits for nothing');
  dependsOn.forEach((each, i) => flow.node(each, ['dependsOn', i]));
  if (dependsOn.length === 0) {
    const message = `say what ${quote(name)} depends on, for example ${quote(flow.spec.triggerEnvironment)}`;
    flow.refuse('UNREACHABLE', message, ['dependsOn']);
  }
  if (at === undefined || flow.refusals.length > 0) return;
  const spec = withStep(flow.spec, at, (step) => ({ ...step, dependsOn: [...new Set(dependsOn)] }));
  refuseCycle(flow, spec, ['dependsOn']);
  if (flow.refusals.length > 0) return;
  flow.become(spec);
  for (const field of ['dependsOn', 'dependsOnPolicy']) flow.origins.changed(name, field, flow.place('dependsOn'));
}

/** Everything in the flow that names the step by its name, its environment or its group names the new one. */
export function renameStep(flow: Editing, { step: name, to }: Edit<'renameStep'>): void {
  const node = flow.named(name, ['step']);
  if (node === undefined || to === name) return;
  const { spec, groups, index } = flow;
  const step = spec.steps[node - 1];
  const what =
    step === undefined || step.environment !== undefined ? 'environment' : step.group === undefined ? 'name' : 'group';
  const brings = [to, ...(what === 'group' ? environmentsOf({ group: to, dependsOn: [] }, groups) : [])];
  const twice = brings.filter((each) => index.nodeOf.has(each) && index.nodeOf.get(each) !== node);
  if (twice.length > 0) {
    const other = index.nodeOf.get(twice[0]!)!;
    const place = other === 0 ? ['spec', 'triggerEnvironment'] : ['spec', 'steps', other - 1];
    return flow.refuse('DUPLICATE', `${quoteList(twice)} is already in the flow`, ['to'], place);
  }
  const named = withNames(spec, (kind, each) => {
    const meant = kind === 'STEP' || (kind === 'ENVIRONMENT' ? what === 'environment' : what === 'group');
    return meant && each === name ? to : each;
  }).spec;
  const path = flow.place('to');
  if (step === undefined) {
    flow.become({ ...named, triggerEnvironment: to });
    return flow.origins.changedFlow('triggerEnvironment', path);
  }
  flow.become(withStep(named, node - 1, (each) => ({ ...each, [what]: to })));
  flow.origins.renamed(flow.spec, name, to);
  flow.origins.changed(to, what, path);
  // Names of members of a group that is another one now lead nowhere.
  for (const dependent of index.dependents[node]!) flow.origins.changed(index.names[dependent]!, 'dependsOn', path);
  flow.origins.changedFlow('rollbackPolicies', path);
}

/** Other settings for a step; what it promotes and what it waits for stay. */
export function changeStep(flow: Editing, { step: name, settings }: Edit<'changeStep'>): void {
  const at = flow.step(name, ['step'], 'its workflow is triggerWorkflow of the flow');
  if (at === undefined) return;
  const { dependents, names } = flow.index;
  flow.become(withStep(flow.spec, at, (step) => changed(stepChanges, step, settings) as unknown as FlowStepSpec));
  const called = stepName(flow.spec.steps[at]!);
  if (called !== name) {
    // A step without a name of its own is called by its workflow.
    flow.origins.renamed(flow.spec, name, called);
    const path = flow.place('settings', 'workflow');
    for (const dependent of dependents[at + 1]!) flow.origins.changed(names[dependent]!, 'dependsOn', path);
  }
  for (const key of Object.keys(settings)) flow.origins.changed(called, key, flow.place('settings', key), true);
}

/** Other settings for the flow. */
export function changeFlow(flow: Editing, { settings }: Edit<'changeFlow'>): void {
  flow.become(changed(flowChanges, flow.spec, settings) as unknown as PromotionFlowSpec);
  for (const key of Object.keys(settings)) flow.origins.changedFlow(key, flow.place('settings', key), true);
}

function withStep(
  spec: PromotionFlowSpec,
  at: number,
  change: (step: FlowStepSpec) => FlowStepSpec,
): PromotionFlowSpec {
  return { ...spec, steps: spec.steps.map((step, each) => (each === at ? change(step) : step)) };
}

/** An object of which nothing is left is left out itself. */
function changed({ fields }: ObjectShape, before: object, settings: object): Plain {
  const result: Plain = { ...before };
  for (const [key, given] of Object.entries(settings)) {
    const { shape, fallback } = fields[key]!;
    const inner = shape.is === 'object' && shape.changes && given !== null && given !== undefined;
    const value: unknown = inner ? changed(shape, result[key] ?? {}, given as Plain) : given;
    const isNothing = value === null || (inner && Object.keys(value as Plain).length === 0);
    if (given === undefined) continue;
    if (!isNothing) result[key] = value;
    else if (fallback === undefined) delete result[key];
    else result[key] = structuredClone(fallback);
  }
  return result;
}
