import type { Node } from '@xyflow/react';
import { layoutOf } from '../../../../../src/core/flow.ts';
import type { Known, PromotionFlowSpec } from '../document/index.ts';

/** The slots of a connector stand before the card that they lead to, and belong to its box. */
export const SLOTS = 44;
export const CARD = { width: 208, height: 76 };
const ROW = 24;
/** A group shows so many members by name. */
const SHOWN = 6;
const [COLUMN_GAP, ROW_GAP] = [72, 28];

/** A node of the chart, where it stands. */
export interface Placed {
  name: string;
  kind: 'trigger' | 'environment' | 'group' | 'workflow';
  /** Of a group: its members as they are now; the last one can be "and 12 more". */
  members: string[];
  rank: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export type CardNode = Node<{ placed: Placed }, 'card'>;

export interface Chart {
  nodes: Placed[];
  edges: { id: string; from: string; to: string; member?: string }[];
  width: number;
  height: number;
}

/** From left to right in columns, each as far left as what it waits for lets it. */
export function placeFlow(spec: PromotionFlowSpec, groups: Known['groups']): Chart {
  const { nodes, edges } = layoutOf(spec, groups);
  const most = nodes.reduce((max, { rank }) => Math.max(max, rank ?? 0), 0);
  const placed = nodes.map(({ name, kind, rank, environments }): Placed => {
    const members = kind === 'group' ? shown(environments) : [];
    const height = CARD.height + members.length * ROW;
    // What waits for itself has no column: it stands behind all others.
    return { name, kind, members, rank: rank ?? most + 1, x: 0, y: 0, width: SLOTS + CARD.width, height };
  });
  const columns = new Map<number, Placed[]>();
  for (const each of placed) columns.set(each.rank, [...(columns.get(each.rank) ?? []), each]);
  const heights = [...columns.values()].map((column) =>
    column.reduce((sum, { height }) => sum + height + ROW_GAP, -ROW_GAP),
  );
  const height = Math.max(0, ...heights);
  for (const [rank, column] of columns) {
    let y = (height - column.reduce((sum, each) => sum + each.height + ROW_GAP, -ROW_GAP)) / 2;
    for (const each of column) {
      each.x = rank * (SLOTS + CARD.width + COLUMN_GAP);
      each.y = y;
      y += each.height + ROW_GAP;
    }
  }
  const width = Math.max(0, ...placed.map((each) => each.x + each.width));
  return {
    nodes: placed,
    edges: edges.map((each) => ({ ...each, id: `${each.member ?? each.from} > ${each.to}` })),
    width,
    height,
  };
}

function shown(members: readonly string[]): string[] {
  if (members.length <= SHOWN) return [...members];
  return [...members.slice(0, SHOWN - 1), `and ${members.length - SHOWN + 1} more`];
}

const STEPS: Record<string, readonly [number, number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

/** The node that an arrow key leads to; along a row first. */
export function neighbour({ nodes }: Chart, from: string, key: string): string | undefined {
  const step = STEPS[key];
  const here = nodes.find(({ name }) => name === from);
  if (!step || !here) return undefined;
  const [dx, dy] = step;
  return nodes
    .filter((each) => each !== here)
    .map((each) => {
      const x = each.x - here.x;
      const y = each.y + each.height / 2 - (here.y + here.height / 2);
      return { name: each.name, along: x * dx + y * dy, across: Math.abs(x * dy) + Math.abs(y * dx) };
    })
    .filter(({ along, across }) => along > 8 && (dx !== 0 || across < CARD.width))
    .sort((a, b) => a.along + 3 * a.across - (b.along + 3 * b.across))[0]?.name;
}
