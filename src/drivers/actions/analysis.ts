import {
  assess,
  countMeasurement,
  describeCount,
  judgeValues,
  NOTHING_MEASURED,
  whyNoAnalysis,
} from '../../core/analysis.ts';
import type { AnalysisCount, Measured } from '../../core/analysis.ts';
import { approval } from '../../core/kinds/approval.ts';
import { fallbacksOf } from '../../core/kinds/shape.ts';
import type { Progress } from '../../core/release.ts';
import { foreign } from '../../foreign/index.ts';
import type { EffectContext } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import { openUrl, publicUrl, readBody, reasonOf } from '../http.ts';
import type { HttpClient, Response } from '../http.ts';
import { ForbiddenTarget } from '../network/guard.ts';
import { checkSending } from '../secret-references.ts';
import type { Opened } from '../secret-references.ts';
import type { ActionAnswer, ActionLook } from './answer.ts';
import type { At } from './at.ts';
import type { ActionLog } from './log.ts';
import type { ParametersOf } from './parameters.ts';

type Parameters = ParametersOf<'analysis'>;

/** How long one measurement may take, in milliseconds: then it could not be made. */
const MEASUREMENT = 30_000;
/** Before another try of a measurement that could not be made, where no interval says so, as Argo Rollouts does. */
const ERROR_PAUSE = 10_000;
/** Bytes of an answer. */
const MAX_BODY = 1024 * 1024;
/** Characters of a value, and how many measurements, that are kept to be shown. */
const SHOWN = { value: 200, measurements: 20 };
const DEFAULT_APPROVAL = { rules: [], ...fallbacksOf(approval) };

/** What is kept from one measurement to the next: all that counts, and the newest ones to be shown. */
interface Kept {
  count: AnalysisCount;
  last: { at: number; measured: Measured; told: string }[];
  /** Set once it is inconclusive: people are asked, and nothing more is measured. */
  undecided: string | null;
}

/** One measurement. What it came to is counted by the core, and kept with the step before the next one is made. */
export async function lookAtAnalysis(
  parameters: Parameters,
  { context, http, opened, look, log }: Pick<At, 'context' | 'http' | 'opened' | 'look' | 'log'>,
): Promise<ActionAnswer> {
  const wrong = whyNoAnalysis(parameters);
  if (wrong !== null) throw new PermanentError(`parameter "${wrong.parameter}" ${wrong.message}`);
  const { interval, initialDelay = 0 } = parameters;
  const before = keptIn(look.progress);
  if (before.undecided !== null) return decided(parameters, before, look, log);
  const first = look.startedAt + initialDelay;
  if (first > look.now) {
    const reason = `measures from ${new Date(first).toISOString()} on`;
    log.say(reason);
    return { kind: 'pending', reason, recheckAfter: first - look.now, progress: keep(before) };
  }
  const { measured, told } = await measure(parameters, context, http, opened);
  const count = countMeasurement(before.count, measured);
  log.say(`measurement ${told}; all: ${describeCount(count)}`);
  const last = [...before.last, { at: look.now, measured, told }].slice(-SHOWN.measurements);
  // Without an interval there is one measurement, tried again where it could not be made.
  const limits = { ...parameters, count: parameters.count ?? (interval === undefined ? 1 : undefined) };
  const { verdict, why } = assess(limits, count);
  const kept: Kept = { count, last, undecided: verdict === 'INCONCLUSIVE' ? why : null };
  const newest = `the last one ${told}`;
  switch (verdict) {
    case 'RUNNING': {
      const reason = `measured: ${describeCount(count)}; ${newest}`;
      return { kind: 'pending', reason, recheckAfter: interval ?? ERROR_PAUSE, progress: keep(kept) };
    }
    case 'SUCCESSFUL':
      return { kind: 'succeeded', outputs: outputsOf(kept) };
    case 'FAILED':
      return { kind: 'failed', message: `failed: ${why}; ${newest}` };
    case 'ERROR':
      return { kind: 'failed', message: `could not be made: ${why}; ${newest}`, unclear: true };
    case 'INCONCLUSIVE':
      return decided(parameters, kept, look, log);
  }
}

/** A person decides about what is inconclusive. */
function decided({ whenInconclusive }: Parameters, kept: Kept, { agreedBy }: ActionLook, log: ActionLog): ActionAnswer {
  if (agreedBy !== null) {
    log.say(`agreed: ${agreedBy.join(', ')}`);
    return { kind: 'succeeded', outputs: { ...outputsOf(kept), APPROVED_BY: agreedBy.join(', ') } };
  }
  const question = `inconclusive: ${kept.undecided}; the last one ${kept.last.at(-1)?.told ?? ''}`;
  log.say(question);
  return { kind: 'asked', question, approval: whenInconclusive ?? DEFAULT_APPROVAL, progress: keep(kept) };
}

const keep = (kept: Kept): Progress => ({ ...kept });

const keptIn = (progress: Progress | null): Kept => ({
  count: NOTHING_MEASURED,
  last: [],
  undecided: null,
  ...(progress as Partial<Kept> | null),
});

function outputsOf({ count, last }: Kept): Record<string, string> {
  return { MEASURED: describeCount(count), LAST_MEASUREMENT: last.at(-1)?.told ?? '' };
}

/** Whatever keeps it from being made is a measurement, too. @throws PermanentError where no later one can be made either */
async function measure(
  parameters: Parameters,
  context: EffectContext,
  http: HttpClient,
  opened: Opened,
): Promise<{ measured: Measured; told: string }> {
  const deadline = AbortSignal.timeout(MEASUREMENT);
  const signal = AbortSignal.any([context.signal, deadline]);
  const { url, headers } = whereTo(parameters);
  checkSending(opened, url, context.product);
  try {
    const values = await (parameters.query === undefined
      ? valueAt(parameters, url, headers, { context, http, signal })
      : valuesOf(parameters.query, url, headers, { context, http, signal }));
    const measured = judgeValues(values, parameters);
    return { measured, told: `was ${shown(values)}: ${measured}` };
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof Unmeasurable) throw new PermanentError(error.message);
    if (error instanceof ForbiddenTarget) throw new PermanentError(`${publicUrl(url)} was not asked: ${error.message}`);
    const why = deadline.aborted ? `no answer within ${MEASUREMENT / 1000} s` : reasonOf(error);
    return { measured: 'ERROR', told: `could not be made: ${why.slice(0, SHOWN.value)}` };
  }
}

/** No later measurement can be made either. */
class Unmeasurable extends Error {}

interface Asking {
  context: EffectContext;
  http: HttpClient;
  signal: AbortSignal;
}

function whereTo({ url: address, headers, query }: Parameters): { url: URL; headers: Record<string, string> } {
  try {
    const { url, headers: login } = openUrl(address);
    if (query !== undefined) url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query`;
    return { url, headers: { ...login, ...headers } };
  } catch (error) {
    throw new PermanentError(
      `the url of an analysis cannot be used: ${error instanceof TypeError ? error.message : 'invalid'}`,
    );
  }
}

/** The value at the path of an answer in JSON; none where there is nothing. */
async function valueAt(
  { path }: Parameters,
  url: URL,
  headers: Record<string, string>,
  asking: Asking,
): Promise<string[]> {
  const response = await asking.http.request(url, { headers }, asking.signal);
  if (response.status < 200 || response.status > 299) {
    await response.body?.cancel();
    throw new Error(`answered ${response.status}`);
  }
  const [value] = await readJson(response, [path ?? '$'], url, asking);
  return value === null || value === undefined ? [] : [value];
}

/** The values of a query now, a series each. https://prometheus.io/docs/prometheus/latest/querying/api/ */
async function valuesOf(query: string, url: URL, headers: Record<string, string>, asking: Asking): Promise<string[]> {
  const body = new URLSearchParams({ query }).toString();
  const sent = { ...headers, 'content-type': 'application/x-www-form-urlencoded' };
  const response = await asking.http.request(url, { method: 'POST', headers: sent, body }, asking.signal);
  const paths = ['$.status', '$.error', '$.data.resultType', '$.data.result'];
  const [status, error, type, result] = await readJson(response, paths, url, asking).catch((unread: unknown) => {
    // A proxy in front of it has words of its own.
    throw response.status === 200 ? unread : new Error(`answered ${response.status}`);
  });
  if (response.status === 400) throw new Unmeasurable(`Prometheus refuses the query: ${(error ?? '').slice(0, 300)}`);
  if (response.status !== 200 || status !== 'success')
    throw new Error(`answered ${response.status}${error ? `: ${error}` : ''}`);
  const found = JSON.parse(result ?? '[]') as unknown;
  if (type === 'vector') return (found as { value: [number, string] }[]).map(({ value }) => value[1]);
  if (type === 'scalar' || type === 'string') return [(found as [number, string])[1]];
  throw new Unmeasurable(
    `the query answers a ${type}: write one that answers a vector or a scalar, without a range at its end`,
  );
}

async function readJson(
  response: Response,
  paths: string[],
  url: URL,
  { context, signal }: Asking,
): Promise<(string | null)[]> {
  const { text, complete } = await readBody(response, MAX_BODY);
  if (!complete) throw new Error(`answered with more than ${MAX_BODY} bytes`);
  const what = `the answer of ${publicUrl(url)}`;
  return foreign.ask('selectInJson', { text, paths }, { caller: context.product, what, signal });
}

function shown(values: readonly string[]): string {
  if (values.length === 0) return 'empty';
  const text = values.slice(0, 5).join(', ') + (values.length > 5 ? `, and ${values.length - 5} more` : '');
  return text.length > SHOWN.value ? `${text.slice(0, SHOWN.value)}…` : text;
}
