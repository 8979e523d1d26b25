import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const PERSON = { NAME: 'Ada Developer', EMAIL: 'ada@billing.example' };

/** Whatever this machine's git is set up to do (hooks, signing, another branch name), the sample is the same. */
export async function git(folder: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: PERSON.NAME,
      GIT_AUTHOR_EMAIL: PERSON.EMAIL,
      GIT_COMMITTER_NAME: PERSON.NAME,
      GIT_COMMITTER_EMAIL: PERSON.EMAIL,
    },
  });
  return stdout;
}

/** A folder below `root` that is gone afterwards. */
export async function inWorkFolder<T>(root: string, use: (folder: string) => Promise<T>): Promise<T> {
  const work = await mkdtemp(join(root, '.work-'));
  try {
    return await use(work);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
