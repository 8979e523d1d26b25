import { describe, expect, test } from 'vitest';
import { DAY } from '../../src/core/definitions.ts';
import { endsBefore, lateWarnings } from '../../src/core/late.ts';
import type { ReleaseWindow } from '../../src/core/windows/index.ts';
import { at, flowOf, MINUTE, planOf } from './support/builders.ts';
import { started } from './support/play.ts';

const NOW = at('10:00');
const freeze = (until: number | null): ReleaseWindow[] => [
  {
    name: 'freeze',
    spec: {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2026-01-01T00:00:00Z',
      to: until === null ? '2199-01-01T00:00:00Z' : new Date(until).toISOString(),
      holds: ['PROMOTE'],
      onClose: 'FINISH',
    },
  } as unknown as ReleaseWindow,
];

describe('a release that cannot get through in time is told of when it is triggered', () => {
  test.each<[string, number | null, RegExp | undefined]>([
    ['opens a millisecond before the end', NOW + DAY - 1, undefined],
    ['opens at the end', NOW + DAY, /^"eu" opens 2026-01-06T10:00:00.000Z, and the release ends 2026-01-06T10:00/],
    ['opens after five years', null, /^"eu" does not open within five years/],
  ])('a window that %s', (_what, opens, message) => {
    const plan = planOf(flowOf('dev > eu', { maxAge: DAY }));
    const warnings = lateWarnings(plan, (environment) => (environment === 'eu' ? freeze(opens) : []), NOW);
    if (message === undefined) expect(warnings).toEqual([]);
    else expect(warnings).toMatchObject([expect.stringMatching(message)]);
  });

  test.each<[string, number, number, string[]]>([
    ['ends before the timeout', 9, 10, []],
    ['ends with it', 10, 10, ['"eu" soaks for 10m, and its timeout of 10m ends it before']],
    ['ends after it', 11, 10, ['"eu" soaks for 11m, and its timeout of 10m ends it before']],
  ])('a soak that %s', (_what, soak, timeout, expected) => {
    const steps = { eu: { soak: soak * MINUTE, timeout: timeout * MINUTE } };
    expect(lateWarnings(planOf(flowOf('dev > eu', { steps })), () => [], NOW)).toEqual(expected);
  });

  const soaking = (minutes: number) => ({ soak: minutes * MINUTE });
  test.each<[string, Parameters<typeof flowOf>, number]>([
    ['one after the other', ['dev > eu > us', { steps: { eu: soaking(10), us: soaking(20) } }], 30],
    ['side by side', ['dev > {eu, us} > z', { steps: { eu: soaking(10), us: soaking(20), z: soaking(5) } }], 25],
    ['at the end', ['dev > {eu, us}', { steps: { eu: soaking(10), us: soaking(20) } }], 20],
    [
      'of a group, after its members',
      [
        'dev > {eu, us} as all > z',
        { steps: { all: soaking(7), z: soaking(2) }, groups: { all: { gate: { policy: 'ALL', soak: 10 * MINUTE } } } },
      ],
      19,
    ],
    [
      'of a group at the end',
      ['dev > {eu, us} as all', { groups: { all: { gate: { policy: 'ALL', soak: 10 * MINUTE } } } }],
      10,
    ],
  ])('all that soaks %s', (_what, [picture, options], minutes) => {
    const warnings = (timeout: number): string[] =>
      lateWarnings(planOf(flowOf(picture, { ...options, timeout })), () => [], NOW);
    expect(warnings(minutes * MINUTE + 1)).toEqual([]);
    expect(warnings(minutes * MINUTE)).toHaveLength(1);
    expect(warnings(minutes * MINUTE)[0]).toMatch(/^what soaks one after the other takes/);
  });
});

test.each([
  ['before', -1, ''],
  ['at its end', 0, '; the release ends before that, 2026-01-06T10:00:00.000Z, at its maxAge'],
  ['after it', 1, '; the release ends before that, 2026-01-06T10:00:00.000Z, at its maxAge'],
  ['never', null, '; the release ends before that, 2026-01-06T10:00:00.000Z, at its maxAge'],
])('a window that opens %s', (_what, offset, words) => {
  const { plan, state } = started(flowOf('dev > eu', { maxAge: DAY }));
  expect(endsBefore(plan, state, offset === null ? null : NOW + DAY + offset)).toBe(words);
});
