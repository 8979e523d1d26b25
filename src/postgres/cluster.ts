import { execFile } from 'node:child_process';
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { launch, type Launcher } from './launcher.ts';

export const SUPERUSER = 'sluice';

/**
 * Makes a cluster at `data`: UTF-8, the same order of text on every machine, passwords by scram-sha-256. A cluster that
 * is there is left alone; one that was interrupted half-way is not: it is made beside its place and moved there whole.
 */
export async function ensureCluster(
  binaries: PostgresBinaries,
  launcher: Launcher,
  data: string,
  password: string,
): Promise<void> {
  const made = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
  if (made === undefined) await initialize(binaries, launcher, data, password);
  else await sameMajor(binaries, data, made.trim());
  await ownedBy(launcher.owner ?? { uid: process.getuid!(), gid: process.getgid!() }, data);
}

async function initialize(
  binaries: PostgresBinaries,
  launcher: Launcher,
  data: string,
  password: string,
): Promise<void> {
  const draft = `${data}.new`;
  const passwordFile = `${data}.password`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { mode: 0o700 });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (launcher.owner) {
    await chown(draft, launcher.owner.uid, launcher.owner.gid);
    await chown(passwordFile, launcher.owner.uid, launcher.owner.gid);
  }
  const args = ['-D', draft, '-U', SUPERUSER, `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  try {
    await run(launcher, join(binaries.bin, 'initdb'), [...args, '--encoding=UTF8', '--locale=C'], binaries.libraries);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, data);
}

async function run(launcher: Launcher, command: string, args: string[], libraries?: string): Promise<void> {
  const child = launch(launcher, command, args, libraries);
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const code = await new Promise<unknown>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  if (code !== 0) throw new EmbeddedPostgresError(`${command} failed (${String(code)}):\n${output.trim()}`);
}

async function sameMajor(binaries: PostgresBinaries, data: string, made: string): Promise<void> {
  const env = { ...(binaries.libraries && { LD_LIBRARY_PATH: binaries.libraries }) };
  const version = await new Promise<string>((resolve, reject) =>
    execFile(join(binaries.bin, 'postgres'), ['--version'], { env }, (error, out) =>
      error ? reject(error) : resolve(out),
    ),
  );
  const ours = /\d+/.exec(version)?.[0];
  if (ours === made) return;
  throw new EmbeddedPostgresError(
    `${data} was made by PostgreSQL ${made}, and this Sluice brings PostgreSQL ${ours}: ` +
      'dump it with the old Sluice (pg_dump) and load it into a new folder (SLUICE_DATA_DIR)',
  );
}

/** After a switch between the two ways that root has of running PostgreSQL the files belong to the wrong user. */
async function ownedBy(owner: { uid: number; gid: number }, path: string): Promise<void> {
  if ((await stat(path)).uid === owner.uid) return;
  const entries = await readdir(path, { recursive: true });
  for (const entry of entries) {
    const file = join(path, entry);
    if ((await lstat(file)).isSymbolicLink()) continue;
    await chown(file, owner.uid, owner.gid);
  }
  // The folder itself last: its owner tells whether the work was finished.
  await chmod(path, 0o700);
  await chown(path, owner.uid, owner.gid);
}

/** @returns the first folder on the way to `path` that other users cannot pass, if there is one. */
export async function barrierFor(owner: Launcher['owner'], path: string): Promise<string | undefined> {
  if (!owner) return undefined;
  const barrier = path === '/' ? undefined : await barrierFor(owner, dirname(path));
  if (barrier) return barrier;
  const { mode, uid } = await stat(path);
  return uid === owner.uid || mode & 0o001 ? undefined : path;
}
