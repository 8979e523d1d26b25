import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Whether node was started with this file. */
export const isMain = ({ url }) => process.argv[1] === fileURLToPath(url);

/** Bugs of a list that name code which stands nowhere any more, in words. */
export function outdated({ mutants, under = 'src/core' }) {
  return Object.entries(mutants)
    .filter(([, [file, right]]) => !readFileSync(join(root, under, file), 'utf8').includes(right))
    .map(([name, [file, right]]) => `${name}: "${right}" is not in ${under}/${file}`);
}

/**
 * Plants one bug at a time in a copy and runs tests against each. `mutants`: name → [file below `under`, what stands there,
 * what the bug makes of it, tests that must find it: the `usual` ones where there are none]. Names on the command line choose
 * some. Prints a Markdown table; a bug that nothing finds is a failure.
 */
export function plant({ mutants, usual, under = 'src/core', needs = ['src/core', 'test/core'] }) {
  const copy = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
  for (const each of needs) cpSync(join(root, each), join(copy, each), { recursive: true });
  writeFileSync(
    join(copy, 'vitest.config.mjs'),
    "export default { test: { include: ['test/**/*.test.ts'], pool: 'forks' } };",
  );
  for (const each of ['package.json', 'tsconfig.json']) cpSync(join(root, each), join(copy, each));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((each) => !Object.keys(mutants).some((name) => name.includes(each)));
  if (unknown.length > 0) throw new Error(`no bug is named ${unknown.join(' or ')}`);
  console.log('| bug | found | after runs | what was said |\n| --- | --- | --- | --- |');
  let survivors = 0;
  for (const [name, [file, right, wrong, tests = usual]] of Object.entries(mutants)) {
    if (wanted.length > 0 && !wanted.some((each) => name.includes(each))) continue;
    const path = join(copy, under, file);
    const source = readFileSync(path, 'utf8');
    if (!source.includes(right)) {
      console.log(`| ${name} | the code has moved on: "${right}" is not in ${file} | | |`);
      survivors += 1;
      continue;
    }
    writeFileSync(
      path,
      source.replace(right, () => wrong),
    );
    const { stdout, stderr, status } = spawnSync('npx', ['vitest', 'run', '--no-color', tests], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, SLUICE_SIM_SHRINK: '0', NO_COLOR: '1' },
    });
    writeFileSync(path, source);
    const output = stdout + stderr;
    const after = /failed after (\d+) tests/.exec(output)?.[1];
    const said = /Caused by: \w*Error: (.*)/.exec(output)?.[1] ?? /AssertionError: (.*)/.exec(output)?.[1] ?? '';
    if (!/\d+ (passed|failed)/.test(output)) throw new Error(output);
    const found = status !== 0;
    if (!found) survivors += 1;
    console.log(
      `| ${name} | ${found ? 'yes' : '**no**'} | ${after ?? ''} | ${said.slice(0, 90).replaceAll('|', '/')} |`,
    );
  }
  rmSync(copy, { recursive: true });
  process.exitCode = survivors > 0 ? 1 : 0;
}
