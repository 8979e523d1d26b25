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
  | { when: 'LATE'; after: number }
  /** The caller ends, by this function, before it is done. */
  | { when: 'ENDS_BEFORE'; end: () => Promise<unknown> }
  /** It is done, and the caller ends before it has an answer. */
  | { when: 'ENDS_AFTER'; end: () => Promise<unknown> };

/** Which requests are meant: `METHOD /path?query`, and the body as it was sent. */
export type Meant = RegExp | ((request: string, body: Buffer) => boolean);

export interface FaultProxy {
  /** In front of the target. */
  readonly url: string;
  /** Requests that met a fault: `POST /path` and what happened. */
  readonly met: { request: string; fault: Fault }[];
  /**
   * The next requests that are meant meet these faults, one each, in this order; undefined lets one pass.
   * @returns takes back what has not been met
   */
  script(requests: Meant, ...faults: (Fault | undefined)[]): () => void;
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
  const scripts: { requests: Meant; faults: (Fault | undefined)[] }[] = [];
  const late = new Set<NodeJS.Timeout>();
  const next = (request: string, body: Buffer): Fault | undefined => {
    const script = scripts.find(
      ({ requests, faults }) =>
        faults.length > 0 && (requests instanceof RegExp ? requests.test(request) : requests(request, body)),
    );
    return script ? script.faults.shift() : proxy.byChance?.(request);
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => void pass(request, Buffer.concat(chunks), response));
  });
  const pass = async (request: IncomingMessage, sent: Buffer, response: ServerResponse): Promise<void> => {
    const name = `${request.method} ${request.url}`;
    const fault = next(name, sent);
    if (fault) proxy.met.push({ request: name, fault });
    if (fault?.when === 'BEFORE') return say(response, fault.status, fault.headers, fault.body);
    if (fault?.when === 'ENDS_BEFORE') {
      await fault.end();
      return void response.destroy();
    }
    const answer = await forward(target, request, sent);
    if (!answer) return void response.destroy();
    const { status, headers, body } = answer;
    if (!fault) return void response.writeHead(status, headers).end(body);
    if (fault.when === 'ENDS_AFTER') await fault.end();
    if (fault.when === 'LOST' || fault.when === 'ENDS_AFTER') return void response.destroy();
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
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met: [],
    byChance: undefined,
    script(requests, ...faults) {
      const script = { requests, faults };
      scripts.push(script);
      return () => void scripts.splice(scripts.indexOf(script), 1);
    },
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

/** @returns the target's whole answer; undefined where there was none */
function forward(target: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Answer | undefined> {
  // The host's name stays the caller's: links in answers lead through here again. The body is whole by now.
  const { 'transfer-encoding': _, expect: __, ...kept } = headers;
  const sent = { method, headers: { ...kept, 'content-length': String(body.length) } };
  return new Promise((resolve) => {
    const asked = ask(new URL(url ?? '/', target), sent, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => resolve(undefined));
      answer.on('end', () => {
        const { 'transfer-encoding': ___, ...told } = answer.headers;
        resolve({ status: answer.statusCode ?? 502, headers: told, body: Buffer.concat(chunks) });
      });
    });
    asked.on('error', () => resolve(undefined));
    asked.end(body);
  });
}
