import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { customResources, DOCS_PAGE, schemas, withFieldTables } from '../manifests/generated.ts';
import { printApiSchema, printBareSchema } from './print.ts';

// `npm run schema`: the change of the API and of manifests that an engineer means to make.
write('schema.graphql', printApiSchema());
for (const [file, text] of schemas()) write(file, text);
write(DOCS_PAGE, withFieldTables(readFileSync(DOCS_PAGE, 'utf8')));
for (const [file, text] of customResources()) write(join('dist', file), text);
// When a version is released: what clients have from then on. See test/api/breaking.test.ts.
if (process.argv.includes('--baseline')) write('test/api/support/baseline.graphql', printBareSchema());

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}
