import { TransientError } from '../driver.ts';
import type { Call } from './forge.ts';
import type { OpenForge } from './open.ts';
import { refusalBy } from './refusals.ts';
import type { Said } from './refusals.ts';

/** How a path is asked. */
export interface RestAsk {
  /** For messages: `open a pull request`. */
  what: string;
  query?: Record<string, string | number | undefined>;
  body?: object;
  /** Statuses that the caller understands. */
  accept?: readonly number[];
  content?: boolean;
  /** Of an earlier answer. */
  etag?: string | undefined;
}

/** An answer of JSON. */
export interface RestAnswer {
  status: number;
  headers: Headers;
  data: unknown;
  /** The host's own words when it refuses; may be empty. */
  words: string;
}

/** Repositories by their number: the beginning of their path, and the address for people in what is there. */
export interface Numbered {
  path: RegExp;
  address: (answer: unknown) => string | undefined;
}

type Headers = { get(name: string): string | null };

/** JSON over HTTP to one forge, with a token in a header. */
export class Rest {
  readonly #open: OpenForge;
  readonly #login: Record<string, string>;
  readonly #numbered: Numbered | undefined;

  /**
   * @param login the header that says who asks
   * @param numbered where the host redirects to a repository's number, and not to its name
   */
  constructor(open: OpenForge, login: Record<string, string>, numbered?: Numbered) {
    this.#open = open;
    this.#login = login;
    this.#numbered = numbered;
  }

  /**
   * @param path below the API's address, its parts encoded
   * @throws as `Forge` says, for every status from 300 on that is not accepted.
   */
  async ask(method: string, path: string, ask: RestAsk, call: Call): Promise<RestAnswer> {
    const { connection, apiUrl, secret } = this.#open;
    const url = new URL(`${apiUrl}${path}`);
    for (const [name, value] of Object.entries(ask.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, String(value));
    const headers = {
      accept: 'application/json',
      'user-agent': 'sluice',
      ...this.#login,
      ...(ask.body && { 'content-type': 'application/json' }),
      ...(ask.etag !== undefined && { 'if-none-match': ask.etag }),
    };
    const sent = { method, headers, body: ask.body && JSON.stringify(ask.body), content: ask.content === true };
    const { status, headers: told, text } = await connection.send(secret, url, sent, call);
    const data = jsonOf(text);
    const words = wordsOf(data);
    if (status < 300 && data === undefined && text !== '')
      throw new TransientError(
        `${method} ${url.origin}${url.pathname} answered ${status} with something else than JSON`,
      );
    if (status < 300 || ask.accept?.includes(status)) return { status, headers: told, data, words };
    const location = status < 400 ? await this.#newAddress(told.get('location'), call) : null;
    throw this.refusal(ask.what, { status, words, location });
  }

  /** The address of a repository that has moved. Its host is asked for it, and nothing else is done there. */
  async #newAddress(location: string | null, call: Call): Promise<string | null> {
    const { connection, apiUrl, secret } = this.#open;
    const { path, address } = this.#numbered ?? {};
    if (location === null || !URL.canParse(location)) return location;
    const { origin, pathname } = new URL(location);
    const [repository] = path?.exec(pathname) ?? [];
    if (repository === undefined || origin !== new URL(apiUrl).origin) return location;
    const headers = { accept: 'application/json', 'user-agent': 'sluice', ...this.#login };
    const url = new URL(repository, origin);
    const { status, text } = await connection.send(secret, url, { method: 'GET', headers }, call);
    return (status === 200 ? address?.(jsonOf(text)) : undefined) ?? location;
  }

  refusal(what: string, said: Said): Error {
    return refusalBy({ ...this.#open, what }, said);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** GitLab and Gitea say `message` (a text, a list, or lists by field) or `error`. */
function wordsOf(data: unknown): string {
  const { message, error, error_description: more } = (data ?? {}) as Record<string, unknown>;
  const found = [message, error, more].filter((each) => each !== undefined && each !== null);
  return found.map((each) => (typeof each === 'string' ? each : listed(each))).join(': ');
}

function listed(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join('; ');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([field, words]) => `${field}: ${listed(words)}`)
    .join('; ');
}
