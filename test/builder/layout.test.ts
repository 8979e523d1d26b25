import { expect, test } from 'vitest';
import { layered, type LayoutEdge, type LayoutNode, type Placed } from '../../web/app/src/builder/layout/layered.ts';
import { fc } from '../core/property.ts';

const box = (id: string, height = 72): LayoutNode => ({ id, width: 216, height });
const edge = (from: string, to: string): LayoutEdge => ({ from, to });
const idOf = (at: number): string => `n${at}`;

const graph = fc
  .tuple(fc.integer({ min: 1, max: 25 }), fc.array(fc.tuple(fc.nat(24), fc.nat(24)), { maxLength: 40 }))
  .map(([size, pairs]) => ({
    nodes: Array.from({ length: size }, (_, at) => box(idOf(at), 40 + (at % 3) * 60)),
    // From lower to higher: no circles.
    edges: pairs
      .map(([a, b]) => [Math.min(a, b) % size, Math.max(a, b) % size])
      .filter(([a, b]) => a! < b!)
      .map(([a, b]) => edge(idOf(a!), idOf(b!))),
  }));

function sound(nodes: LayoutNode[], edges: LayoutEdge[], { places, width, height }: Placed): void {
  const boxes = nodes.map((each) => ({ ...each, ...places.get(each.id)! }));
  for (const each of boxes) {
    expect(each.x).toBeGreaterThanOrEqual(0);
    expect(each.y).toBeGreaterThanOrEqual(0);
    expect([each.x + each.width <= width, each.y + each.height <= height]).toEqual([true, true]);
  }
  for (const [at, a] of boxes.entries())
    for (const b of boxes.slice(at + 1)) {
      const apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
      expect(apart, `${a.id} and ${b.id}`).toBe(true);
    }
  for (const { from, to } of edges) expect(places.get(from)!.x).toBeLessThan(places.get(to)!.x);
}

test('every box is right of what it follows and touches no other, whatever the order of the input', () => {
  fc.assert(
    fc.property(graph, ({ nodes, edges }) => {
      const placed = layered(nodes, edges);
      sound(nodes, edges, placed);
      expect(layered(nodes.toReversed(), edges.toReversed()).places).toEqual(placed.places);
      // The same again moves nothing: a change of a status is no change of the structure.
      expect(layered(nodes, edges, placed)).toEqual(placed);
    }),
  );
});

test('a box that is added moves nothing that stays in its column', () => {
  fc.assert(
    fc.property(graph, fc.nat(24), fc.nat(24), fc.boolean(), ({ nodes, edges }, a, b, between) => {
      const before = layered(nodes, edges);
      const [from, to] = [Math.min(a, b) % nodes.length, Math.max(a, b) % nodes.length];
      const more = [...edges, edge(idOf(from), 'new'), ...(between && from < to ? [edge('new', idOf(to))] : [])];
      const after = layered([...nodes, box('new')], more, before);
      sound([...nodes, box('new')], more, after);
      for (const { id } of nodes) {
        const [was, now] = [before.places.get(id)!, after.places.get(id)!];
        if (was.rank === now.rank) expect(now).toEqual(was);
        // A longer way pushes what comes behind it to the right.
        else expect(between && now.rank > was.rank).toBe(true);
      }
    }),
  );
});

test('a box that grows moves only what is below it in its column, downwards, and back to the pixel when it shrinks', () => {
  fc.assert(
    fc.property(graph, fc.nat(24), ({ nodes, edges }, which) => {
      const before = layered(nodes, edges);
      const grown = idOf(which % nodes.length);
      const taller = nodes.map((each) => (each.id === grown ? { ...each, height: each.height + 300 } : each));
      const after = layered(taller, edges, before);
      sound(taller, edges, after);
      const from = before.places.get(grown)!;
      for (const { id } of nodes) {
        const [was, now] = [before.places.get(id)!, after.places.get(id)!];
        if (was.rank !== from.rank || was.y <= from.y) expect(now).toEqual(was);
        else expect(now.y).toBeGreaterThanOrEqual(was.y);
      }
      expect(layered(nodes, edges, before)).toEqual(before);
    }),
  );
});

test('the picture of Billing stands in four columns, and a circle is drawn, too', () => {
  const nodes = ['dev', 'staging', 'us-east', 'eu', 'asia', 'asia-2'].map((each) => box(each));
  const regions = ['us-east', 'eu', 'asia'];
  const edges = [
    edge('dev', 'staging'),
    ...regions.flatMap((each) => [edge('staging', each), edge(each, 'asia-2')]),
    edge('nowhere', 'eu'),
  ];
  const { places } = layered(nodes, edges);
  expect(Object.fromEntries(nodes.map(({ id }) => [id, places.get(id)!.rank]))).toEqual({
    dev: 0,
    staging: 1,
    'us-east': 2,
    eu: 2,
    asia: 2,
    'asia-2': 3,
  });
  expect(new Set(['dev', 'staging', 'eu', 'asia-2'].map((each) => places.get(each)!.y)).size).toBe(1);
  expect(layered(nodes, [...edges, edge('asia-2', 'staging')]).places.size).toBe(6);
  expect(layered([], []).places.size).toBe(0);
});

test('what goes on beside each other stands in the order that is given, and by name without one', () => {
  const regions = ['us-east', 'eu', 'asia'];
  const edges = regions.flatMap((each) => [edge('staging', each), edge(each, 'asia-2')]);
  const fromTop = (nodes: LayoutNode[]): string[] => {
    const { places } = layered(nodes, edges);
    return regions.toSorted((a, b) => places.get(a)!.y - places.get(b)!.y);
  };
  const nodes = ['staging', ...regions, 'asia-2'].map((each) => box(each));
  const inOrder = nodes.map((each, order) => ({ ...each, order }));
  expect(fromTop(inOrder)).toEqual(regions);
  expect(fromTop(inOrder.toReversed())).toEqual(regions);
  expect(fromTop(nodes)).toEqual(regions.toSorted());
});

test('500 boxes are laid out, and one more is placed, within the time of a few frames', () => {
  const nodes = Array.from({ length: 500 }, (_, at) => box(idOf(at)));
  const edges = nodes.slice(1).flatMap((_, i) => {
    const at = i + 1;
    const first = edge(idOf(Math.max(0, at - 1 - ((at * 7) % 25))), idOf(at));
    return at % 3 === 0 ? [first, edge(idOf(Math.max(0, at - 1 - ((at * 13) % 30))), idOf(at))] : [first];
  });
  const cpu = (work: () => Placed): [Placed, number] => {
    const begin = process.cpuUsage();
    const placed = work();
    const { user, system } = process.cpuUsage(begin);
    return [placed, (user + system) / 1000];
  };
  layered(nodes, edges);
  const [before, whole] = cpu(() => layered(nodes, edges));
  const [, one] = cpu(() => layered([...nodes, box('new')], [...edges, edge('n7', 'new')], before));
  console.log(`500 boxes, ${edges.length} edges: ${whole.toFixed(1)} ms of CPU, one more ${one.toFixed(1)} ms`);
  expect(whole).toBeLessThan(500);
  expect(one).toBeLessThan(200);
});
