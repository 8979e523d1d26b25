import { writeFileSync } from 'node:fs';
import { printApiSchema } from './print.ts';

// `npm run schema`: the change of the API that somebody means to make.
writeFileSync('schema.graphql', printApiSchema());
