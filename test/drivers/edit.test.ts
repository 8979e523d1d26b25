import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { canonical } from '../../src/drivers/content.ts';
import type { PinnedValue } from '../../src/drivers/driver.ts';
import { locate } from '../../src/drivers/edit/jsonpath.ts';
import { holdsValues, readValues, writeValues } from '../../src/drivers/edit/values.ts';

const put = (text: string, values: PinnedValue[], file = 'values.yaml'): string => writeValues(file, text, values);
const set = (text: string, path: (string | number)[], value: unknown): string => put(text, [{ location: path, value }]);

test.each([
  ['$.appVersion', [['appVersion']]],
  ['$appVersion', [['appVersion']]],
  [
    '$..image',
    [
      ['my-app', 'image'],
      ['list', 0, 'image'],
      ['list', 1, 'image'],
    ],
  ],
  ['$.list[0].image', [['list', 0, 'image']]],
  [
    '$.list[*].image',
    [
      ['list', 0, 'image'],
      ['list', 1, 'image'],
    ],
  ],
  ["$.list[?(@.image=='c')].image", [['list', 1, 'image']]],
  ["$['my-app'].image", [['my-app', 'image']]],
  ['$.my-app.image', [['my-app', 'image']]],
  ['$.list.length', []],
  ['$.constructor', []],
  ['$.list', [['list']]],
  ['$', [[]]],
])('%s points at %j', (path, expected) => {
  const value = { appVersion: '1', 'my-app': { image: 'a' }, list: [{ image: 'b' }, { image: 'c' }] };
  expect(locate(value, path)).toEqual(expected);
});

test('a JSON path is never run as JavaScript', () => {
  const evil = `$.list[?(@.constructor.constructor("globalThis.owned = 1")())]`;
  expect(() => locate({ list: [{ a: 1 }] }, evil)).toThrow(/cannot be used/);
  expect('owned' in globalThis).toBe(false);
});

test.each([
  ['comments and blanks stay', 'a: 1   # why\n\n# more\nb:   2\n', ['a'], 7, 'a: 7   # why\n\n# more\nb:   2\n'],
  ['single quotes stay', "v: '1.0' # c\n", ['v'], "it's", "v: 'it''s' # c\n"],
  ['double quotes stay', 'v: "1.0"\n', ['v'], '2.0', 'v: "2.0"\n'],
  ['a text that looks like a number is quoted', 'v: abc\n', ['v'], '1.10', 'v: "1.10"\n'],
  ['a missing value is filled', 'v:\nw: 1\n', ['v'], 'x', 'v: x\nw: 1\n'],
  ['a missing value before a comment is filled', 'v:   # c\nw: 1\n', ['v'], 'x', 'v:   x # c\nw: 1\n'],
  ['a flow map stays a flow map', 'v: { a: 1, b: 2 } # c\n', ['v', 'b'], 'x, y', 'v: { a: 1, b: "x, y" } # c\n'],
  ['carriage returns stay', 'a: 1\r\nb: 2\r\n', ['b'], 3, 'a: 1\r\nb: 3\r\n'],
  ['an anchor keeps its name', 'a: &x 1\nb: 2\n', ['a'], 5, 'a: &x 5\nb: 2\n'],
  ['an alias is replaced alone', 'a: &x 1\nb: *x # c\n', ['b'], 5, 'a: &x 1\nb: 5 # c\n'],
  ['a list item', 'l:\n- a # 1\n- b # 2\n', ['l', 1], 'z', 'l:\n- a # 1\n- z # 2\n'],
  ['a key is added to a map', 'm:\n  a: 1 # c\n# end\nz: 1\n', ['m', 'b'], 2, 'm:\n  a: 1 # c\n  b: 2\n# end\nz: 1\n'],
  ['a key is added at the end without a newline', 'a: 1', ['b'], 2, 'a: 1\nb: 2'],
  ['a key is added to a flow map', 'm: { a: 1 }\n', ['m', 'b'], 'x', 'm: { a: 1, b: x }\n'],
  ['a key is added to an empty map', 'm: {}\n', ['m', 'b'], 'x', 'm: {b: x}\n'],
  ['a key is added to an empty file', '', ['b'], 'x', 'b: x\n'],
  [
    'an element is added to a list',
    'l:\n  - a\n  - b # c\nz: 1\n',
    ['l', 2],
    'd',
    'l:\n  - a\n  - b # c\n  - d\nz: 1\n',
  ],
  ['a scalar becomes a map', 'a: 1\nz: 1\n', ['a'], { x: 1, y: [2] }, 'a:\n  x: 1\n  y:\n    - 2\nz: 1\n'],
  ['a map becomes a scalar', 'a:\n  x: 1\n\n# c\nz: 1\n', ['a'], 'v', 'a:\n  v\n\n# c\nz: 1\n'],
  ['a block scalar becomes a quoted one', 'a: |\n  x\n  y\nz: 1\n', ['a'], 'q\nr\n', 'a: "q\\nr\\n"\nz: 1\n'],
  [
    'only what differs inside a list of maps changes',
    'd:\n  - name: x # n\n    v: 1 # v\n',
    ['d'],
    [{ name: 'x', v: 2 }],
    'd:\n  - name: x # n\n    v: 2 # v\n',
  ],
  ['a list of another length is replaced', 'd:\n  - a\n  - b\nz: 1\n', ['d'], ['c'], 'd:\n  - c\nz: 1\n'],
])('%s', (_name, before, location, value, after) => {
  expect(set(before, location, value)).toBe(after);
});

test('1.10 stays 1.10: in the file, in its value and in the comparison', () => {
  const values = readValues('Chart.yaml', 'appVersion: 1.10\n', '$.appVersion');
  expect(values).toEqual([{ location: ['appVersion'], value: 1.1, text: '1.10' }]);
  expect(put('appVersion: 1.1 # live\n', values)).toBe('appVersion: 1.10 # live\n');
  expect(holdsValues('Chart.yaml', 'appVersion: 1.1\n', values)).toBe(false);
  expect(put('{"appVersion": 1.1}', values, 'a.json')).toBe('{"appVersion": 1.10}');
});

test('1.10 stays 1.10 inside a promoted map', () => {
  const values = readValues('Chart.yaml', 'a: { v: 1.10, w: x }\n', '$.a');
  expect(put('a:\n  v: 1.1\n  w: y # c\n', values)).toBe('a:\n  v: 1.10\n  w: x # c\n');
});

test('JSON keeps its tabs, its order and its spaces', () => {
  const before = '{\n\t"b": 1,\n\t"a": {"x":  [1,2]},\n\t"v": "1.0"\n}\n';
  const after = put(
    before,
    [
      { location: ['v'], value: '2.0' },
      { location: ['n'], value: { k: 1 } },
    ],
    'a.json',
  );
  expect(after).toBe('{\n\t"b": 1,\n\t"a": {"x":  [1,2]},\n\t"v": "2.0",\n\t"n": {\n\t\t"k": 1\n\t}\n}\n');
});

test.each([
  ['its parent does not exist', 'a: 1\n', ['b', 'c'], '$.b.c cannot be added: $.b does not hold it'],
  ['its parent is a scalar', 'a: 1\n', ['a', 'c'], '$.a.c cannot be added'],
  ['it is far behind the end of a list', 'a: [1]\n', ['a', 4], '$.a[4] cannot be added'],
  ['an anchor would change its aliases', 'a: &x {v: 1}\nb: *x\n', ['a', 'v'], 'without changing others'],
  ['it is behind an alias', 'a: &x {v: 1}\nb: *x\n', ['b', 'v'], 'only reached through an alias'],
  ['there are two documents', 'a: 1\n---\na: 2\n', ['a'], 'holds 2 YAML documents'],
  ['the file is no YAML', 'a: {{ .Values.x }}\nb: [\n', ['a'], 'is not usable YAML'],
])('a value is refused by file and place when %s', (_name, before, location, message) => {
  expect(() => set(before, location, 9)).toThrow(message);
  expect(() => set(before, location, 9)).toThrow('file "values.yaml"');
});

test('a file of another kind is refused by name', () => {
  expect(() => put('a=1', [], 'a.toml')).toThrow('file "a.toml" is neither YAML nor JSON');
});

const key = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/),
  fc.string({ maxLength: 6 }).filter((k) => !k.includes('\0') && k !== '__proto__' && k !== '<<'),
);
const scalar = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((s) => !s.includes('\0')),
  fc.constantFrom(
    '1.10',
    'yes',
    'null',
    '~',
    '# no',
    'a: b',
    '- x',
    ' lead',
    'trail ',
    'two\nlines\n',
    '',
    '"',
    "it's",
    '*a',
    '&a',
    '{',
    '@',
    '%',
    '!t',
  ),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (Object.is(n, -0) ? 0 : n)),
);
const tree = (leaf: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 3 },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(key, tie('node'), { maxKeys: 4 }),
    ),
  })).node;
const root = fc.dictionary(key, tree(scalar), { minKeys: 1, maxKeys: 5 });
const style = fc.record({
  indent: fc.constantFrom(2, 4),
  indentSeq: fc.boolean(),
  lineWidth: fc.constantFrom(0, 20, 80),
  defaultStringType: fc.constantFrom(
    'PLAIN' as const,
    'QUOTE_SINGLE' as const,
    'QUOTE_DOUBLE' as const,
    'BLOCK_LITERAL' as const,
  ),
  collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
});

function placesIn(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at];
  const inner = Object.entries(value).flatMap(([k, v]) => placesIn(v, [...at, Array.isArray(value) ? Number(k) : k]));
  return at.length === 0 ? inner : [at, ...inner];
}

test('in any YAML document an edit changes the promoted place and nothing else', () => {
  let edits = 0;
  let collections = 0;
  fc.assert(
    fc.property(root, style, tree(scalar), fc.nat(), (document, options, value, pick) => {
      const text = stringify(document, options);
      // The library does not read back every block scalar that it prints; those texts test nothing of ours.
      fc.pre(canonical(parse(text)) === canonical(document));
      const places = placesIn(document);
      const place = places[pick % places.length]!;
      const after = set(text, place, value);
      const expected = structuredClone(document) as Record<string | number, unknown>;
      let at = expected;
      for (const each of place.slice(0, -1)) at = at[each] as Record<string | number, unknown>;
      at[place.at(-1)!] = value;
      expect(parse(after)).toEqual(expected);
      edits += 1;
      if (typeof value === 'object' && value !== null) collections += 1;
    }),
    { numRuns: 400 },
  );
  console.info(`${edits} edits, ${collections} of them with maps or lists`);
});

test('the lines of other keys stay as they were, comments included', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 2, maxLength: 8 }),
      scalar,
      scalar,
      fc.nat(),
      (keys, old, value, pick) => {
        const line = (k: string, i: number): string => `${k}:  ${JSON.stringify(i)}   # about ${k}`;
        const chosen = pick % keys.length;
        const lines = keys.map((k, i) =>
          i === chosen ? stringify({ [k]: old }, { lineWidth: 0 }).trimEnd() : line(k, i),
        );
        const after = set(`${lines.join('\n')}\n`, [keys[chosen]!], value).split('\n');
        for (const [i, each] of keys.map(line).entries()) if (i !== chosen) expect(after).toContain(each);
      },
    ),
    { numRuns: 200 },
  );
});
