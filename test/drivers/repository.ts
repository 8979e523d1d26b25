import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeFileSync } from 'node:fs';
import type { EffectContext } from '../../src/drivers/driver.ts';
import type { GitSettings } from '../../src/drivers/git/driver.ts';
import { LOOPBACK } from '../../src/drivers/network/allowed.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';

const WHO = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', '-c', 'init.defaultBranch=main'];

/** A folder for one test file; `remove` it at the end. */
export function makeFolder(): { path: (name: string) => string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'sluice-git-'));
  return { path: (name) => join(root, name), remove: () => rmSync(root, { recursive: true, force: true }) };
}

export function git(dir: string, args: string[], input?: string): string {
  const env = { PATH: process.env['PATH'], GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', [...WHO, ...args], {
    cwd: dir,
    input,
    maxBuffer: 64 * 1024 * 1024,
    env,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** A bare repository, and what a person would do with it from a clone. */
export class Repository {
  readonly url: string;
  private readonly work: string;

  constructor(
    folder: { path: (name: string) => string },
    name: string,
    files?: Record<string, string | Buffer>,
    format: 'sha1' | 'sha256' = 'sha1',
  ) {
    this.url = folder.path(`${name}.git`);
    this.work = folder.path(`${name}-work`);
    mkdirSync(this.work, { recursive: true });
    mkdirSync(this.url);
    git(this.url, ['init', '--quiet', '--bare', `--object-format=${format}`]);
    git(this.work, ['init', '--quiet', `--object-format=${format}`]);
    git(this.work, ['remote', 'add', 'origin', this.url]);
    if (files) this.commit(files, 'First');
  }

  commit(files: Record<string, string | Buffer>, message: string): string {
    if (this.has('main')) git(this.work, ['pull', '--quiet', '--rebase', 'origin', 'main']);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(this.work, path)), { recursive: true });
      writeFileSync(join(this.work, path), content);
    }
    git(this.work, ['add', '--all']);
    git(this.work, ['commit', '--quiet', '--allow-empty', '-m', message]);
    git(this.work, ['push', '--quiet', 'origin', 'HEAD:refs/heads/main']);
    return this.head();
  }

  has(branch: string): boolean {
    return git(this.url, ['for-each-ref', `refs/heads/${branch}`]) !== '';
  }

  head = (branch = 'main'): string => git(this.url, ['rev-parse', branch]).trim();
  read = (path: string, branch = 'main'): string => git(this.url, ['show', `${branch}:${path}`]);
  count = (branch = 'main'): number => Number(git(this.url, ['rev-list', '--count', branch]));
  /** Every value of the key's trailer on the branch. */
  keys = (branch = 'main'): string[] =>
    git(this.url, ['log', '--format=%(trailers:key=Sluice-Key,valueonly,separator=%x20)', branch])
      .split('\n')
      .filter(Boolean);
  changed = (branch = 'main'): string[] =>
    git(this.url, ['show', '--format=', '--name-only', branch]).trim().split('\n');
}

export const SIGNING_KEY = 'a key that only the processes of this test have';

export const settingsIn = (cacheDir: string): GitSettings => ({
  cacheDir,
  authorName: 'Sluice',
  authorEmail: 'sluice@example.com',
  signingKeys: async () => [SIGNING_KEY],
  guard: new NetworkGuard(LOOPBACK),
  protocols: ['https', 'ssh', 'file'],
});

export function contextOf(key: string, more: Partial<EffectContext> = {}): EffectContext {
  return {
    key,
    releaseId: 'release-1',
    product: 'billing',
    environment: 'eu',
    application: 'billing-eu',
    attempt: 1,
    tries: 0,
    signal: new AbortController().signal,
    ...more,
  };
}
