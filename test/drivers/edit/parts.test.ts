import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Node } from '../../../src/drivers/edit/node.ts';
import { childOf, plain } from '../../../src/drivers/edit/node.ts';
import { partsOf } from '../../../src/drivers/edit/yaml-parts.ts';
import type { YamlSource } from '../../../src/drivers/edit/yaml-read.ts';
import { readYaml } from '../../../src/drivers/edit/yaml-read.ts';
import { Dice } from './dice.ts';
import { document, shared } from './model.ts';
import { printYaml } from './print.ts';
import { lines } from './promote.ts';

const TINY = { smallest: 1, size: 1, entries: 1, levels: 12 };
const NONE = { ...TINY, smallest: Number.POSITIVE_INFINITY };

/** All that is known of a text: nodes with their places, and what they are written like. */
function told(source: YamlSource): unknown {
  const tell = (node: Node): unknown => {
    const { target: _target, entries: _entries, items: _items, ...own } = { target: 0, entries: 0, items: 0, ...node };
    const inner =
      node.kind === 'map'
        ? [[...node.entries].map(([key, each]) => [key, tell(each)]), node.merges?.map(tell)]
        : node.kind === 'list'
          ? node.items.map(tell)
          : node.kind === 'alias'
            ? plain(node)
            : undefined;
    return { ...own, merges: undefined, inner, place: source.places.get(node), container: source.containers.get(node) };
  };
  const { step, flushLists } = source;
  return { roots: source.documents.map(({ root }) => root && tell(root)), step, flushLists };
}

test('a text that is read in parts is the text that is read as a whole', () => {
  let cut = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 150, maxLength: 700, size: 'max' }), (numbers) => {
      const dice = new Dice(numbers);
      const model = document(dice);
      const { text } = printYaml(dice, shared(dice, model));
      const before = readYaml(printYaml(dice, shared(dice, model)).text, { lean: false, cuts: TINY });
      if (partsOf(text, TINY)) cut += 1;
      expect(told(readYaml(text, { lean: false, cuts: TINY }))).toEqual(
        told(readYaml(text, { lean: false, cuts: NONE })),
      );
      // What is known of another text is not taken for what stands here.
      expect(
        readYaml(text, { lean: true, cuts: TINY, known: before.parts }).documents.map(
          ({ root }) => root && plain(root),
        ),
      ).toEqual(readYaml(text, { lean: false, cuts: NONE }).documents.map(({ root }) => root && plain(root)));
    }),
    { numRuns: 300, interruptAfterTimeLimit: 60_000 },
  );
  console.info(`texts that were cut: ${cut}`);
  expect(cut).toBeGreaterThan(0);
}, 120_000);

// What looks like the line of an entry and is none.
test.each([
  ['quotes over many lines', lines('a: "x', 'b: y"', 'c: 1')],
  ['brackets over many lines', lines('a: [x,', 'b: y', ']', 'c: 1')],
  ['a text over many lines', lines('a: x', '  b', '  c', 'd: 1')],
  ['a block scalar', lines('a: |', '  b: 1', '  # no comment', '# a comment', 'c: 1')],
  ['a list that stands flush', lines('a:', '- b: 1', '  c: 2', '- d', 'e: 1')],
  ['an anchor and its alias', lines('a: &x', '  y: 1', 'b: *x', 'c:', '  <<: *x')],
  ['a key in question', lines('? a', ': b', 'c: 1')],
  ['a comment behind the key', lines('a: # b', '  c: 1', 'd: 1')],
  ['a first line behind a mark', lines('# Copyright', '---', 'a:', '  b: 1', 'c: 1')],
  ['two documents', lines('a: 1', '---', 'b: 1')],
  ['tabs', 'a:\n\tb: 1\nc: 1\n'],
  ['carriage returns', 'a:\r\n  b: 1\r\n  c: |\r\n    x\r\nd: 1\r\n'],
  ['a byte order mark', '\uFEFFa:\n  b: 1\nc: 1\n'],
  ['a key twice', lines('a: 1', 'b: 1', 'a: 2')],
  ['nothing below a key', lines('a:', '# c', 'b:', 'c: 1')],
  ['a map that loses its indentation', lines('a:', '    b: 1', '  c: 1')],
  ['no line break at the end', 'a:\n  b: 1\nc:\n  - d'],
])('parts do not change how it is read: %s', (_name, text) => {
  const read = (cuts: typeof TINY): unknown => {
    try {
      return told(readYaml(text, { lean: false, cuts }));
    } catch (error) {
      return String(error);
    }
  };
  expect(read(TINY)).toEqual(read(NONE));
});

test('what an alias stands for is read again, what stands for itself is not', () => {
  const known = readYaml(lines('a: &x 1', 'b: *x', 'c: {d: 1}'), { lean: false, cuts: TINY });
  const [after] = readYaml(lines('a: &x 2', 'b: *x', 'c: {d: 1}'), {
    lean: true,
    cuts: TINY,
    known: known.parts,
  }).documents;
  expect(plain(after!.root!)).toEqual({ a: 2, b: 2, c: { d: 1 } });
  expect(childOf(after!.root!, 'c')).toBe(childOf(known.documents[0]!.root!, 'c'));
});

test('an entry that comes or goes has the parts beside it read again, and no others', () => {
  const entries = Array.from({ length: 300 }, (_, at) => `  - name: step-${at}\n    after: [step-${at - 7}]\n`);
  const textOf = (those: string[]): string => `kind: Flow\nsteps:\n${those.join('')}`;
  const before = readYaml(textOf(entries), { lean: true });
  expect(before.parts.size).toBeGreaterThan(10);
  let known = before.parts;
  for (const at of [0, 17, 150, 299]) {
    const text = textOf(entries.toSpliced(at, 1));
    const { parts } = readYaml(text, { lean: true, known });
    const fresh = [...parts.keys()].filter((part) => !known.has(part));
    expect([at, fresh.length]).toEqual([at, expect.toSatisfy((count: number) => count <= 5)]);
    // What was known stays known for the next edit.
    expect(parts.size).toBeGreaterThan(10);
    known = parts;
  }
});
