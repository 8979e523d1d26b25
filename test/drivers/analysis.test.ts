import { afterEach, describe, expect, test } from 'vitest';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import { MOST_PROGRESS } from '../../src/core/progress.ts';
import type { Progress } from '../../src/core/release.ts';
import type { ActionAnswer } from '../../src/drivers/actions/answer.ts';
import { runAction } from '../../src/drivers/actions/index.ts';
import { PermanentError } from '../../src/drivers/driver.ts';
import { localHttp, noSecrets, serve } from './http-server.ts';
import { contextOf } from './repository.ts';

const closing: (() => void)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

/** A server that answers one after the other; the last answer stays. */
async function answering(...answers: (string | number)[]): ReturnType<typeof serve> {
  let next = 0;
  const made = await serve((_asked, response) => {
    const answer = answers[Math.min(next, answers.length - 1)]!;
    next += 1;
    if (typeof answer === 'number') response.writeHead(answer).end();
    else response.end(answer);
  });
  closing.push(made.close);
  return made;
}

const MINUTE = 60_000;

/** Look after look, each with what the one before kept; the clock goes by what they ask for. */
async function measured(
  parameters: Record<string, unknown>,
  agreedBy: string[] | null = null,
): Promise<{ answer: ActionAnswer; looks: number; at: number }> {
  const one: WorkflowAction = { name: 'rate', type: 'analysis', parameters };
  let progress: Progress | null = null;
  for (let looks = 1, now = 0; ; looks += 1) {
    const answer: ActionAnswer = await runAction(one, { APP: 'eu' }, contextOf('k'), localHttp, noSecrets, {
      startedAt: 0,
      now,
      progress,
      agreedBy: null,
    });
    if (answer.kind === 'asked' && agreedBy !== null)
      return {
        answer: await runAction(one, { APP: 'eu' }, contextOf('k'), localHttp, noSecrets, {
          startedAt: 0,
          now,
          progress: answer.progress ?? null,
          agreedBy,
        }),
        looks,
        at: now,
      };
    if (answer.kind !== 'pending' || looks > 50) return { answer, looks, at: now };
    // As the database keeps it.
    progress = JSON.parse(JSON.stringify(answer.progress)) as Progress;
    now += answer.recheckAfter ?? 0;
  }
}

describe('an address that answers JSON', () => {
  test('is measured once where no interval is given', async () => {
    const { host, asked } = await answering('{"rate": {"ok": 0.97}}');
    const { answer, looks } = await measured({ url: `http://${host}/\${APP}`, path: '$.rate.ok', success: '>= 0.95' });
    expect(answer).toEqual({
      kind: 'succeeded',
      outputs: { MEASURED: '1 successful', LAST_MEASUREMENT: 'was 0.97: SUCCESSFUL' },
    });
    expect([looks, asked[0]?.url]).toEqual([1, '/eu']);
  });

  test('is measured in its interval, after its delay, as often as it says', async () => {
    const { host, asked } = await answering('1');
    const given = { url: `http://${host}/`, success: '== 1', initialDelay: '5m', interval: '1m', count: 3 };
    const { answer, at } = await measured(given);
    expect(answer).toMatchObject({ kind: 'succeeded', outputs: { MEASURED: '3 successful' } });
    expect([asked.length, at]).toEqual([3, 7 * MINUTE]);
  });

  test('fails with what was measured when too many have failed', async () => {
    const { host } = await answering('1', '0', '1', '0');
    const { answer, looks } = await measured({
      url: `http://${host}/`,
      success: '== 1',
      interval: '1m',
      count: 9,
      failureLimit: 1,
    });
    expect(answer).toEqual({
      kind: 'failed',
      message: 'action "rate" failed: 2 failed, and failureLimit is 1; the last one was 0: FAILED',
    });
    expect(looks).toBe(4);
  });

  test('what cannot be measured is no failure of the change: the step fails, and it is not known how it is', async () => {
    const { host } = await answering(503);
    const { answer, looks, at } = await measured({ url: `http://${host}/`, success: '== 1' });
    expect(answer).toMatchObject({ kind: 'failed', unclear: true, message: expect.stringContaining('answered 503') });
    expect([looks, at]).toEqual([5, 40_000]);
  });

  test.each(['{}', '{"x": null}', '{"x": ""}', '{"x": "NaN"}', '{"x": []}'])(
    'of %s nothing is known: a person is asked',
    async (body) => {
      const { host } = await answering(body);
      const given = {
        url: `http://${host}/`,
        path: '$.x',
        success: '> 1',
        whenInconclusive: { rules: [{ groups: ['sre'] }] },
      };
      const { answer } = await measured(given);
      expect(answer).toMatchObject({
        kind: 'asked',
        question: expect.stringContaining('inconclusive: 1 inconclusive, and inconclusiveLimit is 0'),
        approval: { rules: [{ count: 1, groups: ['sre'] }], expiry: 24 * 60 * MINUTE, onExpiry: 'FAIL' },
      });
    },
  );

  test('asked about once more, it measures nothing more; when people agree, it goes on', async () => {
    const { host, asked } = await answering('null');
    const { answer } = await measured({ url: `http://${host}/`, success: '> 1' }, ['grace']);
    expect(answer).toMatchObject({ kind: 'succeeded', outputs: { MEASURED: '1 inconclusive', APPROVED_BY: 'grace' } });
    expect(asked).toHaveLength(1);
  });

  test('what is kept between looks stays small, whatever is measured', async () => {
    const { host } = await answering(JSON.stringify('é'.repeat(60_000)));
    const one: WorkflowAction = {
      name: 'rate',
      type: 'analysis',
      parameters: { url: `http://${host}/`, success: '== x', interval: '1m', count: 60, failureLimit: -1 },
    };
    let progress: Progress | null = null;
    for (let now = 0; now < 40; now += 1) {
      const answer = await runAction(one, {}, contextOf('k'), localHttp, noSecrets, {
        startedAt: 0,
        now,
        progress,
        agreedBy: null,
      });
      progress = answer.kind === 'pending' ? (answer.progress ?? null) : null;
    }
    expect(progress).toMatchObject({ count: { failed: 40 } });
    expect(Buffer.byteLength(JSON.stringify(progress))).toBeLessThan(MOST_PROGRESS);
  }, 60_000);
});

const vector = (...values: string[]): string =>
  JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: values.map((each) => ({ metric: {}, value: [1, each] })) },
  });

describe('Prometheus', () => {
  const ask = (host: string, more: Record<string, unknown> = {}) =>
    measured({ url: `http://${host}/prometheus/`, query: 'up{app="${APP}"}', success: '>= 0.95', ...more });

  test('is asked for an instant query', async () => {
    const { host, asked } = await answering(vector('0.99', '1'));
    expect((await ask(host)).answer).toMatchObject({
      kind: 'succeeded',
      outputs: { LAST_MEASUREMENT: 'was 0.99, 1: SUCCESSFUL' },
    });
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/prometheus/api/v1/query',
      body: new URLSearchParams({ query: 'up{app="eu"}' }).toString(),
    });
  });

  test.each([
    ['no series', vector()],
    ['NaN', vector('NaN')],
  ])('%s is inconclusive', async (_what, body) => {
    const { host } = await answering(body);
    expect((await ask(host)).answer.kind).toBe('asked');
  });

  test('one series below is a failure; a scalar is a value', async () => {
    const { host } = await answering(vector('0.99', '0.5'));
    expect((await ask(host)).answer).toMatchObject({ kind: 'failed' });
    const scalar = await answering('{"status": "success", "data": {"resultType": "scalar", "result": [1, "+Inf"]}}');
    expect((await ask(scalar.host)).answer).toMatchObject({ kind: 'succeeded' });
  });

  test('a query that it refuses, or that answers a range, can never be measured', async () => {
    const bad = await serve((_asked, response) =>
      response.writeHead(400).end('{"status": "error", "errorType": "bad_data", "error": "parse error"}'),
    );
    closing.push(bad.close);
    await expect(ask(bad.host)).rejects.toThrow(PermanentError);
    await expect(ask(bad.host)).rejects.toThrow('Prometheus refuses the query: parse error');
    const range = await answering('{"status": "success", "data": {"resultType": "matrix", "result": []}}');
    await expect(ask(range.host)).rejects.toThrow('answers a matrix');
  });
});

test('parameters that do not go together are refused', async () => {
  await expect(measured({ url: 'http://x/', success: '> 1', interval: '${APP}m' })).rejects.toThrow(PermanentError);
  await expect(measured({ url: 'http://x/', success: '> 1', interval: '1m' })).rejects.toThrow('measures for ever');
});
