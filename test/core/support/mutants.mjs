// Breaks the state machine on purpose, one bug at a time, in a copy, and runs the simulation against each:
//   node test/core/support/mutants.mjs [name …]
// A bug that no property finds means that an invariant is missing. Prints a Markdown table.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APPROVALS = 'test/core/approvals';
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** name: [file, what stands there, what the bug makes of it, tests that must find it: the simulation where there is none] */
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
  'an approval that is one short': [
    'approvals/approval.ts',
    'if (missingOf(spec, approval) === 0)',
    'if (missingOf(spec, approval) <= 1)',
    APPROVALS,
  ],
  'one person counts for every rule': [
    'approvals/approval.ts',
    'seats[index] === position)',
    'given[index]?.rules.includes(position))',
    APPROVALS,
  ],
  'first come, first seated': ['approvals/match.ts', 'findSeat(other, tried)', 'false', APPROVALS],
  'a seat for everybody': [
    'approvals/match.ts',
    'const free = there.length < (seats[rule] ?? 0);',
    'const free = true;',
    APPROVALS,
  ],
  'the initiator approves': ['approvals/may-decide.ts', 'by.name === initiator', 'false', APPROVALS],
  'nobody in particular is somebody else': [
    'approvals/may-decide.ts',
    '(by === null || by.name',
    '(by !== null && by.name',
    APPROVALS,
  ],
  'nobody in particular counts for named rules': [
    'approvals/approval.ts',
    'caller !== null &&',
    'caller === null ||',
    APPROVALS,
  ],
  'a group counts for none': [
    'approvals/approval.ts',
    'groups.some((each) => caller.groups.includes(each)) ||',
    '',
    APPROVALS,
  ],
  'a late approval counts': [
    'approvals/may-decide.ts',
    "if (status === 'EXPIRED' && spec.onExpiry === 'FAIL') return",
    'if (false) return',
    APPROVALS,
  ],
  'what was granted expires': [
    'approvals/approval.ts',
    "if (missingOf(spec, approval) === 0) return 'GRANTED';\n  return late",
    "if (missingOf(spec, approval) === 0 && !late) return 'GRANTED';\n  return late",
    APPROVALS,
  ],
  'nobody wakes at the expiry': [
    'settle.ts',
    'for (const { expiresAt } of unmet) if (expiresAt !== undefined) move.wakes.push(expiresAt);',
    '',
    APPROVALS,
  ],
  'a rejection is one opinion': [
    'approvals/approval.ts',
    "if (approval.decisions.some((each) => each.kind === 'REJECTED')) return 'REJECTED';",
    '',
    APPROVALS,
  ],
  'a retry keeps what was said': ['stimuli.ts', 'evidence: null, approval: null }', 'evidence: null }', APPROVALS],
  'the same word twice counts twice': [
    'approvals/decide.ts',
    'if (seen && isKnown(seen, stimulus)) return;',
    '',
    APPROVALS,
  ],
  'a decision for another attempt counts': [
    'approvals/may-decide.ts',
    'if (seen.attempt !== attempt) return',
    'if (false) return',
    APPROVALS,
  ],
  'asked before its turn': [
    'approvals/decide.ts',
    "each.gate === 'DEPENDENCIES' && each.verdict === 'pass'",
    "each.gate === 'DEPENDENCIES'",
    APPROVALS,
  ],
  'a closed window takes approvals': ['approvals/decide.ts', 'if (!closed) return null;', 'return null;', APPROVALS],
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
for (const [name, [file, right, wrong, tests = 'test/core/simulation']] of Object.entries(MUTANTS)) {
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
  const { stdout, stderr, status } = spawnSync('npx', ['vitest', 'run', '--no-color', tests], {
    cwd: copy,
    encoding: 'utf8',
    env: { ...process.env, SLUICE_SIM_SHRINK: '0', NO_COLOR: '1' },
  });
  writeFileSync(path, source);
  const output = stdout + stderr;
  const runs = /failed after (\d+) tests/.exec(output)?.[1];
  const said = /Caused by: \w*Error: (.*)/.exec(output)?.[1] ?? /AssertionError: (.*)/.exec(output)?.[1] ?? '';
  if (!/\d+ (passed|failed)/.test(output)) throw new Error(output);
  const found = status !== 0;
  if (!found) survivors += 1;
  console.log(`| ${name} | ${found ? 'yes' : '**no**'} | ${runs ?? ''} | ${said.slice(0, 90).replaceAll('|', '/')} |`);
}
rmSync(copy, { recursive: true });
process.exitCode = survivors > 0 ? 1 : 0;
