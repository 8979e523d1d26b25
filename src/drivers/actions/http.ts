import { PermanentError, TransientError } from '../driver.ts';
import { foreign } from '../../foreign/index.ts';
import { Headers, type RequestInit } from 'undici';
import { openUrl, passes, publicUrl, readBody, reasonOf, type Response, retryAfterOf } from '../http.ts';
import { ForbiddenTarget } from '../network/guard.ts';
import { checkSending } from '../secret-references.ts';
import type { At } from './at.ts';
import type { ParametersOf } from './parameters.ts';

/** Outputs become parameters of later actions; a larger answer is a download, not an answer. */
const MAX_BODY = 1024 * 1024;
/** Of an answer that was not expected, for the log. */
const MAX_TOLD = 4 * 1024;

/**
 * One request. The Idempotency-Key is the same for every try of the step, so that a server that knows the convention acts
 * once. Redirects are not followed: they are answers that `expectStatus` may name.
 * @returns the outputs, read from the JSON response
 */
export async function runHttp(
  parameters: ParametersOf<'http'>,
  { context, signal, http, opened, log }: Pick<At, 'context' | 'signal' | 'http' | 'opened' | 'log'>,
): Promise<Record<string, string>> {
  const { expectStatus, outputs } = parameters;
  const { url, init } = prepare(parameters, context.key);
  checkSending(opened, url, context.product);
  const what = `${init.method} ${publicUrl(url)}`;
  log.say(what);
  let response: Response;
  try {
    response = await http.request(url, init, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ForbiddenTarget) throw new PermanentError(`${what} was not sent: ${error.message}`);
    throw new TransientError(`${what} got no answer: ${reasonOf(error)}`);
  }
  const { status } = response;
  log.say(`answered ${status}`);
  const expected = expectStatus ? expectStatus.includes(status) : status >= 200 && status < 300;
  if (!expected) {
    // It may say what is wrong.
    const { text } = await readBody(response, MAX_TOLD).catch(() => ({ text: '' }));
    if (text !== '') log.heard(Buffer.from(text), 'OUT');
    const wanted = expectStatus ? expectStatus.join(' or ') : '2xx';
    const message = `${what} answered ${status}, expected ${wanted}`;
    // Of a server that knows the key: it is still at work on the request of an earlier try.
    const isUnderWay = status === 409 && context.tries > 0;
    if (!passes(status) && !isUnderWay) throw new PermanentError(message);
    throw new TransientError(message, { retryAfter: retryAfterOf(response, http.clock.now().getTime()) });
  }
  if (!outputs || Object.keys(outputs).length === 0) {
    await response.body?.cancel();
    return {};
  }
  return readOutputs(what, await bodyOf(response, what, signal), outputs, context.product, signal);
}

function prepare(parameters: ParametersOf<'http'>, key: string): { url: URL; init: RequestInit } {
  const { body } = parameters;
  const method = parameters.method?.toUpperCase() ?? (body === undefined ? 'GET' : 'POST');
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

async function bodyOf(response: Response, what: string, signal: AbortSignal): Promise<string> {
  let body;
  try {
    body = await readBody(response, MAX_BODY);
  } catch (error) {
    signal.throwIfAborted();
    throw new TransientError(`${what} broke off in its answer: ${reasonOf(error)}`);
  }
  if (!body.complete) throw new PermanentError(`${what} answered with more than ${MAX_BODY} bytes`);
  return body.text;
}

/** In a process of its own: the answer is foreign text. */
async function readOutputs(
  what: string,
  text: string,
  outputs: Record<string, string>,
  caller: string,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const names = Object.keys(outputs);
  const asked = { text, paths: Object.values(outputs) };
  const found = await foreign.ask('selectInJson', asked, { caller, what: `the answer to ${what}`, signal });
  return Object.fromEntries(
    names.map((name, index) => {
      const value = found[index] ?? null;
      if (value === null)
        throw new PermanentError(`output "${name}": the answer to ${what} has nothing at ${outputs[name]}`);
      return [name, value];
    }),
  );
}
