import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** The packages that a file imports by itself or through others of ours; what is imported when it is wanted is left out. */
function packagesOf(start: string): string[] {
  const packages = new Set<string>();
  const files = [start];
  for (const file of files) {
    const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )(?:[^;]*? from )?'([^']+)';/gm);
    for (const [, name = ''] of imports) {
      const found = name.startsWith('.') ? join(dirname(file), name) : null;
      if (found === null) packages.add(name);
      else if (!files.includes(found)) files.push(found);
    }
  }
  return [...packages].filter((each) => !each.startsWith('node:')).sort();
}

test('a command waits for no library that only others want: GraphQL, sockets, YAML and the width of letters take longer to load than all the rest', () => {
  const main = join(import.meta.dirname, '../../src/cli/main.ts');
  expect(packagesOf(main)).toEqual(['commander', 'parse-duration']);
});
