import { Agent, buildConnector, fetch, type RequestInit, type Response } from 'undici';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { ForbiddenTarget, type NetworkGuard } from './network/guard.ts';

/** What the http health source and the http action share. */

export type { Response };

/** Milliseconds until a connection stands, TLS included. */
const CONNECT_TIMEOUT = 10_000;
/** Bytes. */
const MAX_HEADERS = 16 * 1024;

/** Requests to hosts that the operator did not choose. Every connection is let through by the guard, whatever it is for. */
export class HttpClient {
  readonly clock: Clock;
  readonly #agent: Agent;

  constructor(guard: NetworkGuard, clock: Clock = systemClock) {
    this.clock = clock;
    const open = buildConnector({ lookup: guard.lookup, timeout: CONNECT_TIMEOUT });
    this.#agent = new Agent({
      connect(options, callback) {
        try {
          guard.checkLiteral(options.hostname);
        } catch (error) {
          return callback(error as Error, null);
        }
        open(options, callback);
      },
      maxHeaderSize: MAX_HEADERS,
      // Every request comes with a deadline of its own, which may be longer than what undici would grant.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  /**
   * Redirects are answers here: a caller that follows one decides whether its host may be trusted.
   * @throws ForbiddenTarget when the guard refuses; whatever fetch throws.
   */
  async request(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(url, { ...init, redirect: 'manual', signal, dispatcher: this.#agent });
    } catch (error) {
      const refused = forbiddenIn(error);
      throw refused ?? error;
    }
  }
}

/** fetch wraps what the connector said. */
function forbiddenIn(error: unknown): ForbiddenTarget | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ForbiddenTarget) return at;
    if (at instanceof AggregateError) return at.errors.find((each) => each instanceof ForbiddenTarget);
  }
  return undefined;
}

const MAX_REDIRECTS = 5;

/**
 * A GET that follows redirects on the same origin only: a page of another origin is not the answer. `elsewhere` is the host to which it
 * was sent.
 */
export async function getFollowing(
  http: HttpClient,
  url: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Response | { elsewhere: string }> {
  let at = url;
  for (let hop = 0; ; hop += 1) {
    const response = await http.request(at, { headers }, signal);
    const next = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null;
    if (next === null || hop === MAX_REDIRECTS || !URL.canParse(next, at.href)) return response;
    await response.body?.cancel();
    const there = new URL(next, at);
    if (there.origin !== url.origin) return { elsewhere: there.host };
    at = there;
  }
}

/** fetch refuses a URL with credentials in it, and quotes it whole in the refusal: they travel as a header instead. */
export function openUrl(address: string): { url: URL; headers: Record<string, string> } {
  if (!URL.canParse(address)) throw new TypeError('not a URL');
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new TypeError(`${url.protocol} is not http or https`);
  if (!url.username && !url.password) return { url, headers: {} };
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

/** Host and path name the thing; user, password and query may hold secrets. */
export const publicUrl = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

/** fetch says "fetch failed" and keeps what happened in its cause. */
export function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  const code = (cause as NodeJS.ErrnoException).code;
  // A refused connection to "localhost" tries two addresses: an AggregateError without a message of its own.
  return cause.message || code || cause.name;
}

/** Reads at most `limit` bytes, then hangs up. */
export async function readBody(
  response: { body: AsyncIterable<Uint8Array> | null },
  limit: number,
): Promise<{ text: string; complete: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    // Leaving the loop cancels the stream.
    if (size > limit) return { text: '', complete: false };
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), complete: true };
}

/** Statuses that say "not now": the same request may be answered otherwise a moment later. */
export const passes = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429;

/** Retry-After in milliseconds, a day at most: a number of seconds, or a date. */
export function retryAfterOf(response: Pick<Response, 'headers'>, now: number): number | undefined {
  const value = response.headers.get('retry-after')?.trim();
  if (!value) return undefined;
  const after = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(after) ? undefined : Math.min(Math.max(0, after), A_DAY);
}

/** When a source is asked again, in milliseconds: in its interval, or later where it asked for that. */
export function pauseOf(response: Pick<Response, 'headers'>, interval: number, now: number): number {
  return Math.max(interval, retryAfterOf(response, now) ?? 0);
}

const A_DAY = 24 * 60 * 60_000;
