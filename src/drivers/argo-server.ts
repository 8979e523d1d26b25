import { systemClock } from '../clock.ts';
import { foreign } from '../foreign/index.ts';
import type { HttpClient } from './http.ts';
import { readBody, reasonOf, retryAfterOf } from './http.ts';

/** A server of Argo did not do what it was asked for, or did not answer. The message is for people. */
export class ArgoRefusal extends Error {
  override readonly name = 'ArgoRefusal';
  /** Of HTTP; 0 without an answer. */
  readonly status: number;
  /** What the server gave as the reason; empty where it gave none. */
  readonly said: string;
  /** When it is asked again, in milliseconds, where it said so. */
  readonly retryAfter: number | undefined;
  constructor(status: number, message: string, { said = '', retryAfter }: { said?: string; retryAfter?: number } = {}) {
    super(message);
    this.status = status;
    this.said = said;
    this.retryAfter = retryAfter;
  }
}

/** The answer has more bytes than are read. */
export class ArgoTooLong extends ArgoRefusal {}

/** The API server of Argo CD or of Argo Workflows: both speak JSON in the same way, and take a bearer token. */
export interface ArgoServer {
  /** `Argo CD`, for messages. */
  called: string;
  address: URL;
  token: string | undefined;
  product: string;
  signal: AbortSignal;
  http: HttpClient;
}

/** One question. `within`: how long its answer may take, in milliseconds. */
export interface ArgoQuestion {
  method: 'GET' | 'POST' | 'PUT';
  /** Below the server's address, each part of it encoded. */
  path: string;
  query?: Record<string, string>;
  body?: object;
  within: number;
}

/** With thousands of resources, or of nodes. Bytes. */
const MAX_BODY = 16 * 1024 * 1024;
const MAX_ERROR = 64 * 1024;

/** @returns the answer, in JSON as it came. @throws ArgoRefusal for every other end of it, and the signal's reason when it was aborted */
export async function askArgo(
  { called, address, token, product, signal, http }: ArgoServer,
  { method, path, query = {}, body, within }: ArgoQuestion,
): Promise<string> {
  const deadline = systemClock.limit('argo', within);
  const url = new URL(`${address.pathname.replace(/\/$/, '')}${path}`, address);
  url.search = new URLSearchParams(query).toString();
  try {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    const sent = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    const response = await http.request(url, sent, AbortSignal.any([signal, deadline]));
    const { status } = response;
    const fine = status >= 200 && status < 300;
    const { text, complete } = await readBody(response, fine ? MAX_BODY : MAX_ERROR);
    if (fine && !complete) throw new ArgoTooLong(0, `answered with more than ${MAX_BODY} bytes`);
    if (fine) return text;
    const what = `the answer of ${called}`;
    const said = await foreign.ask('argoError', { text }, { caller: product, what, signal }).catch(() => '');
    const why = said === '' ? '' : `: ${said}`;
    const retryAfter = retryAfterOf(response, http.clock.now().getTime());
    throw new ArgoRefusal(status, `${called} at ${address.host} answered ${status}${why}`, { said, retryAfter });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ArgoRefusal) throw error;
    throw new ArgoRefusal(0, deadline.aborted ? `no answer within ${within} ms` : `no answer: ${reasonOf(error)}`);
  }
}
