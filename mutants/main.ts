import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { MutantResult } from '@stryker-mutator/api/core';
import { Stryker } from '@stryker-mutator/core';
import { program, wholeFrom } from '../scripts/program.ts';
import { LEFT_OUT, allMutations, draw, mutationOf } from './draw.ts';
import type { Mutation } from './draw.ts';
import { reasonWhyEqual, staleReasons } from './equal.ts';

// `npm run mutants`: draws small mutations of `src/core`, runs the core's own tests against
// each, and lists what no test noticed. Mutations that change nothing are in equal.ts, each with the reason. The exit code is 0 when
// at least 95 % of all others were noticed.

const { sample, seed, only } = program(
  'mutants',
  'Plants small faults in the core, one at a time, and lists those that its tests do not notice.',
)
  .option('--sample <number>', 'how many are drawn', wholeFrom(1), 50)
  .option('--seed <number>', 'which are drawn', wholeFrom(0), 1)
  .option('--only <text>', 'from those whose place contains it, such as src/core/windows', '')
  .parse()
  .opts<{ sample: number; seed: number; only: string }>();
const NEEDED = 0.95;

const root = process.cwd();
const all = await allMutations(root, 'src/core');
const drawn = draw(
  all.filter((each) => each.id.includes(only)),
  sample,
  seed,
);
if (drawn.length === 0) throw new Error(`no mutation of src/core contains "${only}"`);
const stale = staleReasons((file) => readFileSync(join(root, file), 'utf8'));
if (stale.length > 0) console.log(`in equal.ts, and no longer in the code:\n${stale.join('\n')}`);
console.log(`${drawn.length} of ${all.length} mutations of src/core, seed ${seed}`);

const results = await judge(drawn);
const counts = { noticed: 0, equal: 0, alive: 0, unusable: 0 };
const alive: string[] = [];
for (const mutation of drawn) {
  const status = results.get(mutation.id);
  const [above, code] = linesOf(mutation);
  const why = reasonWhyEqual(mutation.file, [above, code], mutation.replacement);
  if (status === 'Killed' || status === 'Timeout') {
    counts.noticed += 1;
    if (why !== undefined) console.log(`said to be equal in equal.ts, and noticed by a test: ${mutation.id}`);
  } else if (status === 'CompileError' || status === 'RuntimeError') counts.unusable += 1;
  else if (why !== undefined) counts.equal += 1;
  else {
    counts.alive += 1;
    alive.push(
      `${mutation.file}:${mutation.start.line}  ${status ?? 'not run'}\n    ${code}\n    -> ${mutation.replacement}`,
    );
  }
}
const judged = counts.noticed + counts.alive;
if (alive.length > 0) console.log(`\nalive:\n${alive.join('\n')}\n`);
const part = judged === 0 ? 0 : counts.noticed / judged;
console.log(
  `${counts.noticed} noticed, ${counts.alive} alive, ${counts.equal} change nothing, ${counts.unusable} unusable: ${(100 * part).toFixed(1)} % noticed of those that change something, ${100 * NEEDED} % needed`,
);
process.exitCode = part >= NEEDED ? 0 : 1;

async function judge(mutations: Mutation[]): Promise<Map<string, MutantResult['status']>> {
  const tempDirName = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
  try {
    const found = await new Stryker({
      testRunner: 'vitest',
      plugins: ['@stryker-mutator/vitest-runner'],
      mutate: mutations.map(
        ({ file, start, end }) => `${file}:${start.line}:${start.column}-${end.line}:${end.column}`,
      ),
      mutator: { excludedMutations: LEFT_OUT },
      coverageAnalysis: 'perTest',
      reporters: ['dots'],
      ignorePatterns: ['dist', 'web', 'docs', 'bench'],
      // Its reader of tsconfig.json needs an API that TypeScript 7 does not have; the tests need no tsconfig.json.
      tsconfigFile: 'none.json',
      tempDirName,
      concurrency: 2,
      // A test runs longer beside others: only what never ends is a time-out.
      timeoutMS: 60_000,
      timeoutFactor: 4,
      dryRunTimeoutMinutes: 20,
      logLevel: 'error' as never,
      ...({ vitest: { configFile: 'mutants/vitest.config.ts' } } as object),
    }).runMutationTest();
    return new Map(
      found.map((each) => [
        mutationOf({ ...each, fileName: relative(root, each.fileName) }, { line: 1, column: 1 }).id,
        each.status,
      ]),
    );
  } finally {
    rmSync(tempDirName, { recursive: true, force: true });
  }
}

/** The line above, and the mutated lines as they stand. */
function linesOf({ file, start, end }: Mutation): [above: string, code: string] {
  const lines = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => line.trim());
  return [lines[start.line - 2] ?? '', lines.slice(start.line - 1, end.line).join(' ')];
}
