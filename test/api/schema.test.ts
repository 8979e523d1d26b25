import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { printApiSchema } from '../../src/schema/print.ts';

test('the committed schema.graphql is the schema that is served', () => {
  const committed = readFileSync(fileURLToPath(new URL('../../schema.graphql', import.meta.url)), 'utf8');
  // A difference is a change of the API: when it is meant, `npm run schema` writes it.
  expect(printApiSchema()).toBe(committed);
});
