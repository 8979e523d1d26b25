import type { FlowStepSpec, PromotionFlowSpec } from '../definitions.ts';
import type { FlowEdit } from '../kinds/flow-edit.ts';
import type { Path } from '../kinds/walk.ts';
import { quote, quoteList } from '../wording.ts';
import { cycleTold, findCycles } from './cycles.ts';
import { depending, type Editing } from './editing.ts';
import { environmentsOf, indexFlow, stepName } from './graph.ts';

type Edit<T extends FlowEdit['type']> = Extract<FlowEdit, { type: T }>;

/** New steps stand at the end, whatever they come after: the order in `steps` says nothing. */
export function addSteps(flow: Editing, { steps, after, before }: Edit<'addSteps'>): void {
  if (steps.length === 0) flow.refuse('INVALID', 'name a step to add', ['steps']);
  refuseTaken(flow, steps);
  after.forEach((name, i) => flow.node(name, ['after', i]));
  const followers = before.map((name, i) =>
    flow.step(name, ['before', i], 'nothing comes before it; to begin elsewhere, rename it'),
  );
  const own = steps.flatMap((step) => step.dependsOn);
  const implied = own.length > 0 ? after : followers.flatMap((at) => flow.spec.steps[at ?? -1]?.dependsOn ?? []);
  const follows = after.length > 0 ? after : [...new Set(implied)];
  if (follows.length + own.length === 0) {
    const message = `say what to add it after, for example ${quote(flow.spec.triggerEnvironment)}`;
    flow.refuse('INVALID', message, ['after']);
  }
  if (flow.refusals.length > 0) return;

  const names = steps.map(stepName);
  const added = steps.map((step): FlowStepSpec => ({
    ...step,
    dependsOn: [...new Set([...follows, ...step.dependsOn])],
  }));
  const { index } = flow;
  const stands = flow.spec.steps.map((step, at): FlowStepSpec => {
    if (!followers.includes(at)) return step;
    const passed = step.dependsOn.map((name) => {
      const node = index.nodeOf.get(name);
      return follows.includes(name) || (node !== undefined && follows.includes(index.names[node]!)) ? names : [name];
    });
    return depending(step, passed.includes(names) ? passed.flat() : [...passed.flat(), ...names]);
  });
  const spec = { ...flow.spec, steps: [...stands, ...added] };
  refuseUnknown(flow, spec, steps);
  if (flow.refusals.length === 0) refuseCycle(flow, spec, before.length > 0 ? ['before'] : ['steps']);
  if (flow.refusals.length > 0) return;
  flow.become(spec);
  steps.forEach((step, i) => {
    flow.origins.added(names[i]!, flow.place('steps', i));
    flow.origins.changed(names[i]!, 'dependsOn', flow.place(...(step.dependsOn.length > 0 ? ['steps', i] : ['after'])));
  });
  before.forEach((name, i) => flow.origins.changed(name, 'dependsOn', flow.place('before', i)));
}

/** A name stands for one thing, and an environment is promoted once: also where groups bring it. */
function refuseTaken(flow: Editing, steps: readonly FlowStepSpec[]): void {
  const taken = new Map<string, Path>();
  for (const [name, node] of flow.index.nodeOf) taken.set(name, placeOf(node));
  steps.forEach((step, i) => {
    const name = stepName(step);
    const field = step.environment !== undefined ? 'environment' : step.group !== undefined ? 'group' : 'name';
    const brings = [...new Set([name, ...environmentsOf(step, flow.groups)])];
    const twice = brings.filter((each) => each !== '' && taken.has(each));
    if (twice.length > 0) {
      const what = field === 'name' ? `step ${quote(name)}` : `${field} ${quote(name)}`;
      const message = twice.includes(name)
        ? `${what} is already in the flow`
        : `${what} has ${quoteList(twice)}, which the flow has already: remove one of both`;
      flow.refuse('DUPLICATE', message, ['steps', i, field], taken.get(twice[0]!));
    }
    for (const each of brings) if (!taken.has(each)) taken.set(each, []);
  });
}

const placeOf = (node: number): Path => (node === 0 ? ['spec', 'triggerEnvironment'] : ['spec', 'steps', node - 1]);

/** What new steps depend on besides is there, or comes with them. */
function refuseUnknown(flow: Editing, spec: PromotionFlowSpec, steps: readonly FlowStepSpec[]): void {
  const { nodeOf } = indexFlow(spec, flow.groups);
  steps.forEach((step, i) =>
    step.dependsOn.forEach((name, j) => {
      if (nodeOf.has(name)) return;
      const message = `${quote(name)} is not in the flow, which has ${quoteList([...nodeOf.keys()])}`;
      flow.refuse('UNKNOWN_REFERENCE', message, ['steps', i, 'dependsOn', j]);
    }),
  );
}

/** An edit may not close a circle. Of a flow that has one already the check of the flow says so. */
export function refuseCycle(flow: Editing, spec: PromotionFlowSpec, path: Path): void {
  const index = indexFlow(spec, flow.groups);
  const selfish = spec.steps.findIndex((step, at) => step.dependsOn.some((name) => index.nodeOf.get(name) === at + 1));
  const [cycle] = selfish < 0 ? findCycles(index) : [[selfish + 1]];
  if (!cycle || hasCycle(flow)) return;
  const message = `these steps would wait for each other: ${cycleTold(index, cycle)}`;
  flow.refuse('CYCLE', message, path, ['spec', 'steps', cycle[0]! - 1]);
}

function hasCycle({ index, spec }: Editing): boolean {
  const onItself = spec.steps.some((step, at) => step.dependsOn.some((name) => index.nodeOf.get(name) === at + 1));
  return onItself || findCycles(index).length > 0;
}
