import { expect, test } from 'vitest';
import { Mutex } from '../src/drivers/git/mutex.ts';
import { FOREIGN_LIMITS } from '../src/foreign/limits.ts';
import { ReaderPool } from '../src/foreign/pool.ts';

/** Names of the warnings that Node gives meanwhile. */
async function warningsOf(work: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const onWarning = ({ name }: Error): void => void names.push(name);
  process.on('warning', onWarning);
  try {
    await work();
    await new Promise((resolve) => setImmediate(resolve));
    return names;
  } finally {
    process.removeListener('warning', onWarning);
  }
}

const pool = new ReaderPool(FOREIGN_LIMITS, new URL('./foreign/hostile-reader.ts', import.meta.url));
const mutex = new Mutex();

test.each<[string, (signal: AbortSignal) => Promise<unknown>]>([
  ['texts are read', (signal) => pool.run('echo', 1, { caller: 'shop', what: 'a file', signal })],
  ['fetches of one repository wait for each other', (signal) => mutex.run(signal, async () => 1)],
])('one signal stands for a whole step: twenty %s side by side, and nobody is warned', async (_, work) => {
  const { signal } = new AbortController();
  let answers: unknown[] = [];
  const all = async (): Promise<void> => {
    answers = await Promise.all(Array.from({ length: 20 }, () => work(signal)));
  };
  expect(await warningsOf(all)).toEqual([]);
  expect(answers).toEqual(Array.from({ length: 20 }, () => 1));
  await pool.close();
});
