import { expect, test } from 'vitest';
import { GrowingReader } from '../../src/events/growing-reader.ts';

test('an entry that was read ahead is told only while it may still be seen', async () => {
  const saves = [1, 2, 3, 4].map((sequence) => ({ sequence, name: sequence % 2 === 0 ? 'mine' : 'theirs' }));
  let seen = ['mine', 'theirs'];
  const isSeen = ({ name }: { name: string }): boolean => seen.includes(name);
  const reader = new GrowingReader<(typeof saves)[number]>(
    {
      read: async (after) => ({
        entries: saves.filter((each) => each.sequence > after && isSeen(each)),
        cut: null,
      }),
      isSeen,
      listen: () => () => {},
      onEnd: () => {},
      onError: (error) => {
        throw error;
      },
    },
    0,
  );
  expect((await reader.next()).value).toMatchObject({ sequence: 1 });
  seen = ['mine'];
  expect((await reader.next()).value).toMatchObject({ sequence: 2 });
  expect((await reader.next()).value).toMatchObject({ sequence: 4 });
  reader.end();
});
