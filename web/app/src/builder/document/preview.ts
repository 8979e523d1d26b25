import { edgeTargets, editFlow, flowGraph } from '../../../../../src/core/flow.ts';
import { indexFlow, reachable, stepName } from '../../../../../src/core/flow/graph.ts';
import type { EdgeTarget, FlowDocument, Known, RemovalPreview } from './types.ts';

/** Of each node whether it may depend on `from`, and why it may not: to be shown before an edge is dropped. */
export function connectTargets({ flow }: FlowDocument, { groups }: Known, from: string): EdgeTarget[] {
  return (flow && edgeTargets(flow.spec, groups, from)) ?? [];
}

/** What removing a step would do. `reconnectTo`: what is chosen so far. Null: there is no such step, or it is the trigger. */
export function previewRemoval(
  { flow }: FlowDocument,
  { groups }: Known,
  step: string,
  reconnectTo: string[] = [],
): RemovalPreview | null {
  const spec = flow?.spec;
  const index = spec && indexFlow(spec, groups);
  const node = index?.names.indexOf(step) ?? -1;
  if (!spec || !index || node < 1) return null;
  const nameOf = (each: number): string => index.names[each]!;
  const names = spec.steps.map(stepName);
  const gone = editFlow(spec, [{ type: 'removeStep', step, dependents: 'REMOVE', reconnectTo: [] }], groups).spec;
  const left = new Set(gone?.steps.map(stepName));
  const instead = { type: 'removeStep', step, dependents: 'RECONNECT', reconnectTo } as const;
  const without = editFlow(spec, [instead], groups).spec;
  const edge = ({ from, to }: { from: string; to: string }): string => `${from}\n${to}`;
  const before = new Set(flowGraph(spec, groups).edges.map(edge));
  return {
    dependents: index.dependents[node]!.map(nameOf),
    reconnectTo: [...reachable(index.dependencies, node)].map(nameOf),
    reconnected: without
      ? flowGraph(without, groups)
          .edges.filter((each) => !before.has(edge(each)))
          .map(({ from, to }) => ({ from, to }))
      : [],
    removed: [step, ...names.filter((name) => name !== step && !left.has(name))],
  };
}
