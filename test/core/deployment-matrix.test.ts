import { describe, expect, test } from 'vitest';
import { compareVersions, placeNow, seenHealth } from '../../src/core/deployment-matrix.ts';
import type { Compared, CountedCommits, LiveApplication } from '../../src/core/deployment-matrix.ts';

const one = { label: '1.4.2', digest: 'd1' };
const other = { label: '1.5.0', digest: 'd2' };
const live = (given: Partial<LiveApplication> = {}): LiveApplication => ({
  application: 'billing-eu',
  version: one,
  at: 1_000,
  verifiedAt: 2_000,
  drifted: false,
  report: null,
  ...given,
});

describe('the health that was seen last', () => {
  test.each([
    ['of a promotion that succeeded', live(), { status: 'HEALTHY', at: 2_000 }],
    ['of one that did not, so far', live({ verifiedAt: null }), { status: 'UNKNOWN', at: null }],
    [
      'as it was reported later',
      live({ report: { status: 'DEGRADED', at: 3_000 } }),
      { status: 'DEGRADED', at: 3_000 },
    ],
    [
      'as it was reported before the promotion succeeded',
      live({ report: { status: 'PROGRESSING', at: 1_500 } }),
      { status: 'HEALTHY', at: 2_000 },
    ],
    [
      'as it was reported of the version before',
      live({ verifiedAt: null, report: { status: 'DEGRADED', at: 999 } }),
      { status: 'UNKNOWN', at: null },
    ],
  ])('%s', (_name, given, expected) => {
    expect(seenHealth(given)).toEqual(expected);
  });
});

describe('a place with several applications', () => {
  test('has the worst health, and of two that are equally bad the one that was seen longer ago', () => {
    const seen = [
      live({ report: { status: 'DEGRADED', at: 5_000 } }),
      live(),
      live({ report: { status: 'DEGRADED', at: 4_000 } }),
    ];
    expect(placeNow(seen)!.health).toEqual({ status: 'DEGRADED', at: 4_000 });
  });

  test('has a version when all of them run it, since the last of them does, and has drifted when one has', () => {
    const both = [live(), live({ at: 7_000, drifted: true })];
    expect(placeNow(both)).toMatchObject({ version: one, since: 7_000, drifted: true });
    expect(placeNow([live(), live({ version: other })])!.version).toBeNull();
    expect(placeNow([])).toBeNull();
  });
});

describe('compared with another place', () => {
  const at = (version: Compared['version'], release: number): Compared => ({ version, release, commits: {} });
  const counted = (first: number, second: number): CountedCommits => ({ first, second });
  const unknown: CountedCommits = { unknown: 'commit c0ffee is not here' };

  test.each([
    ['the same content is the same version', at(one, 1), at({ ...one, label: 'x' }, 9), {}, ['SAME', 0, 0]],
    ['commits that it has not', at(one, 1), at(other, 2), { a: counted(0, 3) }, ['BEHIND', 3, 0]],
    ['of several sources', at(one, 1), at(other, 2), { a: counted(0, 3), b: counted(0, 4) }, ['BEHIND', 7, 0]],
    ['commits that the other one has not', at(other, 2), at(one, 1), { a: counted(2, 0) }, ['AHEAD', 0, 2]],
    ['both', at(one, 1), at(other, 2), { a: counted(2, 1) }, ['APART', 1, 2]],
    ['the same commits, other content', at(one, 1), at(other, 2), { a: counted(0, 0) }, ['APART', 0, 0]],
    ['no count: an earlier release', at(one, 1), at(other, 2), { a: unknown }, ['BEHIND', null, null]],
    ['no count of one source', at(other, 2), at(one, 1), { a: counted(1, 0), b: unknown }, ['AHEAD', null, null]],
    ['no commits at all', at(other, 2), at(one, 1), {}, ['AHEAD', null, null]],
    ['a rollback brought it', at(one, 0), at(other, 2), { a: unknown }, ['UNKNOWN', null, null]],
    ['several versions', at(null, 1), at(null, 1), {}, ['UNKNOWN', null, null]],
  ] as const)('%s', (_name, here, there, commits, [relation, behind, ahead]) => {
    const found = compareVersions(here, there, commits);
    expect(found).toMatchObject({ relation, behind, ahead });
    // Whatever is not known says why.
    expect(found.reason === null).toBe(behind !== null && !(relation === 'APART' && behind === 0));
  });
});
