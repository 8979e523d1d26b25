import { expect, test } from 'vitest';
import { standing } from '../../src/cli/operations.ts';

const us = { message: 'error rate', environment: 'us', attempt: 1 };
const eu = { message: 'no disk', environment: 'eu', attempt: 1 };
const gate = { message: 'regions: 1 of 2 needed', environment: null, attempt: null };
const at = (name: string, status: string, attempt = 1) => ({ name, status, attempt });

test.each([
  ['that its environment still has', 'FAILED', [at('us', 'FAILED'), at('eu', 'SKIPPED')], [us, us], us],
  ['that is of no environment', 'FAILED', [at('us', 'SUCCEEDED')], [gate, gate], gate],
  [
    'of an environment that was skipped gives way to the next',
    'FAILED',
    [at('us', 'SKIPPED'), at('eu', 'FAILED')],
    [us, eu],
    eu,
  ],
  ['of an attempt before is over', 'RUNNING', [at('us', 'RUNNING', 2)], [us, us], undefined],
  ['of a release that got through is over', 'SUCCEEDED', [at('us', 'SKIPPED')], [us, gate], undefined],
] as const)('a problem %s', (_what, status, promotions, problems, expected) => {
  expect(standing({ status, promotions }, problems)).toBe(expected);
});
