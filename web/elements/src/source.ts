import { CloseCode, createClient } from 'graphql-ws';
import { RefusedError } from './refused.ts';

/** Where the API is, and how it is asked. */
export interface Source {
  /** The address of the GraphQL endpoint; streams are at `/stream` below it. */
  endpoint: string;
  fetch: typeof fetch;
  token: string | null;
  transport: 'sse' | 'websocket';
}

type Variables = Record<string, unknown>;

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** @throws RefusedError; anything else can be tried again */
export async function ask<T>(source: Source, query: string, variables: Variables, signal?: AbortSignal): Promise<T> {
  const response = await post(source, source.endpoint, 'application/json', { query, variables }, signal);
  return dataOf((await response.json()) as Answer<T>);
}

/** A subscription, while `signal` is not aborted. */
interface Subscribing {
  query: string;
  variables: Variables;
  signal: AbortSignal;
  /** The server has taken it. */
  connected: () => void;
}

/** The answers of a subscription, until the stream ends. @throws RefusedError; anything else can be tried again */
export function stream<T>(source: Source, asked: Subscribing): AsyncIterable<T> {
  return source.transport === 'websocket' ? overWebSocket(source, asked) : overEvents(source, asked);
}

/** What is over by itself: the server is in trouble, or was asked too often. */
const PASSES: readonly (string | undefined)[] = ['INTERNAL_SERVER_ERROR', 'UNAVAILABLE', 'RATE_LIMITED'];

function dataOf<T>({ data, errors }: Answer<T>): T {
  const [error] = errors ?? [];
  const code = error?.extensions?.code;
  if (error) throw PASSES.includes(code) ? new Error(error.message) : new RefusedError(error.message, code);
  if (!data) throw new Error('the answer is empty');
  return data;
}

async function post(
  { fetch: ask, token }: Source,
  address: string,
  accept: string,
  operation: { query: string; variables: Variables },
  signal?: AbortSignal,
): Promise<Response> {
  const response = await ask(address, {
    method: 'POST',
    headers: {
      accept,
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(operation),
    ...(signal && { signal }),
  });
  if (response.ok) return response;
  if (response.status === 429 || response.status >= 500) throw new Error(`the server answers ${response.status}`);
  const told = (await response.json().catch(() => ({}))) as Answer<unknown>;
  const [error] = told.errors ?? [];
  const code = error?.extensions?.code ?? (response.status === 401 ? 'UNAUTHENTICATED' : 'REFUSED');
  throw new RefusedError(error?.message ?? `the server answers ${response.status}`, code);
}

/** The server says something every 12 seconds; a network that is gone, or a computer that has slept, says nothing. */
const SILENCE_MS = 30_000;

/** @throws when nothing was heard for too long */
async function heard<T>(next: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the stream is silent')), SILENCE_MS);
  });
  return Promise.race([next, silence]).finally(() => clearTimeout(timer));
}

/** Server-sent events by `fetch`, which can send a token; an EventSource cannot. */
async function* overEvents<T>(source: Source, { query, variables, signal, connected }: Subscribing) {
  const address = `${source.endpoint}/stream`;
  const response = await post(source, address, 'text/event-stream', { query, variables }, signal);
  if (!response.body) throw new Error('the stream is empty');
  connected();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await heard(reader.read());
      if (done) return;
      text += value.replaceAll('\r\n', '\n');
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const lines = block.split('\n');
        const field = (name: string): string =>
          lines
            .flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1).trimStart()] : []))
            .join('\n');
        if (field('event') === 'complete') return;
        if (field('event') === 'next') yield dataOf(JSON.parse(field('data')) as Answer<T>);
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

const CLOSED_FOR_GOOD: readonly number[] = [CloseCode.Unauthorized, CloseCode.Forbidden];

/** Milliseconds that an answer to a ping may take. */
const PONG_MS = 5_000;

async function* overWebSocket<T>(source: Source, { query, variables, signal, connected }: Subscribing) {
  let overdue: ReturnType<typeof setTimeout> | undefined;
  const client = createClient({
    url: new URL(source.endpoint, location.href).href.replace(/^http/, 'ws'),
    retryAttempts: 0,
    keepAlive: 15_000,
    on: {
      connected,
      ping: (isReceived) => {
        if (!isReceived) overdue = setTimeout(() => client.terminate(), PONG_MS);
      },
      message: () => clearTimeout(overdue),
      closed: () => clearTimeout(overdue),
    },
    ...(source.token !== null && { connectionParams: { authorization: `Bearer ${source.token}` } }),
  });
  const end = (): void => void client.dispose();
  signal.addEventListener('abort', end);
  try {
    for await (const answer of client.iterate<T>({ query, variables })) yield dataOf(answer as Answer<T>);
  } catch (error) {
    // The server's refusal of the operation comes as a list.
    if (Array.isArray(error)) dataOf({ errors: error as Answer<T>['errors'] });
    if (error instanceof CloseEvent && CLOSED_FOR_GOOD.includes(error.code))
      throw new RefusedError(error.reason, 'UNAUTHENTICATED');
    throw error;
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}
