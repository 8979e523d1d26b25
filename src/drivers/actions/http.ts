import type { EffectContext } from '../driver.ts';
import { PermanentError, TransientError } from '../driver.ts';
import { locate, valueAt } from '../edit/jsonpath.ts';
import { Headers, type RequestInit } from 'undici';
import { type HttpClient, openUrl, publicUrl, readBody, reasonOf, type Response, retryAfterOf } from '../http.ts';
import { ForbiddenTarget } from '../network/guard.ts';
import { checkHosts, type Opened } from '../secret-references.ts';
import type { HttpParameters } from './parameters.ts';

/** Outputs become parameters of later actions; a larger answer is a download, not an answer. */
const MAX_BODY = 1024 * 1024;

/**
 * One request. The Idempotency-Key is the same for every try of the step, so that a server that knows the convention acts
 * once. Redirects are not followed: they are answers that `expectStatus` may name.
 * @returns the outputs, read from the JSON response
 */
export async function runHttp(
  parameters: HttpParameters,
  context: EffectContext,
  signal: AbortSignal,
  http: HttpClient,
  secrets: Opened,
): Promise<Record<string, string>> {
  const { expectStatus, outputs } = parameters;
  const { url, init } = prepare(parameters, context.key);
  checkHosts(secrets, url);
  const what = `${init.method} ${publicUrl(url)}`;
  let response: Response;
  try {
    response = await http.request(url, init, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForbiddenTarget) throw new PermanentError(`${what} was not sent: ${error.message}`);
    throw new TransientError(`${what} got no answer: ${reasonOf(error)}`);
  }
  const { status } = response;
  const expected = expectStatus ? expectStatus.includes(status) : status >= 200 && status < 300;
  if (!expected) {
    await response.body?.cancel();
    const wanted = expectStatus ? expectStatus.join(' or ') : '2xx';
    const message = `${what} answered ${status}, expected ${wanted}`;
    if (status < 500 && status !== 429) throw new PermanentError(message);
    throw new TransientError(message, { retryAfter: retryAfterOf(response, Date.now()) });
  }
  if (!outputs || Object.keys(outputs).length === 0) {
    await response.body?.cancel();
    return {};
  }
  return readOutputs(what, await bodyOf(response, what, signal), outputs);
}

function prepare(parameters: HttpParameters, key: string): { url: URL; init: RequestInit } {
  const { body } = parameters;
  const method = parameters.method ?? (body === undefined ? 'GET' : 'POST');
  try {
    const { url, headers: login } = openUrl(parameters.url);
    const headers = new Headers({ ...login, ...parameters.headers });
    headers.set('idempotency-key', key);
    if (body === undefined) return { url, init: { method, headers } };
    if (typeof body === 'string') return { url, init: { method, headers, body } };
    if (!headers.has('content-type')) headers.set('content-type', 'application/json');
    return { url, init: { method, headers, body: JSON.stringify(body) } };
  } catch (error) {
    // The values themselves may be secret, and fetch's own words quote them.
    const reason =
      error instanceof TypeError && /^not a URL$|is not http/.test(error.message) ? error.message : 'invalid';
    throw new PermanentError(`the url or the headers of an http action cannot be used: ${reason}`);
  }
}

async function bodyOf(response: Response, what: string, signal: AbortSignal): Promise<unknown> {
  let body;
  try {
    body = await readBody(response, MAX_BODY);
  } catch (error) {
    signal.throwIfAborted();
    throw new TransientError(`${what} broke off in its answer: ${reasonOf(error)}`);
  }
  if (!body.complete) throw new PermanentError(`${what} answered with more than ${MAX_BODY} bytes`);
  try {
    return JSON.parse(body.text) as unknown;
  } catch {
    throw new PermanentError(`${what} answered with something that is not JSON, so its outputs cannot be read`);
  }
}

function readOutputs(what: string, body: unknown, outputs: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, path]) => {
      const [location] = locate(body, path);
      if (!location) throw new PermanentError(`output "${name}": the answer to ${what} has nothing at ${path}`);
      const value = valueAt(body, location);
      return [name, typeof value === 'string' ? value : JSON.stringify(value)];
    }),
  );
}
