import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { migrate } from '../../src/entities/data-source.ts';
import { createEmptyDatabase } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';

/** What PostgreSQL answers to whoever comes before it has recovered: ErrorResponse, then it hangs up. */
function refusal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

let server: Server;
let database: TestDatabase;
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await database.drop();
});

/** A server that refuses the first `times` connections, and is PostgreSQL then. */
async function startingUp(times: number, code: string): Promise<{ url: string; refused: () => number }> {
  database = await createEmptyDatabase();
  const real = new URL(database.url);
  let refused = 0;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (refused < times) {
      refused += 1;
      socket.once('data', () => socket.end(refusal(code, 'the database system is starting up')));
      return;
    }
    const through = createConnection(Number(real.port), real.hostname);
    through.on('error', () => socket.destroy());
    socket.pipe(through).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(real);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: url.href, refused: () => refused };
}

test('a database that is starting up is waited for', async () => {
  const { url, refused } = await startingUp(3, '57P03');
  await migrate(url);
  expect(refused()).toBe(3);
});

test('one that refuses for another reason is not', async () => {
  const { url, refused } = await startingUp(3, '28P01');
  await expect(migrate(url)).rejects.toMatchObject({ code: '28P01' });
  expect(refused()).toBe(1);
});
