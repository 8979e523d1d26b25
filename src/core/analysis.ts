/**
 * How an analysis counts: measurement by measurement, as a metric of Argo Rollouts does (analysis.go, evaluate.go), so that a template that is
 * known from there ends here in the same way. Two things differ. A value that is NaN or absent is inconclusive and never a failure or
 * a success; and an inconclusive analysis does not pause what runs it for ever: a person is asked.
 */

/** What one measurement came to. ERROR: it could not be made. */
export type Measured = 'SUCCESSFUL' | 'FAILED' | 'INCONCLUSIVE' | 'ERROR';

/** How many measurements there were, by what they came to. */
export interface AnalysisCount {
  successful: number;
  failed: number;
  inconclusive: number;
  error: number;
  consecutiveSuccess: number;
  consecutiveError: number;
}

/** When an analysis is over, as its author says. */
export interface AnalysisLimits {
  /** Measurements, those that could not be made left out; undefined: it goes on until another limit ends it. */
  count?: number;
  /** It fails with one failed measurement more than this; -1: never because of their number. */
  failureLimit: number;
  /** It is inconclusive with one inconclusive measurement more than this. */
  inconclusiveLimit: number;
  /** It ends in error with one more in a row than this. */
  consecutiveErrorLimit: number;
  /** It succeeds with so many successes in a row; 0: their order does not matter. */
  consecutiveSuccessLimit: number;
}

/** Nothing was measured yet. */
export const NOTHING_MEASURED: AnalysisCount = {
  successful: 0,
  failed: 0,
  inconclusive: 0,
  error: 0,
  consecutiveSuccess: 0,
  consecutiveError: 0,
};

/** One measurement more. */
export function countMeasurement(before: AnalysisCount, measured: Measured): AnalysisCount {
  return {
    successful: before.successful + (measured === 'SUCCESSFUL' ? 1 : 0),
    failed: before.failed + (measured === 'FAILED' ? 1 : 0),
    inconclusive: before.inconclusive + (measured === 'INCONCLUSIVE' ? 1 : 0),
    error: before.error + (measured === 'ERROR' ? 1 : 0),
    consecutiveSuccess: measured === 'SUCCESSFUL' ? before.consecutiveSuccess + 1 : 0,
    consecutiveError: measured === 'ERROR' ? before.consecutiveError + 1 : 0,
  };
}

/** Where an analysis stands after a measurement, and why, in words; RUNNING: another measurement follows. */
export function assess(limits: AnalysisLimits, count: AnalysisCount): { verdict: Measured | 'RUNNING'; why: string } {
  const { failureLimit, inconclusiveLimit, consecutiveErrorLimit, consecutiveSuccessLimit } = limits;
  const { failed, inconclusive, consecutiveError, consecutiveSuccess } = count;
  if (failureLimit >= 0 && failed > failureLimit)
    return { verdict: 'FAILED', why: `${failed} failed, and failureLimit is ${failureLimit}` };
  if (inconclusive > inconclusiveLimit)
    return {
      verdict: 'INCONCLUSIVE',
      why: `${inconclusive} inconclusive, and inconclusiveLimit is ${inconclusiveLimit}`,
    };
  if (consecutiveError > consecutiveErrorLimit)
    return {
      verdict: 'ERROR',
      why: `${consecutiveError} could not be made one after the other, and consecutiveErrorLimit is ${consecutiveErrorLimit}`,
    };
  const inRow = consecutiveSuccessLimit > 0;
  if (inRow && consecutiveSuccess >= consecutiveSuccessLimit)
    return { verdict: 'SUCCESSFUL', why: `${consecutiveSuccess} successful one after the other` };
  const made = count.successful + failed + inconclusive;
  if (limits.count === undefined || made < limits.count) return { verdict: 'RUNNING', why: '' };
  const why = `${made} of ${limits.count} made: ${describeCount(count)}`;
  if (!inRow) return { verdict: 'SUCCESSFUL', why };
  // Nothing has decided: too few successes in a row, and not too many failures, where those are counted at all.
  const never = `${why}; never ${consecutiveSuccessLimit} successful one after the other`;
  return { verdict: failureLimit < 0 ? 'FAILED' : 'INCONCLUSIVE', why: never };
}

/** `3 successful, 1 failed`; what there was none of is left out. */
export function describeCount({ successful, failed, inconclusive, error }: AnalysisCount): string {
  const parts = Object.entries({ successful, failed, inconclusive, error }).filter(([, each]) => each > 0);
  return parts.map(([what, each]) => `${each} ${what}`).join(', ') || 'none';
}

const COMPARISON = /^\s*(>=|<=|==|!=|>|<)\s*(\S(?:.*\S)?)\s*$/s;

interface Comparison {
  operator: string;
  operand: string;
}

function comparisonIn(condition: string): Comparison | null {
  const [, operator, operand] = COMPARISON.exec(condition) ?? [];
  return operator === undefined || operand === undefined ? null : { operator, operand };
}

/** What is wrong with a condition such as `>= 0.95`, in words; null: nothing. */
export function whyNoCondition(condition: string): string | null {
  const comparison = comparisonIn(condition);
  const example = 'write a comparison with what is measured, such as >= 0.95 or == ok';
  if (comparison === null) return example;
  const ordered = comparison.operator !== '==' && comparison.operator !== '!=';
  if (ordered && Number.isNaN(numberIn(comparison.operand)))
    return `${comparison.operator} compares numbers, and "${comparison.operand}" is none; ${example}`;
  return null;
}

/** Texts of numbers count as numbers: Prometheus writes them so. NaN for anything else. */
const numberIn = (text: string): number =>
  /^[+-]?Inf$/.test(text) ? Number(text.replace('Inf', 'Infinity')) : text.trim() === '' ? Number.NaN : Number(text);

/** @throws TypeError when the value cannot be compared so */
function holds({ operator, operand }: Comparison, value: string): boolean {
  const [left, right] = [numberIn(value), numberIn(operand)];
  const numbers = !Number.isNaN(left) && !Number.isNaN(right);
  if (operator === '==') return numbers ? left === right : value === operand;
  if (operator === '!=') return numbers ? left !== right : value !== operand;
  if (!numbers) throw new TypeError(`"${value.slice(0, 100)}" is no number, so it is not compared by ${operator}`);
  if (operator === '>=') return left >= right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left < right;
}

/** What was measured and is not there: JSON's null, an empty text, list or map, and a query that finds nothing. */
const isEmpty = (value: string): boolean => ['', 'null', '[]', '{}', 'NaN'].includes(value.trim());

/**
 * What a measurement came to. Of several values (the series of a query) all must be successes, and one failure is enough. With one condition
 * the other side of it follows; where both are there and neither holds, it is inconclusive, and where both hold it has failed.
 * @throws TypeError when a value cannot be compared as a condition wants
 */
export function judgeValues(
  values: readonly string[],
  { success, failure }: { success?: string; failure?: string },
): Measured {
  if (values.length === 0 || values.some(isEmpty)) return 'INCONCLUSIVE';
  const succeeds = success === undefined ? null : comparisonIn(success);
  const fails = failure === undefined ? null : comparisonIn(failure);
  const isGood = succeeds !== null && values.every((each) => holds(succeeds, each));
  const isBad = fails !== null && values.some((each) => holds(fails, each));
  if (fails === null) return isGood ? 'SUCCESSFUL' : 'FAILED';
  if (isBad) return 'FAILED';
  return isGood || succeeds === null ? 'SUCCESSFUL' : 'INCONCLUSIVE';
}

/** What of the parameters of an analysis does not go together, in words, with the parameter; null: nothing. */
export function whyNoAnalysis(parameters: {
  query?: unknown;
  path?: unknown;
  success?: unknown;
  failure?: unknown;
  interval?: unknown;
  count?: unknown;
  consecutiveSuccessLimit?: unknown;
}): { parameter: string; message: string } | null {
  const { query, path, success, failure, interval, count, consecutiveSuccessLimit } = parameters;
  if (success === undefined && failure === undefined)
    return { parameter: 'success', message: 'needs a condition: give success, failure or both' };
  if (query !== undefined && path !== undefined)
    return {
      parameter: 'path',
      message: 'belongs to an address that answers JSON; a query of Prometheus answers the value itself',
    };
  const endless = count === undefined && (consecutiveSuccessLimit === undefined || consecutiveSuccessLimit === 0);
  if (interval !== undefined && endless)
    return { parameter: 'interval', message: 'measures for ever: give count or consecutiveSuccessLimit' };
  const again =
    (count !== undefined && count !== 1) || (consecutiveSuccessLimit !== undefined && consecutiveSuccessLimit !== 0);
  if (interval === undefined && again)
    return { parameter: 'interval', message: 'is missing: say how long it is between two measurements' };
  return null;
}
