import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { PATIENCE } from '../support/patience.ts';

// Four files at once on two cores: what takes a tenth of a second takes ten, now and then. A test waits for what is to come as long as all
// others do, and says nothing about how quick it was.

const TESTS = fileURLToPath(new URL('..', import.meta.url));
const files = readdirSync(TESTS, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
const numberOf = (text: string | undefined): number => Number(text?.replaceAll('_', ''));

/** Each place with what is wrong there; the first group of `found` is a number, where there is one. */
function placesOf(found: RegExp, isWrong: (number: number) => boolean = () => true): string[] {
  return files.flatMap((path) => {
    const text = readFileSync(join(TESTS, path), 'utf8');
    return [...text.matchAll(found)]
      .filter(([, number]) => isWrong(numberOf(number)))
      .map(({ 0: what, index }) => `${path}:${text.slice(0, index).split('\n').length} ${what}`);
  });
}

test('what is waited for has the same time everywhere', () => {
  const waiters = placesOf(/\bvi\.wait(?:For|Until)\(/g);
  expect(waiters.filter((each) => !each.startsWith('support/eventually.ts:'))).toEqual([]);
  expect(placesOf(/\bpoll\([^;]*?\{ timeout: ([\d_]+)\b/g, (each) => each < PATIENCE)).toEqual([]);
  expect(placesOf(/\{ timeout: ([\d_]+), interval: [\d_]+ \}/g, (each) => each < PATIENCE)).toEqual([]);
});

test('no test has less time than the others have', () => {
  expect(placesOf(/^ *\}, ([\d_]+)\);$/gm, (each) => each >= 1_000 && each < 60_000)).toEqual([]);
});

test('no test says that something takes less than ten seconds', () => {
  const elapsed = /expect\((?:Date|performance)\.now\(\) - \w+\)\.toBeLessThan\(([\d_]+)/g;
  expect(placesOf(elapsed, (each) => each < 10_000)).toEqual([]);
});
