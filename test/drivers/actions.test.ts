import { afterEach, expect, test } from 'vitest';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import { runAction as runActionWith } from '../../src/drivers/actions/index.ts';
import { interpolate } from '../../src/drivers/actions/interpolate.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import { localHttp, noSecrets, serve } from './http-server.ts';
import { contextOf } from './repository.ts';

type Run = Parameters<typeof runActionWith>;
const runAction = (one: Run[0], parameters: Run[1], context: Run[2]) =>
  runActionWith(one, parameters, context, localHttp, noSecrets);

const action = (
  type: WorkflowAction['type'],
  parameters: Record<string, unknown>,
  timeout?: number,
): WorkflowAction => ({
  name: 'smoke',
  type,
  parameters,
  timeout,
});

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));
async function server(...args: Parameters<typeof serve>): ReturnType<typeof serve> {
  const made = await serve(...args);
  closing.push(made.close);
  return made;
}

test('parameters are put in however deep, once, and an escaped one stays', () => {
  const given = { A: 'x', B: '${A}' };
  const value = { '${A}': ['${A}-${B}', { n: 1, e: '$${A}' }], t: '${' };
  expect(interpolate(value, given)).toEqual({ x: ['x-${A}', { n: 1, e: '${A}' }], t: '${' });
});

test('an unknown parameter is refused by name, with those that are known', async () => {
  const failed = runAction(action('simulate', { outputs: { x: '${APP_NAMES}' } }), { APP_NAME: 'a' }, contextOf('k'));
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow('action "smoke": parameter "APP_NAMES" is not known here; known are APP_NAME');
});

test('what every object has is not a parameter', () => {
  expect(() => interpolate('${constructor}', {})).toThrow('"constructor" is not known');
});

test('a simulated action gives its outputs', async () => {
  const one = action('simulate', { duration: '5ms', outputs: { URL: 'https://x/${V}', N: 3 } });
  expect(await runAction(one, { V: '1.4.2' }, contextOf('k'))).toEqual({ URL: 'https://x/1.4.2', N: '3' });
});

test('a simulated action fails as told, and then passes', async () => {
  const one = action('simulate', { fail: 'TRANSIENT', failures: '${N}' });
  await expect(runAction(one, { N: '1' }, contextOf('k'))).rejects.toThrow(TransientError);
  expect(await runAction(one, { N: '1' }, contextOf('k', { tries: 1 }))).toEqual({});
  await expect(runAction(action('simulate', { fail: 'FAILED' }), {}, contextOf('k', { tries: 9 }))).rejects.toThrow(
    PermanentError,
  );
});

test.each([
  ['simulate', { duration: 'soon' }, 'parameter "duration": "soon" is not a duration'],
  ['simulate', { fail: 'MAYBE' }, 'parameter "fail"'],
  ['simulate', { durations: 1 }, 'durations'],
  ['http', {}, 'parameter "url"'],
  ['http', { url: 'nowhere' }, 'not a URL'],
  ['http', { url: 'ftp://x/' }, 'ftp: is not http'],
  ['http', { url: 'http://x/', headers: { 'bad header': 's3cret' } }, 'cannot be used: invalid'],
] as const)('wrong parameters of %s are refused: %j', async (type, parameters, words) => {
  const failed = runAction(action(type, parameters), {}, contextOf('k'));
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
  await expect(failed).rejects.not.toThrow('s3cret');
});

test('an action that takes too long is stopped by its own timeout; an abort gives its own reason', async () => {
  const slow = action('simulate', { duration: '1h' }, 20);
  await expect(runAction(slow, {}, contextOf('k'))).rejects.toThrow('action "smoke" took longer than 20 ms');
  const abort = new AbortController();
  const running = runAction(slow, {}, contextOf('k', { signal: abort.signal }));
  abort.abort(new Error('terminated'));
  await expect(running).rejects.toThrow('terminated');
});

test('an http action sends its body with the idempotency key, and reads outputs from the answer', async () => {
  const { host, asked } = await server((_asked, response) =>
    response.end('{"job": {"id": 7, "links": ["https://ci/7"]}}'),
  );
  const one = action('http', {
    url: `http://${host}/run?env=\${ENV}`,
    headers: { 'x-token': 'abc' },
    body: { app: '${APP}', deep: ['${ENV}'] },
    outputs: { JOB: '$.job.id', LINK: '$.job.links[0]', ALL: '$.job.links' },
  });
  const outputs = await runAction(one, { ENV: 'eu', APP: 'billing' }, contextOf('release-1/eu/post'));
  expect(outputs).toEqual({ JOB: '7', LINK: 'https://ci/7', ALL: '["https://ci/7"]' });
  expect(asked[0]).toMatchObject({ method: 'POST', url: '/run?env=eu', body: '{"app":"billing","deep":["eu"]}' });
  expect(asked[0]!.headers).toMatchObject({
    'idempotency-key': 'release-1/eu/post',
    'content-type': 'application/json',
    'x-token': 'abc',
  });
});

test.each([
  [404, {}, PermanentError, undefined],
  [302, {}, PermanentError, undefined],
  [500, {}, TransientError, undefined],
  [429, { 'retry-after': '7' }, TransientError, 7_000],
  [503, { 'retry-after': 'x' }, TransientError, undefined],
] as const)('an http answer of %i with %j is a %o', async (status, headers, kind, retryAfter) => {
  const { host } = await server((_asked, response) => response.writeHead(status, headers).end());
  const failed = runAction(action('http', { url: `http://u:s3cret@${host}/x?token=s3cret` }), {}, contextOf('k'));
  const error = await failed.catch((each: unknown) => each as TransientError);
  expect(error).toBeInstanceOf(kind);
  expect((error as TransientError).message).toBe(
    `action "smoke": GET http://${host}/x answered ${status}, expected 2xx`,
  );
  expect((error as TransientError).retryAfter).toBe(retryAfter);
});

test('the expected statuses may be named', async () => {
  const { host } = await server((_asked, response) => response.writeHead(409).end());
  expect(
    await runAction(action('http', { url: `http://${host}/`, expectStatus: [201, 409] }), {}, contextOf('k')),
  ).toEqual({});
});

test('no answer at all may pass', async () => {
  const gone = await serve(() => {});
  gone.close();
  const failed = runAction(action('http', { url: `http://${gone.host}/` }), {}, contextOf('k'));
  await expect(failed).rejects.toThrow(TransientError);
  await expect(failed).rejects.toThrow('got no answer');
});

test.each([
  ['not JSON', '<html>', 'not JSON'],
  ['without the output', '{"a": 1}', 'output "X": the answer to'],
  ['too large', `"${'x'.repeat(1024 * 1024)}"`, 'more than 1048576 bytes'],
])('an answer that is %s is refused', async (_name, body, words) => {
  const { host } = await server((_asked, response) => response.end(body));
  const failed = runAction(action('http', { url: `http://${host}/`, outputs: { X: '$.x' } }), {}, contextOf('k'));
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(words);
});

const KIB = 1024;
test.each([
  ['one of 16 KiB', { A: 'x'.repeat(16 * KIB) }, undefined],
  ['one of a byte more', { A: 'x'.repeat(16 * KIB + 1) }, 'output "A" has 16385 bytes; at most 16384 are kept'],
  ['one whose letters have two bytes', { A: 'ü'.repeat(9 * KIB) }, 'output "A" has 18432 bytes'],
  [
    'five that are too much together',
    Object.fromEntries(['A', 'B', 'C', 'D', 'E'].map((name) => [name, 'x'.repeat(15 * KIB)])),
    'the outputs have 76805 bytes together; at most 65536 are kept',
  ],
])('outputs are values, not files: %s', async (_name, outputs, words) => {
  const { host } = await server((_asked, response) => response.end(JSON.stringify(outputs)));
  const paths = Object.fromEntries(Object.keys(outputs).map((name) => [name, `$.${name}`]));
  for (const one of [action('simulate', { outputs }), action('http', { url: `http://${host}/`, outputs: paths })]) {
    const running = runAction(one, {}, contextOf('k'));
    if (words === undefined) expect(await running).toEqual(outputs);
    else {
      await expect(running).rejects.toThrow(PermanentError);
      await expect(running).rejects.toThrow(`action "smoke": ${words}`);
    }
  }
});

test('an answer that is taken whole by each output is refused, not kept five times', async () => {
  const { host } = await server((_asked, response) => response.end(JSON.stringify({ a: 'x'.repeat(200 * KIB) })));
  const outputs = { A: '$', B: '$', C: '$', D: '$', E: '$' };
  const running = runAction(action('http', { url: `http://${host}/`, outputs }), {}, contextOf('k'));
  await expect(running).rejects.toThrow(/output "A" has \d+ bytes; at most 16384 are kept: take a smaller part/);
});
