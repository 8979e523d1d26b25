import { TransientError } from '../driver.ts';
import type { Answer } from './connection.ts';
import type { Call } from './forge.ts';
import type { OpenForge } from './open.ts';
import { isMoved, movedTo, refusalBy } from './refusals.ts';
import type { MovedTo, RepositoryTold, Said } from './refusals.ts';

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

/** Where a host's API has repositories. */
export interface RepositoryPaths {
  /** The one of this client, below the API's address. */
  own: string;
  /** The part of a path that names one, in whichever way. */
  any: RegExp;
}

type Headers = { get(name: string): string | null };

/** JSON over HTTP to one forge, with a token in a header. */
export class Rest {
  readonly #open: OpenForge;
  readonly #login: Record<string, string>;
  readonly #paths: RepositoryPaths;

  /** @param login the header that says who asks */
  constructor(open: OpenForge, login: Record<string, string>, paths: RepositoryPaths) {
    this.#open = open;
    this.#login = login;
    this.#paths = paths;
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
    const moved = isMoved({ status, words }) ? await this.#movedTo(told.get('location'), call) : undefined;
    throw this.refusal(ask.what, { status, words, moved });
  }

  /** Where a repository is that has moved. Its host is asked for it, and nothing else is done there. */
  async #movedTo(told: string | null, call: Call): Promise<MovedTo | undefined> {
    const { apiUrl } = this.#open;
    const own = new URL(`${apiUrl}${this.#paths.own}`);
    const location = told ?? (await this.#look(own, call)).headers.get('location');
    // Gitea tells a path, without its host.
    if (location === null || !URL.canParse(location, own.href)) return undefined;
    const { origin, pathname, href } = new URL(location, own);
    const [repository] = this.#paths.any.exec(pathname) ?? [];
    if (repository === undefined || origin !== own.origin) return { url: href };
    const { status, text } = await this.#look(new URL(repository, origin), call);
    return movedTo(status === 200 ? (jsonOf(text) as RepositoryTold | undefined) : undefined, href);
  }

  #look(url: URL, call: Call): Promise<Answer> {
    const headers = { accept: 'application/json', 'user-agent': 'sluice', ...this.#login };
    return this.#open.connection.send(this.#open.secret, url, { method: 'GET', headers }, call);
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
