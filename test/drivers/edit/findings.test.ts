import { describe, expect, test } from 'vitest';
import { applyValues, selectValues } from '../../../src/drivers/edit/index.ts';
import { lines, promote } from './promote.ts';

// Each row is an example of what was seen to go wrong in real files, or of what people met in other tools.

describe('F1: an entry is written where the path finds it in the target', () => {
  const images = (...each: [string, string][]): string =>
    lines('images:', ...each.flatMap(([name, tag]) => [`  - name: ${name}`, `    newTag: ${tag}`]));
  const dev = images(['web', 'v2.0.0'], ['api', 'v9.9.9']);

  test('a filter finds the entry in another order', () => {
    const after = promote(dev, images(['api', 'v5.0.0'], ['web', 'v1.0.0']), ["$.images[?(@.name=='api')].newTag"]);
    expect(after).toBe(images(['api', 'v9.9.9'], ['web', 'v1.0.0']));
  });

  test('a sidecar in front keeps its image', () => {
    const source = lines('containers:', '  - name: app', '    image: reg.test/app:2');
    const target = lines(
      'containers:',
      '  - name: istio-proxy',
      '    image: istio:1',
      '  - name: app',
      '    image: reg.test/app:1',
    );
    expect(promote(source, target, ["$.containers[?(@.name=='app')].image"])).toBe(target.replace('app:1', 'app:2'));
  });

  test.each([
    [
      'the entry is not there',
      images(['web', '1'], ['worker', '1']),
      /"values.yaml".*images\[\?\(@.name=='api'\)\].*selects nothing/,
    ],
    ['only another entry is there', images(['b', '1']), /selects nothing in this file/],
    [
      'the entry is there twice',
      images(['api', '1'], ['api', '2']),
      /selects 2 entries in this file, and 2 of them are \[name=api\]/,
    ],
  ])('it is refused when %s', (_name, target, message) => {
    expect(() => promote(dev, target, ["$.images[?(@.name=='api')].newTag"])).toThrow(message);
  });

  test('JSON is paired the same way', () => {
    const source = '{"packages":[{"name":"a","version":"3"},{"name":"b","version":"2"}]}';
    const target = '{"packages":[{"name":"b","version":"1"},{"name":"a","version":"1"}]}';
    expect(promote(source, target, ["$.packages[?(@.name=='b')].version"], { file: 'package.json' })).toBe(
      '{"packages":[{"name":"b","version":"2"},{"name":"a","version":"1"}]}',
    );
  });

  test.each(['$.images[*].newTag', '$..newTag', '$.images[0:2].newTag', "$.images[?@.newTag != ''].newTag"])(
    '%s is paired by the names of the entries',
    (path) => {
      expect(promote(dev, images(['api', 'v5.0.0'], ['web', 'v1.0.0']), [path])).toBe(
        images(['api', 'v9.9.9'], ['web', 'v2.0.0']),
      );
    },
  );

  test.each(['$.images[*].newTag', '$..newTag'])('what stands only in the target stays with %s', (path) => {
    expect(promote(dev, images(['proxy', 'v1'], ['api', 'v5'], ['web', 'v1']), [path])).toBe(
      images(['proxy', 'v1'], ['api', 'v9.9.9'], ['web', 'v2.0.0']),
    );
  });

  test('the last entry is the last of the target', () => {
    const source = lines('l:', '  - a', '  - b', '  - new');
    for (const path of ['$.l[-1:]', '$.l[-1]'])
      expect(promote(source, lines('l:', '  - a', '  - old'), [path])).toBe(lines('l:', '  - a', '  - new'));
  });

  test('an index is the index that the path says', () => {
    expect(promote('l: [x, y]\n', 'l: [a, b, c]\n', ['$.l[1]'])).toBe('l: [a, y, c]\n');
  });

  test('a rollback finds the entry behind one that was put in front by hand', () => {
    const path = "$.containers[?(@.name=='app')].image";
    const { values } = selectValues('d.yaml', lines('containers:', '- name: app', '  image: app:1'), [path]);
    const now = lines('containers:', '- {name: proxy, image: proxy:1.20}', '- name: app', '  image: app:2');
    expect(applyValues('d.yaml', now, values, { onMissing: 'REFUSE' }).text).toBe(now.replace('app:2', 'app:1'));
  });

  test('a Chart.yaml with one dependency fewer', () => {
    const chart = (...each: string[]): string =>
      lines(
        'dependencies:',
        ...each.flatMap((one) => [`  - name: ${one.split(' ')[0]}`, `    version: ${one.split(' ')[1]}`]),
      );
    const source = chart('kube-state-metrics 5.1.0', 'node-exporter 4.2.0', 'pushgateway 2.1.0');
    const target = chart('kube-state-metrics 5.0.0', 'pushgateway 2.0.0');
    const paths = ['$.dependencies[*].version'];
    expect(() => promote(source, target, paths)).toThrow(
      '$.dependencies[name=node-exporter].version stands only in the source',
    );
    expect(promote(source, target, paths, { onMissing: 'SKIP' })).toBe(
      chart('kube-state-metrics 5.1.0', 'pushgateway 2.1.0'),
    );
    expect(promote(source, target, paths, { onMissing: 'ADD' })).toBe(
      chart('kube-state-metrics 5.1.0', 'pushgateway 2.1.0', 'node-exporter 4.2.0'),
    );
  });

  test.each([
    [
      'entries without a name that differ',
      'l: [{tag: 1}]\n',
      'l: [{tag: 2}]\n',
      '$.l[*].tag',
      /stands only in the source/,
    ],
    [
      'another entry by a filter that names none',
      'l: [{name: a, on: true, t: 1}]\n',
      'l: [{name: b, on: true, t: 2}]\n',
      '$.l[?@.on == true].t',
      /selects \[name=b\] in this file, and \[name=a\] was promoted/,
    ],
    [
      'slices of another length',
      'l: [a, b]\n',
      'l: [a, b, c]\n',
      '$.l[0:9]',
      /selects 3 entries in this file and 2 in the source/,
    ],
    [
      'two paths that want two values in one place',
      'l: [{name: a, t: 1}, {name: b, t: 2}]\n',
      'l: [{name: b, t: 0}]\n',
      "$.l[0].t|$.l[?@.name=='b'].t",
      /two paths of the template want different values at \$\.l\[0\]\.t/,
    ],
  ])('%s: refused', (_name, source, target, paths, message) => {
    expect(() => promote(source, target, paths.split('|'))).toThrow(message);
  });
});

describe('F2: a text stays that text for every reader', () => {
  const odd = [
    'no',
    'on',
    'off',
    'y',
    'N',
    'Yes',
    '1_000',
    '0b101',
    '0o17',
    '0x1F',
    '017',
    '2024-06-27',
    '2024-06-27T10:00:00Z',
    '12:30:45',
    '~',
    'null',
    '.inf',
    '-.INF',
    '.nan',
    '1e3',
    '1.10',
    '+1',
    '=',
    '<<',
    '1,000',
    '.5',
    '',
  ];
  test.each(odd)('%s gets quotes where none are', (text) => {
    expect(promote(`tag: "${text}"\n`, 'tag: v1.0.0\n', ['$.tag'])).toBe(`tag: "${text}"\n`);
    expect(promote(`m: {"${text}": x}\n`, 'm:\n  z: x\n', ['$.m'])).toBe(`m:\n  "${text}": x\n`);
    expect(promote(`l: ["${text}"]\n`, 'l:\n  - v\n', ['$.l'])).toBe(`l:\n  - "${text}"\n`);
    expect(promote(`m: {l: ["${text}"]}\n`, 'm: 1\n', ['$.m'])).toBe(`m:\n  l:\n    - "${text}"\n`);
  });
  test.each([
    'v1.2.3',
    '1.2.3',
    'sha-4815e12',
    'a b',
    'a:b',
    "it's",
    'x#y',
    'yesterday',
    '2024-06',
    '10.0.0.1',
    'nginx:1.25',
  ])('%s needs none', (text) => {
    expect(promote(`tag: "${text}"\n`, 'tag: old\n', ['$.tag'])).toBe(`tag: ${text}\n`);
  });
  test('what readers take differently is copied as it is written, so that each reads the same here as there', () => {
    expect(promote('a: yes\n', 'a: no\n', ['$.a'])).toBe('a: yes\n');
    expect(promote('a: yes\n', 'a: "no"\n', ['$.a'])).toBe('a: "yes"\n');
    expect(promote('a: "yes"\n', 'a: yes\n', ['$.a'])).toBe('a: "yes"\n');
  });
});

describe('F4: aliases are limited by what they grow to', () => {
  test('more than a hundred of ordinary ones', () => {
    const file = (replicas: number): string =>
      lines(
        'tag: &t a',
        'svc:',
        ...Array.from({ length: 120 }, (_, i) => `  s${i}: {tag: *t}`),
        `replicas: ${replicas}`,
      );
    expect(promote(file(2), file(1), ['$.replicas'])).toBe(file(2));
  });
  test('merges of merges', () => {
    const file = (n: number): string =>
      lines(
        'a: &a {A: 1}',
        'b: &b {B: 1}',
        'd: &d',
        '  <<: [*a, *b]',
        'e: &e',
        '  <<: *d',
        ...Array.from({ length: 28 }, (_, i) => `s${i}:\n  <<: *e`),
        `n: ${n}`,
      );
    expect(promote(file(2), file(1), ['$.n'])).toBe(file(2));
  });
  test('a bomb is refused at once', () => {
    const bomb = lines(
      'a0: &a0 [x, x, x, x, x, x, x, x, x, x]',
      ...Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`),
    );
    const start = performance.now();
    expect(() => promote(bomb, bomb, ['$.a0'])).toThrow(
      'holds more than 2000000 values, with those that its aliases repeat',
    );
    expect(performance.now() - start).toBeLessThan(20_000);
  });
});

describe('F6: in JSON nothing but the new text changes', () => {
  test.each([
    ['{"a":1}', '{"v":"2"}', '$.v', '{"a":1,"v":"2"}'],
    ['{"image":{},"z":1}', '{"image":{"tag":"2"}}', '$.image.tag', '{"image":{"tag":"2"},"z":1}'],
    ['{"a":2,"m":{"x":1},"z":1}', '{"m":{"x":1,"y":2}}', '$.m', '{"a":2,"m":{"x":1,"y":2},"z":1}'],
    ['{"a":2,"deps":["x"],"z":1}', '{"deps":["x","y"]}', '$.deps', '{"a":2,"deps":["x","y"],"z":1}'],
    ['{"a": 1}', '{"v":{"x":[1,2]}}', '$.v', '{"a": 1, "v": {"x": [1, 2]}}'],
    ['{\n  "a": ["x"],\n  "z": 1\n}\n', '{"a":["y"]}', '$.a', '{\n  "a": ["y"],\n  "z": 1\n}\n'],
    ['{\n  "deps": {}\n}\n', '{"deps":{"a":"1"}}', '$.deps', '{\n  "deps": {\n    "a": "1"\n  }\n}\n'],
    [
      '{\n  "m": {\n    "r": "r" // who: team-a\n  }\n}\n',
      '{"m":{"r":"r","tag":"2"}}',
      '$.m',
      '{\n  "m": {\n    "r": "r", // who: team-a\n    "tag": "2"\n  }\n}\n',
    ],
    [
      '{\n  "l": [\n    "a", // about a\n    "b" // about b\n  ]\n}\n',
      '{"l":["b","a"]}',
      '$.l',
      '{\n  "l": [\n    "b", // about b\n    "a" // about a\n  ]\n}\n',
    ],
    [
      '{\n  "m": {\n    // one\n    "a": 1,\n    /* two */ "b": 2, // too\n    "c": 3\n  }\n}\n',
      '{"m":{"a":1,"c":3}}',
      '$.m',
      '{\n  "m": {\n    // one\n    "a": 1,\n    "c": 3\n  }\n}\n',
    ],
    ['{"l":[1,2,],"z":1}', '{"l":[2,3]}', '$.l', '{"l":[2,3,],"z":1}'],
    [
      '\uFEFF{\r\n\t"a": 1\r\n}\r\n',
      '{"b":{"c":2}}',
      '$.b',
      '\uFEFF{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": 2\r\n\t}\r\n}\r\n',
    ],
    ['{"a":1.10}', '{"a":1.20}', '$.a', '{"a":1.20}'],
  ])('%j with %j at %s', (target, source, path, after) => {
    expect(promote(source, target, [path], { file: 'a.json' })).toBe(after);
  });
});

describe('F7: a block scalar keeps its style', () => {
  test.each([
    ['a text of more lines', 'c: |\n  a\n  b\n', 'c: |\n  x\nz: 1\n', 'c: |\n  a\n  b\nz: 1\n'],
    ['over one without a last line break', 'c: |\n  a\n', 'c: |-\n  x\nz: 1\n', 'c: |\n  a\nz: 1\n'],
    ['over a folded one', 'c: |\n  a\n  b\n', 'c: >-\n  x\n  y\nz: 1\n', 'c: >\n  a\n\n  b\nz: 1\n'],
    [
      'its indentation and its comment stay',
      'm: {c: a}\n',
      'm:\n    c: |  # about\n        x\n    d: 1\n',
      'm:\n    c: |-  # about\n        a\n    d: 1\n',
      '$.m.c',
    ],
    [
      'in a list',
      'l:\n  - |\n    a\n    b\n',
      'l:\n  - |\n    x\n  - z\n',
      'l:\n  - |\n    a\n    b\n  - z\n',
      '$.l[0]',
    ],
    [
      'blank lines behind it stay',
      'c: |\n  a\n\n  b\n',
      'c: |\n  x\n\n\n# z\nz: 1\n',
      'c: |\n  a\n\n  b\n\n\n# z\nz: 1\n',
    ],
    ['kept line ends', 'c: "a\\n\\n\\n"\n', 'c: |+\n  x\n\nz: 1\n', 'c: |+\n  a\n\n\nz: 1\n'],
    ['blanks at its front', 'c: "  a\\nb\\n"\n', 'c: |\n  x\nz: 1\n', 'c: |2\n    a\n  b\nz: 1\n'],
    ['what no block can hold is quoted', 'c: "a\\u0007"\n', 'c: |\n  x\nz: 1\n', 'c: "a\\u0007"\nz: 1\n'],
    ['the last one of a file without a line break', 'c: |\n  a\n', 'c: |\n  x', 'c: |\n  a\n'],
    ['none where a comment stays in its line', 'c: |\n  a\n  b\n', 'c: # about\n- x\n', 'c: "a\\nb\\n" # about\n'],
    ['with carriage returns', 'c: |\n  a\n  b\n', 'c: |\r\n  x\r\nz: 1\r\n', 'c: |\r\n  a\r\n  b\r\nz: 1\r\n'],
  ])('%s', (_name, source, target, after, path = '$.c') => {
    expect(promote(source, target, [path])).toBe(after);
  });
});

describe('F7: a block scalar that moves stays the text that it is', () => {
  const ORDERS = [
    ['a', 'k', 'b'],
    ['k', 'a', 'b'],
    ['a', 'b', 'k'],
  ];
  const TAILS = [['  z: 1'], ['  # about z', '  z: 1'], ['# about z', 'z: 1'], ['---', 'other: 1'], []];

  test.each(['|+', '>+', '|2+', '|', '|-'])('%s to the start, the middle and the end, whatever follows', (head) => {
    for (const blanks of [0, 1, 2])
      for (const gap of [0, 1])
        for (const tail of TAILS)
          for (const eol of ['\n', '\r\n'])
            for (const from of ORDERS)
              for (const to of ORDERS) {
                const block = [`    - ${head}`, '      t', ...Array<string>(blanks).fill('')];
                const entries = from.flatMap((name) => (name === 'k' ? block : [`    - ${name}`]));
                const target = ['top:', '  l:', ...entries, ...Array<string>(gap).fill(''), ...tail, ''].join(eol);
                const paths = [tail[0] === '---' ? '1 $.top.l' : '$.top.l'];
                const [location] = selectValues('values.yaml', target, paths).values[0]!.locations;
                const was = location!.value as string[];
                const l = to.map((name) => was[from.indexOf(name)]);
                const source = `${JSON.stringify({ top: { l } })}\n${tail[0] === '---' ? '---\nother: 1\n' : ''}`;
                const after = promote(source, target, paths);
                expect(selectValues('values.yaml', after, paths).values[0]!.locations[0]!.value).toEqual(l);
                expect(after).toContain(`- ${head}${eol}      t${eol}`);
                expect(after.endsWith(tail.map((line) => line + eol).join(''))).toBe(true);
              }
  });

  test.each([
    [
      'blank lines that stood there are not counted to it',
      'l: [b, "a\\n\\n"]\n',
      'l:\n- |+\n  a\n\n- b\n\n\n# z\nz: 1\n',
      'l:\n- b\n- |+\n  a\n\n# z\nz: 1\n',
    ],
    [
      'the last line of a file without a line break gets one',
      'l: [b, "a\\n"]\n',
      'l:\n- |\n  a\n- b',
      'l:\n- b\n- |\n  a\n',
    ],
    [
      'a new text at the end of such a file comes along without it',
      'l: [{name: k, v: "x\\n\\n"}, {name: a}]\n',
      'l:\n- name: a\n- name: k\n  v: |+\n    t',
      'l:\n- name: k\n  v: |+\n    x\n\n- name: a',
    ],
  ])('%s', (_name, source, target, after) => {
    expect(promote(source, target, ['$.l'])).toBe(after);
  });
});

describe('F8: lists and maps change entry by entry', () => {
  test('the entries that are equal keep their bytes when a list grows', () => {
    const redis = ['- name: redis # cache', '  version: 18.0.0', '  repository: "https://charts.example.test"'];
    const source = lines(
      'dependencies:',
      '  - name: redis',
      '    version: 18.0.0',
      '    repository: https://charts.example.test',
      '  - name: postgres',
      '    version: 12.1.0',
    );
    expect(promote(source, lines('dependencies:', ...redis, 'z: 1'), ['$.dependencies'])).toBe(
      lines('dependencies:', ...redis, '- name: postgres', '  version: 12.1.0', 'z: 1'),
    );
  });
  test('comments go with their entries', () => {
    expect(
      promote('l: [postgres, redis]\n', lines('l:', '- redis # the cache', '- postgres # the database'), ['$.l']),
    ).toBe(lines('l:', '- postgres # the database', '- redis # the cache'));
  });
  test('a map that loses a key keeps the comments of the others', () => {
    const target = lines('m:', '  # about a', '  a: 1', '', '  # about b', '  b: 2 # b', '  c: 3 # c', 'z: 1');
    expect(promote('m: {a: 1, c: 3}\n', target, ['$.m'])).toBe(
      lines('m:', '  # about a', '  a: 1', '', '  c: 3 # c', 'z: 1'),
    );
  });
  test('an entry that changes keeps what is equal in it', () => {
    const target = lines('l:', '  - name: a # A', '    v: "1" # V', '  - name: b # B', '    v: "1"');
    expect(promote('l: [{name: b, v: "1"}, {name: a, v: "2"}]\n', target, ['$.l'])).toBe(
      lines('l:', '  - name: b # B', '    v: "1"', '  - name: a # A', '    v: "2" # V'),
    );
  });
});

describe('F9: documents with nothing in them do not count', () => {
  test.each(['tag: "1"\n---\n', '---\n---\ntag: "1"\n', '# Copyright\n---\n# Licence\n---\ntag: "1"\n...\n'])(
    '%j',
    (target) => {
      expect(promote('tag: "2"\n', target, ['$.tag'])).toBe(target.replace('1', '2'));
    },
  );
});

test.each(["$.dependencies['@example/core']", "$.dependencies['core']"])(
  'F10: %s is absent, and the rest is promoted',
  (path) => {
    const found = selectValues('package.json', '{"version":"2","dependencies":{}}', ['$.version', path]);
    expect(found.absent).toEqual([path]);
    expect(applyValues('package.json', '{"version":"1"}', found.values, { onMissing: 'REFUSE' }).text).toBe(
      '{"version":"2"}',
    );
  },
);

test.each(['~', '?(1)', '^', 'a]b', "it's", '()', '(1)', '$', '*', '..', '@', ' ', '', '0'])(
  'F11: what is in quotes is a name: %j',
  (name) => {
    const file = (v: number): string => `${JSON.stringify({ m: { [name]: v, zz: v } })}\n`;
    expect(promote(file(1), file(2), [`$.m[${JSON.stringify(name)}]`])).toBe(file(2).replace('2', '1'));
  },
);

test('an alias gives way to a number that is written otherwise', () => {
  expect(promote('b: 1.10\n', 'a: &t 1.1\nb: *t\n', ['$.b'])).toBe('a: &t 1.1\nb: 1.10\n');
  expect(promote('a: 1.10\nb: 1.1\n', 'a: &t 1\nb: *t\n', ['$.a', '$.b'])).toBe('a: &t 1.10\nb: 1.1\n');
  expect(promote('a: 1.10\nb: 1.10\n', 'a: &t 1\nb: *t\n', ['$.b', '$.a'])).toBe('a: &t 1.10\nb: *t\n');
});

describe('a number behind an alias that is written otherwise is another one', () => {
  const source = lines('a: {x: 1.1}', 'b: {x: 1.1}');
  const target = lines('a: &a {x: 1.10}', 'b: *a');
  const merged = lines('a: &a {x: 1.10}', 'b: {<<: *a}');

  test.each([
    ['an alias', target],
    ['a merge', merged],
    ['an alias to a list', lines('a: &a [{x: 1.10}]', 'b: *a')],
  ])('it is not written through %s', (_name, text) => {
    const isList = text.includes('[');
    const from = isList ? lines('a: [{x: 1.1}]', 'b: [{x: 1.1}]') : source;
    expect(() => promote(from, text, [isList ? '$.b[0].x' : '$.b.x'])).toThrow(/is reached through .*\*a at \$\.b/);
  });

  test('it is written where its anchor is promoted, too', () => {
    expect(promote(source, target, ['$.a.x', '$.b.x'])).toBe(target.replace('1.10', '1.1'));
    expect(promote(source, merged, ['$.b.x', '$.a.x'])).toBe(merged.replace('1.10', '1.1'));
  });
});

test('F15: an alias stays whatever the order of the paths', () => {
  for (const paths of [
    ['$.b', '$.a'],
    ['$.a', '$.b'],
  ])
    expect(promote('a: "2"\nb: "2"\n', 'a: &t "1"\nb: *t\n', paths)).toBe('a: &t "2"\nb: *t\n');
});

describe('F16: keys are named as they stand', () => {
  test.each(['1.10', '0x1F', 'null', '1e3', 'true', '~'])('%s', (key) => {
    expect(promote(`m:\n  ${key}: x\n`, `m:\n  ${key}: y\n  1.1: z\n`, [`$.m['${key}']`])).toBe(
      `m:\n  ${key}: x\n  1.1: z\n`,
    );
  });
});

describe('R1, R2: anchors and merges', () => {
  test('a merge of an alias to a list of maps brings in their keys', () => {
    const text = lines('all: &all [{tag: "1"}, {port: 80}]', 'web:', '  <<: *all', '  name: web');
    const { values } = selectValues('v.yaml', text, ['$.web.tag', '$.web.port']);
    expect(values.map(({ locations }) => locations[0]?.value)).toEqual(['1', 80]);
    const changed = lines('all: [{tag: "2"}, {port: 80}]', 'web:', '  tag: "1"', '  port: 80', '  name: web');
    expect(() => promote(changed, text, ['$.all'])).toThrow(/web\.tag|\*all/);
  });
  const target = lines('base: &b {tag: "1", port: 80}', 'api: *b', 'web:', '  <<: *b', '  name: web');
  test('a value that is reached through an alias or a merge can be read', () => {
    const { values, absent } = selectValues('v.yaml', target, ['$.api.tag', '$.web.tag']);
    expect(absent).toEqual([]);
    expect(values.map(({ locations }) => locations[0]!.value)).toEqual(['1', '1']);
  });
  test.each([
    [
      '$.api.tag',
      /\$\.api\.tag is reached through \*b at \$\.api: it stands at the anchor &b \(\$\.base\.tag\), and changing it there changes \$\.base, and \$\.web as well\. Promote \$\.base\.tag too/,
    ],
    ['$.web.tag', /\$\.web\.tag is reached through the merge \(<<\) of \*b at \$\.web/],
    [
      '$.base.tag',
      /\$\.base has the anchor &b, and \$\.api\.tag would change with it through \*b at \$\.api\. Promote \$\.api\.tag too, or give it a value of its own/,
    ],
  ])('writing %s alone says what else would change, and what to do', (path, message) => {
    const source = 'base: {tag: "2"}\napi: {tag: "2"}\nweb: {tag: "2"}\n';
    expect(() => promote(source, target, [path])).toThrow(message);
    expect(() => promote(source, target, [path])).toThrow('file "values.yaml": ');
  });
  test('naming all of them lets it through, by path or by `..`', () => {
    const source = 'base: {tag: "2"}\napi: {tag: "2"}\nweb: {tag: "2"}\n';
    for (const paths of [['$.web.tag', '$.api.tag', '$.base.tag'], ['$..tag']])
      expect(promote(source, target, paths)).toBe(target.replace('"1"', '"2"'));
  });
  test('an anchor that is used elsewhere is not taken away', () => {
    expect(() => promote('a: {x: 1}\n', 'a: {y: &k 2}\nb: *k\n', ['$.a'])).toThrow(/file "values.yaml".*\*k/);
  });
});

test('R3: a map with all its keys commented out takes a key', () => {
  expect(promote('image: {tag: x}\n', 'image:\n  # repository: r\n  # tag: y\nz: 1\n', ['$.image.tag'])).toBe(
    'image:\n  tag: x\n  # repository: r\n  # tag: y\nz: 1\n',
  );
  expect(promote('{"image":{"tag":"x"}}', '{"image":null}', ['$.image.tag'], { file: 'a.json' })).toBe(
    '{"image":{"tag":"x"}}',
  );
});

test('R4: a key that stands twice is told as that', () => {
  expect(() => promote('{"a":1}', '{"b":2,\n"a":1,\n"a":2}', ['$.a'], { file: 'a.json' })).toThrow(
    'file "a.json": line 3: the key "a" stands twice in one object',
  );
  expect(() => promote('a: 1\n', 'a: 1\nb: 2\na: 3\n', ['$.b'])).toThrow('line 3: the key "a" stands twice in one map');
  expect(promote('c: |+\n  a\n\nk: 2\n', 'c: |+\n  a\n\n\nz: 1\n', ['$.k'])).toBe('c: |+\n  a\n\n\nz: 1\nk: 2\n');
});

test('R9, R10: blanks as linters want them', () => {
  expect(promote('tag: x\n', 'tag:  # comment\nz: 1\n', ['$.tag'])).toBe('tag: x  # comment\nz: 1\n');
  expect(promote('image: x\n', 'image:\n  tag: 1\nz: 1\n', ['$.image'])).toBe('image: x\nz: 1\n');
});

describe('R15: several documents', () => {
  const manifest = (tag: string): string =>
    lines(
      'apiVersion: v1',
      'kind: Service',
      'metadata: {name: api}',
      'spec: {tag: 0}',
      '---',
      '# nothing',
      '---',
      'kind: Deployment',
      'metadata:',
      '  name: api',
      `spec: {tag: ${tag}} # c`,
    );
  test.each(['Deployment/api $.spec.tag', '2 $.spec.tag'])('%s', (path) => {
    expect(promote(manifest('2'), manifest('1'), [path])).toBe(manifest('2'));
  });
  test('a path without its document is refused with what can be said', () => {
    expect(() => promote(manifest('2'), manifest('1'), ['$.spec.tag'])).toThrow(
      'file "values.yaml": the file holds 2 YAML documents (Service/api, Deployment/api): begin the path with the one that is meant, such as "Service/api $.spec.tag"',
    );
  });
  test('a document that is not there', () => {
    expect(selectValues('a.yaml', manifest('1'), ['Job/x $.spec']).absent).toEqual(['Job/x $.spec']);
    expect(() => promote(manifest('2'), 'kind: Service\n', ['Deployment/api $.spec.tag'])).toThrow(
      /Deployment\/api \$.spec.tag.*no such document/,
    );
  });
});

test('R18: an operator of another library is refused', () => {
  expect(() => promote('image: {tag: 1}\n', 'image: {tag: 2}\n', ['$.image.tag^'])).toThrow(
    'is no JSON path (RFC 9535)',
  );
});

test('R19: a number over a text in quotes stays a text', () => {
  expect(promote('v: 1.10\n', 'v: "1.9"\n', ['$.v'])).toBe('v: "1.10"\n');
  expect(promote('v: 1.10\n', "v: '1.9'\n", ['$.v'])).toBe("v: '1.10'\n");
  expect(promote('{"v":2}', '{"v":"1"}', ['$.v'], { file: 'a.json' })).toBe('{"v":"2"}');
  expect(promote('v: "1.10"\n', 'v: 1.9\n', ['$.v'])).toBe('v: "1.10"\n');
  expect(promote('v: 1.10\n', 'v: 1.9\n', ['$.v'])).toBe('v: 1.10\n');
});

test('R20: one service more in the source is skipped, or added, as the template says', () => {
  const source = 'a: {tag: "2"}\nb: {tag: "2"}\n';
  expect(() => promote(source, 'a: {tag: "1"}\n', ['$..tag'])).toThrow('$.b.tag stands only in the source');
  const { values } = selectValues('v.yaml', source, ['$..tag']);
  expect(applyValues('v.yaml', 'a: {tag: "1"}\n', values, { onMissing: 'SKIP' })).toEqual({
    text: 'a: {tag: "2"}\n',
    changed: true,
    skipped: ['$.b.tag'],
  });
  expect(promote(source, 'a: {tag: "1"}\n', ['$..tag'], { onMissing: 'ADD' })).toBe('a: {tag: "2"}\nb:\n  tag: "2"\n');
});

describe('an index is a place of a list, a name a key of a map', () => {
  const list = 'm: [x]\n';
  const entries = 'm: [{tag: "2"}]\n';
  test.each([
    ['another value', list, 'm: {"0": y}\n', '$.m[0]', '$.m does not hold [0]'],
    ['an equal value: it is not there already', list, 'm: {"0": x}\n', '$.m[0]', '$.m does not hold [0]'],
    ['behind an alias', list, 'k: &k {"0": x}\nm: *k\n', '$.m[0]', '$.m does not hold [0]'],
    ['brought in by a merge', list, 'k: &k {"0": x}\nm: {<<: *k}\n', '$.m[0]', '$.m does not hold [0]'],
    ['behind a wildcard', list, 'm: {"0": x}\n', '$.*[0]', '$.m does not hold [0]'],
    ['behind `..`', 'a: {m: [x]}\n', 'a: {m: {"0": x}}\n', '$.a..[0]', '$.a.m does not hold [0]'],
    [
      'behind a filter',
      'l: [{name: a, m: [x]}]\n',
      'l: [{name: a, m: {"0": x}}]\n',
      "$.l[?@.name=='a'].m[0]",
      '.m does not hold [0]',
    ],
    ['on the way to a value', entries, 'm: {"0": {tag: "1"}}\n', '$.m[0].tag', '$.m does not hold [0]'],
    ['on the way to an equal value', entries, 'm: {"0": {tag: "2"}}\n', '$.m[0].tag', '$.m does not hold [0]'],
    ['on the way to `..`', entries, 'm: {"0": {tag: "2"}}\n', '$..tag', '$.m does not hold [0]'],
    ['by a wildcard', list, 'm: {"0": x}\n', '$.m[*]', '$.m does not hold [0]'],
    ['from the end', list, 'm: {"-1": x, "0": x}\n', '$.m[-1]', 'selects nothing in this file'],
    ['by a slice', list, 'm: {"0": x}\n', '$.m[0:1]', 'selects nothing in this file'],
    ['in JSON', '{"m":["x"]}', '{"m":{"0":"x"}}', '$.m[0]', '$.m does not hold [0]', 'a.json'],
    ['in TOML', 'm = ["x"]\n', '[m]\n0 = "x"\n', '$.m[0]', '$.m does not hold [0]', 'a.toml'],
    ['a name for a place', 'm: {"0": x}\n', list, "$.m['0']", '$.m does not hold ["0"]'],
    [
      'a name for a place behind an alias',
      'm: {"0": x}\n',
      'k: &k [x]\nm: *k\n',
      "$.m['0']",
      '$.m does not hold ["0"]',
    ],
    ['a wildcard for a place', 'm: {"0": x}\n', list, '$.m.*', '$.m does not hold ["0"]'],
    ['`..` for a place', 'm: {"0": {tag: "2"}}\n', entries, '$..tag', '$.m does not hold ["0"]'],
  ])('%s: refused', (_name, source, target, path, message, file = 'values.yaml') => {
    for (const onMissing of ['REFUSE', 'SKIP', 'ADD'] as const)
      expect(() => promote(source, target, [path], { file, onMissing })).toThrow(message);
  });

  test.each([
    ['m: {"0": x, "-1": x}\n', ['$.m[0]', '$.m[-1]', '$.m[0:1]', '$..[0]', '$[?@[0]]']],
    ['m: [x]\n', ["$.m['0']", "$.m['-1']", '$.m.length', "$..['0']", "$[?@['0']]"]],
  ])('nor is it read: %j', (text, paths) => {
    expect(selectValues('v.yaml', text, paths).absent).toEqual(paths);
  });

  test('nor is it found again for a version that was pinned before entries were kept', () => {
    const values = [{ path: '$.m[*]', locations: [{ location: ['m', 0], value: 'x' }] }];
    expect(applyValues('v.yaml', 'm: [x]\n', values, { onMissing: 'REFUSE' }).changed).toBe(false);
    for (const now of ['m: {"0": x}\n', 'm: {"0": y}\n', 'm: {q: y}\n'])
      expect(() => applyValues('v.yaml', now, values, { onMissing: 'REFUSE' })).toThrow(
        '$.m[0] was pinned by an earlier version of Sluice',
      );
    expect(applyValues('v.yaml', 'm: [y]\n', values, { onMissing: 'REFUSE' }).text).toBe(list);
  });

  test('nor do both become one map where nothing is yet', () => {
    const source = 'l: [{name: a, m: {"0": x}}, {name: b, m: [y]}]\n';
    for (const paths of [
      ["$.l[0].m['0']", "$.l[?@.name=='b'].m[*]"],
      ["$.l[?@.name=='b'].m[*]", "$.l[0].m['0']"],
    ])
      expect(() => promote(source, 'l: [{name: b, m: }]\n', paths, { onMissing: 'ADD' })).toThrow(
        'one path of the template wants a list at $.l[0].m, and another one a map',
      );
  });
});
