import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getMetadataArgsStorage } from 'typeorm';
import { expect, test } from 'vitest';
import '../../src/entities/data-source.ts';

// A statement that writes to several rows locks them as it comes across them, and two of that kind wait for each other in a circle: one of
// them is undone, after a second. So they lock in one order first, or pass over rows that others hold. This finds those that do not.

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** Statements that lock rows without an order, as `FILE TABLE`, and why none waits in a circle. */
const APART: Record<string, string> = {
  'store/action-logs.ts action_log': 'of releases that ended long ago, by sweeps alone: one that loses comes again',
  'store/git-sources.ts synced_definition': 'under the lock of definitions: one writer at a time',
  'store/web-sessions.ts web_session hash': 'no two sessions have the same',
};

/** By table. */
const KEYS = keysOfTables();

function keysOfTables(): Map<string, string[]> {
  const { tables, columns } = getMetadataArgsStorage();
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return new Map(
    tables.map(({ name, target }) => {
      const own = columns.filter((each) => each.target === target && each.options.primary);
      return [String(name), own.map(({ options, propertyName }) => options.name ?? snake(propertyName))];
    }),
  );
}

/** One row each. */
const CLOCKS = new Set(['definition_clock', 'access_clock']);

const WRITES = /(?<!(?:FOR|KEY|DO) )\bUPDATE (?<updated>[a-z_]+)\b|\bDELETE FROM (?<deleted>[a-z_]+)\b/g;
const LOCKS_FIRST = /\bFOR (NO KEY )?UPDATE\b|\binOrder\(/;
/** Several rows that may be there already. */
const UPSERTS = /(jsonb_to_recordset|unnest)[^;]*ON CONFLICT[^;]*DO UPDATE/;

/** What a text of a file writes to without an order. */
function unordered(text: string): string[] {
  // Of a file's top level: a function, or a constant with its statement.
  return text.split(/\n\n(?=\S)/).flatMap((block) => {
    const found = [...block.matchAll(WRITES)].flatMap(({ index, groups }) => {
      const table = (groups!['updated'] ?? groups!['deleted'])!;
      const keys = KEYS.get(table);
      const statement = block.slice(index).split(/`[,;)]|', \[|'\);/)[0]!;
      const isOne = keys?.every((key) => new RegExp(`\\b${key} = \\$\\d`).test(statement));
      if (keys === undefined || CLOCKS.has(table) || isOne || LOCKS_FIRST.test(block)) return [];
      return /\bhash = \$1/.test(statement) ? [`${table} hash`] : [table];
    });
    const upserted = UPSERTS.test(block) && !/\bORDER BY\b[^;]*ON CONFLICT/.test(block);
    return upserted ? [...found, /INSERT INTO ([a-z_]+)/.exec(block)![1]!] : found;
  });
}

test('what writes to several rows locks them in one order', () => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('cli/'),
  );
  const found = files.flatMap((file) =>
    unordered(readFileSync(join(SRC, file), 'utf8')).map((table) => `${file} ${table}`),
  );
  expect([...new Set(found)].toSorted()).toEqual(Object.keys(APART).toSorted());
});

test('this test sees what it looks for', () => {
  const seen = [
    "await pool.query('UPDATE candidate SET due_at = now() WHERE product = $1', [product]);",
    "await pool.query('DELETE FROM hint WHERE id = ANY($1)', [ids]);",
    '`INSERT INTO commit_status AS s SELECT * FROM jsonb_to_recordset($1) ON CONFLICT (sha) DO UPDATE SET state = s.state`',
    "await pool.query('UPDATE commit_status SET due_at = NULL WHERE repository = $1 AND sha = $2', []);",
  ];
  expect(seen.map((each) => unordered(each))).toEqual([['candidate'], ['hint'], ['commit_status'], ['commit_status']]);
  const fine = [
    "await pool.query('UPDATE candidate SET due_at = now() WHERE id = $1', [id]);",
    "await pool.query('DELETE FROM hint WHERE id IN (SELECT id FROM hint WHERE id = ANY($1) ORDER BY id FOR UPDATE)', [ids]);",
    "await pool.query('UPDATE job SET state = 1', []);",
    "await tx.query('UPDATE access_clock SET revision = revision + 1');",
  ];
  expect(fine.flatMap((each) => unordered(each))).toEqual([]);
});
