import { randomUUID } from 'node:crypto';
import type { Headers } from 'undici';
import { onAbort } from '../../abort-listener.ts';
import { systemClock } from '../../clock.ts';
import { GITHUB_LIMITS, OTHER_LIMITS } from '../../core/forge-budget.ts';
import type { BudgetLimits, Budgets, Told } from '../../core/forge-budget.ts';
import { PermanentError, ThrottledError, TransientError } from '../driver.ts';
import { type HttpClient, publicUrl, readBody, reasonOf, type Response, retryAfterOf } from '../http.ts';
import { ForbiddenTarget } from '../network/guard.ts';
import { sleep } from '../sleep.ts';
import type { Call } from './forge.ts';

/** A forge answers within this time, in milliseconds, or not at all. */
const DEADLINE = 20_000;
/** Bytes: a hundred pull requests with all that GitHub says of each are 2 MiB. */
const MAX_ANSWER = 8 * 1024 * 1024;

/** One request. */
export interface Sent {
  method: string;
  headers: Record<string, string>;
  body?: string | undefined;
  /** It makes something that people are told of, such as a comment. */
  content?: boolean;
}

/** What a forge answered, whole. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

/**
 * The way of one credential to its forge, and the only one: every request of every client passes here, the exchange of tokens too. It is
 * let through by the network's guard and drawn from the credential's budget; what the host says of its limits is kept for all processes.
 * Redirects are answers.
 */
export class Connection {
  readonly #http: HttpClient;
  readonly #budgets: Budgets;
  readonly #limits: BudgetLimits;
  readonly #title: string;
  readonly #deadline: number;

  /** @param title of the forge, for messages. */
  constructor({ http, budgets, apiUrl, title, deadline }: ConnectionSettings) {
    this.#http = http;
    this.#budgets = budgets;
    this.#title = title;
    this.#deadline = deadline ?? DEADLINE;
    const { hostname } = new URL(apiUrl);
    this.#limits = hostname === 'api.github.com' || hostname.endsWith('.ghe.com') ? GITHUB_LIMITS : OTHER_LIMITS;
  }

  /**
   * @param credential the name of the secret, of an App with its installation
   * @throws TransientError when there is no whole answer, ThrottledError when the limits of the credential are reached
   */
  async send(credential: string, url: URL, sent: Sent, call: Call): Promise<Answer> {
    const { signal } = call;
    const lease = randomUUID();
    const write = sent.method !== 'GET' && sent.method !== 'HEAD';
    const asked = { write, content: sent.content === true, urgent: call.urgent === true };
    const taken = await this.#budgets.take(credential, this.#limits, asked, lease);
    if ('later' in taken)
      throw new ThrottledError(`calls of secret "${credential}" to ${this.#title} wait: ${taken.why}`, {
        retryAfter: taken.later,
      });
    let told: Told = {};
    try {
      await sleep(taken.wait, signal);
      const answer = await this.#answer(url, sent, signal);
      told = toldBy(answer, this.#http.clock.now().getTime());
      if (told.limited)
        throw new ThrottledError(`${this.#title} lets secret "${credential}" wait: ${told.limited.why}`, {
          retryAfter: told.limited.wait ?? NO_WORD,
        });
      return answer;
    } finally {
      // What is not given back counts for a minute more: no reason to lose an answer.
      await this.#budgets.settle(credential, lease, told).catch(() => undefined);
    }
  }

  async #answer(url: URL, { method, headers, body: sent }: Sent, signal: AbortSignal): Promise<Answer> {
    const what = `${method} ${publicUrl(url)}`;
    const deadline = systemClock.limit('forge', this.#deadline);
    const either = AbortSignal.any([signal, deadline]);
    const failed = (error: unknown, how: string): Error => {
      signal.throwIfAborted();
      if (error instanceof ForbiddenTarget) return new PermanentError(`${what} was not sent: ${error.message}`);
      if (deadline.aborted) return new TransientError(`${what} got no answer within ${this.#deadline / 1_000} s`);
      return new TransientError(`${what} ${how}: ${reasonOf(error)}`);
    };
    let response: Response;
    try {
      response = await this.#http.request(url, { method, headers, ...(sent !== undefined && { body: sent }) }, either);
    } catch (error) {
      throw failed(error, 'got no answer');
    }
    let body: { text: string; complete: boolean };
    try {
      body = await readBody(response, MAX_ANSWER);
    } catch (error) {
      throw failed(error, 'broke off in its answer');
    }
    if (!body.complete) throw new TransientError(`${what} answered with more than ${MAX_ANSWER} bytes`);
    return { status: response.status, headers: response.headers, text: body.text };
  }
}

/** What a connection is made of. */
export interface ConnectionSettings {
  http: HttpClient;
  budgets: Budgets;
  apiUrl: string;
  title: string;
  /** Milliseconds; 20 s when left out. */
  deadline?: number | undefined;
}

/** The first wait where a host says that it is too much, and not for how long: as GitHub asks for. */
const NO_WORD = 60_000;
/** So few calls are kept for urgent ones. */
const SCARCE = 100;

/** What an answer says of the limits of its credential; `ownNow` in milliseconds since the epoch. */
function toldBy({ status, headers, text }: Answer, ownNow: number): Told {
  // The host's own clock, where it says it: its reset is a time of day there.
  const now = Date.parse(headers.get('date') ?? '') || ownNow;
  const number = (...names: string[]): number | undefined => {
    const found = names.map((name) => headers.get(name)).find((each) => each !== null);
    return found !== undefined && found !== null && /^\d+$/.test(found.trim()) ? Number(found) : undefined;
  };
  const remaining = number('x-ratelimit-remaining', 'ratelimit-remaining');
  const reset = number('x-ratelimit-reset', 'ratelimit-reset');
  const untilReset = reset === undefined ? undefined : Math.max(1_000, reset * 1_000 - now);
  const after = retryAfterOf({ headers }, ownNow);
  const words = /rate limit|abuse detection|too many requests|retry later/i.test(text.slice(0, 10_000));
  const spent = remaining === 0 ? untilReset : undefined;
  const limited =
    status === 429 ||
    (status === 403 && (after !== undefined || remaining === 0 || words)) ||
    (status === 503 && after);
  if (limited) {
    const why = status === 503 ? 'it is out of service' : `its limit is reached (${status})`;
    return { limited: { wait: after ?? spent, why } };
  }
  if (remaining === undefined || untilReset === undefined) return {};
  return { spent, scarce: remaining <= SCARCE ? untilReset : undefined };
}

/** Waits for a promise that others wait for, too, no longer than the own signal. */
export async function together<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = onAbort(signal, () => reject(signal.reason as Error));
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    stop();
  }
}
