// Types of every operation in src/**/*.graphql, from the schema that the server publishes: a field that is gone does not compile.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { codegen } from '@graphql-codegen/core';
import * as typedDocuments from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { parse } from 'graphql';

const here = import.meta.dirname ?? dirname(new URL(import.meta.url).pathname);
const made = join(here, 'src/generated/documents.ts');

const documents = readdirSync(join(here, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.graphql'))
  .sort()
  .map((location) => ({ location, document: parse(readFileSync(join(here, 'src', location), 'utf8')) }));

const text = await codegen({
  filename: made,
  schema: parse(readFileSync(join(here, '../../schema.graphql'), 'utf8')),
  documents,
  config: {
    useTypeImports: true,
    enumsAsTypes: true,
    skipTypename: false,
    scalars: { DateTime: 'string', Duration: 'string', JSON: 'unknown' },
    // An event or a reason of a kind that a later server knows is still an object.
    nonOptionalTypename: false,
  },
  plugins: [{ operations: {} }, { typedDocuments: {} }],
  pluginMap: { operations, typedDocuments },
});
mkdirSync(dirname(made), { recursive: true });
// Who reads it meanwhile finds it whole, and what was built of it stays fresh.
if (!existsSync(made) || readFileSync(made, 'utf8') !== text) writeFileSync(made, text);
