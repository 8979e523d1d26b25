import { expect, test } from 'vitest';
import { SharedReads } from '../../src/store/shared-reads.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Reads that end when they are told to, in the order in which they began; time stands still until `rest`. */
function reads(apart = 0) {
  const began: string[] = [];
  const open: { resolve: (value: number) => void; reject: (error: Error) => void; number: number }[] = [];
  const rests: { ms: number; over: () => void }[] = [];
  const sleep = (_: string, ms: number): Promise<void> => new Promise((over) => rests.push({ ms, over }));
  const shared = new SharedReads<number>(
    (key) =>
      new Promise((resolve, reject) => {
        began.push(key);
        open.push({ resolve, reject, number: began.length });
      }),
    { clock: { elapsed: () => 0, sleep }, apart },
  );
  const end = async (failing?: Error): Promise<void> => {
    const { resolve, reject, number } = open.shift()!;
    if (failing) reject(failing);
    else resolve(number);
    await settled();
  };
  const rest = (): Promise<void> => {
    rests.shift()!.over();
    return settled();
  };
  return { shared, began, end, rests, rest };
}

test('all who ask while a read is under way share one that begins after it', async () => {
  const { shared, began, end } = reads();
  const first = shared.read('a');
  const [second, third] = [shared.read('a'), shared.read('a')];
  expect(began).toEqual(['a']);
  await end();
  expect(await first).toBe(1);
  expect(began).toEqual(['a', 'a']);
  const fourth = shared.read('a');
  await end();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await end();
  expect(await fourth).toBe(3);
  // Nothing is kept for those who ask later.
  const fifth = shared.read('a');
  await end();
  expect(await fifth).toBe(4);
});

test('reads of different things wait for none of each other, and one that fails is the failure of those who shared it', async () => {
  const { shared, began, end } = reads();
  const first = shared.read('a');
  const next = shared.read('a');
  const other = shared.read('b');
  expect(began).toEqual(['a', 'b']);
  const failed = expect(first).rejects.toThrow('gone');
  await end(new Error('gone'));
  await failed;
  await end();
  expect(await other).toBe(2);
  await end();
  expect(await next).toBe(3);
});

test('a read that is shared begins some time after the one before it, and who asks meanwhile shares it, too', async () => {
  const { shared, began, end, rests, rest } = reads(20);
  const first = shared.read('a');
  const second = shared.read('a');
  await end();
  expect(await first).toBe(1);
  // The first one is over, and nobody begins one of their own beside it.
  const third = shared.read('a');
  expect([began, rests.map(({ ms }) => ms)]).toEqual([['a'], [20]]);
  await rest();
  expect(began).toEqual(['a', 'a']);
  await end();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  // Alone it waits for nothing.
  const fourth = shared.read('a');
  expect(began).toEqual(['a', 'a', 'a']);
  await end();
  expect(await fourth).toBe(3);
});
