import { systemClock } from '../../clock.ts';
import type { HealthSourceSpec } from '../../core/definitions.ts';
import { interpolate } from '../actions/interpolate.ts';
import type { SecretSource } from '../secret-source.ts';
import type { HealthAnswer, HealthContext } from './source.ts';
import { getFollowing, type HttpClient, openUrl, pauseOf, reasonOf } from '../http.ts';
import { checkSending, openReferenced, valuesOf } from '../secret-references.ts';

/** Between two looks, in milliseconds, where the source says nothing else. */
const DEFAULT_HTTP_INTERVAL = 5_000;
const DEFAULT_TIMEOUT = 5_000;

/**
 * 2xx is HEALTHY, another answer DEGRADED, no answer UNKNOWN. A redirect is followed on the same origin only: a page
 * of another origin does not answer for the application. The body is not read at all.
 */
export async function checkHttp(
  source: Extract<HealthSourceSpec, { type: 'http' }>,
  context: HealthContext,
  http: HttpClient,
  secrets: SecretSource,
): Promise<HealthAnswer> {
  const recheckAfter = source.interval ?? DEFAULT_HTTP_INTERVAL;
  const timeout = source.timeout ?? DEFAULT_TIMEOUT;
  const deadline = systemClock.limit('health', timeout);
  try {
    const { url, headers: login } = openUrl(source.url);
    const opened = await openReferenced(source.headers ?? {}, secrets);
    checkSending(opened, url, context.product);
    const headers = { ...login, ...interpolate(source.headers ?? {}, valuesOf(opened)) };
    const response = await getFollowing(http, url, headers, AbortSignal.any([context.signal, deadline]));
    if ('elsewhere' in response) {
      const message = `redirected to another host, ${response.elsewhere}: not followed`;
      return { status: 'DEGRADED', message, recheckAfter };
    }
    await response.body?.cancel();
    return answer(response.status, pauseOf(response, recheckAfter, context.now.getTime()));
  } catch (error) {
    context.signal.throwIfAborted();
    const message = deadline.aborted ? `no answer within ${timeout} ms` : `no answer: ${reasonOf(error)}`;
    return { status: 'UNKNOWN', message, recheckAfter };
  }
}

function answer(status: number, recheckAfter: number): HealthAnswer {
  const healthy = status >= 200 && status < 300;
  return { status: healthy ? 'HEALTHY' : 'DEGRADED', message: `answered ${status}`, recheckAfter };
}
