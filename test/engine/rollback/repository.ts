import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ENVIRONMENTS } from '../../support/engine.ts';

export interface BillingRepository {
  root: string;
  url: string;
  git(...args: string[]): string;
  /** Writes and pushes by hand. */
  write(files: Record<string, string | null>, message: string): string;
  /** What an environment's folder is at a commit: the same tree is the same files, byte for byte. */
  tree(environment: string, commit?: string): string;
  remove(): void;
}

export const values = (environment: string, tag: string): string =>
  `# ${environment}, by hand\nimage:\n  repository: registry.example.com/billing\n  tag: "${tag}" # promoted\n`;

/** A folder per environment, each with a file of its own that nothing is promoted into. */
export function createBillingRepository(): BillingRepository {
  const root = mkdtempSync(join(tmpdir(), 'sluice-rollback-'));
  const bare = join(root, 'billing.git');
  const work = join(root, 'work');
  const run = (cwd: string, ...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd, encoding: 'utf8' });
  run(root, 'init', '-q', '--bare', '-b', 'main', bare);
  run(root, 'clone', '-q', bare, work);
  const repository: BillingRepository = {
    root,
    url: `file://${bare}`,
    git: (...args) => run(bare, ...args),
    write(files, message) {
      if (run(bare, 'branch', '--list', 'main') !== '') run(work, 'pull', '-q', '--rebase', 'origin', 'main');
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        if (text === null) rmSync(join(work, path));
        else writeFileSync(join(work, path), text);
      }
      run(work, 'add', '-A');
      run(work, 'commit', '-qm', message);
      run(work, 'push', '-q', 'origin', 'HEAD:main');
      return run(work, 'rev-parse', 'HEAD').trim();
    },
    tree: (environment, commit = 'main') => run(bare, 'rev-parse', `${commit}:${environment}`).trim(),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
  const files = ENVIRONMENTS.flatMap((each) => [
    [`${each}/values.yaml`, values(each, '0')],
    [`${each}/local-${each}.yaml`, `only: ${each}\n`],
  ]);
  repository.write(Object.fromEntries(files) as Record<string, string>, 'by hand');
  return repository;
}
