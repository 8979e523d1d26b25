import { expect, test } from 'vitest';
import { changesOf } from '../../web/app/src/admin/changes.ts';

test('what a command changed is told by path, with what was there and what is', () => {
  const before = { spec: { steps: [{ environment: 'eu' }, { environment: 'asia' }], limit: 3 } };
  const after = { spec: { steps: [{ environment: 'us' }], limit: 3, note: 'new' } };
  expect(changesOf(before, after)).toEqual([
    { path: 'spec.steps.0.environment', from: 'eu', to: 'us' },
    { path: 'spec.steps.1.environment', from: 'asia', to: undefined },
    { path: 'spec.note', from: undefined, to: 'new' },
  ]);
  expect(changesOf(null, null)).toEqual([]);
  expect(changesOf(undefined, { a: 0, b: false })).toEqual([
    { path: 'a', from: undefined, to: '0' },
    { path: 'b', from: undefined, to: 'false' },
  ]);
});
