import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { TransientError } from '../driver.ts';

/** The name that git gives an object; `length`: of the repository's ids, 40 or 64. */
export function objectId(type: 'blob' | 'tree' | 'commit', bytes: Buffer, length: number): string {
  return createHash(length === 64 ? 'sha256' : 'sha1')
    .update(`${type} ${bytes.length}\0`)
    .update(bytes)
    .digest('hex');
}

/**
 * Writes an object into a repository as git writes it: compressed, in a file of its own, that has its name once it is whole. What is there
 * already stays.
 * @returns its id
 */
export async function writeObject(
  dir: string,
  type: 'blob' | 'tree' | 'commit',
  bytes: Buffer,
  idLength: number,
): Promise<string> {
  const id = objectId(type, bytes, idLength);
  const folder = join(dir, 'objects', id.slice(0, 2));
  const path = join(folder, id.slice(2));
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return id;
  // Not what is above it: a copy that was removed meanwhile must not come back as a part of one.
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new TransientError(`the local copy "${dir}" is gone: ${error.message}`);
  });
  const draft = join(folder, `tmp_obj_${randomUUID()}`);
  try {
    await writeFile(draft, await compress(Buffer.concat([Buffer.from(`${type} ${bytes.length}\0`), bytes])), {
      mode: 0o444,
    });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return id;
}

const compress = promisify(deflate) as (bytes: Buffer) => Promise<Buffer>;
