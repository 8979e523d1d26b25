import { performance } from 'node:perf_hooks';
import { parseDocument } from 'yaml';
import { ForeignText } from '../src/foreign/index.ts';
import type { Figure } from './figure.ts';
import { median, rounded } from './stats.ts';

const SERVICES = 100;
/** Makes the file about 200 KB. */
const NOTE = 'x'.repeat(1_900);

/** As the values of a large chart: 100 images, and much beside them. */
function valuesFile(tag: string): string {
  const services = Array.from(
    { length: SERVICES },
    (_, index) =>
      `  service-${index}: # of team ${index % 7}\n    replicas: ${index}\n    image:\n      repository: registry.test/service-${index}\n` +
      `      tag: "${tag}"\n    note: '${NOTE}'\n`,
  );
  return `# Values of the product\nservices:\n${services.join('')}`;
}

/**
 * 100 values written into a file of 200 KB, from the order to the new text in this process: the reader that does the work, and what it
 * takes to send the text there and back, are in it. The floor is one parse of that file by the YAML library alone.
 */
export async function measureEdit(rounds: number): Promise<Figure[]> {
  const [dev, target] = [valuesFile('2.0.0'), valuesFile('1.9.0')];
  const foreign = new ForeignText();
  const ask = { caller: 'bench', what: 'file "values.yaml"' };
  const file = 'values.yaml';
  const { values } = await foreign.ask('selectValues', { file, text: dev, paths: ['$..tag'] }, ask);
  const [edits, parses]: [number[], number[]] = [[], []];
  // The first rounds are the compiler's.
  for (let round = -5; round < rounds * 5; round += 1) {
    const parse = timed(() => void parseDocument(target));
    const began = performance.now();
    const { text } = await foreign.ask('applyValues', { file, text: target, values, onMissing: 'REFUSE' }, ask);
    const edit = performance.now() - began;
    if (text !== dev) throw new Error('the values were not written as they were to be');
    if (round < 0) continue;
    edits.push(edit);
    parses.push(parse);
  }
  await foreign.close();
  const [value, floor] = [median(edits), median(parses)];
  return [
    {
      name: 'edit',
      backend: null,
      value: rounded(value),
      unit: 'ms p50',
      floor: rounded(floor),
      ratio: rounded(value / floor),
    },
  ];
}

function timed(work: () => void): number {
  const began = performance.now();
  work();
  return performance.now() - began;
}
