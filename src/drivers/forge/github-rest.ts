import { Octokit } from '@octokit/core';
import { Response } from 'undici';
import { PermanentError, TransientError } from '../driver.ts';
import type { Call } from './forge.ts';
import { GitHubLogin } from './github-login.ts';
import type { Login, Permissions } from './github-login.ts';
import type { OpenForge } from './open.ts';
import { movedTo, refusalBy } from './refusals.ts';
import type { MovedTo, RepositoryTold, Said } from './refusals.ts';

/** Headers of all calls; the version is a day of GitHub's own. */
const HEADERS = { 'x-github-api-version': '2022-11-28' };
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export const PULLS: Permissions = { pull_requests: 'write' };
export const CONTENTS: Permissions = { contents: 'write', pull_requests: 'write' };
export const STATUSES: Permissions = { statuses: 'write' };
export const HOOKS: Permissions = { repository_hooks: 'write' };

/** Entries of one page. */
export const PAGE = 100;

/** An answer of GitHub. */
export interface GitHubAnswer {
  status: number;
  headers: Record<string, string | number | undefined>;
  data: unknown;
}

/** How a route is asked. */
export interface GitHubAsk {
  permissions: Permissions;
  /** For messages: `open a pull request`. */
  what: string;
  /** Statuses that the caller understands. */
  accept?: readonly number[];
  content?: boolean;
  /** As the App itself. */
  login?: Login;
}

/** Calls of one repository, each with a login that may do no more than it needs. */
export class GitHubRest {
  /** The repository, for routes. */
  readonly at: { owner: string; repo: string };
  /** Whose calls they are. */
  readonly login: GitHubLogin;
  readonly #open: OpenForge;
  readonly #octokit: Octokit;

  constructor(open: OpenForge) {
    this.#open = open;
    const [owner = '', repo = ''] = open.name.split('/');
    this.at = { owner, repo };
    this.#octokit = new Octokit({ baseUrl: open.apiUrl, userAgent: 'sluice' });
    this.login = new GitHubLogin({
      secret: open.secret,
      value: open.value,
      app: open.use.app,
      owner,
      repo,
      now: open.now,
      ask: async (route, parameters, login, call) => {
        const asked = { permissions: {}, what: 'sign in as an App', accept: [404], login };
        const { status, data } = await this.ask(route, parameters, asked, call);
        return status === 404 ? null : data;
      },
    });
  }

  /** @throws as `Forge` says for every status from 300 on that is not accepted. */
  async ask(route: string, parameters: object, ask: GitHubAsk, call: Call): Promise<GitHubAnswer> {
    const login = ask.login ?? (await this.login.login(ask.permissions, call));
    const answered = await this.#send(route, parameters, ask, login, call);
    const { status, headers, data } = answered;
    if (status < 300 || ask.accept?.includes(status)) return answered;
    if (status === 401 && ask.login === undefined && this.login.isApp) {
      // A token can be revoked before its hour is over; a new one says more.
      this.login.forget();
      const again = await this.#send(route, parameters, ask, await this.login.login(ask.permissions, call), call);
      if (again.status < 300 || ask.accept?.includes(again.status)) return again;
    }
    const moved = status < 400 ? await this.#movedTo(String(headers['location'] ?? ''), login, call) : undefined;
    const needs = headers['x-accepted-github-permissions'];
    throw this.refusal(ask.what, {
      status,
      words: wordsOf(data),
      moved,
      needs: typeof needs === 'string' ? needs : null,
    });
  }

  async #send(route: string, parameters: object, ask: GitHubAsk, login: Login, call: Call): Promise<GitHubAnswer> {
    const request = {
      signal: call.signal,
      log: SILENT,
      fetch: async (url: string, init: { method: string; headers: Record<string, string>; body?: string }) => {
        const sent = { ...init, content: ask.content === true };
        const { status, headers, text } = await this.#open.connection.send(login.credential, new URL(url), sent, call);
        return new Response([204, 205, 304].includes(status) ? null : text, { status, headers });
      },
    };
    const { headers, ...rest } = parameters as { headers?: Record<string, string> };
    const all = { ...HEADERS, ...headers, authorization: login.authorization };
    try {
      const answered = (await this.#octokit.request(route, { ...rest, headers: all, request })) as GitHubAnswer;
      // A proxy's page for people, which says nothing of what was asked.
      if (typeof answered.data === 'string' && answered.data !== '')
        throw new TransientError(
          `GitHub was asked to ${ask.what}, and something else than JSON came (${answered.status})`,
        );
      return answered;
    } catch (error) {
      const { cause, response } = error as { cause?: unknown; response?: GitHubAnswer };
      // What our fetch threw comes wrapped.
      for (const each of [error, cause])
        if (each instanceof PermanentError || each instanceof TransientError) throw each;
      call.signal.throwIfAborted();
      if (response) return response;
      throw error;
    }
  }

  /**
   * Where a repository is that has moved. GitHub names it by its number, on its own host: that is asked for the name, and nothing else is
   * done there.
   */
  async #movedTo(location: string, login: Login, call: Call): Promise<MovedTo | undefined> {
    if (!URL.canParse(location)) return undefined;
    const { origin, pathname } = new URL(location);
    const [, id] = /\/repositories\/(\d+)/.exec(pathname) ?? [];
    if (id === undefined || origin !== new URL(this.#open.apiUrl).origin) return { url: location };
    const asked = { permissions: {}, what: 'see a repository' };
    const { status, data } = await this.#send('GET /repositories/{id}', { id }, asked, login, call);
    return movedTo(status === 200 ? (data as RepositoryTold) : undefined, location);
  }

  refusal(what: string, said: Said): Error {
    return refusalBy({ ...this.#open, what }, said);
  }
}

/** GitHub's message, with those of its parts: the first says `Validation Failed` and no more. */
export function wordsOf(data: unknown): string {
  if (typeof data === 'string') return data;
  const { message, errors } = (data ?? {}) as { message?: string; errors?: unknown };
  const parts = Array.isArray(errors) ? (errors as (string | ErrorPart | null)[]) : [];
  const words = parts.map((each) => (typeof each === 'string' ? each : (each?.message ?? fieldOf(each))));
  return [message, ...words].filter((each) => typeof each === 'string' && each !== '').join(': ');
}

interface ErrorPart {
  message?: string;
  field?: string;
  code?: string;
}

const fieldOf = (part: ErrorPart | null): string | undefined =>
  part?.field === undefined ? undefined : `${part.field} ${part.code ?? 'invalid'}`;
