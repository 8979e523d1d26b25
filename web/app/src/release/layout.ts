import { layered } from '../builder/layout/layered.ts';
import type { ReleaseRead } from './use-release.ts';

export const CARD = { width: 216, height: 72 };
const GAP = 10;
const HEAD = 40;
const COLLAPSED = { width: 236, height: 104 };
/** A group with more members begins collapsed. */
export const FEW = 8;

/** One box of the graph: an environment, or a group with its members inside. */
export interface Box {
  id: string;
  group: string | null;
  members: string[];
  isOpen: boolean;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Layout {
  boxes: Box[];
  edges: { id: string; from: string; to: string }[];
  width: number;
  height: number;
}

type Promotion = ReleaseRead['skeleton']['promotions'][number];

const idOf = ({ name, group }: Pick<Promotion, 'name' | 'group'>): string => (group == null ? name : `group ${group}`);

/**
 * Where everything stands, from left to right: groups are one box, their members a list in it. It depends on the structure alone, so a change
 * of a status moves nothing.
 */
export function layoutOf(promotions: readonly Promotion[], opened: ReadonlySet<string>): Layout {
  const boxes = new Map<string, Box>();
  for (const each of promotions) {
    const id = idOf(each);
    const box = boxes.get(id) ?? newBox(id, each.group ?? null);
    box.members.push(each.name);
    boxes.set(id, box);
  }
  for (const box of boxes.values()) {
    box.isOpen = box.group !== null && opened.has(box.group);
    Object.assign(box, sizeOf(box));
  }
  const home = new Map(promotions.map((each) => [each.name, idOf(each)]));
  const edges = new Map<string, { id: string; from: string; to: string }>();
  for (const each of promotions) {
    const to = idOf(each);
    for (const name of each.dependsOn) {
      const from = home.get(name) ?? `group ${name}`;
      if (from !== to && boxes.has(from)) edges.set(`${from} > ${to}`, { id: `${from} > ${to}`, from, to });
    }
  }
  // What goes on beside each other stands in the order of the flow.
  const inOrder = [...boxes.values()].map((box, order) => ({ ...box, order }));
  const { places, width, height } = layered(inOrder, [...edges.values()]);
  for (const box of boxes.values()) {
    const { x, y } = places.get(box.id)!;
    Object.assign(box, { x, y });
  }
  return { boxes: [...boxes.values()], edges: [...edges.values()], width, height };
}

const newBox = (id: string, group: string | null): Box => ({
  id,
  group,
  members: [],
  isOpen: false,
  x: 0,
  y: 0,
  ...CARD,
});

function sizeOf({ group, members, isOpen }: Box): { width: number; height: number } {
  if (group === null) return CARD;
  if (!isOpen) return COLLAPSED;
  return { width: CARD.width + 2 * GAP, height: HEAD + members.length * (CARD.height + GAP) };
}
