import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Contract } from './contract.ts';

/** One request to a stand-in, after its path was understood. */
export interface Asked {
  method: string;
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
  /** The account whose token came with it. */
  account: string;
  headers: IncomingMessage['headers'];
  /** The address of this API, as the caller wrote it, and the path in it. */
  base: string;
  path: string;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** Thrown by a handler: its host says no. */
export class No extends Error {
  override name = 'No';
  readonly reply: Reply;

  constructor(status: number, body: unknown, headers?: Record<string, string>) {
    super(`${status} ${JSON.stringify(body)}`);
    this.reply = { status, body, headers };
  }
}

export type Routes = Record<string, (asked: Asked) => Promise<Reply> | Reply>;

export interface RestOptions {
  /** Where the API begins: `/api/v3`. */
  prefix: string;
  contract: Contract;
  routes: Routes;
  /** @returns the account; throws No for a token that is not known */
  account: (headers: IncomingMessage['headers']) => string;
  /** The body of an answer that this server itself gives. */
  error: (status: number, message: string) => unknown;
}

/** A request and what was answered. */
export interface Call {
  /** `POST /repos/{owner}/{repo}/pulls`. */
  key: string;
  path: string;
  body: unknown;
  status: number;
  at: number;
}

export interface Rest {
  readonly url: string;
  readonly calls: Call[];
  /** Requests that the host would refuse, and answers of the stand-in that the host would never give. */
  readonly violations: string[];
  close(): Promise<void>;
}

/** Serves the routes, and holds each request and each answer against the contract. */
export async function serveRest(options: RestOptions): Promise<Rest> {
  const { prefix, contract, error } = options;
  const routes = Object.entries(options.routes).map(([key, run]) => ({ key, pattern: patternOf(key), run }));
  const calls: Call[] = [];
  const violations: string[] = [];

  const answer = async (request: IncomingMessage, call: Call): Promise<Reply> => {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    const body = await bodyOf(request);
    call.path = url.pathname + url.search;
    call.body = body;
    const path = url.pathname.startsWith(prefix) ? url.pathname.slice(prefix.length) : '';
    const line = `${request.method} ${path}`;
    const found = routes.map((each) => ({ ...each, match: each.pattern.exec(line) })).find(({ match }) => match);
    if (!found?.match) {
      violations.push(`${request.method} ${url.pathname} is not an operation of this stand-in`);
      return { status: 404, body: error(404, 'Not Found') };
    }
    call.key = found.key;
    try {
      const account = options.account(request.headers);
      const problems = contract.request(found.key, url.searchParams, body);
      violations.push(...problems);
      if (problems.length > 0) return { status: 422, body: error(422, problems.join('; ')) };
      const params = Object.fromEntries(
        Object.entries(found.match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
      );
      const base = `${url.protocol}//${url.host}${prefix}`;
      const { method = 'GET', headers } = request;
      return await found.run({ method, params, query: url.searchParams, body, account, headers, base, path });
    } catch (thrown) {
      if (thrown instanceof No) return thrown.reply;
      violations.push(`${found.key}: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
      return { status: 500, body: error(500, 'Server Error') };
    }
  };

  const server = createServer((request, response) => {
    const call: Call = { key: '', path: '', body: undefined, status: 0, at: Date.now() };
    answer(request, call).then(
      (reply) => {
        calls.push(call);
        call.status = write(request, response, reply);
        if (call.key && reply.status < 500) violations.push(...contract.answer(call.key, reply.status, reply.body));
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    violations,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** `{ref}` and `{branch}` may hold slashes, all others end at one. */
function patternOf(key: string): RegExp {
  const [method = '', path = ''] = key.split(' ');
  const pattern = path
    .replaceAll(/[.+?]/g, String.raw`\$&`)
    .replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      /^(ref|branch)$/.test(name) ? `(?<${name}>.+)` : `(?<${name}>[^/]+)`,
    );
  return new RegExp(`^${method} ${pattern}$`);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** @returns the status that went out: 304 where the caller has this answer already */
function write(request: IncomingMessage, response: ServerResponse, reply: Reply): number {
  const text = reply.body === undefined ? '' : JSON.stringify(reply.body);
  const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8', ...reply.headers };
  if (request.method === 'GET' && reply.status === 200) {
    headers['etag'] = `W/"${createHash('sha256').update(text).digest('hex')}"`;
    if (request.headers['if-none-match'] === headers['etag']) {
      response.writeHead(304, { etag: headers['etag'] }).end();
      return 304;
    }
  }
  response.writeHead(reply.status, headers).end(text);
  return reply.status;
}
