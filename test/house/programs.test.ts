import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('a program has its constants before it begins: what it calls is hoisted, and they are not', () => {
  const programs = readdirSync(ROOT, { withFileTypes: true })
    .filter((each) => each.isDirectory() && each.name !== 'node_modules' && each.name !== 'dist')
    .map(({ name }) => `${name}/main.ts`)
    .filter((path) => existsSync(join(ROOT, path)));
  expect(programs.length).toBeGreaterThan(4);
  const late = programs.flatMap((path) => {
    const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
    const begins = lines.findIndex((line) => /^(?:try \{|await |for await |(?:const|let) .*= await )/.test(line));
    if (begins < 0) return [];
    return lines
      .slice(begins)
      .filter((line) => /^(?:export )?(?:const|let|class) [A-Z]\w* /.test(line))
      .map((line) => `${path}: ${line}`);
  });
  expect(late).toEqual([]);
});

test('a program reads its command line by scripts/program.ts, so that each has --help and a wrong option is a sentence', () => {
  const programs = readdirSync(ROOT, { withFileTypes: true })
    .filter((each) => each.isDirectory() && !['node_modules', 'dist', 'src'].includes(each.name))
    .flatMap(({ name }) =>
      readdirSync(join(ROOT, name))
        .filter((file) => file.endsWith('.ts'))
        .map((file) => `${name}/${file}`),
    )
    .filter((path) => /\bparseArgs\b|process\.argv\b/.test(readFileSync(join(ROOT, path), 'utf8')));
  expect(programs).toEqual([]);
});
