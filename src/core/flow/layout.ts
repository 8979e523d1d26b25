import type { PromotionFlowSpec } from '../definitions.ts';
import { quote } from '../wording.ts';
import { flowGraph, indexFlow, type FlowEdge, type FlowNode, type Members, reachable, sortedNodes } from './graph.ts';

/** A flow as it is drawn. */
export interface FlowLayout {
  /** `rank`: the column, 0 for what waits for nothing, else one more than the largest of what it waits for; null on or behind a circle. */
  nodes: (FlowNode & { rank: number | null })[];
  edges: FlowEdge[];
}

/** Also of a flow that is still wrong: edges that lead nowhere are left out. */
export function layoutOf(spec: PromotionFlowSpec, groups: Members): FlowLayout {
  const { nodes, edges } = flowGraph(spec, groups);
  const index = indexFlow(spec, groups);
  const ranks = new Map<number, number>();
  for (const node of sortedNodes(index)) {
    const before = index.dependencies[node]!.map((each) => ranks.get(each)!);
    ranks.set(
      node,
      before.reduce((most, each) => Math.max(most, each + 1), 0),
    );
  }
  return { nodes: nodes.map((each, node) => ({ ...each, rank: ranks.get(node) ?? null })), edges };
}

/** Where an edge may end that begins at some node. */
export interface EdgeTarget {
  /** As `dependsOn` calls it. */
  name: string;
  /** Why it may not wait for that node; null: it may. */
  reason: string | null;
}

/**
 * Of every node whether it may wait for `from`: a name that `dependsOn` may hold, also of a member of a group. Null: there is no such name.
 * An edit that adds a dependency for which there is no reason here is refused for no circle.
 */
export function edgeTargets(spec: PromotionFlowSpec, groups: Members, from: string): EdgeTarget[] | null {
  const { names, nodeOf, dependencies } = indexFlow(spec, groups);
  const start = nodeOf.get(from);
  if (start === undefined) return null;
  const before = reachable(dependencies, start);
  return names.map((name, node) => {
    const reason =
      node === 0
        ? `the flow begins in ${quote(name)}, which waits for nothing`
        : node === start
          ? `${quote(name)} cannot wait for itself`
          : dependencies[node]!.includes(start)
            ? `${quote(name)} waits for ${quote(names[start]!)} already`
            : before.has(node)
              ? `${quote(names[start]!)} waits for ${quote(name)}: both would wait for each other`
              : null;
    return { name, reason };
  });
}
