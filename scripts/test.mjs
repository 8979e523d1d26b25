// The whole test suite, from a fresh clone: installs what is missing, checks, builds, tests. Plain JavaScript on node's
// own modules: this runs before anything is installed.
//
// The last line is `N passed, N failed`: vitest's tests plus one for each check (format, lint, types and build). A skipped
// test counts as failed: what cannot run here has to be said, not passed over.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stalePages } from './pages.mjs';
import { missingTools, provideTools } from './tools.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const results = { passed: 0, failed: 0 };

// The compiler and the linter are Go programs: on two cores their threads cost more than they bring, 19 s of CPU for 7 s of types.
if (availableParallelism() <= 2) process.env.GOMAXPROCS ??= '1';

provideTools();
const missing = missingTools();
if (missing.length > 0) {
  for (const { tool, remedy } of missing) console.error(`Missing: ${tool}. ${remedy}`);
  results.failed = missing.length;
  finish();
}

if (isStale('node_modules/.package-lock.json', 'package-lock.json') && !run('npm', ['ci'])) {
  check('npm ci', false);
  finish();
}

check('format', run('npm', ['run', '--silent', 'format:check']));
// Lint and build ask for types, and those of the pages' operations are made with the pages.
await besideEachOther(
  stalePages().map((workspace) => [
    `build of ${workspace}`,
    ['npm', ['run', '--silent', 'build', '--workspace', workspace]],
  ]),
);
await besideEachOther([
  ['lint', ['npm', ['run', '--silent', 'lint']]],
  // Tests and tools are built with the sources: a type that is wrong anywhere ends it.
  ['types and build', ['npm', ['run', '--silent', 'build']]],
]);
runVitest();
finish();

function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const ended = run('npx', ['--no-install', 'vitest', 'run', ...reporters, ...process.argv.slice(2)]);
  const report = read(file);
  rmSync(folder, { recursive: true, force: true });
  if (!report) return check('vitest (it wrote no report)', false);
  const skipped = report.numPendingTests + report.numTodoTests;
  results.passed += report.numPassedTests;
  results.failed += report.numFailedTests + skipped;
  if (skipped > 0) console.error(`Failed: ${skipped} tests were skipped or are still to do`);
  // A file that does not load has no tests to count, nor has an unhandled rejection between two tests.
  if (!ended && report.numFailedTests === 0) check('vitest (a file did not load, or an error was not handled)', false);
  if (report.numPassedTests === 0) check('vitest (it ran no test)', false);
}

function check(name, passed) {
  results[passed ? 'passed' : 'failed']++;
  if (!passed) console.error(`Failed: ${name}`);
}

/** Each has a core of its own; what they print comes in one piece for each. */
async function besideEachOther(checks) {
  const done = checks.map(async ([name, [command, args]]) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(chunk));
    const code = await new Promise((resolve) => {
      child.on('error', (error) => resolve(error.message));
      child.on('close', resolve);
    });
    console.log(`> ${[command, ...args].join(' ')}`);
    process.stdout.write(Buffer.concat(printed));
    check(name, code === 0);
  });
  await Promise.all(done);
}

function run(command, args) {
  console.log(`> ${[command, ...args].join(' ')}`);
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0;
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** npm writes its own copy of the lock file last, so an interrupted install counts as none. */
function isStale(made, source) {
  const madeAt = statSync(made, { throwIfNoEntry: false })?.mtimeMs;
  return madeAt === undefined || madeAt < statSync(source).mtimeMs;
}

function finish() {
  console.log(`${results.passed} passed, ${results.failed} failed`);
  process.exit(results.failed === 0 ? 0 : 1);
}
