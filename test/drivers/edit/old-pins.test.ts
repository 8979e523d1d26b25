import { expect, test } from 'vitest';
import type { PinnedValue } from '../../../src/drivers/driver.ts';
import { applyValues } from '../../../src/drivers/edit/index.ts';

// Content that an earlier version of Sluice pinned: path and place of each value, and nothing of what chose it.

const PATH = '$.services[*].tag';
const pinned = (...tags: string[]) => [
  { path: PATH, locations: tags.map((value, index): PinnedValue => ({ location: ['services', index, 'tag'], value })) },
];
const target = (...names: string[]): string =>
  `services:\n${names.map((name) => `  - name: ${name}\n    tag: "1"\n`).join('')}`;
const write = (text: string, values: ReturnType<typeof pinned>): string =>
  applyValues('values.yaml', text, values, { onMissing: 'REFUSE' }).text;

test('one text for all entries is put into all, whichever is which', () => {
  expect(write(target('job', 'web'), pinned('2', '2'))).toBe(target('job', 'web').replaceAll('"1"', '"2"'));
});

test.each([
  { what: 'texts that differ', text: target('job', 'web'), values: pinned('2', '3') },
  { what: 'one entry more in the target', text: target('job', 'web', 'proxy'), values: pinned('2', '2') },
  { what: 'one entry fewer in the target', text: target('job'), values: pinned('2', '2') },
])('$what: refused, with what to do', ({ text, values }) => {
  expect(() => write(text, values)).toThrow(
    /services\[0\]\.tag was pinned by an earlier version .* release the version again/,
  );
});
