import { createServer, request as ask } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with one request. `BEFORE` the peer never hears of it; the others happen to an answer that the peer has given. */
export type Fault =
  /** Another answer, and nothing is done. */
  | { when: 'BEFORE'; status: number; headers?: Record<string, string>; body?: unknown }
  /** It is done, and the answer is another one. */
  | { when: 'AFTER'; status: number; headers?: Record<string, string>; body?: unknown }
  /** It is done, and half of the answer's body arrives. */
  | { when: 'CUT' }
  /** It is done, and the connection is gone without an answer. */
  | { when: 'LOST' }
  /** It is done, and the answer comes after so many milliseconds. */
  | { when: 'LATE'; after: number };

export interface FaultProxy {
  /** In front of the target. */
  readonly url: string;
  /** Requests that met a fault: `POST /path` and what happened. */
  readonly met: { request: string; fault: Fault }[];
  /** The next requests that the pattern fits (`METHOD /path?query`) meet these faults, one each, in this order. */
  script(requests: RegExp, ...faults: Fault[]): void;
  /** Asked for every request that no script is for. */
  byChance: ((request: string) => Fault | undefined) | undefined;
  close(): Promise<void>;
}

/** The faults that hosts have, by name. */
export const FAULTS = {
  /** GitHub's secondary limit. */
  tooFast: (seconds: number): Fault => ({
    when: 'BEFORE',
    status: 403,
    headers: { 'retry-after': String(seconds) },
    body: {
      message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
      documentation_url:
        'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
    },
  }),
  tooMany: (seconds?: number): Fault => ({
    when: 'BEFORE',
    status: 429,
    headers: seconds === undefined ? {} : { 'retry-after': String(seconds) },
    body: { message: 'Too Many Requests' },
  }),
  badGateway: {
    when: 'BEFORE',
    status: 502,
    body: '<html><body>502 Bad Gateway</body></html>',
  } satisfies Fault as Fault,
  /** The host did it, and its gateway gave up on it. */
  badGatewayAfter: { when: 'AFTER', status: 502, body: '<html>502 Bad Gateway</html>' } satisfies Fault as Fault,
  cut: { when: 'CUT' } satisfies Fault as Fault,
  lost: { when: 'LOST' } satisfies Fault as Fault,
  late: (after: number): Fault => ({ when: 'LATE', after }),
};

/** A proxy on loopback that does to requests and answers what the script says. */
export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const scripts: { requests: RegExp; faults: Fault[] }[] = [];
  const late = new Set<NodeJS.Timeout>();
  const next = (request: string): Fault | undefined => {
    const script = scripts.find(({ requests, faults }) => faults.length > 0 && requests.test(request));
    return script ? script.faults.shift() : proxy.byChance?.(request);
  };

  const server = createServer((request, response) => {
    const name = `${request.method} ${request.url}`;
    const fault = next(name);
    if (fault) proxy.met.push({ request: name, fault });
    if (fault?.when === 'BEFORE') {
      request.resume();
      return say(response, fault.status, fault.headers, fault.body);
    }
    forward(target, request, (answer) => {
      if (!answer) return void response.destroy();
      const { status, headers, body } = answer;
      if (!fault) return void response.writeHead(status, headers).end(body);
      if (fault.when === 'LOST') return void response.destroy();
      if (fault.when === 'AFTER') return say(response, fault.status, fault.headers, fault.body);
      if (fault.when === 'LATE') {
        const timer = setTimeout(() => {
          late.delete(timer);
          response.writeHead(status, headers).end(body);
        }, fault.after);
        return void late.add(timer);
      }
      // The length is that of the whole body: the caller can tell that it is cut.
      response.writeHead(status, { ...headers, 'content-length': body.length });
      response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met: [],
    byChance: undefined,
    script: (requests, ...faults) => void scripts.push({ requests, faults }),
    close: () => {
      for (const timer of late) clearTimeout(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}

function say(response: ServerResponse, status: number, headers: Record<string, string> = {}, body: unknown = ''): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const type = typeof body === 'string' ? 'text/html' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, ...headers }).end(text);
}

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** @param done hears the target's whole answer; undefined where there was none */
function forward(target: string, request: IncomingMessage, done: (answer: Answer | undefined) => void): void {
  const to = new URL(request.url ?? '/', target);
  // The host's name stays the caller's: links in answers lead through here again.
  const sent = ask(to, { method: request.method, headers: request.headers }, (answer) => {
    const chunks: Buffer[] = [];
    answer.on('data', (chunk: Buffer) => chunks.push(chunk));
    answer.on('error', () => done(undefined));
    answer.on('end', () => {
      const { 'transfer-encoding': _, ...headers } = answer.headers;
      done({ status: answer.statusCode ?? 502, headers, body: Buffer.concat(chunks) });
    });
  });
  sent.on('error', () => done(undefined));
  request.pipe(sent);
}
