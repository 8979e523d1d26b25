import { afterAll, beforeAll, expect, test } from 'vitest';
import { once } from '../../src/commands/idempotency.ts';
import { refusal, RefusedError } from '../../src/core/problems.ts';
import { forgetOldKeys } from '../../src/store/unfinished.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine({ name: 'postgres', queuePrefix: 'once' });
});
afterAll(() => engine.close());

const keyed = (key: string | undefined, input: unknown = 'input') => ({ by: 'ada', operation: 'test', key, input });

test.each([['an id', '7f1b'], ['a text that looks like a number', '2'], [2], [null], [{ a: [1, 'x', null] }], [false]])(
  'the first result is the answer for good: %j',
  async (...row: unknown[]) => {
    const result = row.at(-1);
    const key = `json ${JSON.stringify(row)}`;
    const made: unknown[] = [];
    for (let time = 0; time < 2; time += 1) {
      const answer = await once(engine.app, keyed(key), {
        inside: () => Promise.resolve(result),
      });
      made.push(answer);
    }
    expect(made).toEqual([result, result]);
    const again = once(engine.app, keyed(key, 'another'), { inside: () => Promise.resolve(result) });
    await expect(again).rejects.toThrow('was used with another input');
  },
);

test('what an earlier version kept under a key is read', async () => {
  await engine.app.pool.query(
    `INSERT INTO idempotency_key (caller, operation, key, input, result)
     SELECT caller, operation, k, input, r FROM idempotency_key, (VALUES ('old id', 'c0de-1'), ('old report', '{"releaseId":"r"}')) AS v(k, r)
     WHERE key = 'json [2]'`,
  );
  const ask = (key: string): Promise<unknown> =>
    once(engine.app, keyed(key), { inside: () => Promise.reject(new Error('made again')) });
  expect([await ask('old id'), await ask('old report')]).toEqual(['c0de-1', { releaseId: 'r' }]);
});

test('a key is kept for two days', async () => {
  const hours = { young: 47, old: 49 };
  for (const [key, age] of Object.entries(hours)) {
    await once(engine.app, keyed(key), { inside: () => Promise.resolve(key) });
    await engine.app.pool.query(
      'UPDATE idempotency_key SET created_at = now() - make_interval(hours => $2) WHERE key = $1',
      [key, age],
    );
  }
  await forgetOldKeys(engine.app.pool);
  const ask = (key: string) => once(engine.app, keyed(key), { inside: () => Promise.resolve('made again') });
  expect([await ask('young'), await ask('old')]).toEqual(['young', 'made again']);
});

test('slow work is done once its key has no result, and never again', async () => {
  let done = 0;
  const ask = (): Promise<string> =>
    once(engine.app, keyed('slow'), {
      before: () => Promise.resolve((done += 1)),
      inside: (_, number) => Promise.resolve(`made from ${number}`),
    });
  expect([await ask(), await ask(), done]).toEqual(['made from 1', 'made from 1', 1]);
});

test('of two at once the second one finds what the first made, also where it is refused because of that', async () => {
  let made = false;
  let firstIsThere: () => void = () => undefined;
  const there = new Promise<void>((resolve) => (firstIsThere = resolve));
  const first = once(engine.app, keyed('twins'), {
    before: async () => {
      made = true;
      return 'the first';
    },
  });
  const second = once(engine.app, keyed('twins'), {
    before: async () => {
      await there;
      throw new RefusedError([refusal('WRONG_STATE', made ? 'it is there already' : 'nobody made it', [])]);
    },
  });
  expect(await first).toBe('the first');
  firstIsThere();
  expect(await second).toBe('the first');
});

test('without a key it is done each time, and a refusal is one', async () => {
  const ask = (key?: string): Promise<string> =>
    once(engine.app, keyed(key), {
      before: () => Promise.reject(new RefusedError([refusal('NOT_FOUND', 'there is no product "x"', [])])),
    });
  await expect(ask()).rejects.toThrow(RefusedError);
  await expect(ask('refused')).rejects.toThrow(RefusedError);
  const { rowCount } = await engine.app.pool.query(`SELECT FROM idempotency_key WHERE key = 'refused'`);
  expect(rowCount).toBe(0);
});
