// `npm run quickstart`: from a fresh clone to a release that can be watched. Plain JavaScript on node's own modules:
// this runs before anything is installed. What comes after the build is in scripts/quickstart/.
import { spawn, spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { newest, stalePages } from './pages.mjs';

const startedAt = Date.now();
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const HELP = `Usage: npm run quickstart [-- --exit] [-- --port PORT] [-- --scenario NAME]

Starts Sluice with everything it needs on this machine. A developer pushes a commit of the sample product Billing, and its
release starts by itself.

  --exit         end when the release has ended; exit code 0 if it SUCCEEDED, 1 if not
  --scenario rollback
                 release a good version, then one that fails in us-east, and watch it go back everywhere; with --exit
                 the exit code is 0 if every environment holds its last verified version, byte for byte
  --scenario pull-request
                 the same where production is behind pull requests, on a git host of its own: Enter merges them, or with --exit
                 they merge by themselves; the way back is pull requests that Sluice merges
  --port PORT    port of the API (default: 4000, or any free port when that is taken)
  --data FOLDER  where the database and the sample's git repositories live (default: .sluice; the scenario pull-request: a folder
                 pull-request in it)
`;

const SOURCES = ['src', 'migrations', 'scripts', 'tsconfig.json'];

const options = readOptions();
checkMachine();
install();
await build();
const { run } = await import('../dist/scripts/quickstart/run.js');
process.exit(await run({ ...options, startedAt }));

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        exit: { type: 'boolean', default: false },
        port: { type: 'string' },
        data: { type: 'string', default: '.sluice' },
        scenario: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) {
      process.stdout.write(HELP);
      process.exit(0);
    }
    if (values.scenario !== undefined && !['rollback', 'pull-request'].includes(values.scenario)) {
      return fail(`There is no scenario "${values.scenario}".\n\n${HELP}`, 2);
    }
    return { exit: values.exit, port: values.port, data: values.data, scenario: values.scenario };
  } catch (error) {
    return fail(`${error.message}\n\n${HELP}`, 2);
  }
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(`Node 20.19 or newer is needed; this is ${process.version}.`);
  if (spawnSync('git', ['--version'], { stdio: 'ignore' }).status !== 0) {
    fail('git is needed and was not found. On Debian: apt-get install git');
  }
}

function install() {
  // npm writes its own copy of the lock file last: an install that was interrupted counts as none.
  if (newest(['node_modules/.package-lock.json']) >= newest(['package-lock.json'])) return;
  if (lstatSync('node_modules', { throwIfNoEntry: false })?.isSymbolicLink()) {
    // npm ci follows the link and empties the folder of somebody else.
    fail('node_modules is a link to another folder, whose packages are older than package-lock.json: remove the link.');
  }
  step('Installing packages (npm ci)');
  const { status } = spawnSync('npm', ['ci', '--no-progress', '--loglevel=error'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('npm ci failed: its own words are above. Check the network and the registry of npm.');
}

async function build() {
  const isOld = newest(['dist/scripts/quickstart/run.js']) < newest([...SOURCES, 'package-lock.json']);
  const parts = [
    ...(isOld ? [['run', '--silent', 'build']] : []),
    ...stalePages().map((workspace) => ['run', '--silent', 'build', '--workspace', workspace]),
  ];
  if (parts.length === 0) return;
  step('Building');
  const ended = await Promise.all(parts.map(npm));
  const failed = ended.find(({ code }) => code !== 0);
  if (failed) fail(`${failed.output}\nnpm ${failed.args.join(' ')} failed: its own words are above.`);
}

/** Side by side, and silent unless one fails. */
function npm(args) {
  return new Promise((resolve) => {
    const child = spawn('npm', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => resolve({ args, code: 1, output: error.message }));
    child.on('close', (code) => resolve({ args, code, output }));
  });
}

function step(text) {
  process.stderr.write(`${text} …\n`);
}

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
