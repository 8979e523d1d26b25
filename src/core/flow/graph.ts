import type { FlowStepSpec, PromotionFlowSpec } from '../definitions.ts';

/** Group name → the names of its members, as `resolveMembers` finds them. */
export type Members = ReadonlyMap<string, readonly string[]>;

export const NO_GROUPS: Members = new Map();

export interface FlowNode {
  /** The name that `dependsOn` uses. */
  name: string;
  kind: 'trigger' | 'environment' | 'group' | 'workflow';
  /** The index in `steps`; -1 is the trigger environment. */
  step: number;
  /** The environments that this node promotes (or, for the trigger, starts from). */
  environments: string[];
}

export interface FlowEdge {
  from: string;
  to: string;
  /** Set when the dependency is on one member of the group `from`, not on the whole group. */
  member?: string;
}

export interface FlowGraph {
  nodes: FlowNode[];
  edges: FlowEdge[];
}

/** An environment's or a group's step is called like it; only workflow steps have a name of their own. */
export function stepName(step: FlowStepSpec): string {
  return step.environment ?? step.group ?? step.name ?? step.workflow ?? '';
}

/** The environments that a step promotes: its own, or the members of its group. */
export function environmentsOf({ environment, group }: FlowStepSpec, groups: Members): readonly string[] {
  if (environment !== undefined) return [environment];
  return group === undefined ? [] : (groups.get(group) ?? []);
}

/**
 * A flow as numbers: node 0 is the trigger, node i + 1 is step i. Names that lead nowhere are left out, so it can be
 * built from a flow that is still wrong. Nothing here recurses: a chain of 10,000 steps is one loop.
 */
export interface FlowIndex {
  names: string[];
  /** A step's name, or an environment inside a group step → its node. A step's own name wins. */
  nodeOf: Map<string, number>;
  /** Distinct nodes that a node waits for, without itself. */
  dependencies: number[][];
  dependents: number[][];
}

export function indexFlow(spec: PromotionFlowSpec, groups: Members = NO_GROUPS): FlowIndex {
  const names = [spec.triggerEnvironment, ...spec.steps.map(stepName)];
  const nodeOf = new Map<string, number>();
  names.forEach((name, node) => {
    if (!nodeOf.has(name)) nodeOf.set(name, node);
  });
  spec.steps.forEach((step, i) => {
    if (step.group === undefined) return;
    for (const member of groups.get(step.group) ?? []) {
      if (!nodeOf.has(member)) nodeOf.set(member, i + 1);
    }
  });
  const dependencies: number[][] = names.map(() => []);
  const dependents: number[][] = names.map(() => []);
  spec.steps.forEach((step, i) => {
    const seen = new Set<number>([i + 1]);
    for (const name of step.dependsOn ?? []) {
      const node = nodeOf.get(name);
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      dependencies[i + 1]!.push(node);
      dependents[node]!.push(i + 1);
    }
  });
  return { names, nodeOf, dependencies, dependents };
}

/** Nodes in an order in which everything comes after what it waits for; nodes on or behind a cycle are missing. */
export function sortedNodes(index: FlowIndex): number[] {
  const waitsFor = index.dependencies.map((list) => list.length);
  const order = waitsFor.flatMap((count, node) => (count === 0 ? [node] : []));
  for (let i = 0; i < order.length; i++) {
    for (const dependent of index.dependents[order[i]!]!) {
      if (--waitsFor[dependent]! === 0) order.push(dependent);
    }
  }
  return order;
}

/** Everything that can be walked to from `start` along `edges`, without `start`. */
export function reachable(edges: readonly number[][], start: number): Set<number> {
  const found = new Set([start]);
  // A Set is walked in insertion order and may grow meanwhile: this is the whole breadth-first search.
  for (const node of found) for (const next of edges[node]!) found.add(next);
  found.delete(start);
  return found;
}

/** The flow as nodes and edges, for drawing and for explaining. Members of groups come from `groups`. */
export function flowGraph(spec: PromotionFlowSpec, groups: Members = NO_GROUPS): FlowGraph {
  const { names, nodeOf } = indexFlow(spec, groups);
  const trigger: FlowNode = {
    name: spec.triggerEnvironment,
    kind: 'trigger',
    step: -1,
    environments: [spec.triggerEnvironment],
  };
  const nodes = spec.steps.map((step, i): FlowNode => {
    if (step.environment !== undefined)
      return { name: stepName(step), kind: 'environment', step: i, environments: [step.environment] };
    if (step.group !== undefined)
      return { name: stepName(step), kind: 'group', step: i, environments: [...(groups.get(step.group) ?? [])] };
    return { name: stepName(step), kind: 'workflow', step: i, environments: [] };
  });
  const edges = spec.steps.flatMap((step) =>
    (step.dependsOn ?? []).flatMap((dependency): FlowEdge[] => {
      const node = nodeOf.get(dependency);
      if (node === undefined) return [];
      const from = names[node]!;
      return [{ from, to: stepName(step), ...(from === dependency ? {} : { member: dependency }) }];
    }),
  );
  return { nodes: [trigger, ...nodes], edges };
}

/** The names of the steps that wait for `name` directly; for a member of a group also those of its group. */
export function dependentsOf(spec: PromotionFlowSpec, name: string, groups: Members = NO_GROUPS): string[] {
  return neighbours(spec, name, groups, 'dependents');
}

/** The names of what the step `name` waits for directly (the trigger environment included). */
export function dependenciesOf(spec: PromotionFlowSpec, name: string, groups: Members = NO_GROUPS): string[] {
  return neighbours(spec, name, groups, 'dependencies');
}

function neighbours(
  spec: PromotionFlowSpec,
  name: string,
  groups: Members,
  direction: 'dependents' | 'dependencies',
): string[] {
  const index = indexFlow(spec, groups);
  const node = index.nodeOf.get(name);
  return node === undefined ? [] : index[direction][node]!.map((each) => index.names[each]!);
}

/** Step names, the trigger environment first, each after all that it waits for. What is on or behind a cycle is missing. */
export function topologicalOrder(spec: PromotionFlowSpec, groups: Members = NO_GROUPS): string[] {
  const index = indexFlow(spec, groups);
  return sortedNodes(index).map((node) => index.names[node]!);
}
