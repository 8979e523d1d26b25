import { describe, expect, test } from 'vitest';
import { aheadOf, CellReader, keyOf, MOST_CELLS, type Part } from '../../web/app/src/where/cell-reader.ts';

const names = (prefix: string, from: number, many: number): string[] =>
  Array.from({ length: many }, (_, index) => `${prefix}-${from + index}`);
const part = (product: number, environment: number, rows = 12, columns = 7): Part => ({
  products: names('product', product, rows),
  environments: names('environment', environment, columns),
});
const keysOf = ({ products, environments }: Part): string[] =>
  products.flatMap((product) => environments.map((each) => keyOf(product, each)));

/** A server that answers when it is told to. */
class Server {
  readonly waiting: { part: Part; answer: (say: string | undefined) => Promise<void> }[] = [];
  readonly reader = new CellReader<string>(
    (asked) =>
      new Promise((resolve) => {
        const answer = async (say: string | undefined): Promise<void> => {
          this.waiting.splice(
            this.waiting.findIndex(({ part: one }) => one === asked),
            1,
          );
          resolve(say === undefined ? undefined : new Map(keysOf(asked).map((key) => [key, say])));
          await new Promise((next) => setImmediate(next));
        };
        this.waiting.push({ part: asked, answer });
      }),
  );

  async answerAll(say: string): Promise<number> {
    let many = 0;
    for (; this.waiting.length > 0; many += 1) await this.waiting[0]!.answer(say);
    return many;
  }
}

describe('a large table that is read by what is seen', () => {
  test('asks for a screen in one request, then ahead, and for nothing twice', async () => {
    const server = new Server();
    server.reader.see(part(0, 0), part(0, 0, 12, 14));
    expect(server.waiting.map((each) => each.part)).toEqual([part(0, 0)]);
    await server.waiting[0]!.answer('1');
    expect(keysOf(part(0, 0)).map((key) => server.reader.cells.get(key))).toEqual(Array(84).fill('1'));
    expect(server.waiting.map((each) => each.part)).toEqual([part(0, 7)]);
    await server.answerAll('1');
    server.reader.see(part(0, 7), part(0, 7));
    server.reader.see(part(0, 0), part(0, 0));
    expect(server.waiting).toEqual([]);
  });

  test('a screen with more cells than a request may have takes as few as there can be, and every cell is read', async () => {
    const server = new Server();
    const wide = part(0, 0, 20, 19);
    server.reader.see(wide);
    for (const { part: each } of server.waiting) expect(keysOf(each).length).toBeLessThanOrEqual(MOST_CELLS);
    expect(await server.answerAll('1')).toBe(2);
    expect(keysOf(wide).every((key) => server.reader.cells.get(key) === '1')).toBe(true);
    const row = part(0, 0, 2, 450);
    server.reader.see(row);
    await server.answerAll('1');
    expect(keysOf(row).every((key) => server.reader.cells.get(key) === '1')).toBe(true);
  });

  test('what is scrolled past while two requests are under way is not asked for at all', async () => {
    const server = new Server();
    for (let left = 0; left < 1_000; left += 100) server.reader.see(part(0, left), part(0, left, 12, 14));
    expect(server.waiting.map((each) => each.part)).toEqual([part(0, 0), part(0, 100)]);
    await server.waiting[0]!.answer('1');
    expect(server.waiting.map((each) => each.part)).toEqual([part(0, 100), part(0, 900)]);
    await server.answerAll('1');
    expect(server.reader.cells.get(keyOf('product-0', 'environment-500'))).toBeUndefined();
    expect(server.reader.cells.get(keyOf('product-0', 'environment-913'))).toBe('1');
  });

  test('when something happens what is seen is read again, also what was under way, and shown until then', async () => {
    const server = new Server();
    server.reader.see(part(0, 0));
    server.reader.again();
    expect(server.waiting).toHaveLength(1);
    await server.waiting[0]!.answer('before');
    const [key] = keysOf(part(0, 0));
    expect(server.reader.cells.get(key!)).toBe('before');
    await server.answerAll('after');
    expect(server.reader.cells.get(key!)).toBe('after');
    expect(server.waiting).toEqual([]);
  });

  test('an earlier request that is slow does not paint over a later one', async () => {
    const server = new Server();
    server.reader.see(part(0, 0, 1, 1));
    // Its cells are an L, and the corner is on its way already.
    server.reader.see(part(0, 0, 2, 2));
    const [slow, fast] = [...server.waiting];
    expect(fast!.part).toEqual(part(0, 0, 2, 2));
    await fast!.answer('later');
    await slow!.answer('earlier');
    expect(server.reader.cells.get(keyOf('product-0', 'environment-0'))).toBe('later');
  });

  test('what could not be read is asked for again when the table moves, and not before', async () => {
    const server = new Server();
    server.reader.see(part(0, 0));
    await server.waiting[0]!.answer(undefined);
    expect(server.waiting).toEqual([]);
    server.reader.see(part(0, 0));
    expect(await server.answerAll('1')).toBe(1);
  });

  test('ahead is where it moves to', () => {
    expect(aheadOf({ from: 0, to: 9 }, undefined, 100)).toEqual({ from: 0, to: 19 });
    expect(aheadOf({ from: 20, to: 29 }, { from: 25, to: 34 }, 100)).toEqual({ from: 10, to: 29 });
    expect(aheadOf({ from: 90, to: 99 }, { from: 85, to: 94 }, 100)).toEqual({ from: 90, to: 99 });
    expect(aheadOf({ from: 20, to: 29 }, { from: 20, to: 29 }, 100)).toEqual({ from: 20, to: 29 });
  });
});
