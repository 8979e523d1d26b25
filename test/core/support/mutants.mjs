// Breaks the state machine on purpose, one bug at a time, in a copy, and runs the simulation against each:
//   node test/core/support/mutants.mjs [name …]
// A bug that no property finds means that an invariant is missing. Prints a Markdown table.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** name: [file, what stands there, what the bug makes of it] */
const MUTANTS = {
  'no dependency check': ['gates.ts', 'if (satisfied >= required)', 'if (satisfied >= 0)'],
  'one dependency is enough': ['gates.ts', 'if (satisfied >= required)', 'if (satisfied >= Math.min(1, required))'],
  'a late outcome counts': ['advance.ts', 'if (late && !(', 'if (false && !('],
  'an old attempt counts': ['advance.ts', '|| seen.attempt !== report.attempt ', ''],
  'a success counts twice': ['advance.ts', "(before.status === 'RUNNING' || before.status === 'WAITING')", 'true'],
  'no new dispatch for a lost one': [
    'advance.ts',
    'for (const index of lost) move.step(position, index).dispatch = dispatch;',
    '',
  ],
  'the join is not asked': [
    'advance.ts',
    'if (open > 0 || again || !move.reportedBy.has(position)) {',
    'if (open > 0) {',
  ],
  'an old answer passes the gate': ['advance.ts', 'group.generation === generation &&', ''],
  'the gate does not ask for health': ['gates.ts', "if (status === 'HEALTHY') {", "if (status !== 'DEGRADED') {"],
  'wakeAt forgets steps': ['advance.ts', "if (step.status === 'WAITING') consider(step.recheckAt)", ''],
  'wakeAt forgets gates': ['advance.ts', "if (group.status === 'WAITING') consider(group.recheckAt)", ''],
  'a gap in the sequence': [
    'move.ts',
    'state.sequence += events.length;',
    'state.sequence += events.length + (events.length > 3 ? 1 : 0);',
  ],
  'time goes back': ['move.ts', 'this.now = Math.max(now, state.lastEventAt);', 'this.now = now;'],
  'the old state is written to': [
    'move.ts',
    'promotion.steps[index] = { ...(promotion.steps[index] as StepState) };',
    '',
  ],
  'ready steps start twice': [
    'advance.ts',
    "if (promotion.steps[index]?.status !== 'PENDING') return;",
    "if (promotion.steps[index]?.status === 'SUCCEEDED') return;",
  ],
  'a step starts before its needs': [
    'advance.ts',
    'if (!planned.needs.every(',
    'if (planned.needs.length > 0 && !planned.needs.some(',
  ],
  'retry resets succeeded steps': [
    'advance.ts',
    "if (step.status !== 'SUCCEEDED')\n        Object.assign",
    'Object.assign',
  ],
  'retry keeps the attempt': ['advance.ts', 'if (promotion.startedAt !== null) promotion.attempt += 1;', ''],
  'terminating starts new steps': [
    'advance.ts',
    'if (!mustStop(move.plan, move.state)) runReadySteps',
    'runReadySteps',
  ],
  'terminating starts new environments': ['advance.ts', 'if (!stop) return false;', 'return false;'],
  'maxParallel is not counted': [
    'gates.ts',
    'if (running >= group.maxParallel) {',
    'if (running > group.maxParallel) {',
  ],
  'a held environment is taken': [
    'gates.ts',
    'if (release === undefined) return',
    'if (release === undefined || true) return',
  ],
  'two jobs in one decision': ['move.ts', 'if (already !== undefined) return already;', ''],
  'a decided wait is not redone': [
    'advance.ts',
    "return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt <= move.now;",
    "return step.status === 'WAITING' && step.recheckAt !== null && step.recheckAt < move.now;",
  ],
};

const copy = mkdtempSync(join(tmpdir(), 'sluice-mutants-'));
for (const each of ['src/core', 'test/core']) cpSync(join(root, each), join(copy, each), { recursive: true });
writeFileSync(
  join(copy, 'vitest.config.mjs'),
  "export default { test: { include: ['test/**/*.test.ts'], pool: 'forks' } };",
);
for (const each of ['package.json', 'tsconfig.json']) cpSync(join(root, each), join(copy, each));
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));

const wanted = process.argv.slice(2);
console.log('| bug | found | after runs | what was said |\n| --- | --- | --- | --- |');
let survivors = 0;
for (const [name, [file, right, wrong]] of Object.entries(MUTANTS)) {
  if (wanted.length > 0 && !wanted.some((each) => name.includes(each))) continue;
  const path = join(copy, 'src/core', file);
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
  const { stdout, stderr } = spawnSync('npx', ['vitest', 'run', '--no-color', 'test/core/simulation'], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, SLUICE_SIM_SHRINK: '0', NO_COLOR: '1' },
  });
  writeFileSync(path, source);
  const output = stdout + stderr;
  const runs = /failed after (\d+) tests/.exec(output)?.[1];
  const said = /Caused by: \w*Error: (.*)/.exec(output)?.[1] ?? /AssertionError: (.*)/.exec(output)?.[1] ?? '';
  if (!output.includes('1 passed') && !output.includes('1 failed')) throw new Error(output);
  const found = output.includes('1 failed');
  if (!found) survivors += 1;
  console.log(`| ${name} | ${found ? 'yes' : '**no**'} | ${runs ?? ''} | ${said.slice(0, 90).replaceAll('|', '/')} |`);
}
rmSync(copy, { recursive: true });
process.exitCode = survivors > 0 ? 1 : 0;
