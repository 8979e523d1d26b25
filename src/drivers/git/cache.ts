import { readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** What the local copies of repositories may take. */
export interface CacheLimits {
  /** A copy that was not used for so long goes, in milliseconds. */
  maxAgeMs: number;
  /** All copies together: over it, those go that were used longest ago. Bytes. */
  maxBytes: number;
  /** One repository; a larger one is refused. Bytes. */
  maxRepositoryBytes: number;
}

const DAY = 24 * 60 * 60 * 1000;
const GiB = 1024 ** 3;

/** 30 days, 50 GiB together, 10 GiB for one repository. */
export const CACHE_LIMITS: CacheLimits = {
  maxAgeMs: 30 * DAY,
  maxBytes: 50 * GiB,
  maxRepositoryBytes: 10 * GiB,
};

/** A copy that was used so shortly ago stays, however large: a fetch may be under way. Milliseconds. */
const IN_USE = 60 * 60 * 1000;

/** Says that the copy is in use. */
export async function touch(dir: string, now: Date): Promise<void> {
  await utimes(dir, now, now).catch(() => {});
}

/**
 * Removes copies that are not in use, and what a crash left half made. Several processes may do so at once: a copy is moved away
 * before it is removed, and a process that needs it again fetches it again. Answers with the names of what went.
 */
export async function tidyCache(cacheDir: string, limits: CacheLimits, now: number): Promise<string[]> {
  const names = await readdir(cacheDir).catch(() => []);
  const found: { name: string; usedAt: number; bytes: number }[] = [];
  const gone: string[] = [];
  for (const name of names) {
    const usedAt = await stat(join(cacheDir, name)).then(
      (each) => each.mtimeMs,
      () => null,
    );
    if (usedAt === null) continue;
    const isCopy = name.endsWith('.git');
    const isLeftover = name.startsWith('new-') || name.includes('.git.broken-') || name.includes('.git.old-');
    if (!isCopy && !isLeftover) continue;
    const age = now - usedAt;
    if (age > (isCopy ? limits.maxAgeMs : DAY)) gone.push(name);
    else if (isCopy) {
      await removeCutOff(join(cacheDir, name, 'objects', 'pack'), now);
      found.push({ name, usedAt, bytes: await packBytes(join(cacheDir, name)) });
    }
  }
  let total = found.reduce((sum, { bytes }) => sum + bytes, 0);
  for (const { name, usedAt, bytes } of found.toSorted((a, b) => a.usedAt - b.usedAt)) {
    if (total <= limits.maxBytes || now - usedAt < IN_USE) break;
    gone.push(name);
    total -= bytes;
  }
  for (const name of gone) {
    const away = join(cacheDir, name.includes('.git.') ? name : `${name}.old-${process.pid}-${now}`);
    await rename(join(cacheDir, name), away).catch(() => {});
    await rm(away, { recursive: true, force: true });
  }
  return gone;
}

/** What a fetch that was cut off has left: git would keep it for weeks. */
async function removeCutOff(packs: string, now: number): Promise<void> {
  for (const name of await readdir(packs).catch(() => [])) {
    if (!name.startsWith('tmp_')) continue;
    const path = join(packs, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > IN_USE) await rm(path, { force: true });
  }
}

/** What was fetched in packs, the one that is just arriving included; loose objects are few and small. */
export async function packBytes(dir: string): Promise<number> {
  const packs = join(dir, 'objects', 'pack');
  const names = await readdir(packs).catch(() => []);
  const sizes = names.map((name) =>
    stat(join(packs, name)).then(
      (each) => each.size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, each) => sum + each, 0);
}
