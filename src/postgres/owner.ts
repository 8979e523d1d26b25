import { link, readFile, rename, rm, unlink, writeFile } from 'node:fs/promises';

/** Who uses a data folder. A process is its number and its start time: numbers are used again. */
export interface OwnerRecord {
  pid: number;
  started: string | undefined;
  port?: number;
  postgresPid?: number;
}

export interface Claim {
  /** What an owner that is gone left behind. */
  previous: OwnerRecord | undefined;
  note(facts: Pick<OwnerRecord, 'port' | 'postgresPid'>): Promise<void>;
  release(): Promise<void>;
}

/**
 * Makes this process the one owner of `file`. Node has no file locks, so the file names its owner, and an owner who is
 * gone does not count. Behind this stands PostgreSQL's own interlock (postmaster.pid), which no race gets past.
 */
export async function claim(file: string, inUse: (owner: OwnerRecord) => Error): Promise<Claim> {
  const draft = `${file}.${process.pid}`;
  let record: OwnerRecord = { pid: process.pid, started: await startOf(process.pid) };
  let previous: OwnerRecord | undefined;
  for (;;) {
    const there = await read(file);
    if (there && (await isAlive(there))) throw inUse(there);
    previous = there ?? previous;
    // A live server of an owner who is gone stays on record until it has been dealt with.
    record = { ...record, port: previous?.port, postgresPid: previous?.postgresPid };
    await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
    if (there) await unlink(file).catch(() => undefined);
    try {
      // A link appears with its content, whole, or not at all.
      await link(draft, file);
      await unlink(draft);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return {
    previous,
    note: async (facts) => {
      record = { ...record, ...facts };
      await writeFile(draft, JSON.stringify(record), { mode: 0o600 });
      await rename(draft, file);
    },
    release: () => rm(file, { force: true }),
  };
}

async function read(file: string): Promise<OwnerRecord | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as OwnerRecord;
  } catch {
    return undefined;
  }
}

async function isAlive({ pid, started }: OwnerRecord): Promise<boolean> {
  return started !== undefined && started === (await startOf(pid));
}

/** @returns when the process started, in clock ticks since boot; undefined if there is no such process. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The second field is the command in brackets, and may itself hold blanks and brackets. A zombie does not count.
  const fields = line?.slice(line.lastIndexOf(')') + 2).split(' ');
  return fields?.[0] === 'Z' ? undefined : fields?.[19];
}
