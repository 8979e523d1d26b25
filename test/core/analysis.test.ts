import { describe, expect, test } from 'vitest';
import {
  assess,
  countMeasurement,
  judgeValues,
  NOTHING_MEASURED,
  whyNoAnalysis,
  whyNoCondition,
} from '../../src/core/analysis.ts';
import type { AnalysisLimits, Measured } from '../../src/core/analysis.ts';
import { fc } from './property.ts';

const MEASURED: Measured[] = ['SUCCESSFUL', 'FAILED', 'INCONCLUSIVE', 'ERROR'];
const LETTERS: Record<string, Measured> = { S: 'SUCCESSFUL', F: 'FAILED', I: 'INCONCLUSIVE', E: 'ERROR' };

/** The verdict after these measurements, and how many of them it took. */
function run(measured: readonly Measured[], limits: AnalysisLimits): { verdict: Measured | 'RUNNING'; after: number } {
  let count = NOTHING_MEASURED;
  for (const [index, each] of measured.entries()) {
    // As it is kept between two looks.
    count = JSON.parse(JSON.stringify(countMeasurement(count, each))) as typeof count;
    const { verdict } = assess(limits, count);
    if (verdict !== 'RUNNING') return { verdict, after: index + 1 };
  }
  return { verdict: 'RUNNING', after: measured.length };
}

const limitsOf = (more: Partial<AnalysisLimits>): AnalysisLimits => ({
  failureLimit: 0,
  inconclusiveLimit: 0,
  consecutiveErrorLimit: 4,
  consecutiveSuccessLimit: 0,
  ...more,
});

describe('an analysis counts as a metric of Argo Rollouts', () => {
  test.each<[string, string, Partial<AnalysisLimits>, Measured | 'RUNNING', number]>([
    ['one measurement', 'S', { count: 1 }, 'SUCCESSFUL', 1],
    ['one that fails', 'F', { count: 1 }, 'FAILED', 1],
    ['as many failures as the limit', 'FSF', { count: 3, failureLimit: 2 }, 'SUCCESSFUL', 3],
    ['one more than the limit, early', 'FSFF', { count: 9, failureLimit: 2 }, 'FAILED', 4],
    ['failures without a limit', 'FFFF', { count: 4, failureLimit: -1 }, 'SUCCESSFUL', 4],
    ['one that is inconclusive', 'SI', { count: 3 }, 'INCONCLUSIVE', 2],
    ['as many inconclusive ones as the limit', 'ISI', { count: 3, inconclusiveLimit: 2 }, 'SUCCESSFUL', 3],
    ['five errors in a row', 'EEEEE', { count: 1 }, 'ERROR', 5],
    ['errors in between, which are no measurements of the count', 'EEEESEEEES', { count: 2 }, 'SUCCESSFUL', 10],
    ['no count, no end by itself', 'SSSSSSSS', {}, 'RUNNING', 8],
    ['successes in a row', 'FSSFSSS', { consecutiveSuccessLimit: 3, failureLimit: -1 }, 'SUCCESSFUL', 7],
    ['an error breaks the row', 'SSESS', { consecutiveSuccessLimit: 3 }, 'RUNNING', 5],
    [
      'the count before the row, with both limits',
      'SISI',
      { count: 4, consecutiveSuccessLimit: 3, inconclusiveLimit: 4 },
      'INCONCLUSIVE',
      4,
    ],
    [
      'the count before the row, with that limit alone',
      'SFSF',
      { count: 4, consecutiveSuccessLimit: 3, failureLimit: -1 },
      'FAILED',
      4,
    ],
    [
      'the row at the end of the count',
      'FSSS',
      { count: 4, consecutiveSuccessLimit: 3, failureLimit: 1 },
      'SUCCESSFUL',
      4,
    ],
    ['a limit of 0 errors', 'E', { count: 1, consecutiveErrorLimit: 0 }, 'ERROR', 1],
  ])('%s', (_what, letters, more, verdict, after) => {
    expect(
      run(
        letters.split('').map((each) => LETTERS[each]!),
        limitsOf(more),
      ),
    ).toEqual({ verdict, after });
  });
});

const limits = fc.record({
  count: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  failureLimit: fc.integer({ min: -1, max: 4 }),
  inconclusiveLimit: fc.integer({ min: 0, max: 4 }),
  consecutiveErrorLimit: fc.integer({ min: 0, max: 5 }),
  consecutiveSuccessLimit: fc.integer({ min: 0, max: 4 }),
});
const measurements = fc.array(fc.constantFrom(...MEASURED), { maxLength: 40 });

/** The same said of the whole list at once, without counters. */
function whole(measured: readonly Measured[], of: AnalysisLimits): Measured | 'RUNNING' {
  const some = (what: Measured): number => measured.filter((each) => each === what).length;
  const tail = (what: Measured): number => measured.length - 1 - measured.findLastIndex((each) => each !== what);
  if (of.failureLimit !== -1 && some('FAILED') > of.failureLimit) return 'FAILED';
  if (some('INCONCLUSIVE') > of.inconclusiveLimit) return 'INCONCLUSIVE';
  if (tail('ERROR') > of.consecutiveErrorLimit) return 'ERROR';
  if (of.consecutiveSuccessLimit > 0 && tail('SUCCESSFUL') >= of.consecutiveSuccessLimit) return 'SUCCESSFUL';
  if (of.count === undefined || measured.length - some('ERROR') < of.count) return 'RUNNING';
  if (of.consecutiveSuccessLimit === 0) return 'SUCCESSFUL';
  return of.failureLimit === -1 ? 'FAILED' : 'INCONCLUSIVE';
}

describe('whatever is measured', () => {
  test('it ends at the first moment at which the list as a whole says so, and as that says', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(measurements, limits, (measured, of) => {
        const { verdict, after } = run(measured, of);
        seen.add(verdict);
        for (let length = 1; length < after; length += 1) expect(whole(measured.slice(0, length), of)).toBe('RUNNING');
        if (measured.length > 0) expect(whole(measured.slice(0, after), of)).toBe(verdict);
      }),
    );
    expect([...seen].sort()).toEqual([...MEASURED, 'RUNNING'].sort());
  });

  test('an analysis with a count ends, at the latest after so many measurements and the errors between them', () => {
    fc.assert(
      fc.property(measurements, limits, (measured, of) => {
        if (of.count === undefined) return;
        const { verdict } = run(measured, of);
        const made = measured.filter((each) => each !== 'ERROR').length;
        if (made >= of.count) expect(verdict).not.toBe('RUNNING');
      }),
    );
  });

  test('what only errors never succeeds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), limits, (length, of) => {
        expect(['RUNNING', 'ERROR']).toContain(run(Array<Measured>(length).fill('ERROR'), of).verdict);
      }),
    );
  });
});

describe('a measurement', () => {
  test.each<[string, string[], { success?: string; failure?: string }, Measured]>([
    ['a success', ['0.97'], { success: '>= 0.95' }, 'SUCCESSFUL'],
    ['no success is a failure', ['0.9'], { success: '>= 0.95' }, 'FAILED'],
    ['no failure is a success', ['0.9'], { failure: '> 1' }, 'SUCCESSFUL'],
    ['a failure', ['2'], { failure: '>1' }, 'FAILED'],
    ['neither', ['0.9'], { success: '>= 0.95', failure: '< 0.8' }, 'INCONCLUSIVE'],
    ['both', ['0.9'], { success: '>= 0.5', failure: '< 0.95' }, 'FAILED'],
    ['NaN, which is no failure', ['NaN'], { success: '>= 0.95' }, 'INCONCLUSIVE'],
    ['nothing at all', [], { failure: '> 1' }, 'INCONCLUSIVE'],
    ['null', ['null'], { success: '== null' }, 'INCONCLUSIVE'],
    ['an empty list', ['[]'], { success: '!= x' }, 'INCONCLUSIVE'],
    ['infinity, as Prometheus writes it', ['+Inf'], { success: '< 10' }, 'FAILED'],
    ['a text', ['ok'], { success: '== ok' }, 'SUCCESSFUL'],
    ['another text', ['degraded'], { success: '== ok' }, 'FAILED'],
    ['numbers that are written otherwise', ['1.50'], { success: '== 1.5' }, 'SUCCESSFUL'],
    ['all series', ['1', '2'], { success: '>= 1' }, 'SUCCESSFUL'],
    ['one bad series', ['1', '0'], { success: '>= 1' }, 'FAILED'],
    ['one series without a number', ['1', 'NaN'], { success: '>= 1' }, 'INCONCLUSIVE'],
  ])('%s', (_what, values, conditions, measured) => {
    expect(judgeValues(values, conditions)).toBe(measured);
  });

  test('what is no number is not ordered: the measurement could not be made', () => {
    expect(() => judgeValues(['ok'], { success: '> 1' })).toThrow('"ok" is no number');
  });
});

test.each(['0.95', '=> 1', '>', '', '> ok', 'result > 1'])('the condition %j is refused', (condition) => {
  expect(whyNoCondition(condition)).toContain('such as >= 0.95 or == ok');
});
test.each(['>= 0.95', ' <1', '== ok', '!= not ready', '< +Inf'])('the condition %j is taken', (condition) => {
  expect(whyNoCondition(condition)).toBeNull();
});

test.each([
  [{}, 'success'],
  [{ success: '> 1', query: 'up', path: '$.x' }, 'path'],
  [{ success: '> 1', interval: '1m' }, 'interval'],
  [{ success: '> 1', count: 5 }, 'interval'],
  [{ success: '> 1', consecutiveSuccessLimit: 5 }, 'interval'],
])('%j is no analysis: %s', (parameters, parameter) => {
  expect(whyNoAnalysis(parameters)?.parameter).toBe(parameter);
});
test.each([
  { success: '> 1' },
  { failure: '> 1', count: 1 },
  { success: '> 1', interval: '1m', consecutiveSuccessLimit: 3 },
])('%j is one', (parameters) => expect(whyNoAnalysis(parameters)).toBeNull());
