/** A box to be placed. Groups are one box; their members stand inside and are no part of this. */
export interface LayoutNode {
  id: string;
  width: number;
  height: number;
  /** Where it stands among those beside it as far as fewer crossings do not say otherwise, from the top; those without go by their names. */
  order?: number;
}

/** From left to right. Edges between boxes that are not there are left out. */
export interface LayoutEdge {
  from: string;
  to: string;
}

/** The upper left corner of a box, and its column from the left. */
export interface Place {
  x: number;
  y: number;
  rank: number;
}

/** Where everything stands. */
export interface Placed {
  places: Map<string, Place>;
  width: number;
  height: number;
}

const BETWEEN_COLUMNS = 88;
const BETWEEN_ROWS = 28;
const MARGIN = 16;
/** Rounds over all columns, alternately by what comes before and by what comes after. */
const SWEEPS = 8;

/**
 * Places boxes in columns, each right of all that it follows. Without `before` crossings are few. With the last layout as `before` it is
 * stable: a box that stays in its column keeps its place to the pixel, and one that is new, or has moved to another column, takes the free
 * room that is nearest to its neighbours. Boxes on a circle stand behind what they can be reached from. Equal input gives an equal layout,
 * whatever the order of nodes and edges. `columns`: pixels between two of them.
 */
export function layered(
  nodes: readonly LayoutNode[],
  edges: readonly LayoutEdge[],
  before?: Placed,
  { columns: between = BETWEEN_COLUMNS }: { columns?: number } = {},
): Placed {
  const graph = graphOf(nodes, edges);
  const columns = before ? keptColumns(graph, before) : freshColumns(withBends(graph));
  const widths = columns.map((column) => Math.max(0, ...column.map(({ box }) => box.width)));
  const places = new Map<string, Place>();
  let x = MARGIN;
  for (const [rank, column] of columns.entries()) {
    for (const { box, top } of column)
      if (box.width > 0) places.set(box.id, { x: x + (widths[rank]! - box.width) / 2, y: top, rank });
    x += widths[rank]! + between;
  }
  const bottom = Math.max(0, ...nodes.map(({ id, height }) => places.get(id)!.y + height));
  return { places, width: Math.max(2 * MARGIN, x - between + MARGIN), height: bottom + MARGIN };
}

interface Graph {
  /** Sorted by `order`, then by name. */
  boxes: LayoutNode[];
  /** Of each box, by its place in `boxes`. */
  above: number[][];
  below: number[][];
  ranks: number[];
}

/** A box in its column, with where its upper edge is. */
interface Seat {
  box: LayoutNode;
  top: number;
}

function graphOf(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Graph {
  const boxes = nodes.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const places = new Map(boxes.map(({ id }, at) => [id, at]));
  const above: number[][] = boxes.map(() => []);
  const below: number[][] = boxes.map(() => []);
  const seen = new Set<number>();
  for (const { from, to } of edges) {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined || a === b || seen.has(a * boxes.length + b)) continue;
    seen.add(a * boxes.length + b);
    below[a]!.push(b);
    above[b]!.push(a);
  }
  for (const list of [...above, ...below]) list.sort((a, b) => a - b);
  return { boxes, above, below, ranks: ranksOf(above, below) };
}

/** The longest way from a box that follows nothing. A circle is opened at its first box by name. */
function ranksOf(above: number[][], below: number[][]): number[] {
  const ranks = above.map(() => 0);
  const waits = above.map((list) => list.length);
  const isDone = above.map(() => false);
  const ready = waits.flatMap((count, at) => (count === 0 ? [at] : []));
  for (let left = above.length; left > 0; left -= 1) {
    const at = ready.shift() ?? nextOnCircle(above, isDone);
    isDone[at] = true;
    for (const next of below[at]!) {
      if (isDone[next]) continue;
      ranks[next] = Math.max(ranks[next]!, ranks[at]! + 1);
      waits[next]! -= 1;
      if (waits[next] === 0) ready.push(next);
    }
  }
  return ranks;
}

/** One that something that is placed leads to, if there is any. */
function nextOnCircle(above: number[][], isDone: boolean[]): number {
  const isReached = (at: number): boolean => !isDone[at] && above[at]!.some((each) => isDone[each]);
  const found = above.findIndex((_, at) => isReached(at));
  return found >= 0 ? found : isDone.indexOf(false);
}

/** Room for the lines of long edges: what goes from one box over several columns bends once in each. */
const BEND = { width: 0, height: 8 };
/** Beyond this the lines cross boxes. */
const MOST_BENDS = 4000;

function withBends(graph: Graph): Graph {
  const { boxes, below, ranks } = graph;
  const bends = new Map<string, LayoutNode>();
  const edges: LayoutEdge[] = [];
  for (const [from, box] of boxes.entries()) {
    for (const to of below[from]!) {
      let last = box.id;
      for (let rank = ranks[from]! + 1; rank < ranks[to]!; rank += 1) {
        const id = `\0${box.id}\0${rank}`;
        bends.set(id, { id, ...BEND, order: box.order });
        edges.push({ from: last, to: id });
        last = id;
      }
      edges.push({ from: last, to: boxes[to]!.id });
    }
  }
  return bends.size === 0 || bends.size > MOST_BENDS ? graph : graphOf([...boxes, ...bends.values()], edges);
}

function freshColumns({ boxes, above, below, ranks }: Graph): Seat[][] {
  const columns = inColumns(ranks, boxes.length);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const isForward = sweep % 2 === 0;
    const order = positionsIn(columns, boxes.length);
    const middle = (at: number): number => {
      const near = (isForward ? above : below)[at]!;
      return near.length === 0 ? order[at]! : near.reduce((sum, each) => sum + order[each]!, 0) / near.length;
    };
    const ranked = [...columns.keys()];
    for (const rank of isForward ? ranked : ranked.toReversed()) {
      const weights = new Map(columns[rank]!.map((at) => [at, middle(at)]));
      columns[rank]!.sort((a, b) => weights.get(a)! - weights.get(b)! || order[a]! - order[b]!);
      columns[rank]!.forEach((at, place) => (order[at] = relative(place, columns[rank]!.length)));
    }
  }
  const tops = boxes.map(() => 0);
  const heightOf = (column: number[]): number =>
    column.reduce((sum, at) => sum + boxes[at]!.height + BETWEEN_ROWS, -BETWEEN_ROWS);
  const tallest = Math.max(0, ...columns.map(heightOf));
  for (const column of columns) {
    let top = MARGIN + (tallest - heightOf(column)) / 2;
    for (const at of column) {
      tops[at] = top;
      top += boxes[at]!.height + BETWEEN_ROWS;
    }
  }
  return columns.map((column) => column.map((at) => ({ box: boxes[at]!, top: tops[at]! })));
}

/** Columns of different lengths are compared by how far down a box stands in its own. */
const relative = (place: number, length: number): number => (place + 0.5) / length;

function positionsIn(columns: number[][], count: number): number[] {
  const order = Array.from({ length: count }, () => 0);
  for (const column of columns) column.forEach((at, place) => (order[at] = relative(place, column.length)));
  return order;
}

function inColumns(ranks: number[], count: number): number[][] {
  const columns: number[][] = Array.from({ length: count === 0 ? 0 : Math.max(...ranks) + 1 }, () => []);
  ranks.forEach((rank, at) => columns[rank]!.push(at));
  return columns;
}

function keptColumns({ boxes, above, below, ranks }: Graph, { places }: Placed): Seat[][] {
  const columns: Seat[][] = inColumns(ranks, boxes.length).map(() => []);
  const tops: (number | undefined)[] = boxes.map(({ id }) => places.get(id)?.y);
  const isKept = boxes.map(({ id }, at) => places.get(id)?.rank === ranks[at]);
  const sit = (at: number, top: number): void => {
    tops[at] = top;
    columns[ranks[at]!]!.push({ box: boxes[at]!, top });
  };
  // A box may have grown since, such as a group that was opened: then those below it give way, and keep their order.
  for (const [at] of [...boxes.entries()]
    .filter(([each]) => isKept[each])
    .sort(([a], [b]) => tops[a]! - tops[b]! || a - b)) {
    const last = columns[ranks[at]!]!.at(-1);
    sit(at, last ? Math.max(tops[at]!, last.top + last.box.height + BETWEEN_ROWS) : tops[at]!);
  }
  const byRank = [...boxes.keys()].filter((at) => !isKept[at]).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  for (const at of byRank) {
    const near = [...above[at]!, ...below[at]!].filter((each) => tops[each] !== undefined);
    const { height } = boxes[at]!;
    const middle = (each: number): number => tops[each]! + (boxes[each]!.height - height) / 2;
    const wanted =
      tops[at] ?? (near.length === 0 ? MARGIN : near.reduce((sum, each) => sum + middle(each), 0) / near.length);
    sit(at, freeTop(columns[ranks[at]!]!, height, Math.max(MARGIN, wanted)));
  }
  return columns.map((column) => column.toSorted((a, b) => a.top - b.top));
}

/** The place nearest to `wanted` where a box of this height touches no other one of the column; the lower one of two. */
function freeTop(column: readonly Seat[], height: number, wanted: number): number {
  const isFree = (top: number): boolean =>
    top >= MARGIN &&
    column.every(
      ({ box, top: other }) => top + height + BETWEEN_ROWS <= other || other + box.height + BETWEEN_ROWS <= top,
    );
  const edges = column.flatMap(({ box, top }) => [top + box.height + BETWEEN_ROWS, top - height - BETWEEN_ROWS]);
  const choices = [wanted, ...edges].filter(isFree);
  return choices.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted) || b - a)[0]!;
}
