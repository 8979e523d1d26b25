import type { Node } from '@xyflow/react';
import { layoutOf } from '../../../../../src/core/flow.ts';
import { stepName } from '../../../../../src/core/flow/graph.ts';
import type { Changes, FlowChanges, Known, PromotionFlowSpec } from '../document/index.ts';
import { layered, type Placed as Layout } from '../layout/layered.ts';
import type { Drawn, DrawnEdge } from './drawn.ts';

/** The slots of a connector stand before the card that they lead to, and belong to its box. */
export const SLOTS = 44;
export const CARD = { width: 176, height: 76 };
const ROW = 24;
/** A group shows so many members by name, until it is opened; one with more has a line for that. */
export const MOST_SHOWN = 6;
const BETWEEN_COLUMNS = 48;

/** A node of the chart, where it stands. */
export interface Placed {
  name: string;
  kind: 'trigger' | 'environment' | 'group' | 'workflow';
  /** Of a group: its members as they are now, as far as they are shown. */
  members: string[];
  /** Of a group with more members than that, which can be opened: how many are not shown; 0 while it is open. Null: it has no more. */
  hidden: number | null;
  x: number;
  y: number;
  width: number;
  height: number;
}

export type CardNode = Node<{ placed: Placed }, 'card'>;

export interface Chart extends Drawn<Placed> {
  edges: DrawnEdge[];
  /** With all groups closed: what the next layout begins with, so that it moves only what it has to. */
  layout: Layout | undefined;
}

export const NO_CHART: Chart = { nodes: [], edges: [], width: 0, height: 0, layout: undefined };

/**
 * From left to right in columns. With the chart `before`, what can stay where it stood does, and is the same object.
 * @param changes what is removed is drawn as well
 * @param opened groups that show all of their members. Others give way to them, and stand where they stood when they are closed
 */
export function placeFlow(
  spec: PromotionFlowSpec,
  groups: Known['groups'],
  before: Chart = NO_CHART,
  changes?: FlowChanges | null,
  opened: ReadonlySet<string> = new Set(),
): Chart {
  const { nodes, edges } = layoutOf(changes ? withRemoved(spec, changes) : spec, groups);
  const boxes = nodes.map(({ name, kind, environments }) => {
    const all = kind === 'group' ? environments : [];
    const closed = shown(all, false);
    const { members, hidden } = opened.has(name) ? shown(all, true) : closed;
    const box = { id: name, name, kind, members, hidden, width: SLOTS + CARD.width };
    return { ...box, height: heightOf({ members, hidden }), closed: heightOf(closed) };
  });
  const gone = goneEdges(edges, changes);
  const ways = [...edges, ...gone];
  const closed = boxes.map((box) => ({ ...box, height: box.closed }));
  const layout = layered(closed, ways, before.layout, { columns: BETWEEN_COLUMNS });
  const isAnyOpen = boxes.some(({ height, closed: least }) => height !== least);
  const { places, width, height } = isAnyOpen ? layered(boxes, ways, layout, { columns: BETWEEN_COLUMNS }) : layout;
  const known = new Map(before.nodes.map((each) => [each.name, each]));
  const placed = boxes.map(({ id, closed: _, ...box }): Placed => {
    const { x, y } = places.get(id)!;
    const now: Placed = { ...box, x, y };
    const old = known.get(box.name);
    return old && isSame(old, now) ? old : now;
  });
  const counts = new Map<string, number>();
  const drawn = edges.map(({ from, to, member }): DrawnEdge => {
    const at = counts.get(to) ?? 0;
    counts.set(to, at + 1);
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
  const names = new Set(boxes.map(({ name }) => name));
  return {
    nodes: placed,
    edges: [...drawn, ...gone.filter(({ from, to }) => names.has(from) && names.has(to))],
    width,
    height,
    layout,
  };
}

/** What is drawn besides: edges that the draft has no more. */
export function goneEdges(
  edges: readonly { from: string; to: string }[],
  changes: Pick<Changes, 'edges'> | null | undefined,
): DrawnEdge[] {
  const isThere = new Set(edges.map(({ from, to }) => `${from}\n${to}`));
  return (changes?.edges ?? [])
    .filter(({ from, to, change }) => change === 'REMOVED' && !isThere.has(`${from}\n${to}`))
    .map(({ from, to }) => ({ id: `gone ${from} > ${to}`, from, to, at: -1, change: 'REMOVED' }));
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
  a.hidden === b.hidden &&
  a.members.join('\n') === b.members.join('\n');

type Members = Pick<Placed, 'members' | 'hidden'>;

function shown(members: readonly string[], isOpen: boolean): Members {
  if (members.length <= MOST_SHOWN) return { members: [...members], hidden: null };
  const names = isOpen ? [...members] : members.slice(0, MOST_SHOWN - 1);
  return { members: names, hidden: members.length - names.length };
}

const heightOf = ({ members, hidden }: Members): number =>
  CARD.height + (members.length + (hidden === null ? 0 : 1)) * ROW;
