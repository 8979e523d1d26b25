import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { afterEach, expect, test, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { createHttpApp } from '../../src/server/http.ts';
import { Masking } from '../../src/server/masking.ts';

// A stream's client goes away while something is on its way to it: nothing went wrong inside, and an operator's terminal stays clean.

let server: Server | undefined;
afterEach(() => void server?.close());

/** A server with one stream, whose first write goes out and whose second one fails with `code`. */
async function streamThatFails(code: string): Promise<{ url: string; logged: string[] }> {
  const logged: string[] = [];
  const log = createLog({ level: 'debug', destination: { write: (line: string) => void logged.push(line) } });
  const mount = (http: Express): void => {
    http.get('/stream', async (_request, response: ServerResponse) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      await new Promise((resolve) => setImmediate(resolve));
      throw Object.assign(new Error(`write ${code}`), { code });
    });
  };
  const masking = new Masking(log);
  const http = createHttpApp({
    readiness: async () => ({ ready: true }),
    masking,
    maxBytes: 1_000,
    hostAllowed: () => true,
    mount,
  });
  server = createServer(http).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`, logged };
}

/** Everything that reaches the terminal until the client sees that its connection has ended. */
async function terminalDuring(url: string): Promise<string> {
  const written: string[] = [];
  const keep = (text: unknown): boolean => written.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stderr, 'write').mockImplementation(keep),
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
    vi.spyOn(console, 'error').mockImplementation(keep),
  ];
  try {
    const asked = request(url).end();
    const [response] = await once(asked, 'response');
    response.resume();
    // Half an answer ends with an error at the client.
    await once(response, 'error').catch(() => undefined);
    return written.join('');
  } finally {
    for (const each of spies) each.mockRestore();
  }
}

test.each(['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_PREMATURE_CLOSE'])(
  'a stream that ends with %s is told nowhere: its client went away',
  async (code) => {
    const { url, logged } = await streamThatFails(code);
    expect(await terminalDuring(url)).toBe('');
    expect(logged).toEqual([]);
  },
);

test('a stream that ends with a fault of our own is told in the log, and only there', async () => {
  const { url, logged } = await streamThatFails('EOTHER');
  expect(await terminalDuring(url)).toBe('');
  expect(logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(['a request failed']);
});
