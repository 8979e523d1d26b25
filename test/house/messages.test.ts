import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSchema } from 'graphql';
import { expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';

// Messages of the API are read by people who have no command line as well: what is to be done has the mutation's name beside the command's.

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** `main.ts` has what an operator reads in the log. */
const FILES = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).filter(
  (path) => path.endsWith('.ts') && !path.startsWith('cli/') && path !== 'main.ts',
);
const COMMANDS = new Map(
  createProgram({}).commands.map((each) => [each.name(), each.commands.map((one) => one.name())]),
);
const text = (path: string): string => readFileSync(join(ROOT, 'src', path), 'utf8');

test('no message of the API names a command alone', () => {
  const command = new RegExp(`\\bsluice (?:${[...COMMANDS.keys()].join('|')})\\b`);
  const lines = FILES.flatMap((path) =>
    text(path)
      .split('\n')
      .filter((line) => !/^\s*(?:\/?\*|\/\/)/.test(line) && command.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(lines).toEqual([]);
});

test('the mutation and the command that a message names are there', () => {
  const mutations = buildSchema(readFileSync(join(ROOT, 'schema.graphql'), 'utf8'))
    .getMutationType()!
    .getFields();
  const calls = FILES.flatMap((path) => [
    ...text(path).matchAll(/\bdoneBy\(\s*'(\w+)',\s*['`](\w[\w-]*)(?: (\w[\w-]*))?/g),
  ]);
  expect(calls.length).toBeGreaterThan(8);
  const unknown = calls.filter(([, mutation = '', command = '', sub = '']) => {
    const subs = COMMANDS.get(command);
    return !(mutation in mutations) || subs === undefined || (subs.length > 0 && !subs.includes(sub));
  });
  expect(unknown.map(([call]) => call)).toEqual([]);
});
