import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

// docs/compatibility.md has each row of what is published, once, and names no test that is not there.
const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/compatibility.md'), 'utf8');
const ROW = /^\| ([A-Z]+)-(\d\d) \| ([^|]+) \| ([^|]+) \| ([^|]*)\|$/gm;
const rows = [...PAGE.matchAll(ROW)].map(([, area, number, there, here, tests]) => ({
  id: `${area}-${number}`,
  there: there!,
  here: here!,
  tests: tests!,
}));

/** What tests and groups of tests of a file are called: the rest of it would prove nothing. */
function titlesIn(path: string): string[] {
  const text = readFileSync(path, 'utf8').replaceAll("\\'", '’');
  const called = /\b(?:test|describe|once|byTurns|property)(?:\.\w+)*\(\s*(['"`])(.+?)\1|\)\(\s*(['"`])(.+?)\3/gs;
  const titles = [...text.matchAll(called)].map(([, , one, , other]) => (one ?? other)!.replaceAll('’', "'"));
  return titles;
}

test('every row is there, by the counts at the head of the page', () => {
  const counts = /<!-- rows: (.+) -->/
    .exec(PAGE)![1]!
    .split(', ')
    .map((each) => each.split(' ') as [string, string]);
  const expected = counts.flatMap(([area, count]) =>
    Array.from({ length: Number(count) }, (_, index) => `${area}-${String(index + 1).padStart(2, '0')}`),
  );
  expect(rows.map(({ id }) => id)).toEqual(expected);
  expect(rows).toHaveLength(203);
});

test('a row says same, otherwise or no first; the same is shown by a test', () => {
  expect(rows.filter(({ here }) => !/^\*\*(same|otherwise|no)\*\*/.test(here)).map(({ id }) => id)).toEqual([]);
  expect(rows.filter(({ here, tests }) => here.startsWith('**same**') && tests === '').map(({ id }) => id)).toEqual([]);
  // A row that says nothing more than `otherwise` or `no` says nothing.
  expect(rows.filter(({ here }) => /^\*\*(otherwise|no)\*\*\.?$/.test(here)).map(({ id }) => id)).toEqual([]);
  // What is not done, or is done in another way, has a reason or a test.
  expect(rows.filter(({ here, tests }) => tests === '' && !/^\*\*no\*\*[:;] /.test(here)).map(({ id }) => id)).toEqual(
    [],
  );
});

test('every test that the page names is in its file', () => {
  const named = [...PAGE.matchAll(/`([\w/.-]+)` "([^"]+)"/g)].map(([, file, title]) => ({
    file: `test/${file}.test.ts`,
    title: title!,
  }));
  expect(named.length).toBeGreaterThan(180);
  const missing = named.filter(({ file, title }) => {
    const path = join(ROOT, file);
    return !existsSync(path) || !titlesIn(path).some((each) => each.includes(title));
  });
  expect(missing.map(({ file, title }) => `${file}: ${title}`)).toEqual([]);
  // What stands in the column and is no test would not be looked at.
  expect(
    rows.filter(({ tests }) => tests !== '' && !/^(`[\w/.-]+` "[^"]+"(, | $))+$/.test(tests)).map(({ id }) => id),
  ).toEqual([]);
});
