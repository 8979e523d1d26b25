import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PermanentError } from '../../src/drivers/driver.ts';
import { type SecretSource } from '../../src/drivers/secret-source.ts';
import { HttpClient } from '../../src/drivers/http.ts';
import { LOOPBACK } from '../../src/drivers/network/allowed.ts';
import { NetworkGuard } from '../../src/drivers/network/guard.ts';

/** There is none. */
export const noSecrets: SecretSource = {
  open: async ([name]) => {
    throw new PermanentError(`there is no secret "${name}"`);
  },
  gitLogins: async () => ({}),
  forgeSecrets: async () => [],
  signingKey: async (name) => {
    throw new PermanentError(`there is no secret "${name}"`);
  },
};

/** That of a server which only this machine reaches. */
export const localHttp = new HttpClient(new NetworkGuard(LOOPBACK));

export interface Asked {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A real server on loopback that remembers what it was asked; `close` also cuts what still hangs. */
export async function serve(
  answer: (asked: Asked, response: ServerResponse, host: string) => void,
): Promise<{ host: string; asked: Asked[]; close: () => void }> {
  const asked: Asked[] = [];
  let host = '';
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method, url, headers } = request;
      const one = { method: method!, url: url!, headers, body: Buffer.concat(chunks).toString() };
      asked.push(one);
      answer(one, response, host);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { host, asked, close };
}
