import { expect, test } from 'vitest';
import { Places } from '../../src/drivers/git/mutex.ts';

const forever = new AbortController().signal;

test('so many are let in at once, the others in the order of asking', async () => {
  const places = new Places(2);
  const order: number[] = [];
  const ends: (() => void)[] = [];
  const work = (index: number): Promise<void> =>
    places.run(forever, () => {
      order.push(index);
      return new Promise((resolve) => ends.push(resolve));
    });
  const all = [0, 1, 2, 3].map(work);
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([0, 1]);
  ends[1]!();
  await all[1];
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([0, 1, 2]);
  ends[0]!();
  await all[0];
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([0, 1, 2, 3]);
  for (const end of ends) end();
  await Promise.all(all);
});

test('a caller that is aborted leaves the line, and takes no place with it', async () => {
  const places = new Places(1);
  let end: () => void = () => undefined;
  const first = places.run(forever, () => new Promise<void>((resolve) => (end = resolve)));
  const aborted = new AbortController();
  const second = places.run(aborted.signal, () => Promise.reject(new Error('it was let in')));
  const third = places.run(forever, async () => 'third');
  aborted.abort(new Error('given up'));
  await expect(second).rejects.toThrow('given up');
  end();
  await first;
  expect(await third).toBe('third');
  // Its turn comes in the moment in which it is aborted.
  const fourth = places.run(forever, () => new Promise<void>((resolve) => (end = resolve)));
  const late = new AbortController();
  const fifth = places.run(late.signal, async () => 'fifth').catch((error: Error) => error.message);
  await new Promise((resolve) => setImmediate(resolve));
  end();
  late.abort(new Error('given up late'));
  await fourth;
  await fifth;
  expect(await places.run(forever, async () => 'sixth')).toBe('sixth');
});
