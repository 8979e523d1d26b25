// The programs beside Node that the tests need.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const TOOLS = [
  { tool: 'git', program: 'git', package: 'git' },
  { tool: 'GnuPG', program: 'gpg', package: 'gnupg' },
  { tool: 'OpenSSH', program: 'ssh-keygen', package: 'openssh-client' },
  { tool: 'Redis 7 or newer', program: 'redis-server', package: 'redis-server' },
  // Chromium without windows is the same browser for a quarter less of the machine. Where there is only the whole one, the tests use that.
  { tool: 'Chromium', program: 'chromium-headless-shell', package: 'chromium-headless-shell', or: 'chromium' },
  // Without it the tests use the embedded one: nothing is missing then.
  { tool: 'PostgreSQL', folder: '/usr/lib/postgresql', package: 'postgresql', optional: true },
];

const isProgram = (name) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name], { stdio: 'ignore' }).status === 0;

const has = ({ program, folder }) => (folder ? existsSync(folder) : isProgram(program));

/** @returns what is not there, each with what to do about it. */
export function missingTools() {
  const missing = TOOLS.filter((tool) => !tool.optional && !has(tool) && !(tool.or && isProgram(tool.or))).map(
    (tool) => ({
      tool: tool.tool,
      remedy: `Debian: apt-get install ${tool.package} (as root this is done for you)`,
    }),
  );
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    missing.unshift({ tool: 'Node 20.19 or newer', remedy: `This is ${process.version}` });
  }
  return missing;
}

/** Installs what is missing, where we may: as root on a machine with apt-get. */
export function provideTools() {
  const missing = TOOLS.filter((tool) => !has(tool));
  if (missing.length === 0 || process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args) => {
    console.log(`> apt-get ${args.join(' ')}`);
    return spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
  };
  apt('update', '-q');
  const install = (tools) =>
    apt('install', '-q', '-y', '--no-install-recommends', ...tools.map((tool) => tool.package));
  // One that an older release does not have must not keep the others away.
  if (!install(missing)) for (const tool of missing) install([tool]);
  // Debian starts the services that it installs. The tests run servers of their own, on other ports: no harm.
}
