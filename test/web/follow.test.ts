import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { follow } from '../../web/elements/src/follow.ts';
import { RefusedError } from '../../web/elements/src/refused.ts';

const PAGE = { hidden: false, addEventListener: () => {}, removeEventListener: () => {} };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Follows for `ms` milliseconds with what each try for the stream does. @returns how often it tried, and what it said of the connection */
async function followed(ms: number, changes: (connected: () => void) => Promise<void>) {
  const [tries, said]: [number[], string[]] = [[], []];
  const stop = follow({
    page: PAGE,
    open: async () => {},
    changes: (_signal, connected) => {
      tries.push(Date.now());
      return changes(connected);
    },
    onConnection: (connection) => said.push(connection),
  });
  await vi.advanceTimersByTimeAsync(ms);
  stop();
  return { tries: tries.length, said: new Set(said) };
}

const away = (): Promise<void> => Promise.reject(new TypeError('Failed to fetch'));

test('a server that is away is asked less and less often, and nothing is called live', async () => {
  const { tries, said } = await followed(60_000, away);
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(25);
  expect([...said]).toEqual(['connecting', 'lost']);
});

test('so is one whose streams end as soon as they are there', async () => {
  const { tries } = await followed(60_000, async (connected) => connected());
  expect(tries).toBeLessThan(25);
});

test('a stream that was there for a while is made again at once', async () => {
  const { tries, said } = await followed(60_000, async (connected) => {
    connected();
    await new Promise((resolve) => setTimeout(resolve, 9_000));
  });
  expect(tries).toBeGreaterThanOrEqual(6);
  expect([...said]).toEqual(['connecting', 'live', 'lost']);
});

test('a refusal for good is told and not asked again', async () => {
  const { tries, said } = await followed(60_000, () => Promise.reject(new RefusedError('no', 'FORBIDDEN')));
  expect([tries, [...said]]).toEqual([1, ['connecting', 'refused']]);
});
