import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

// A file that imports itself, over however many others, can be read in no order. Imports of types count.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const oxlint = join(dirname(createRequire(import.meta.url).resolve('oxlint/package.json')), 'bin', 'oxlint');
const scratch = mkdtempSync(join(tmpdir(), 'sluice-circles-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** The rule of `npm run lint`, as it is set there, and no other one. @returns a line for each file that is part of a circle */
function circlesIn(folder: string): string[] {
  const { rules } = JSON.parse(readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8')) as {
    rules: Record<string, unknown>;
  };
  const config = join(scratch, 'circles.json');
  const only = { 'import/no-cycle': rules['import/no-cycle'] };
  writeFileSync(config, JSON.stringify({ plugins: ['import'], categories: { correctness: 'off' }, rules: only }));
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, '-c', config, '--format', 'json', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  });
  if (stdout === '') throw new Error(stderr);
  const said = JSON.parse(stdout) as { diagnostics: { filename: string; message: string }[]; number_of_files: number };
  if (said.number_of_files === 0) throw new Error(`no file was read in ${folder}`);
  return said.diagnostics.map(({ filename, message }) => `${filename}: ${message}`);
}

test('no file of src imports itself, over others or through types', () => {
  expect(circlesIn('src')).toEqual([]);
}, 60_000);

test('a circle of types alone is seen', () => {
  writeFileSync(
    join(scratch, 'move.ts'),
    "import type { Decision } from './advance.ts';\nexport type Move = Decision;\n",
  );
  writeFileSync(
    join(scratch, 'advance.ts'),
    "import { step } from './step.ts';\nexport type Decision = typeof step;\n",
  );
  writeFileSync(
    join(scratch, 'step.ts'),
    "import type { Move } from './move.ts';\nexport const step = null as Move | null;\n",
  );
  expect(circlesIn(scratch)).toHaveLength(3);
}, 60_000);
