import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SECONDS } from '../support/sequencer.ts';

test('the files that the order of the tests names are there', () => {
  const names = Object.keys(SECONDS);
  expect(names.filter((name) => !existsSync(join(import.meta.dirname, '..', name)))).toEqual([]);
  expect(names.length).toBeGreaterThan(0);
});
