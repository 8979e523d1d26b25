import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmbeddedPostgresError } from './errors.ts';

const ENDING_LIMIT_MS = 30_000;

/**
 * Deals with what an earlier run left in the data folder: a server that is still shutting down (its Sluice was killed a
 * moment ago) is waited for, a postmaster.pid that names somebody else's process is made harmless.
 */
export async function clearOrphan(data: string, ourPostgresPid: number | undefined): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const content = await readFile(file, 'utf8').catch(() => '');
  const pid = Number.parseInt(content, 10);
  if (!(pid > 0)) return;
  if (await serves(pid, data)) {
    if (pid !== ourPostgresPid) {
      throw new EmbeddedPostgresError(`${data} is in use by PostgreSQL process ${pid}, which Sluice did not start`);
    }
    await ended(pid, data);
    return;
  }
  // PostgreSQL itself refuses to start while a process of that number lives, even after a reboot gave the number to
  // another program. Its parent's number it takes for stale, and it still looks for orphans in its shared memory, which
  // it could not do if we deleted the file.
  await writeFile(file, content.replace(/^\d+/, String(process.pid)));
}

async function ended(pid: number, data: string): Promise<void> {
  process.kill(pid, 'SIGINT');
  for (const deadline = Date.now() + ENDING_LIMIT_MS; await serves(pid, data); await sleep(25)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `PostgreSQL process ${pid} still holds ${data}, ${ENDING_LIMIT_MS / 1000} s after it was asked to end`,
      );
    }
  }
}

async function serves(pid: number, data: string): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return commandLine.split('\0').includes(data);
}
