import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isKeptAsText, ownTexts, parseManifests, sameDefinition, sameWords } from '../../src/manifests/index.ts';
import { processorTime } from '../support/processor-time.ts';

const definitionsIn = (text: string) => parseManifests(text).definitions.map(({ definition }) => definition);
const own = (text: string) => ownTexts(text, definitionsIn(text));

const flow = (name: string, remark: string): string => `# ${remark}
apiVersion: "sluice.dev/v1"
kind: PromotionFlow   # as a person writes it
metadata: { name: ${name} }

spec:
  steps:
    - {environment: eu, dependsOn: [dev]}
  triggerEnvironment: dev
# The end of ${name}
`;
const environment =
  'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: eu }\nspec: { kind: PRODUCTION }\n';

test('one document is the whole text, byte for byte', () => {
  for (const text of [
    flow('a', 'One'),
    `# All of it\n\n---\n${flow('a', 'One')}`,
    flow('a', 'One').replaceAll('\n', '\r\n'),
  ])
    expect([...own(text)]).toEqual([['PromotionFlow/a', text]]);
});

test('of several documents each has its lines, with what is written around them; other kinds have none', () => {
  const [a, b] = [flow('a', 'One'), flow('b', 'Two')];
  expect([...own(`${a}---\n${environment}--- \n${b}`)]).toEqual([
    ['PromotionFlow/a', a],
    ['PromotionFlow/b', b],
  ]);
  expect([...own(`# All of it\n---\n${a}---\n---\n${b}`)]).toEqual([
    ['PromotionFlow/a', `# All of it\n---\n${a}`],
    ['PromotionFlow/b', b],
  ]);
  // As the command line joins files.
  expect([...own([a, environment, b].join('\n---\n'))]).toEqual([
    ['PromotionFlow/a', a],
    ['PromotionFlow/b', b],
  ]);
  expect([...own(environment)]).toEqual([]);
});

test('however files are joined or checked out, a document has the same comments', () => {
  const [a, b] = [flow('a', 'One'), flow('b', 'Two')];
  const header = `# All of it\n\n# In two parts\n\n---\n${b}`;
  for (const [file, text] of [
    ['begins with a mark', `---\n${b}`],
    ['has a comment before its mark', header],
    ['begins with a mark, and has a comment before another one', `---\n${header}`],
    ['ends with a mark', `${b}---\n`],
    ['ends with the mark of an end', `${b}...\n`],
    ['ends with a comment of its own', `${b}---\n# The end of the file\n`],
    ['has a separator of another language in a comment', `# One\u2028--- two\n${b}`],
    ['has no line break at its end', b.trimEnd()],
  ] as const)
    for (const checkedOut of [text, text.replaceAll('\n', '\r\n')]) {
      const joined = own(['# Nothing\n', a, checkedOut, environment].join('\n---\n')).get('PromotionFlow/b');
      const alone = own(checkedOut).get('PromotionFlow/b');
      expect([file, alone]).toEqual([file, checkedOut]);
      const kept = file === 'ends with a comment of its own' ? b : text;
      expect([file, sameWords(joined ?? '', kept)]).toEqual([file, true]);
    }
  expect(sameWords(a, a.replace('One', 'Two'))).toBe(false);
  expect(sameWords(a, `\ufeff${a}`)).toBe(true);
});

test('many blank lines before many documents take no time', () => {
  const blank = '# Of all of them\n\n'.repeat(2_000) + '\n'.repeat(2_000);
  const text = `${blank}${flow('a', 'One')}---\n${flow('b', 'Two')}`;
  expect(processorTime(() => expect(own(text).size).toBe(2))).toBeLessThan(5_000);
});

test('a document that does not read as its definition is left out', () => {
  const [definition] = definitionsIn(flow('a', 'One'));
  expect(ownTexts(flow('a', 'One').replace('[dev]', '[eu]'), [definition!]).size).toBe(0);
});

test('every published flow and workflow is kept as it is written', () => {
  const folder = join(import.meta.dirname, 'published');
  let count = 0;
  for (const file of readdirSync(folder).filter((each) => each.endsWith('.yaml'))) {
    const text = readFileSync(join(folder, file), 'utf8');
    const kept = own(text);
    for (const definition of definitionsIn(text).filter(({ kind }) => isKeptAsText(kind))) {
      const alone = kept.get(`${definition.kind}/${definition.metadata.name}`)!;
      expect(text).toContain(alone);
      expect(sameDefinition(definitionsIn(alone)[0]!, definition)).toBe(true);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(2);
});
