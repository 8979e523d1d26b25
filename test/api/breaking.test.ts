import { readFileSync } from 'node:fs';
import { buildSchema, findBreakingChanges } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import { printBareSchema } from '../../src/schema/print.ts';

// A client that worked with the API of the baseline works with that of today, but for what the changelog says under "Breaking". The baseline is
// committed, so a clone without history has it; `npm run schema -- --baseline` takes today's API for it when a version is released.
const baseline = buildSchema(readFileSync('test/api/support/baseline.graphql', 'utf8'));

/** The section of what is not released yet, on one line and without marks. */
function announced(): string {
  const [, unreleased = ''] = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
  const breaking = unreleased.split(/^### /m).find((each) => each.startsWith('Breaking\n')) ?? '';
  return breaking.replaceAll('`', '').replaceAll(/\s+/g, ' ');
}

const unannounced = (before: GraphQLSchema, after: GraphQLSchema): string[] => {
  const told = announced();
  return findBreakingChanges(before, after)
    .map(({ description }) => description)
    .filter((each) => !told.includes(each.replaceAll(/\s+/g, ' ')));
};

test('what breaks clients stands in the changelog under "### Breaking", word for word', () => {
  expect(unannounced(baseline, buildSchema(printBareSchema()))).toEqual([]);
});

test('a field, an argument and a value that go, and an input that is demanded, are found', () => {
  const today = printBareSchema();
  const without = (pattern: RegExp, instead: string): string[] => {
    const changed = today.replace(pattern, instead);
    expect(changed).not.toBe(today);
    return unannounced(buildSchema(today), buildSchema(changed));
  };
  expect(without(/^ {2}viewer: Viewer!$/m, '')).toEqual(['Query.viewer was removed.']);
  expect(without(/^ {2}ROLLBACK_FAILED$/m, '')[0]).toContain('ROLLBACK_FAILED was removed from enum type');
  expect(without(/^ {2}viewer: Viewer!$/m, '  viewer(a: Int!): Viewer!')).toEqual([
    'A required arg a on Query.viewer was added.',
  ]);
  expect(without(/^ {2}viewer: Viewer!$/m, '  viewer: Viewer')).toEqual([
    'Query.viewer changed type from Viewer! to Viewer.',
  ]);
});
