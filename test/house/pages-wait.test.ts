import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// A page shows a moment later what the server has, and a machine may be busy: what a test reads of a page once, it reads too early one day.

const WEB = fileURLToPath(new URL('../web', import.meta.url));
/** Answers that are there when their call returns, and the search for faults of accessibility, which looks at what is shown now. */
const WHOLE_ANSWERS =
  /expect\(\(?await (?:seriousViolations|served\.sluice|failsInUsEast|server\.|answer\.|fetch|get)\b/;

test('what a test expects of a page, it waits for', () => {
  const files = readdirSync(WEB, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  const lines = files.flatMap((path) =>
    readFileSync(join(WEB, path), 'utf8')
      .split('\n')
      .filter((line) => /expect\(\(?await /.test(line) && !WHOLE_ANSWERS.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );
  expect(lines).toEqual([]);
});
