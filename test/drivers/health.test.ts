import { afterEach, expect, test } from 'vitest';
import type { HealthContext } from '../../src/drivers/health/source.ts';
import type { HealthSourceSpec } from '../../src/core/definitions.ts';
import { checkHealth as checkWith } from '../../src/drivers/health/index.ts';
import { localHttp, noSecrets, serve } from './http-server.ts';

const checkHealth = (source: HealthSourceSpec, context: HealthContext) =>
  checkWith(source, context, localHttp, noSecrets);

const since = new Date('2026-11-23T10:00:00Z');
const contextAt = (ms: number, more: Partial<HealthContext> = {}): HealthContext => ({
  application: 'billing-eu',
  environment: 'eu',
  product: 'billing',
  since,
  now: new Date(since.getTime() + ms),
  signal: new AbortController().signal,
  ...more,
});

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));
async function server(...args: Parameters<typeof serve>): ReturnType<typeof serve> {
  const made = await serve(...args);
  closing.push(made.close);
  return made;
}

test('without a source there is nothing to wait for', async () => {
  expect(await checkHealth({ type: 'none' }, contextAt(0))).toEqual({ status: 'HEALTHY', message: 'no health source' });
});

test.each([
  [0, 'PROGRESSING', 100],
  [60, 'PROGRESSING', 40],
  [100, 'DEGRADED', 100],
  [200, 'HEALTHY', undefined],
  [9_000, 'HEALTHY', undefined],
  [-50, 'PROGRESSING', 100],
])('a simulated sequence is walked by the clock: after %i ms it is %s', async (ms, status, recheckAfter) => {
  const source = { type: 'simulate', sequence: ['PROGRESSING', 'DEGRADED', 'HEALTHY'], interval: 100 } as const;
  const answer = await checkHealth({ ...source, sequence: [...source.sequence] }, contextAt(ms));
  expect([answer.status, answer.recheckAfter]).toEqual([status, recheckAfter]);
});

test('a report is waited for, then believed, and is as old as it is', async () => {
  expect(await checkHealth({ type: 'report' }, contextAt(0))).toEqual({
    status: 'PROGRESSING',
    message: 'waiting for a health report, as by `healthReport` (`sluice report health billing-eu healthy`)',
  });
  const report = { status: 'DEGRADED', message: 'pods crash', at: since } as const;
  expect(await checkHealth({ type: 'report' }, contextAt(60_000, { report }))).toEqual({
    status: 'DEGRADED',
    message: 'pods crash',
    at: since,
  });
});

test.each([
  [200, 'HEALTHY'],
  [204, 'HEALTHY'],
  [404, 'DEGRADED'],
  [503, 'DEGRADED'],
])('an http answer of %i is %s', async (status, expected) => {
  const { host } = await server((_asked, response) => response.writeHead(status).end());
  const answer = await checkHealth({ type: 'http', url: `http://${host}/healthz` }, contextAt(0));
  expect(answer).toEqual({ status: expected, message: `answered ${status}`, recheckAfter: 5_000 });
});

test('a redirect is followed on the same host, and nowhere else', async () => {
  const other = await server((_asked, response) => response.end());
  const { host } = await server(({ url }, response) => {
    const to = url === '/a' ? '/ok' : url === '/loop' ? '/loop' : `http://${other.host}/`;
    response.writeHead(url === '/ok' ? 200 : 302, { location: to }).end();
  });
  const ask = async (path: string): Promise<string> =>
    (await checkHealth({ type: 'http', url: `http://${host}${path}` }, contextAt(0))).status;
  expect([await ask('/a'), await ask('/b'), await ask('/loop')]).toEqual(['HEALTHY', 'DEGRADED', 'DEGRADED']);
  expect(other.asked).toEqual([]);
});

test('an endless body does not keep the answer back', async () => {
  const { host } = await server((_asked, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write('x'.repeat(65_536)));
    };
    response.writeHead(200).on('drain', more);
    more();
  });
  expect((await checkHealth({ type: 'http', url: `http://${host}/` }, contextAt(0))).status).toBe('HEALTHY');
});

test('no answer is UNKNOWN: a refused connection, silence, an address that is none', async () => {
  const silent = await server(() => {});
  const gone = await serve(() => {});
  gone.close();
  const ask = (url: string) => checkHealth({ type: 'http', url, timeout: 80, interval: 700 }, contextAt(0));
  expect(await ask(`http://${silent.host}/`)).toEqual({
    status: 'UNKNOWN',
    message: 'no answer within 80 ms',
    recheckAfter: 700,
  });
  expect(await ask(`http://user:s3cret@${gone.host}/`)).toMatchObject({
    status: 'UNKNOWN',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  expect(await ask('not a url')).toMatchObject({ status: 'UNKNOWN', message: 'no answer: not a URL' });
  expect(await ask('file:///etc/passwd')).toMatchObject({ status: 'UNKNOWN' });
});

test('a login in the address is sent as a header', async () => {
  const { host, asked } = await server((_asked, response) => response.end());
  await checkHealth({ type: 'http', url: `http://ann:pa%20ss@${host}/` }, contextAt(0));
  expect(asked[0]!.headers.authorization).toBe(`Basic ${Buffer.from('ann:pa ss').toString('base64')}`);
});

test('an abort is not an answer', async () => {
  const { host } = await server(() => {});
  const abort = new AbortController();
  const asked = checkHealth({ type: 'http', url: `http://${host}/` }, contextAt(0, { signal: abort.signal }));
  abort.abort(new Error('stop'));
  await expect(asked).rejects.toThrow('stop');
});

test('a source that asks for a pause is asked again after it, and never sooner than in its interval', async () => {
  let after = '120';
  const busy = await server((_, response) => void response.writeHead(429, { 'retry-after': after }).end());
  const source = { type: 'http', url: `http://${busy.host}/health`, interval: 5_000 } as const;
  expect(await checkHealth(source, contextAt(0))).toMatchObject({ status: 'DEGRADED', recheckAfter: 120_000 });
  after = '1';
  expect(await checkHealth(source, contextAt(0))).toMatchObject({ recheckAfter: 5_000 });
});
