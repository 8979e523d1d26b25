import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../src/manifests/index.ts';
import { fc } from '../core/property.ts';

test.each([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['24h', 86_400_000],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['250ms', 250],
  ['0s', 0],
  ['0.5h', 1_800_000],
  ['0.1h', 360_000],
  // 50 characters are the most.
  [`${'0'.repeat(48)}1s`, 1000],
])('%s is %i ms', (text, expected) => {
  expect(parseDuration(text)).toBe(expected);
});

test.each([
  '',
  '5',
  '5 apples',
  '1h 30m',
  'h',
  '-5m',
  '30m1h',
  '1h1h',
  '1H',
  '5mo',
  '0.5ms',
  '1e3s',
  '1h;',
  'P1D',
  `${'9'.repeat(30)}h`,
  `${'0'.repeat(49)}1s`,
])('%j is not a duration', (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

test('every duration is read back as it was written', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (milliseconds) => {
      expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds);
    }),
  );
  expect(formatDuration(5_400_000)).toBe('1h30m');
});
