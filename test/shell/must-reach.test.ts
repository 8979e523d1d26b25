import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Reached } from '../core/support/reached.ts';
import { askingPlaces, drifted, missingSeams, sourcesFor } from './support/must-reach.ts';
import { EXCUSED } from './support/places.ts';

test('a job that asks PostgreSQL must be reached, wherever its file has moved to', () => {
  expect(askingPlaces()).toContain('jobs/effects ');
  const reached = new Reached();
  expect(missingSeams(reached)).toContain('jobs/effects ');
  reached.count('site jobs/effects run');
  expect(missingSeams(reached)).not.toContain('jobs/effects ');
});

test('what asks PostgreSQL is reached by a world, or excused: what is new stands in support/places.ts before a long run misses it', () => {
  expect(drifted()).toEqual({ unknown: [], gone: [], twice: [] });
});

test('what is excused from the worlds is shown elsewhere', () => {
  const root = join(sourcesFor(import.meta.dirname), '..');
  const shown = EXCUSED.flatMap(({ shownBy }) => shownBy);
  expect(shown.filter((each) => !existsSync(join(root, each)))).toEqual([]);
  expect(EXCUSED.filter(({ shownBy, places }) => shownBy.length === 0 || places.length === 0)).toEqual([]);
});

test('what only a build still has need not be reached: its sources say what there is', () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-built-'));
  const built = join(root, 'dist/test/shell/support');
  mkdirSync(built, { recursive: true });
  writeFileSync(join(root, 'package.json'), '{}');
  expect(sourcesFor(built)).toBe(join(root, 'src'));
  rmSync(root, { recursive: true });
});
