import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

test('the environment is read where the program starts and checked in one file', () => {
  const readers = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && /process\.env\b/.test(readFileSync(join(ROOT, 'src', file), 'utf8')),
  );
  // Entry points hand process.env to loadConfig; the CLI is a client with settings of its own. git is handed the
  // variables of its own that it needs (PATH, an SSH agent); none of them is a setting of ours.
  const entries = ['config.ts', 'main.ts', 'drivers/git/run.ts'];
  expect(readers.filter((file) => !entries.includes(file) && !file.startsWith('cli/'))).toEqual([]);
});

test('the lock file installs from any registry: it names no addresses', () => {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, object>;
  };
  const addressed = Object.entries(lock.packages).filter(([, entry]) => 'resolved' in entry && !('link' in entry));
  expect(addressed.map(([name]) => name)).toEqual([]);
});
