import { setTimeout as sleep } from 'node:timers/promises';
import { readClock } from './clock.ts';
import { CliError, EXIT } from './exit.ts';

export type Variables = Record<string, unknown>;

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

export interface UserError {
  code: string;
  message: string;
  path?: string[] | null;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 3_000;

/** Speaks the published GraphQL API, and nothing else. */
export class Client {
  readonly server: string;
  readonly #headers: Record<string, string>;

  constructor(server: string, token?: string) {
    this.server = server;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  /** One query or mutation. @throws CliError in words for the person who typed the command. */
  async ask<T>(document: string, variables: Variables = {}, signal?: AbortSignal): Promise<T> {
    let response: Response;
    let text: string;
    const from = performance.now();
    try {
      response = await fetch(`${this.server}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/graphql-response+json, application/json',
          ...this.#headers,
        },
        body: JSON.stringify({ query: document, variables }),
        signal,
      });
      readClock(response, performance.now() - from);
      text = await response.text();
    } catch (error) {
      signal?.throwIfAborted();
      throw new CliError(EXIT.UNREACHABLE, unreachable(this.server, error));
    }
    const answer = parse<T>(text);
    if (answer === undefined) throw new CliError(EXIT.UNREACHABLE, noSluice(this.server, response));
    // 502 to 504 come from a proxy before a server that restarts, 500 with JSON from the server itself.
    if (answer.errors?.length) throw new CliError(EXIT.REFUSED, wordsOf(answer.errors));
    return answer.data as T;
  }

  /** Asks what everybody may ask, so that the server's time is known. @throws CliError when none answers */
  async meet(): Promise<void> {
    await this.ask('{ __typename }').catch((error: unknown) => {
      // What it refuses is for the command itself to hear.
      if (!(error instanceof CliError) || error.exitCode === EXIT.UNREACHABLE) throw error;
    });
  }

  /**
   * A subscription that outlives its connection: `variablesNow` is asked again at each connect, so that it goes on after
   * the last cursor. `onLost` hears once of each lost connection, until `onBack`. Ends with `signal` only, or throws a
   * CliError when the server says that asking again will not help.
   */
  async *follow<T>(
    document: string,
    variablesNow: () => Variables,
    { signal, onLost, onBack }: { signal: AbortSignal; onLost?: (why: string) => void; onBack?: () => void },
  ): AsyncGenerator<T> {
    // A socket and GraphQL take longer to load than all the rest, and most commands ask one question.
    const { openSocket } = await import('./socket.ts');
    let pause = FIRST_PAUSE_MS;
    let lost = false;
    while (!signal.aborted) {
      const client = openSocket(this.server, this.#headers, () => {
        pause = FIRST_PAUSE_MS;
        if (lost) onBack?.();
        lost = false;
      });
      const stop = (): void => client.terminate();
      signal.addEventListener('abort', stop, { once: true });
      try {
        for await (const result of client.iterate<T>({ query: document, variables: variablesNow() })) {
          if (result.errors) throw result.errors;
          if (result.data) yield result.data;
        }
        // The server completed it: it shuts down, or lets go of a client that reads too slowly.
      } catch (error) {
        if (signal.aborted) return;
        if (isFinal(error)) throw new CliError(EXIT.REFUSED, finalWords(error));
        if (!lost) onLost?.(unreachable(this.server, error));
        lost = true;
      } finally {
        signal.removeEventListener('abort', stop);
        client.terminate();
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
    }
  }
}

function parse<T>(text: string): Answer<T> | undefined {
  try {
    const value = JSON.parse(text) as Answer<T>;
    return typeof value === 'object' && value !== null && ('data' in value || 'errors' in value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** GraphQL errors, and the socket's own refusals (4400 to 4499) except "too slow" and "try again". */
function isFinal(error: unknown): boolean {
  if (Array.isArray(error)) return true;
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' && code >= 4400 && code < 4500 && ![4408, 4429, 4499].includes(code);
}

function finalWords(error: unknown): string {
  if (Array.isArray(error)) return wordsOf(error as { message: string; extensions?: { code?: string } }[]);
  const { code, reason } = error as { code: number; reason?: string };
  if (code === 4401) return [reason, LOG_IN].filter(Boolean).join('\n');
  return reason || `the server closed the subscription (${code})`;
}

const LOG_IN =
  'Set SLUICE_TOKEN to an API token (an ADMIN makes one: sluice token create) or to a token of your identity provider.';

function wordsOf(errors: { message: string; extensions?: { code?: string } }[]): string {
  const words = errors.map(({ message }) => message);
  if (errors.some(({ extensions }) => extensions?.code === 'UNAUTHENTICATED')) words.push(LOG_IN);
  return words.join('\n');
}

const REASONS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved now',
  ECONNRESET: 'the connection was cut',
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'there is no way to that host',
};

function unreachable(server: string, error: unknown): string {
  const codes = [error, (error as Error).cause, (error as { error?: unknown }).error].map(
    (each) => (each as NodeJS.ErrnoException | undefined)?.code,
  );
  const reason = codes.map((code) => REASONS[String(code)]).find(Boolean);
  const detail = reason ?? 'the connection was lost';
  return `No Sluice server at ${server}: ${detail}. Start one with 'sluice serve', or name yours with --server or SLUICE_SERVER.`;
}

function noSluice(server: string, response: Response): string {
  const starting = response.status >= 502 && response.status <= 504;
  return starting
    ? `The server behind ${server} does not answer now (HTTP ${response.status}). Try again in a moment.`
    : `${server} answers, but not as a Sluice server does (HTTP ${response.status} to POST /graphql). Check --server or SLUICE_SERVER.`;
}
