import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { FrozenReleases } from '../../src/store/frozen-releases.ts';

// What is read goes through a cache of its own size: what the cache does with it is nothing that a step should see.

/** A database whose answers come when they are let go. */
function slowDatabase(): { pool: Pool; letGo: () => void } {
  const waiting: (() => void)[] = [];
  const rows = [{ files: { 'a.yaml': { kind: 'whole', text: 'x'.repeat(10_000) } } }];
  const query = () => new Promise((resolve) => waiting.push(() => resolve({ rows })));
  return { pool: { query } as unknown as Pool, letGo: () => waiting.splice(0).forEach((each) => each()) };
}

const asked = (frozen: FrozenReleases, digest: string) =>
  frozen.content({ release: 'r', content: 'c', version: { label: '1', digest } });

test('more files at once than are remembered are all read', async () => {
  const { pool, letGo } = slowDatabase();
  const frozen = new FrozenReleases(pool, { ...LIMITS, contentRemembered: 25_000 });
  const digests = ['a', 'b', 'c', 'd', 'e', 'f'];
  const read = Promise.all(digests.map((digest) => asked(frozen, digest)));
  letGo();
  expect((await read).map(({ digest, files }) => [digest, Object.keys(files)])).toEqual(
    digests.map((digest) => [digest, ['a.yaml']]),
  );
});

test('files that are read while everything is forgotten are answered, and not remembered', async () => {
  const { pool, letGo } = slowDatabase();
  const frozen = new FrozenReleases(pool, LIMITS);
  const read = asked(frozen, 'a');
  frozen.forget();
  letGo();
  expect((await read).files).toHaveProperty(['a.yaml']);
  const again = asked(frozen, 'a');
  await expect(Promise.race([again, Promise.resolve('is read again')])).resolves.toBe('is read again');
  letGo();
  await again;
});
