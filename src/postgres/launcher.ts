import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/**
 * How to run PostgreSQL's programs as who we are, such that the server ends when we end, `kill -9` included.
 *
 * PostgreSQL refuses to run as root. Root therefore runs it in a user namespace where root is called nobody (files stay
 * ours, nothing has to be readable for others); where that is forbidden, as in most containers, as the user nobody.
 */
export interface Launcher {
  /** In front of the command, e.g. `setpriv --pdeathsig INT`. */
  prefix: string[];
  /** Who must own the data folder. Absent: the user who runs us. */
  owner?: { uid: number; gid: number };
  /** To be passed to spawn: no tool switches the user for us. */
  switchUser?: boolean;
  /** The kernel does not end the server with us; a watchdog has to. */
  watched: boolean;
}

export const NOBODY = { uid: 65_534, gid: 65_534 };

// Nothing of our environment is handed on: it holds secrets, and PGDATA or LC_* would change what the server does.
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC' };

const IN_NAMESPACE = ['unshare', '--user', '--map-user=65534', '--map-group=65534'];
const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--pdeathsig', 'INT'];
const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'INT'];

export function launcherFor(root: boolean, works: (prefix: string[]) => boolean = tryOut): Launcher {
  if (!root) return works(ENDS_WITH_US) ? { prefix: ENDS_WITH_US, watched: false } : { prefix: [], watched: true };
  const inNamespace = [...IN_NAMESPACE, ...ENDS_WITH_US];
  if (works(inNamespace)) return { prefix: inNamespace, watched: false };
  if (works(AS_NOBODY)) return { prefix: AS_NOBODY, owner: NOBODY, watched: false };
  return { prefix: [], owner: NOBODY, switchUser: true, watched: true };
}

export const isRoot = (): boolean => process.getuid?.() === 0;

function tryOut(prefix: string[]): boolean {
  return spawnSync(prefix[0]!, [...prefix.slice(1), 'true'], { stdio: 'ignore', env: ENVIRONMENT }).status === 0;
}

/** Starts a program; its output can be read, its input is empty. */
export function launch(launcher: Launcher, command: string, args: string[], libraries?: string): ChildProcess {
  const [program, ...rest] = [...launcher.prefix, command, ...args];
  const child = spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A session of its own: Ctrl-C in a terminal must reach us first, and let us end our work on a live database.
    detached: true,
    env: { ...ENVIRONMENT, ...(libraries && { LD_LIBRARY_PATH: libraries }) },
    cwd: '/',
    ...(launcher.switchUser ? launcher.owner : {}),
  });
  if (launcher.watched && child.pid) watch(child, child.pid);
  return child;
}

/**
 * Ends the server when we are gone, where no parent-death signal can be had: a shell waits on a pipe that only we hold
 * open, and the kernel closes it whatever we die of.
 */
function watch(child: ChildProcess, pid: number): void {
  const watchdog = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.unref();
  // Killed before its pipe closes: it must not signal whoever gets the server's number next.
  child.once('exit', () => watchdog.kill('SIGKILL'));
}
