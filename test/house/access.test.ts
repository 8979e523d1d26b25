import 'reflect-metadata';
import { expect, test } from 'vitest';
import { rootFields } from '../../src/resolvers/access/guard.ts';
import { ruleOf } from '../../src/resolvers/access/rules.ts';
import { buildApiSchema } from '../../src/schema/build.ts';

const schema = buildApiSchema();
const ROOTS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];

test('every field of Query, Mutation and Subscription says who may use it', () => {
  const without = ROOTS.flatMap((type) =>
    rootFields(type)
      .filter((field) => !ruleOf(field))
      .map((field) => `${type?.name}.${field.name}`),
  );
  expect(
    without,
    'has no rule of access, so nobody could use it once callers are known: put @Guarded(may(PERMISSION, targets)), or ' +
      '@Guarded(SEES) for what filters by itself, beside its @Query, @Mutation or @Subscription (docs/access.md, "For who adds a field")',
  ).toEqual([]);
});

test('every mutation asks for a permission', () => {
  const kinds = rootFields(schema.getMutationType()).map((field) => [field.name, ruleOf(field)?.kind]);
  // What asks for less stands here with its reason.
  const exceptions: Record<string, string> = {};
  expect(kinds.filter(([name, kind]) => kind !== 'may' && !(name! in exceptions))).toEqual([]);
});
