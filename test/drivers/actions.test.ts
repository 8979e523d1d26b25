import { afterEach, expect, test } from 'vitest';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import { runAction as runActionWith } from '../../src/drivers/actions/index.ts';
import { interpolate } from '../../src/drivers/actions/interpolate.ts';
import { PermanentError, TransientError } from '../../src/drivers/driver.ts';
import type { SecretSource } from '../../src/drivers/secret-source.ts';
import { localHttp, noSecrets, serve } from './http-server.ts';
import { contextOf } from './repository.ts';

type Run = Parameters<typeof runActionWith>;
/** One look, at a given moment. */
const lookAt = (one: Run[0], parameters: Run[1], context: Run[2], look: Partial<Run[5]> = {}) =>
  runActionWith(one, parameters, context, localHttp, noSecrets, {
    startedAt: 0,
    now: 0,
    progress: null,
    agreedBy: null,
    ...look,
  });
/** The outputs of an action that is through at the first look. */
async function runAction(...asked: Parameters<typeof lookAt>): Promise<Record<string, string>> {
  const answer = await lookAt(...asked);
  if (answer.kind !== 'succeeded') throw new Error(`it is ${answer.kind}`);
  return answer.outputs;
}

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

test('a timeout of many days is one', async () => {
  const { host } = await server((_, response) => setTimeout(() => response.writeHead(204).end(), 50));
  const long = action('http', { url: `http://${host}/`, method: 'POST' }, 60 * 24 * 3_600_000);
  await expect(runAction(long, {}, contextOf('k'))).resolves.toMatchObject({});
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

test('a pause is over when its time is, counted from its start, however late the look', async () => {
  const pause = action('wait', { duration: '${PAUSE}' });
  const at = (now: number) => lookAt(pause, { PAUSE: '10m' }, contextOf('k'), { startedAt: 1_000, now });
  expect(await at(61_000)).toEqual({
    kind: 'pending',
    reason: 'waits until 1970-01-01T00:10:01.000Z',
    recheckAfter: 540_000,
  });
  expect(await at(601_000)).toEqual({ kind: 'succeeded', outputs: {} });
  expect(await at(999_000_000)).toEqual({ kind: 'succeeded', outputs: {} });
});

test('an approval asks, with the rules of a step of a flow and their defaults, until people have agreed', async () => {
  const one = action('approval', {
    question: 'Is ${APP} ready?',
    rules: [{ count: '${N}', groups: ['sre'] }],
    expiry: '2h',
  });
  const parameters = { APP: 'billing-eu', N: '2' };
  expect(await lookAt(one, parameters, contextOf('k'))).toEqual({
    kind: 'asked',
    question: 'Is billing-eu ready?',
    approval: {
      rules: [{ count: 2, groups: ['sre'] }],
      forbidInitiator: true,
      expiry: 2 * 60 * 60_000,
      onExpiry: 'FAIL',
    },
  });
  expect(await lookAt(one, parameters, contextOf('k'), { agreedBy: ['grace', 'linus'] })).toEqual({
    kind: 'succeeded',
    outputs: { APPROVED_BY: 'grace, linus' },
  });
});

const HOOK = 'T0000/B0000/XXXXXXXXXXXX';
const knows = (value: string, hosts: string[]): SecretSource => ({
  ...noSecrets,
  open: async (names) => new Map(names.map((name) => [name, { value, hosts }])),
});
const notify = (
  host: string,
  parameters: Record<string, unknown>,
  context = contextOf('k'),
  retry?: WorkflowAction['retry'],
) =>
  runActionWith(
    { ...action('notify', { url: '${secrets.SLACK}', ...parameters }), retry },
    { MESSAGE: 'fix <!channel> & more', VERSION: '1.4.2' },
    context,
    localHttp,
    knows(`http://${host}/services/${HOOK}`, [host.split(':')[0]!]),
    { startedAt: 0, now: 0, progress: null, agreedBy: null },
  );

test('a message goes to the webhook that a secret names; what is put in is no markup', async () => {
  const { host, asked } = await server((_asked, response) => response.end('ok'));
  const text = '*${VERSION}* by <https://ci|CI>: ${MESSAGE}';
  expect(await notify(host, { text, channel: '#ops' }, contextOf('r-1.eu.tell'))).toEqual({
    kind: 'succeeded',
    outputs: { NOTIFIED: 'true' },
  });
  expect(asked[0]).toMatchObject({ method: 'POST', url: `/services/${HOOK}` });
  expect(JSON.parse(asked[0]!.body)).toEqual({
    text: '*1.4.2* by <https://ci|CI>: fix &lt;!channel&gt; &amp; more',
    channel: '#ops',
  });
  expect(asked[0]!.headers['idempotency-key']).toBe('r-1.eu.tell');
});

test.each([
  [404, 'no_service', {}],
  [410, 'channel_is_archived', {}],
  [302, '', {}],
])('a webhook that answers %i fails nothing, unless the message is required', async (status, said, headers) => {
  const { host } = await server((_asked, response) => response.writeHead(status, headers).end(said));
  const told = `the webhook at ${host} answered ${status}${said && ` ${said}`}`;
  expect(await notify(host, { text: 'x' })).toEqual({
    kind: 'succeeded',
    outputs: { NOTIFIED: 'false', NOTIFY_ERROR: told },
  });
  const failed = notify(host, { text: 'x', required: true });
  await expect(failed).rejects.toThrow(PermanentError);
  await expect(failed).rejects.toThrow(told);
  await expect(failed).rejects.not.toThrow(HOOK);
});

test('a webhook that is busy is asked again when it says, and given up after the last try', async () => {
  const { host } = await server((_asked, response) => response.writeHead(429, { 'retry-after': '3' }).end());
  const retry = { limit: 2, backoff: 1, maxDelay: 1 };
  const early = notify(host, { text: 'x' }, contextOf('k', { tries: 1 }), retry);
  expect(await early.catch((each: unknown) => each)).toMatchObject({ name: 'TransientError', retryAfter: 3_000 });
  expect(await notify(host, { text: 'x' }, contextOf('k', { tries: 2 }), retry)).toMatchObject({
    outputs: { NOTIFIED: 'false' },
  });
});

test('a webhook is no place for a secret of another host', async () => {
  const { host, asked } = await server((_asked, response) => response.end('ok'));
  const { outputs } = (await runActionWith(
    action('notify', { url: '${secrets.SLACK}', text: 'x' }),
    {},
    contextOf('k'),
    localHttp,
    knows(`http://${host}/x`, ['hooks.slack.com']),
    { startedAt: 0, now: 0, progress: null, agreedBy: null },
  )) as { outputs: Record<string, string> };
  expect(outputs['NOTIFY_ERROR']).toContain('may not be sent to "127.0.0.1"');
  expect(asked).toEqual([]);
});

test.each([
  ['simulate', { duration: 'soon' }, 'parameter "duration": "soon" is not a duration'],
  ['simulate', { fail: 'MAYBE' }, 'parameter "fail"'],
  ['simulate', { durations: 1 }, 'durations'],
  ['simulate', { failures: 2_000_000 }, 'must be from -1 to 1000000'],
  ['wait', {}, 'parameter "duration": is missing'],
  ['approval', { rules: [{ counts: 2 }] }, 'parameter "rules.0.counts"'],
  ['approval', { forbidInitiator: 'perhaps' }, 'must be true or false'],
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

test.each([408, 425])('an http answer of %i says that it may pass', async (status) => {
  const { host } = await server((_asked, response) => response.writeHead(status).end());
  const secrets = { ...noSecrets, open: async () => new Map() };
  for (const one of [
    action('http', { url: `http://${host}/` }),
    action('notify', { url: `http://${host}/`, text: 'done' }),
  ]) {
    const look = { startedAt: 0, now: 0, progress: null, agreedBy: null };
    const failed = runActionWith(one, {}, contextOf('k'), localHttp, secrets, look);
    await expect(failed).rejects.toThrow(TransientError);
  }
});

test('409 is final at first, and after another try says that the server is still at work on that', async () => {
  const { host } = await server((_asked, response) => response.writeHead(409).end());
  const one = action('http', { url: `http://${host}/`, method: 'POST' });
  await expect(runAction(one, {}, contextOf('k'))).rejects.toThrow(PermanentError);
  await expect(runAction(one, {}, contextOf('k', { tries: 1 }))).rejects.toThrow(TransientError);
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
