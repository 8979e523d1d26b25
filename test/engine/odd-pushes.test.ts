import { afterAll, beforeAll, expect, test } from 'vitest';
import { headsSeen } from '../../src/commands/trigger/heads-seen.ts';
import type { HeadOutcome } from '../../src/commands/trigger/heads-seen.ts';
import { reportHealth } from '../../src/commands/report-health.ts';
import { listCandidates } from '../../src/store/candidates.ts';
import type { KeptCandidate } from '../../src/store/candidates.ts';
import { serve } from '../drivers/http-server.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openByPush } from '../support/by-push.ts';
import type { TestEngine } from '../support/engine.ts';
import { PATIENCE } from '../support/patience.ts';

// Pushes that nobody makes on purpose, and settings that change while their candidate waits.

let engine: TestEngine;
let host: GitHost;
let opened: Awaited<ReturnType<typeof openByPush>>;
let products = 0;
beforeAll(async () => {
  opened = await openByPush();
  ({ engine, host } = opened);
});
afterAll(() => opened.close());

const chart = (tag: string): string => `image:\n  tag: "${tag}"\n`;

type Health = { type: 'none' | 'report' } | { type: 'http'; url: string; timeout?: number };

/** A product with an application in dev that was looked at once. */
async function productIn(
  health: Health = { type: 'none' },
): Promise<{ product: string; repository: HostedRepository }> {
  const product = `odd-${(products += 1)}`;
  const repository = await host.repository(product);
  await repository.commit({ 'dev/values.yaml': chart('0'), 'web/values.yaml': chart('0') }, 'First');
  await engine.save('Product', product, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0 },
  });
  await application(product, repository, 'dev', health);
  await application(product, repository, 'prod');
  await look(repository);
  return { product, repository };
}

function application(
  product: string,
  { url }: HostedRepository,
  name: string,
  health: Health = { type: 'none' },
): Promise<unknown> {
  return engine.save('Application', `${product}-${name}`, {
    product,
    component: name === 'web' ? 'web' : 'shop',
    environment: name === 'prod' ? 'prod' : 'dev',
    driver: { type: 'git', repoURL: url, branch: 'main', path: name },
    health,
  });
}

async function look(repository: HostedRepository): Promise<HeadOutcome[]> {
  const heads = new Map([['main', (await repository.head())!]]);
  return headsSeen(engine.app, { repository: repository.url, heads, via: 'PUSH', deliveries: [] });
}

async function candidates(product: string): Promise<KeptCandidate[]> {
  const page = { limit: 100, entries: 1_000, filter: { product } };
  return (await listCandidates(engine.app.pool, page)).rows.toReversed();
}

async function candidate(product: string, holds: (it: KeptCandidate) => boolean): Promise<KeptCandidate> {
  for (const deadline = Date.now() + PATIENCE; ;) {
    const [it] = await candidates(product);
    if (it && holds(it)) return it;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(it)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const isOver = ({ endedAt }: KeptCandidate): boolean => endedAt !== null;

test('a sign of two halves where a message is cut does not stop the change', async () => {
  const { product, repository } = await productIn();
  const message = [199, 1_999, 9_999].reduce((text, at) => `${text.padEnd(at, text === '' ? 'x' : 'y')}🚀\n\n`, '');
  await repository.commit({ 'dev/values.yaml': chart('1') }, message);
  const [outcome] = await look(repository);
  expect(outcome?.outcome).toMatch(/a candidate of flow "to-prod"$/);
  expect(await candidate(product, isOver)).toMatchObject({ status: 'RELEASED' });
});

test('an application that comes into the trigger environment while a candidate waits is a part of its release', async () => {
  const { product, repository } = await productIn({ type: 'report' });
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(repository);
  await candidate(product, ({ reason }) => reason.includes('waits for the trigger environment'));
  await application(product, repository, 'web');
  await reportHealth(engine.app, { application: `${product}-dev`, status: 'HEALTHY' }, null);
  const { status, reason, releaseId } = await candidate(product, isOver);
  expect({ status, reason }).toEqual({ status: 'RELEASED', reason: 'it is a release' });
  const { rows } = await engine.app.pool.query('SELECT version FROM release WHERE id = $1', [releaseId]);
  expect(rows).toEqual([{ version: '1 + 0' }]);
});

test('a source that does not answer holds up its own candidate alone', async () => {
  const silent = await serve(() => undefined);
  const slow = await productIn({ type: 'http', url: `http://${silent.host}/`, timeout: 20_000 });
  const quick = await productIn();
  await slow.repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(slow.repository);
  await expect.poll(() => silent.asked.length).toBe(1);
  await quick.repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(quick.repository);
  expect(await candidate(quick.product, isOver)).toMatchObject({ status: 'RELEASED' });
  expect((await candidates(slow.product))[0]).toMatchObject({ status: 'COALESCING', attempts: 0 });
  silent.close();
});

test('what is reported while a candidate is looked at is not lost, whether pushes may still have belonged to it or not', async () => {
  const { product, repository } = await productIn({ type: 'report' });
  const { pool } = engine.app;
  await pool.query(
    `INSERT INTO trigger_pause (id, product, reason, since) VALUES (gen_random_uuid(), $1, 'hands off', now())`,
    [product],
  );
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(repository);
  const seen = await candidate(product, ({ status }) => status === 'WAITING');
  for (const status of ['WAITING', 'COALESCING']) {
    // As a worker has claimed it, which asks how the environment stands.
    const { rows } = await pool.query<{ revision: number }>(
      `UPDATE candidate SET status = $2, due_at = now() + interval '15 seconds' WHERE id = $1 RETURNING revision`,
      [seen.id, status],
    );
    await reportHealth(engine.app, { application: `${product}-dev`, status: 'PROGRESSING' }, null);
    const [woken] = await candidates(product);
    expect(woken!.revision, status).toBeGreaterThan(rows[0]!.revision);
  }
});

test('a report wakes no candidate before the pushes that may belong to it', async () => {
  const { product, repository } = await productIn({ type: 'report' });
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(repository);
  await candidate(product, ({ status }) => status === 'WAITING');
  const { rows } = await engine.app.pool.query<{ due: Date }>(
    `UPDATE candidate SET status = 'COALESCING', coalesced_at = now() + interval '1 minute', due_at = now() + interval '1 minute'
     WHERE product = $1 RETURNING due_at AS due`,
    [product],
  );
  await reportHealth(engine.app, { application: `${product}-dev`, status: 'PROGRESSING' }, null);
  expect((await candidates(product))[0]).toMatchObject({ status: 'COALESCING', dueAt: rows[0]!.due });
});

test('a source that asks for a pause is not asked before it is over', async () => {
  const busy = await serve((_, response) => void response.writeHead(429, { 'retry-after': '300' }).end());
  const { product, repository } = await productIn({ type: 'http', url: `http://${busy.host}/` });
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One');
  await look(repository);
  const waits = await candidate(product, ({ status }) => status === 'WAITING');
  expect(waits.dueAt!.getTime() - Date.now()).toBeGreaterThan(290_000);
  busy.close();
});

test('a clock that is far ahead makes no report of what runs one from before the change', async () => {
  const { product, repository } = await productIn({ type: 'report' });
  const at = new Date(Date.now() + 30 * 24 * 60 * 60_000);
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One', { at });
  // It runs there, and is told to be healthy, before the look that finds the commit.
  await reportHealth(engine.app, { application: `${product}-dev`, status: 'HEALTHY' }, null);
  await look(repository);
  expect(await candidate(product, isOver)).toMatchObject({ status: 'RELEASED' });
});

test('a report of the second that git dates a commit by may be about the version before, and does not count for it', async () => {
  const { product, repository } = await productIn({ type: 'report' });
  const second = Math.floor(Date.now() / 1_000) * 1_000 - 2_000;
  const told = (ms: number): Promise<unknown> =>
    reportHealth(engine.app, { application: `${product}-dev`, status: 'HEALTHY', at: new Date(second + ms) }, null);
  // The look before the commit is long past, however slowly this goes.
  const lookLongPast = () =>
    engine.app.pool.query(`UPDATE trigger_cursor SET looked_at = looked_at - interval '1 minute'`);
  await lookLongPast();
  // It was made 0.7 s into that second.
  await repository.commit({ 'dev/values.yaml': chart('1') }, 'One', { at: new Date(second + 700) });
  await told(300);
  await lookLongPast();
  await look(repository);
  const waiting = await candidate(product, ({ status }) => status === 'WAITING');
  expect(waiting.reason).toContain(`${product}-dev is PROGRESSING`);
  await told(1_000);
  expect(await candidate(product, isOver)).toMatchObject({ status: 'RELEASED' });
});
