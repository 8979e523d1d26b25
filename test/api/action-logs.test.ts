import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import { ActionLogs } from '../../src/jobs/action-logs.ts';
import type { OpenActionLog } from '../../src/jobs/action-logs.ts';
import { writeCursor } from '../../src/schema/connection.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { sluice } from '../cli/served.ts';
import { FORGOTTEN, forgetOldLogs } from '../../src/store/action-logs.ts';
import { serve } from '../drivers/http-server.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';
import { overWebSocket } from './support/clients.ts';

// What actions write is kept whole, without secrets, in one order for each release; and read in pages, as it grows, and in a terminal.

let api: TestApi;
let server: ApiServer;
let peer: Awaited<ReturnType<typeof serve>>;
const WORD = 'correct-horse-battery-staple';

beforeAll(async () => {
  let busy = 1;
  peer = await serve(({ url }, response) => {
    if (url === '/bad') return response.writeHead(404).end('no such build');
    if (url === '/busy' && busy-- > 0) return response.writeHead(503).end('later');
    response.end('7');
  });
  api = await openTestApi({
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    SLUICE_COMMANDS: '/bin/sh',
  });
  const use = { kind: 'REFERENCE' as const, hosts: ['127.0.0.1'] };
  const value = `http://${peer.host}/${WORD}`;
  await setSecret(api.app, { name: 'channel', value, description: null, use }, 'ada');
  await api.startWorker();
  server = await startServer(api.app);
}, 60_000);
afterAll(async () => {
  await server?.close();
  await api?.close();
  peer?.close();
});

const shell = (name: string, script: string, more: Partial<WorkflowAction> = {}): WorkflowAction => ({
  name,
  type: 'command',
  parameters: { program: '/bin/sh', args: ['-c', script] },
  ...more,
});

/** The pre-action of staging. */
async function release(product: string, ...actions: WorkflowAction[]): Promise<string> {
  await api.saveBilling(product);
  await api.save('PromotionWorkflow', 'checks', { actions });
  return api.trigger({ product, version: '1' });
}

interface Chunk {
  sequence: number;
  environment: string;
  application: string;
  step: string;
  action: string;
  attempt: number;
  try: number;
  text: string;
}

const PAGE = `query ($id: ID!, $first: Int!, $after: String, $filter: ActionLogFilterInput) {
  log: actionLog(releaseId: $id, first: $first, after: $after, filter: $filter) {
    nodes { sequence environment application step action attempt try text } pageInfo { hasNextPage endCursor } } }`;

type Ask = (query: string, variables: Record<string, unknown>) => ReturnType<TestApi['ask']>;
const asAda: Ask = (query, variables) => api.ask(query, variables);

/** Page by page. */
async function logOf(id: string, { filter = {}, ask = asAda }: { filter?: object; ask?: Ask } = {}): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (let after: string | null = null, more = true; more;) {
    const { log } = await ask(PAGE, { id, first: 2, after, filter });
    chunks.push(...log.nodes);
    ({ hasNextPage: more, endCursor: after } = log.pageInfo);
  }
  return chunks;
}

const textOf = (chunks: Chunk[], action: string): string =>
  chunks
    .filter((each) => each.action === action)
    .map(({ text }) => text)
    .join('');

describe('the log of a release', () => {
  let id: string;
  beforeAll(async () => {
    id = await release(
      'billing',
      { name: 'call', type: 'http', parameters: { url: `http://${peer.host}/ok` } },
      { name: 'tell', type: 'notify', parameters: { url: '${secrets.channel}', text: 'Hello' } },
      { name: 'measure', type: 'analysis', parameters: { url: `http://${peer.host}/n`, success: '> 5' } },
      { name: 'rest', type: 'simulate', parameters: { duration: '20ms' } },
      { name: 'pause', type: 'wait', parameters: { duration: '50ms' } },
      shell(
        'print',
        `echo out; echo err >&2; printf 'http://${peer.host}/'; sleep 0.4; echo '${WORD}'; echo $SLUICE_PRODUCT; printf end`,
        { dependsOn: ['tell'] },
      ),
    );
    expect(await api.ended(id)).toMatchObject({ status: 'SUCCEEDED', firstProblem: null });
  });

  test('has what each action wrote, in one order without gaps', async () => {
    const chunks = await logOf(id);
    expect(chunks.map(({ sequence }) => sequence)).toEqual(chunks.map((_, index) => index + 1));
    expect(textOf(chunks, 'call')).toBe(`> GET http://${peer.host}/ok\n> answered 200\n`);
    expect(textOf(chunks, 'tell')).toBe(`> posted to ${peer.host}\n`);
    expect(textOf(chunks, 'measure')).toMatch(/^> measurement was 7: SUCCESSFUL; all: 1 successful/);
    expect(textOf(chunks, 'rest')).toBe('> takes 20ms\n');
    expect(textOf(chunks, 'pause')).toMatch(/> waited 50ms\n$/);
    expect(chunks[0]).toMatchObject({ environment: 'staging', application: 'billing-staging', attempt: 1, try: 1 });
    expect(chunks[0]!.step).toBe(`billing-staging/PRE_ACTION/${chunks[0]!.action}`);
  });

  test('shows no secret, in whichever pieces it is written', async () => {
    const printed = textOf(await logOf(id), 'print');
    expect(printed).toMatch(/\nout\n(.*\n)*\*\*\*\nbilling\nend\n> ended with code 0\n$/);
    expect(printed).toContain('\nerr\n');
    expect(printed).not.toContain(`/${WORD}`);
  });

  test('is read by environment, step, attempt and try', async () => {
    const actions = async (filter: object): Promise<string[]> => [
      ...new Set((await logOf(id, { filter })).map(({ action }) => action)),
    ];
    expect(await actions({ environment: 'staging', step: 'print', attempt: 1, try: 1 })).toEqual(['print']);
    expect(await actions({ step: 'billing-staging/PRE_ACTION/call' })).toEqual(['call']);
    for (const filter of [{ environment: 'eu' }, { step: 'none' }, { attempt: 2 }, { try: 2 }])
      expect(await actions(filter)).toEqual([]);
  });

  test('is read by who sees its environment', async () => {
    const where = (...environments: string[]) => ({
      products: { names: ['billing'] },
      environments: { names: environments },
    });
    const as = (environment: string) =>
      logOf(id, { ask: (query, variables) => api.askAs('vera', query, variables, 'VIEWER', where(environment)) });
    expect((await as('staging')).length).toBeGreaterThan(5);
    expect(await as('eu')).toEqual([]);
  });

  test('is empty where there is no such release, and a cursor of another list is refused', async () => {
    expect(await logOf(randomUUID())).toEqual([]);
    const [error] = await api.errorsOf(PAGE, { id, first: 2, after: 'x', filter: {} });
    expect(error?.message).toContain('cursor');
  });

  test('is printed line by line, each with its action in front', async () => {
    const env = { SLUICE_SERVER: server.url };
    const { code, out } = await sluice(env, 'logs', 'billing', 'staging');
    expect(code).toBe(0);
    expect(out.split('\n')).toContain('billing-staging/PRE_ACTION/call | > answered 200');
    const one = await sluice(env, 'logs', 'billing#1', '--step', 'print');
    expect(one.out).toMatch(/^> \/bin\/sh -c .*\nout\n/);
    const json = await sluice(env, 'logs', 'billing', '--step', 'call', '--json');
    expect(JSON.parse(json.out.split('\n')[0]!)).toMatchObject({ action: 'call', attempt: 1, try: 1 });
    expect(await sluice(env, 'logs', 'billing', 'eu')).toEqual({
      code: 0,
      out: '',
      err: 'No action of billing#1 in eu has written anything. Its steps: sluice get release billing#1\n',
    });
    expect(await sluice(env, 'logs', 'billing', 'mars')).toMatchObject({
      code: 1,
      err: expect.stringContaining("billing#1 has no environment 'mars'. It has: dev, staging"),
    });
  });
});

test('a log that grows is followed, by subscribers and in a terminal, until its release has ended', async () => {
  const id = await release('followed', shell('slow', 'for i in 1 2 3 4; do echo line $i; sleep 0.6; done'));
  const query = `subscription ($id: ID!, $after: String = "") { actionLogAdded(releaseId: $id, after: $after) { cursor node { sequence text } } }`;
  const watcher = await overWebSocket(server.url, { id }, query);
  const { code, out } = await sluice({ SLUICE_SERVER: server.url }, 'logs', id, '--step', 'slow', '--follow');
  expect(code).toBe(0);
  expect(out).toMatch(/^> .*\nline 1\nline 2\nline 3\nline 4\n> ended with code 0\n$/);
  const chunks = await logOf(id);
  expect(chunks.length).toBeGreaterThan(2);
  await watcher.has(chunks.length);
  const seen = watcher.results.map(
    ({ data }) => (data as unknown as { actionLogAdded: { node: Chunk } }).actionLogAdded.node,
  );
  expect(seen).toEqual(chunks.map(({ sequence, text }) => ({ sequence, text })));
  watcher.destroy();
  const elsewhere = await overWebSocket(server.url, { id, after: writeCursor('999999') }, query);
  await elsewhere.has(1);
  expect(elsewhere.results[0]!.errors![0]!.extensions).toMatchObject({ code: 'CURSOR_EXPIRED', oldestCursor: '' });
  elsewhere.destroy();
});

test('each try has a log of its own, with why it failed and what was answered', async () => {
  const http = (name: string, path: string, more: Partial<WorkflowAction> = {}): WorkflowAction => ({
    name,
    type: 'http',
    parameters: { url: `http://${peer.host}/${path}` },
    ...more,
  });
  const retry = { limit: 1, backoff: 10, maxDelay: 10 };
  const id = await release('tried', http('flaky', 'busy', { retry }), http('bad', 'bad', { dependsOn: ['flaky'] }));
  expect((await api.ended(id)).status).toBe('FAILED');
  const chunks = await logOf(id);
  const [first, second] = [1, 2].map((number) =>
    textOf(
      chunks.filter((each) => each.try === number),
      'flaky',
    ),
  );
  expect(first).toMatch(/> answered 503\nlater\n> action "flaky": GET .* answered 503, expected 2xx\n$/);
  expect(second).toMatch(/> answered 200\n$/);
  expect(textOf(chunks, 'bad')).toMatch(
    /> answered 404\nno such build\n> action "bad": .* answered 404, expected 2xx\n$/,
  );
});

test('the logs of a release that ended long ago are deleted, and the log says so and counts on', async () => {
  const [old, young] = [
    await release('old', shell('print', 'echo one; sleep 2; echo two')),
    await release('young', shell('print', 'echo one')),
  ];
  for (const id of [old, young]) await api.ended(id);
  const before = (await logOf(old)).at(-1)!;
  expect(before.sequence).toBeGreaterThan(1);
  const ended = 'UPDATE release SET ended_at = now() - make_interval(days => $2) WHERE id = $1';
  await api.app.pool.query(ended, [old, 8]);
  await api.app.pool.query(ended, [young, 6]);
  const kept = await logOf(young);
  for (let round = 0; round < 2; round += 1) {
    await forgetOldLogs(api.app.pool, 7);
    expect(await logOf(old)).toEqual([{ ...before, text: FORGOTTEN }]);
    expect(await logOf(young)).toEqual(kept);
  }
  const { rows } = await api.app.pool.query('SELECT count(*)::int AS chunks FROM action_log WHERE release_id = $1', [
    old,
  ]);
  expect(rows).toEqual([{ chunks: 1 }]);
});

describe('processes that write at once', () => {
  const opened = (): ActionLogs => ActionLogs.on(api.app.pool, { clock: api.app.clock, log: api.app.log });
  const rowsOf = async (release: string) =>
    (
      await api.app.pool.query<{ step: string; try: number; chunk: number; sequence: number; text: string }>(
        'SELECT step, try, chunk, sequence, text FROM action_log WHERE release_id = $1 ORDER BY sequence',
        [release],
      )
    ).rows;
  const lines = (log: OpenActionLog, from: number, to: number): void => {
    for (let line = from; line < to; line += 1) log.heard(Buffer.from(`${line}\n`), 'OUT');
  };

  test('keep all of it, in one order, each try by itself', async () => {
    const releases = [randomUUID(), randomUUID()];
    const writers = Array.from({ length: 4 }, opened);
    await Promise.all(
      writers.map(async (logs) => {
        for (let round = 0; round < 5; round += 1) {
          const open = releases.map((releaseId) =>
            logs.open({ releaseId, position: 1, step: 'same', attempt: 1, try: null }),
          );
          open.forEach((log) => lines(log, 0, 10));
          await Promise.all(open.map((log) => log.close()));
        }
      }),
    );
    for (const releaseId of releases) {
      const rows = await rowsOf(releaseId);
      expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
      const tries = new Map<number, string>();
      for (const row of rows) tries.set(row.try, (tries.get(row.try) ?? '') + row.text);
      expect([...tries.keys()].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
      expect(new Set(tries.values())).toEqual(new Set(['0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n']));
    }
  });

  test('a look goes on with the log of the look before, by whichever process', async () => {
    const place = { releaseId: randomUUID(), position: 1, step: 'measure', attempt: 1, try: 1 };
    for (const logs of [opened(), opened(), opened()]) {
      const log = logs.open(place);
      log.say('measured');
      await log.close();
    }
    expect((await rowsOf(place.releaseId)).map(({ chunk }) => chunk)).toEqual([1, 2, 3]);
  });
});
