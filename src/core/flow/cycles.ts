import { sortedNodes, type FlowIndex } from './graph.ts';

/**
 * Cycles among the nodes, each as its nodes in the order of the flow, beginning at the earliest step.
 *
 * Not every cycle (there may be exponentially many), but at least one whenever there is any. What the sort leaves over
 * has an unsorted dependency each, so walking from dependency to dependency must come back to itself; marks from
 * earlier walks end a walk, so that all of them together are linear.
 */
export function findCycles(index: FlowIndex): number[][] {
  const sorted = new Set(sortedNodes(index));
  const walkOf = new Map<number, number>();
  const cycles: number[][] = [];
  for (let start = 0; start < index.names.length; start++) {
    if (sorted.has(start)) continue;
    const trail: number[] = [];
    let node = start;
    while (!walkOf.has(node)) {
      walkOf.set(node, start);
      trail.push(node);
      node = index.dependencies[node]!.find((each) => !sorted.has(each))!;
    }
    if (walkOf.get(node) === start) cycles.push(fromEarliest(trail.slice(trail.indexOf(node)).reverse()));
  }
  return cycles;
}

function fromEarliest(cycle: number[]): number[] {
  const first = cycle.reduce((least, node, at) => (node < cycle[least]! ? at : least), 0);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

/** `eu → asia → eu`: a very long one by its ends, because a message of a thousand names is of no use. */
export function cycleTold({ names }: FlowIndex, cycle: readonly number[]): string {
  const all = cycle.map((node) => names[node]!);
  const told = all.length > 20 ? [...all.slice(0, 10), '…', ...all.slice(-9)] : all;
  return [...told, all[0]!].join(' → ');
}
