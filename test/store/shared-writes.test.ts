import { expect, test } from 'vitest';
import { SharedWrites } from '../../src/store/shared-writes.ts';

interface Item {
  key: string;
  text: string;
}

const item = (text: string, key = text): Item => ({ key, text });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes that end when they are told to, in the order in which they began. */
function writes(isOwnFault = false, apart = 0) {
  const began: string[] = [];
  const open: ((failing?: Error) => void)[] = [];
  const rests: { ms: number; over: () => void }[] = [];
  const sleep = (_: string, ms: number): Promise<void> => new Promise((over) => rests.push({ ms, over }));
  const shared = new SharedWrites<Item, string>({
    write: (items) =>
      new Promise((resolve, reject) => {
        began.push(items.map(({ text }) => text).join());
        open.push((failing) => (failing ? reject(failing) : resolve(items.map(({ text }) => `${text} is kept`))));
      }),
    keyOf: ({ key }) => key,
    isOwnFault: () => isOwnFault,
    pace: { clock: { elapsed: () => 0, sleep }, apart },
  });
  const end = (failing?: Error): Promise<void> => {
    open.shift()!(failing);
    return settled();
  };
  const rest = (): Promise<void> => {
    rests.shift()!.over();
    return settled();
  };
  return { shared, began, end, rests, rest };
}

test('what comes while two statements are under way goes together into the next, and nobody hears of it before that is over', async () => {
  const { shared, began, end } = writes();
  const heard: string[] = [];
  for (const text of ['a', 'b', 'c', 'd', 'e']) void shared.write(item(text)).then((each) => heard.push(each));
  await settled();
  expect(began).toEqual(['a', 'b']);
  await end();
  expect(began).toEqual(['a', 'b', 'c,d,e']);
  expect(heard).toEqual(['a is kept']);
  await end();
  await end();
  expect(heard).toEqual(['a is kept', 'b is kept', 'c is kept', 'd is kept', 'e is kept']);
});

test('two of the same key are in two statements, in their order', async () => {
  const { shared, began, end } = writes();
  const all = [shared.write(item('a')), shared.write(item('b'))];
  all.push(shared.write(item('first', 'k')), shared.write(item('second', 'k')), shared.write(item('c')));
  await end();
  await end();
  expect(began.slice(2)).toEqual(['first,c', 'second']);
  await end();
  await end();
  expect(await Promise.all(all)).toEqual(['a', 'b', 'first', 'second', 'c'].map((each) => `${each} is kept`));
});

test('a statement has a bounded number of them', async () => {
  const { shared, began, end } = writes();
  const all = Array.from({ length: 702 }, (_, index) => shared.write(item(String(index))));
  for (let lane = 0; lane < 6; lane += 1) await end();
  expect(began.map((each) => each.split(',').length)).toEqual([1, 1, 200, 200, 200, 100]);
  expect(await Promise.all(all)).toHaveLength(702);
});

test('one that cannot be kept fails alone; when the database is at fault, all of the statement fail', async () => {
  const { shared, began, end } = writes(true);
  const all = Promise.allSettled(['a', 'b', 'good', 'bad'].map((each) => shared.write(item(each))));
  await end();
  await end(new Error('b is too long'));
  await end(new Error('one of them is too long'));
  await end();
  await end(new Error('bad is too long'));
  expect(began).toEqual(['a', 'b', 'good,bad', 'good', 'bad']);
  expect(await all).toEqual([
    { status: 'fulfilled', value: 'a is kept' },
    { status: 'rejected', reason: new Error('b is too long') },
    { status: 'fulfilled', value: 'good is kept' },
    { status: 'rejected', reason: new Error('bad is too long') },
  ]);

  const gone = writes();
  const both = Promise.allSettled(['a', 'b', 'c', 'd'].map((each) => gone.shared.write(item(each))));
  await gone.end();
  await gone.end();
  await gone.end(new Error('the connection ended'));
  expect((await both).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'rejected']);
  expect(gone.began).toHaveLength(3);
});

test('a lane that has written several begins its next statement some time after that one', async () => {
  const { shared, began, end, rests, rest } = writes(false, 20);
  const all = ['a', 'b', 'c', 'd'].map((each) => shared.write(item(each)));
  await end();
  await end();
  expect([began, rests]).toEqual([['a', 'b', 'c,d'], []]);
  await end();
  expect(await Promise.all(all)).toHaveLength(4);
  expect(rests.map(({ ms }) => ms)).toEqual([20]);
  // The other lane is free.
  void shared.write(item('e'));
  const last = shared.write(item('f'));
  expect(began).toEqual(['a', 'b', 'c,d', 'e']);
  await rest();
  expect(began).toEqual(['a', 'b', 'c,d', 'e', 'f']);
  await end();
  await end();
  expect(await last).toBe('f is kept');
});
