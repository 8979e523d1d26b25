import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { LOCK_CLASSES, LOCKS } from '../../src/entities/locks.ts';

// Rules that no type can keep: who may hold a connection, and who may take a lock.
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const FILES = ['src', 'migrations'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    // The CLI is a client of the published API.
    .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/'))
    .map((file) => ({ file: `${folder}/${file}`, text: readFileSync(join(ROOT, folder, file), 'utf8') })),
);

/** Lines of code outside `home` that match. */
function places(pattern: RegExp, home: readonly string[]): string[] {
  return FILES.filter(({ file }) => !home.includes(file)).flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => {
      const isProse = /^\s*(\*|\/\/|\/\*)/.test(line);
      return !isProse && pattern.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [];
    }),
  );
}

test('connections are held in one place, where the pool can tell who holds one', () => {
  const holds = /\bpool\)?\.connect\(|\.createQueryRunner\(|\.startTransaction\(|\bmanager\.transaction\(/i;
  expect(places(holds, ['src/connections.ts'])).toEqual([]);
});

test('pools and clients of PostgreSQL are made with time limits: as connections.ts makes them', () => {
  expect(places(/\bnew (pg\.)?(Pool|Client)\(|\bextends (pg\.)?(Pool|Client)\b/, ['src/connections.ts'])).toEqual([]);
  const made = FILES.filter(({ text }) => /\bnew (SturdyPool|SturdyClient)\(/.test(text));
  expect(made.length).toBeGreaterThan(3);
  expect(made.filter(({ text }) => !/\.\.\.clientConfig\(/.test(text)).map(({ file }) => file)).toEqual([]);
});

test('every advisory lock has a number of its own, and all of them are in one file', () => {
  const numbers = [...Object.values(LOCKS), ...Object.values(LOCK_CLASSES)];
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(places(/advisory_(xact_)?(un)?lock/, ['src/entities/locks.ts'])).toEqual([]);
});

test('these tests see what they look for', () => {
  const lines = [
    'const client = await this.#pool.connect();',
    'new pg.Pool({',
    'new Client(',
    'pg_try_advisory_xact_lock(',
  ];
  const patterns = [
    /\bpool\)?\.connect\(/i,
    /\bnew (pg\.)?(Pool|Client)\(/,
    /\bnew (pg\.)?(Pool|Client)\(/,
    /advisory_(xact_)?(un)?lock/,
  ];
  expect(lines.map((line, index) => patterns[index]!.test(line))).toEqual([true, true, true, true]);
});

test('a promise that nobody awaits has a catch: `void` in front of a call would hide it from the linter', () => {
  // What is no promise: a response that is sent, and lists and maps of the core.
  const harmless = /\bvoid (response\.|process\.send|warnings\.|remarks\.|wrong\.|draft\.|pinned\.|\(sockets = )/;
  const hidden = FILES.flatMap(({ file, text }) =>
    text
      .split('\n')
      .filter((line) => /(=>|return|^\s*) ?void [\w(#.?]+[.(]/.test(line) && !harmless.test(line))
      .map((line) => `${file} ${line.trim()}`),
  );
  expect(hidden).toEqual([]);
});
