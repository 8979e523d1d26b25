import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sluice } from './served.ts';

// A server whose clock is nine hours ahead of this machine's: it judges what is asked for, so "in four hours" is four hours of its time.

const AHEAD_MS = 9 * 3_600_000;
const asked: Record<string, unknown>[] = [];
let server: Server;
let url: string;

const there = (): number => Date.now() + AHEAD_MS;

const SHOWN = {
  environmentName: 'eu',
  environmentNames: [],
  productName: null,
  label: '1',
  scope: 'PRODUCT',
  unmarkedAt: null,
  reason: 'x',
  by: null,
  active: true,
  liftedAt: null,
};

beforeAll(async () => {
  server = createServer((request, response) => {
    text(request)
      .then((body) => {
        const { variables = {} } = JSON.parse(body) as { variables?: { input?: Record<string, unknown> } };
        if (variables.input) asked.push(variables.input);
        const hold = { ...SHOWN, since: new Date(there() - 60_000).toISOString(), until: variables.input?.['until'] };
        const payload = { done: [hold], userErrors: [] };
        response.setHeader('date', new Date(there()).toUTCString());
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ data: { payload } }));
      })
      .catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

/** What the server was asked for, in milliseconds from its own time. */
async function askedFor(field: string, ...args: string[]): Promise<number> {
  asked.length = 0;
  const { code, err } = await sluice({ SLUICE_SERVER: url }, ...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return Date.parse(String(asked[0]?.[field])) - there();
}

const HOUR = 3_600_000;
const SLACK = 5_000;

test.each([
  ['until', ['hold', 'eu', '--reason', 'x', '--until', '4h']],
  ['expiresAt', ['mark-bad', 'billing', '1', '--reason', 'x', '--until', '4h']],
])('%s of sluice %j is in four hours at the server', async (field, args) => {
  expect(Math.abs((await askedFor(field, ...args)) - 4 * HOUR)).toBeLessThan(SLACK);
});

test('an instant is what it says', async () => {
  await askedFor('until', 'hold', 'eu', '--reason', 'x', '--until', '2031-01-01T10:00:00+02:00');
  expect(asked[0]).toMatchObject({ until: '2031-01-01T08:00:00.000Z' });
});

test('a freeze begins at the server a minute before it is asked for, and a time that is over there is refused', async () => {
  asked.length = 0;
  const { code } = await sluice({ SLUICE_SERVER: url }, 'freeze', '--reason', 'x', '--until', '4h');
  expect(code).toBe(0);
  const [{ times }] = asked as [{ times: { once: { from: string; to: string } } }];
  const { once } = times;
  // By as much as clocks differ, and no more: calendars show it from then on.
  expect(Math.abs(there() - 60_000 - Date.parse(once.from))).toBeLessThan(SLACK);
  expect(Math.abs(Date.parse(once.to) - there() - 4 * HOUR)).toBeLessThan(SLACK);
  // Here it is to come.
  const over = new Date(Date.now() + HOUR).toISOString();
  const refused = await sluice({ SLUICE_SERVER: url }, 'freeze', '--reason', 'x', '--until', over);
  expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('which is over') });
});

test('ages and ends are counted by it, too', async () => {
  const { out } = await sluice({ SLUICE_SERVER: url }, 'hold', 'eu', '--reason', 'x', '--until', '4h');
  expect(out).toMatch(/ (59s|1m) +in (4h|239m) /);
});
