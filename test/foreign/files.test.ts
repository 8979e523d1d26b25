import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ForeignText } from '../../src/foreign/index.ts';
import type { ForeignLimits } from '../../src/foreign/index.ts';

// The real libraries on files that stopped a server, or would. Nothing else in the process may notice.
const open: ForeignText[] = [];
const opened = (limits: Partial<ForeignLimits> = {}): ForeignText => {
  const foreign = new ForeignText(limits);
  open.push(foreign);
  return foreign;
};
let patient: ForeignText;
let strict: ForeignText;
beforeAll(() => {
  patient = opened({ taskMs: 120_000 });
  strict = opened({ taskMs: 1_500, heapMiB: 150 });
});
afterAll(() => Promise.all(open.map((each) => each.close())));

const bad = { caller: 'bad', what: 'file "values.yaml"' };
const good = { caller: 'good', what: 'file "other.yaml"' };

/** Answers with what became of the work, and how long nothing else could run meanwhile; another caller is served all the time. */
async function beside<T>(foreign: ForeignText, work: Promise<T>) {
  const delays = monitorEventLoopDelay({ resolution: 10 });
  delays.enable();
  let over = false;
  let served = 0;
  const settled = work
    .then(
      (value) => ({ value, message: undefined }),
      (error: Error) => ({ value: undefined, message: `${error.name}: ${error.message}` }),
    )
    .finally(() => (over = true));
  do {
    const { values } = await foreign.ask('selectValues', { file: 'other.yaml', text: 'a: 1\n', paths: ['$.a'] }, good);
    expect(values[0]!.locations[0]!.value).toBe(1);
    served += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
  } while (!over);
  delays.disable();
  return { ...(await settled), blocked: delays.max / 1e6, served };
}

const keys = (count: number, value = 'v') => Array.from({ length: count }, (_, i) => `k${i}: ${value}\n`).join('');
const services = (count: number) =>
  `services:\n${Array.from(
    { length: count },
    (_, i) => `  - name: s${i}\n    image: reg.test/s${i}:1\n    enabled: true\n    note: "${'x'.repeat(300)}"\n`,
  ).join('')}`;
const laughs = `a: &a [${Array(9).fill('x').join(',')}]\n${'bcdefghij'
  .split('')
  .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]\n`)
  .join('')}`;

describe('what is much, and right, is read without holding anybody up', { timeout: 180_000 }, () => {
  test.each([
    ['550 values in 200 KB', services(550), '$..enabled', 550],
    ['100,000 keys', keys(100_000), '$.k99999', 1],
    ['a text of five million letters', `a: "${'x'.repeat(5_000_000)}"\nb: 1\n`, '$.a', 1],
    [
      '119 aliases',
      `tag: &t a\nsvc:\n${keys(119, '{tag: *t}').replaceAll(/^/gm, '  ')}\nreplicas: 1\n`,
      '$.replicas',
      1,
    ],
  ])('%s', async (_name, text, path, found) => {
    const work = patient.ask('selectValues', { file: 'values.yaml', text, paths: [path] }, bad);
    const { value, message, blocked } = await beside(patient, work);
    expect(message).toBeUndefined();
    expect(value!.values[0]!.locations).toHaveLength(found);
    expect(blocked).toBeLessThan(2_000);
  });

  test('550 values that are written into 200 KB, all else byte for byte', async () => {
    const text = services(550);
    const dev = text.replaceAll('true', 'false');
    const { values } = await patient.ask(
      'selectValues',
      { file: 'values.yaml', text: dev, paths: ['$..enabled'] },
      bad,
    );
    const asked = { file: 'values.yaml', text, values, onMissing: 'REFUSE' as const };
    const { value, message, blocked } = await beside(patient, patient.ask('applyValues', asked, bad));
    expect(message).toBeUndefined();
    expect(value!.text).toBe(dev);
    expect(blocked).toBeLessThan(2_000);
  });
});

describe('what is too much is refused by name, and holds nobody up', { timeout: 120_000 }, () => {
  const FILE = /^PermanentError: file "values\.yaml"/;
  test.each([
    ['a MiB of [', '['.repeat(1 << 20), '$.a'],
    ['half a million "- "', '- '.repeat(1 << 19), '$.a'],
    ['a billion laughs', laughs, '$.j'],
    ['a million keys', keys(1_000_000), '$.k1'],
    ['a million commas', `a: [${','.repeat(1_000_000)}]\n`, '$.a'],
    ['two million entries', '- x\n'.repeat(2_000_000), '$.a'],
    ['everything in everything', `r:\n${keys(30_000).replaceAll(/^/gm, '  ')}`, '$..*'],
    ['a regular expression', 'a: 1\n', `$[?(/^(a+)+$/.test('${'a'.repeat(50)}!'))]`],
    ['a text that grows', 'a: 1\n', "$[?('a'.repeat(130000000).split('').length>1)]"],
    ['six times ..', keys(60), '$..*..*..*..*..*..*'],
  ])('%s', async (_name, text, path) => {
    const work = strict.ask('selectValues', { file: 'values.yaml', text, paths: [path] }, bad);
    const { message, blocked, served } = await beside(strict, work);
    expect(message).toMatch(FILE);
    expect(message!.length).toBeLessThan(1_000);
    expect(blocked).toBeLessThan(2_000);
    expect(served).toBeGreaterThan(0);
  });

  test.each([
    ['a MiB of [', '['.repeat(1 << 20), '$.a'],
    ['a MiB of lists', `[${'[],'.repeat(300_000)}1]`, '$..*'],
    ['an answer that is no JSON', '<html>', '$.a'],
  ])('an answer of an http action: %s', async (_name, text, path) => {
    const work = strict.ask('selectInJson', { text, paths: [path] }, { ...bad, what: 'the answer to GET x' });
    const { message, blocked } = await beside(strict, work);
    expect(message).toMatch(/^PermanentError: the answer to GET x/);
    expect(blocked).toBeLessThan(2_000);
  });
});

test('paths that find more than a process wants to take in are refused', async () => {
  const small = opened({ resultBytes: 100_000 });
  const asked = { file: 'values.yaml', text: services(550), paths: ['$.services'] };
  await expect(small.ask('selectValues', asked, bad)).rejects.toThrow(
    /^file "values.yaml": what was found has \d+ bytes; at most 100000 are taken$/,
  );
});
