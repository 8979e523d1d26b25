import type { Node } from '@xyflow/react';
import { layoutOf } from '../../../../../src/core/flow.ts';
import { stepName } from '../../../../../src/core/flow/graph.ts';
import type { FlowChanges, Known, PromotionFlowSpec } from '../document/index.ts';
import { layered, type Placed as Layout } from '../layout/layered.ts';
import type { Drawn } from './drawn.ts';

/** The slots of a connector stand before the card that they lead to, and belong to its box. */
export const SLOTS = 44;
export const CARD = { width: 176, height: 76 };
const ROW = 24;
/** A group shows so many members by name. */
const SHOWN = 6;
const BETWEEN_COLUMNS = 48;

/** A node of the chart, where it stands. */
export interface Placed {
  name: string;
  kind: 'trigger' | 'environment' | 'group' | 'workflow';
  /** Of a group: its members as they are now; the last one can be "and 12 more". */
  members: string[];
  x: number;
  y: number;
  width: number;
  height: number;
}

export type CardNode = Node<{ placed: Placed }, 'card'>;

export interface ChartEdge {
  id: string;
  from: string;
  to: string;
  member?: string;
  /** In `dependsOn` of `to`; -1: it is gone. */
  at: number;
  change?: 'ADDED' | 'REMOVED';
}

export interface Chart extends Drawn<Placed> {
  edges: ChartEdge[];
  /** What the next layout begins with, so that it moves only what it has to. */
  layout: Layout | undefined;
}

export const NO_CHART: Chart = { nodes: [], edges: [], width: 0, height: 0, layout: undefined };

/**
 * From left to right in columns. With the chart `before`, what can stay where it stood does, and is the same object.
 * @param changes what is removed is drawn as well
 */
export function placeFlow(
  spec: PromotionFlowSpec,
  groups: Known['groups'],
  before: Chart = NO_CHART,
  changes?: FlowChanges | null,
): Chart {
  const { nodes, edges } = layoutOf(changes ? withRemoved(spec, changes) : spec, groups);
  const boxes = nodes.map(({ name, kind, environments }) => {
    const members = kind === 'group' ? shown(environments) : [];
    return { id: name, name, kind, members, width: SLOTS + CARD.width, height: CARD.height + members.length * ROW };
  });
  const gone = (changes?.edges ?? [])
    .filter(({ change }) => change === 'REMOVED')
    .filter(({ from, to }) => !edges.some((each) => each.from === from && each.to === to));
  const layout = layered(boxes, [...edges, ...gone], before.layout, { columns: BETWEEN_COLUMNS });
  const known = new Map(before.nodes.map((each) => [each.name, each]));
  const placed = boxes.map(({ id, ...box }): Placed => {
    const { x, y } = layout.places.get(id)!;
    const now: Placed = { ...box, x, y };
    const old = known.get(box.name);
    return old && isSame(old, now) ? old : now;
  });
  const places = new Map<string, number>();
  const drawn = edges.map(({ from, to, member }): ChartEdge => {
    const at = places.get(to) ?? 0;
    places.set(to, at + 1);
    const change = changes?.edges.find((each) => each.from === from && each.to === to)?.change;
    return {
      id: `${member ?? from} > ${to}`,
      from,
      to,
      ...(member !== undefined && { member }),
      at,
      ...(change && { change }),
    };
  });
  const removed = gone.map(({ from, to }): ChartEdge => ({
    id: `gone ${from} > ${to}`,
    from,
    to,
    at: -1,
    change: 'REMOVED',
  }));
  const names = new Set(boxes.map(({ name }) => name));
  return {
    nodes: placed,
    edges: [...drawn, ...removed.filter(({ from, to }) => names.has(from) && names.has(to))],
    width: layout.width,
    height: layout.height,
    layout,
  };
}

/** The draft with the steps that it has no more. */
function withRemoved(spec: PromotionFlowSpec, { saved, nodes }: FlowChanges): PromotionFlowSpec {
  // The changes can be those of a moment ago.
  const there = new Set(spec.steps.map(stepName));
  const isGone = (name: string): boolean => nodes.get(name)?.change === 'REMOVED' && !there.has(name);
  return { ...spec, steps: [...spec.steps, ...saved.steps.filter((step) => isGone(stepName(step)))] };
}

const isSame = (a: Placed, b: Placed): boolean =>
  a.x === b.x &&
  a.y === b.y &&
  a.width === b.width &&
  a.height === b.height &&
  a.kind === b.kind &&
  a.members.join('\n') === b.members.join('\n');

function shown(members: readonly string[]): string[] {
  if (members.length <= SHOWN) return [...members];
  return [...members.slice(0, SHOWN - 1), `and ${members.length - SHOWN + 1} more`];
}
