import { systemClock } from '../../clock.ts';
import { foreign } from '../../foreign/index.ts';
import type { SyncSourceSpec } from '../../core/definitions.ts';
import { describeChange, runs } from '../../core/running.ts';
import { interpolate } from '../actions/interpolate.ts';
import type { SecretSource } from '../secret-source.ts';
import type { SyncAnswer, SyncContext } from './source.ts';
import { getFollowing, openUrl, pauseOf, readBody, reasonOf } from '../http.ts';
import type { HttpClient } from '../http.ts';
import { lookElsewhere } from './elsewhere.ts';
import { checkSending, openReferenced, valuesOf } from '../secret-references.ts';

const DEFAULT_INTERVAL = 5_000;
const DEFAULT_TIMEOUT = 5_000;
/** A version endpoint answers a line, or a small document. */
const MAX_BODY = 64 * 1024;
const MAX_SHOWN = 100;

/** What the address answers names the commit or the version. No answer says nothing, and is asked for again. */
export async function checkHttp(
  source: Extract<SyncSourceSpec, { type: 'http' }>,
  context: SyncContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<SyncAnswer> {
  const recheckAfter = source.interval ?? DEFAULT_INTERVAL;
  const timeout = source.timeout ?? DEFAULT_TIMEOUT;
  const deadline = systemClock.limit('sync', timeout);
  const { application, change, product, signal } = context;
  const wanted = describeChange(change);
  const unknown = (why: string): SyncAnswer => ({
    synced: false,
    message: `it is not known whether ${application} runs ${wanted}: ${why}`,
    recheckAfter,
  });
  try {
    const { url, headers: login } = openUrl(source.url);
    const opened = await openReferenced(source.headers ?? {}, secrets);
    checkSending(opened, url, product);
    const headers = { ...login, ...interpolate(source.headers ?? {}, valuesOf(opened)) };
    const response = await getFollowing(http, url, headers, AbortSignal.any([signal, deadline]));
    if ('elsewhere' in response) return unknown(`redirected to another host, ${response.elsewhere}: not followed`);
    if (response.status < 200 || response.status > 299) {
      await response.body?.cancel();
      return {
        ...unknown(`answered ${response.status}`),
        recheckAfter: pauseOf(response, recheckAfter, context.now.getTime()),
      };
    }
    const { text, complete } = await readBody(response, MAX_BODY);
    if (!complete) return unknown(`answered with more than ${MAX_BODY} bytes`);
    const { jsonPath } = source;
    const ask = { caller: product, what: `the answer of the sync source of ${application}`, signal };
    const found =
      jsonPath === undefined ? text : (await foreign.ask('selectInJson', { text, paths: [jsonPath] }, ask))[0];
    if (found === null || found === undefined) return unknown(`the answer has nothing at ${jsonPath}`);
    const either = found.trim();
    if (runs({ either }, change)) return { synced: true, message: `${application} runs ${wanted}` };
    const elsewhere = await lookElsewhere(either, context);
    if (elsewhere === null) return { synced: true, message: `${application} runs ${wanted}` };
    const runsNow = `${application} runs ${either.slice(0, MAX_SHOWN)}${elsewhere}`;
    return { synced: false, message: `${runsNow}, not ${wanted}`, recheckAfter };
  } catch (error) {
    signal.throwIfAborted();
    return unknown(deadline.aborted ? `no answer within ${timeout} ms` : `no answer: ${reasonOf(error)}`);
  }
}
