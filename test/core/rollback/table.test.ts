import { expect, test } from 'vitest';
import { outcome, target, type Drawing } from './support.ts';

type Row = [name: string, drawing: Drawing, expected: Record<string, string>];

const cascade: Row[] = [
  [
    'the sample: two regions go back, each to its own, one is on another version, one never starts',
    {
      environments: { 'us-east': '1.4 2.0?', eu: '1.3 2.0', asia: '1.9', 'asia-2': '1.4 (2.0)' },
      policy: { targets: [target({ siblings: true }), target({ environments: ['asia-2'], mode: 'APPROVAL' })] },
    },
    { 'us-east': 'INCLUDED 2.0 > 1.4', eu: 'INCLUDED 2.0 > 1.3', asia: 'LEFT_ALONE', 'asia-2': 'LEFT_ALONE' },
  ],
];

test.each(cascade)('%s', (_name, drawing, expected) => {
  expect(outcome(drawing)).toEqual(expected);
});
