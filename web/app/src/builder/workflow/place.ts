import type { WorkflowAction } from '../../../../../src/core/definitions.ts';
import type { Box, Drawn, DrawnEdge } from '../chart/drawn.ts';
import { goneEdges } from '../chart/place.ts';
import type { WorkflowChanges } from '../document/index.ts';
import { layered, type Placed } from '../layout/layered.ts';

const SIZE = { width: 190, height: 68 };

/** The actions of a workflow, where they stand. */
export interface ActionChart extends Drawn {
  edges: DrawnEdge[];
  layout: Placed | undefined;
}

/**
 * From left to right: what waits for nothing first, what waits right of it; side by side is one below the other.
 * @param changes what is removed is drawn as well
 */
export function placeActions(
  actions: readonly WorkflowAction[],
  before?: ActionChart,
  changes?: WorkflowChanges | null,
): ActionChart {
  const names = new Set(actions.map(({ name }) => name));
  // The changes can be those of a moment ago.
  for (const [name, { change }] of changes?.nodes ?? []) if (change === 'REMOVED') names.add(name);
  const edges = actions.flatMap(({ name: to, dependsOn = [] }) =>
    dependsOn.flatMap((from, at): DrawnEdge[] => {
      if (!names.has(from)) return [];
      const change = changes?.edges.find((each) => each.from === from && each.to === to)?.change;
      return [{ id: `${from} > ${to}`, from, to, at, ...(change && { change }) }];
    }),
  );
  const gone = goneEdges(edges, changes).filter(({ from, to }) => names.has(from) && names.has(to));
  const boxes = [...names].map((id) => ({ id, ...SIZE }));
  const ways = [...edges, ...gone];
  const layout = layered(boxes, ways, before?.layout, { columns: 64 });
  const nodes = boxes.map(({ id }): Box => ({ name: id, ...layout.places.get(id)!, ...SIZE }));
  return { nodes, edges: ways, width: layout.width, height: layout.height, layout };
}
