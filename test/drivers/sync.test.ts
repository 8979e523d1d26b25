import { afterEach, describe, expect, test } from 'vitest';
import type { SyncSourceSpec } from '../../src/core/definitions.ts';
import type { SyncContext } from '../../src/drivers/sync/source.ts';
import { checkSync as checkWith } from '../../src/drivers/sync/index.ts';
import { localHttp, noSecrets, serve } from './http-server.ts';

const checkSync = (source: SyncSourceSpec, context: SyncContext) => checkWith(source, context, localHttp, noSecrets);

const since = new Date('2026-11-23T10:00:00Z');
const commit = 'c0ffee0123456789c0ffee0123456789c0ffee01';
const contextAt = (ms: number, more: Partial<SyncContext> = {}): SyncContext => ({
  application: 'billing-eu',
  product: 'billing',
  change: { version: '1.4.2', commit },
  contains: async () => undefined,
  key: 'r-1.1.eu.billing-eu/SYNC',
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

test('where nobody is asked there is nothing to wait for', async () => {
  expect(await checkSync({ type: 'none' }, contextAt(0))).toMatchObject({ synced: true });
});

test('a simulated target runs a change after its time, and some versions never', async () => {
  const source: SyncSourceSpec = { type: 'simulate', after: 100, never: ['1.5.0'] };
  expect(await checkSync(source, contextAt(40))).toMatchObject({ synced: false, recheckAfter: 60 });
  expect(await checkSync(source, contextAt(100))).toMatchObject({ synced: true });
  expect(await checkSync(source, contextAt(9_000, { change: { version: '1.5.0' } }))).toEqual({
    synced: false,
    message: 'billing-eu never runs 1.5.0 (simulated)',
  });
});

test('a report is waited for, and another version is no sync', async () => {
  expect(await checkSync({ type: 'report' }, contextAt(0))).toEqual({
    synced: false,
    message: 'waits for a report that billing-eu runs 1.4.2 (commit c0ffee012)',
  });
  const at = new Date(7);
  const other = { version: '1.3.0', commit: 'beef000', at };
  expect(await checkSync({ type: 'report' }, contextAt(0, { report: other }))).toEqual({
    synced: false,
    message: 'billing-eu runs 1.3.0, commit beef000, not 1.4.2 (commit c0ffee012)',
  });
  expect(await checkSync({ type: 'report' }, contextAt(0, { report: { commit: 'C0FFEE0', at } }))).toMatchObject({
    synced: true,
    runsSince: at,
  });
});

describe('a target that reports the head of a repository that several environments share', () => {
  const head = 'beef000123456789beef000123456789beef0001';
  const source: SyncSourceSpec = { type: 'report' };
  const asked = (contained: Awaited<ReturnType<SyncContext['contains']>>, report = { commit: head, at: new Date(7) }) =>
    checkSync(source, contextAt(0, { report, contains: async (it) => (it === report.commit ? contained : undefined) }));

  test('runs the change when its commit contains it', async () => {
    expect(await asked({ kind: 'HOLDS' })).toMatchObject({ synced: true, runsSince: new Date(7) });
    const { host } = await server((_request, response) => response.end(`${head}\n`));
    const http = contextAt(0, { contains: async (it) => (it === head ? { kind: 'HOLDS' } : undefined) });
    expect(await checkSync({ type: 'http', url: `http://${host}/` }, http)).toMatchObject({ synced: true });
  });

  test('does not when the commit is from before, or the folder holds something else there', async () => {
    expect(await asked({ kind: 'BEFORE' })).toMatchObject({ synced: false });
    expect(await asked(undefined)).toMatchObject({ synced: false });
    expect(await asked({ kind: 'OTHER', files: ['app.yaml'] })).toEqual({
      synced: false,
      message:
        'billing-eu runs commit beef00012, where app.yaml no longer holds what was promoted, not 1.4.2 (commit c0ffee012)',
    });
  });

  test('is not asked about where it names a version', async () => {
    const contains = async (): Promise<never> => Promise.reject(new Error('it was asked'));
    expect(
      await checkSync(source, contextAt(0, { report: { version: '1.3.0', at: new Date(7) }, contains })),
    ).toMatchObject({
      synced: false,
    });
  });
});

describe('an address', () => {
  const asked = async (body: string, more: object = {}, status = 200) => {
    const { host } = await server((_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body);
    });
    return checkSync({ type: 'http', url: `http://${host}/`, interval: 7_000, ...more }, contextAt(0));
  };

  test.each<[string, string, object]>([
    ['the version, as text', '1.4.2\n', {}],
    ['the commit, as text', commit, {}],
    ['the commit, shortened', 'c0ffee0', {}],
    ['the version in a document', '{"app":{"version":"1.4.2"}}', { jsonPath: '$.app.version' }],
    ['the commit in a document', `{"commit":"${commit}"}`, { jsonPath: '$.commit' }],
  ])('that answers %s runs the change', async (_name, body, more) => {
    expect(await asked(body, more)).toMatchObject({ synced: true });
  });

  test.each<[string, string, object, string]>([
    ['another version', '1.3.0', {}, 'billing-eu runs 1.3.0, not 1.4.2 (commit c0ffee012)'],
    ['a document without it', '{"a":1}', { jsonPath: '$.commit' }, 'the answer has nothing at $.commit'],
    ['no document', 'oops', { jsonPath: '$.commit' }, 'it is not known whether billing-eu runs'],
    ['a download', 'x'.repeat(70_000), {}, 'answered with more than 65536 bytes'],
  ])('that answers %s does not, and is asked again', async (_name, body, more, message) => {
    const answer = await asked(body, more);
    expect(answer).toMatchObject({ synced: false, recheckAfter: 7_000 });
    expect(answer.message).toContain(message);
  });

  test('that answers an error, or nothing, says nothing', async () => {
    expect((await asked('1.4.2', {}, 503)).message).toContain('answered 503');
    const gone = await checkSync({ type: 'http', url: 'http://127.0.0.1:9/' }, contextAt(0));
    expect(gone).toMatchObject({ synced: false, message: expect.stringContaining('no answer') });
  });

  test('that asks for a pause is asked again after it', async () => {
    const { host } = await server((_request, response) => response.writeHead(503, { 'retry-after': '120' }).end());
    const answer = await checkSync({ type: 'http', url: `http://${host}/`, interval: 7_000 }, contextAt(0));
    expect(answer).toMatchObject({ synced: false, recheckAfter: 120_000 });
  });

  test('on another host is not believed', async () => {
    const other = await server((_request, response) => response.end('1.4.2'));
    const { host } = await server((_request, response) => {
      response.writeHead(302, { location: `http://${other.host.replace('127.0.0.1', 'localhost')}/` });
      response.end();
    });
    const answer = await checkSync({ type: 'http', url: `http://${host}/` }, contextAt(0));
    expect(answer).toMatchObject({ synced: false, message: expect.stringContaining('not followed') });
  });

  test('is left when it is told to stop', async () => {
    const { host } = await server(() => undefined);
    const stop = new AbortController();
    const asking = checkSync({ type: 'http', url: `http://${host}/` }, contextAt(0, { signal: stop.signal }));
    stop.abort(new Error('stopped'));
    await expect(asking).rejects.toThrow('stopped');
  });
});
