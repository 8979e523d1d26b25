import { fork } from 'node:child_process';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, test } from 'vitest';
import { FOREIGN_LIMITS } from '../../src/foreign/limits.ts';
import type { ForeignLimits } from '../../src/foreign/limits.ts';
import { ReaderPool } from '../../src/foreign/pool.ts';

const HOSTILE = new URL('./hostile-reader.ts', import.meta.url);
const open: ReaderPool[] = [];
function poolOf(limits: Partial<ForeignLimits> = {}): ReaderPool {
  const pool = new ReaderPool({ ...FOREIGN_LIMITS, taskMs: 1_000, heapMiB: 100, ...limits }, HOSTILE);
  open.push(pool);
  return pool;
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
});

const ask = (caller = 'shop') => ({ caller, what: 'file "eu/values.yaml"' });
const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    (value) => expect.fail(`it answered ${String(value)}`),
    (error: Error) => error,
  );
/** Time in which nothing else could run, in milliseconds. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  await work();
  delays.disable();
  return delays.max / 1e6;
}

test('an order is answered', async () => {
  const value = { a: [1, 'two', null], '': { b: -0.5 } };
  expect(await poolOf().run('echo', value, ask())).toEqual(value);
});

describe('what is too much is refused, and the next order is answered', () => {
  test.each([
    ['work without end', 'loop', /^file "eu\/values.yaml" takes longer than 1 s to read/],
    ['a regular expression without end', 'regex', /takes longer than 1 s to read/],
    ['objects without end', 'grow', /takes more than 100 MiB of memory to read/],
    ['texts without end', 'grow strings', /takes more than 100 MiB of memory to read/],
    ['a text that cannot exist', 'one huge text', /it grows to more than fits into memory/],
    ['one list that does not fit', 'one huge list', /takes more than 100 MiB of memory to read/],
    ['recursion without end', 'recurse', /it is nested too deeply/],
    ['a refusal', 'refuse', /^file "eu\/values.yaml": reason$/],
  ])('%s', async (_name, task, message) => {
    const pool = poolOf({ taskMs: /time|longer/.test(message.source) ? 1_000 : 15_000 });
    let error: Error | undefined;
    const blocked = await longestBlock(async () => (error = await failureOf(pool.run(task, 'reason', ask()))));
    expect(error).toMatchObject({ name: 'PermanentError', message: expect.stringMatching(message) });
    expect(blocked).toBeLessThan(2_000);
    expect(await pool.run('echo', 'still there', ask())).toBe('still there');
  });

  test.each([
    ['a reader that ends', 'exit', /ended with code 3/],
    ['a fault of the program', 'fault', /could not be worked on: TypeError: a fault of the program/],
  ])('%s is no refusal: it may be tried again', async (_name, task, message) => {
    const pool = poolOf();
    const error = await failureOf(pool.run(task, '', ask()));
    expect(error.name).toBe('Error');
    expect(error.message).toMatch(message);
    expect(await pool.run('echo', 'still there', ask())).toBe('still there');
  });
});

test('twenty killed readers in a row are replaced, and no more live than are granted', async () => {
  const pool = poolOf({ readers: 2, taskMs: 50 });
  const killed = Array.from({ length: 20 }, (_, index) => failureOf(pool.run('loop', '', ask(`caller ${index % 3}`))));
  for (const error of await Promise.all(killed)) expect(error.message).toMatch(/takes longer/);
  expect(pool.size).toBeLessThanOrEqual(2);
  expect(await pool.run('echo', 1, ask())).toBe(1);
});

test('while the texts of one caller take all their time, another caller is answered', async () => {
  const pool = poolOf({ readers: 2, taskMs: 1_500 });
  await Promise.all([pool.run('echo', '', ask('bad')), pool.run('echo', '', ask('good'))]);
  const ended: string[] = [];
  const bad = [1, 2, 3].map(() => failureOf(pool.run('loop', '', ask('bad'))).then(() => ended.push('bad')));
  for (let index = 0; index < 50; index += 1) await pool.run('echo', index, ask('good'));
  ended.push('good');
  await Promise.all(bad);
  expect(ended).toEqual(['good', 'bad', 'bad', 'bad']);
});

test('callers take turns, however many orders one of them has', async () => {
  const pool = poolOf({ readers: 1 });
  const order: string[] = [];
  const noting = (caller: string) => pool.run('echo', '', ask(caller)).then(() => order.push(caller));
  await Promise.all(['a', 'a', 'a', 'a', 'b', 'c'].map(noting));
  expect(order).toEqual(['a', 'a', 'b', 'c', 'a', 'a']);
});

test('a line that is full says so, and is no reason to fail for good', async () => {
  const pool = poolOf({ readers: 1, waitingPerCaller: 2, waiting: 3 });
  const taken = [1, 2, 3].map(() => pool.run('echo', '', ask('a')));
  const more = await failureOf(pool.run('echo', '', ask('a')));
  expect(more).toMatchObject({ name: 'TransientError', message: expect.stringMatching(/others wait to be read/) });
  const other = [pool.run('echo', '', ask('b'))];
  expect(await failureOf(pool.run('echo', '', ask('c')))).toMatchObject({ name: 'TransientError' });
  await Promise.all([...taken, ...other]);
  expect(await pool.run('echo', 'room again', ask('a'))).toBe('room again');
});

test('whoever gives up frees the reader, or the place in the line', async () => {
  const pool = poolOf({ readers: 1, taskMs: 60_000 });
  const [running, waiting] = [new AbortController(), new AbortController()];
  const first = failureOf(pool.run('loop', '', { ...ask(), signal: running.signal }));
  const second = failureOf(pool.run('loop', '', { ...ask(), signal: waiting.signal }));
  const third = pool.run('echo', 'my turn', ask());
  waiting.abort(new Error('no patience'));
  running.abort(new Error('the process stops'));
  expect((await first).message).toBe('the process stops');
  expect((await second).message).toBe('no patience');
  expect(await third).toBe('my turn');
  const over = await failureOf(pool.run('echo', '', { ...ask(), signal: running.signal }));
  expect(over.message).toBe('the process stops');
});

test('readers are made when there is work, and end without any', async () => {
  const pool = poolOf({ idleMs: 20 });
  expect(pool.size).toBe(0);
  await pool.run('echo', '', ask());
  expect(pool.size).toBe(1);
  await expect.poll(() => pool.size).toBe(0);
  await pool.run('echo', '', ask());
  await pool.close();
  expect(pool.size).toBe(0);
  expect(await pool.run('echo', 'after a close', ask())).toBe('after a close');
});

test('a reader that cannot start is told, and nobody waits for ever', async () => {
  const pool = new ReaderPool({ ...FOREIGN_LIMITS }, new URL('./no-such-reader.ts', import.meta.url));
  await expect(pool.run('echo', '', ask())).rejects.toThrow(/ended with code 1/);
});

test.each(['idle', 'busy'])('a reader that is %s ends when its process was killed', async (state) => {
  const entry = new URL('./holder.ts', import.meta.url);
  const holder = fork(entry, ['2000', state], { execArgv: process.execArgv, env: {} });
  const reader = await new Promise<number>((resolve) => holder.once('message', (pid) => resolve(pid as number)));
  const lives = (): boolean => {
    try {
      return process.kill(reader, 0);
    } catch {
      return false;
    }
  };
  expect(lives()).toBe(true);
  // The order without end has to have reached the reader.
  if (state === 'busy') await new Promise((resolve) => setTimeout(resolve, 500));
  holder.kill('SIGKILL');
  await expect.poll(lives).toBe(false);
});

test('a process that closes its readers last ends with exit code 0', async () => {
  const holder = fork(new URL('./holder.ts', import.meta.url), ['2000', 'closing'], {
    execArgv: process.execArgv,
    env: {},
  });
  expect(await new Promise((resolve) => holder.once('exit', resolve))).toBe(0);
});
