import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headsSeen } from '../../src/commands/trigger/heads-seen.ts';
import type { HeadOutcome } from '../../src/commands/trigger/heads-seen.ts';
import { listCandidates } from '../../src/store/candidates.ts';
import type { KeptCandidate } from '../../src/store/candidates.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// Pushes that nobody makes on purpose, and settings that change while their candidate waits.

let engine: TestEngine;
let host: GitHost;
let products = 0;
beforeAll(async () => {
  host = await startGitHost();
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_DATA_DIR: `${host.root}/data`,
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  });
  await engine.startWorker();
  for (const name of ['dev', 'prod']) await engine.save('Environment', name, { kind: 'NON_PRODUCTION' });
  await engine.save('PromotionFlow', 'to-prod', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    productSelector: {},
    steps: [{ environment: 'prod', dependsOn: ['dev'] }],
  });
});
afterAll(async () => {
  await engine.close();
  await host.close();
});

const chart = (tag: string): string => `image:\n  tag: "${tag}"\n`;

/** A product with an application in dev that was looked at once. */
async function productIn(
  health: object = { type: 'none' },
): Promise<{ product: string; repository: HostedRepository }> {
  const product = `odd-${(products += 1)}`;
  const repository = await host.repository(product);
  await repository.commit({ 'dev/values.yaml': chart('0'), 'web/values.yaml': chart('0') }, 'First');
  await engine.save('Product', product, {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0 },
  });
  await application(product, repository, 'dev', health);
  await application(product, repository, 'prod', { type: 'none' });
  await look(repository);
  return { product, repository };
}

function application(product: string, { url }: HostedRepository, name: string, health: object): Promise<unknown> {
  const driver = { type: 'git', repoURL: url, branch: 'main', path: name };
  const environment = name === 'prod' ? 'prod' : 'dev';
  return engine.save('Application', `${product}-${name}`, { product, environment, driver, health });
}

async function look(repository: HostedRepository): Promise<HeadOutcome[]> {
  const heads = new Map([['main', (await repository.head())!]]);
  return headsSeen(engine.app, { repository: repository.url, heads, via: 'PUSH', deliveries: [] });
}

async function candidates(product: string): Promise<KeptCandidate[]> {
  const page = { limit: 100, entries: 1_000, filter: { product } };
  return (await listCandidates(engine.app.pool, page)).rows.toReversed();
}

async function ended(product: string): Promise<KeptCandidate> {
  for (const deadline = Date.now() + 15_000; ;) {
    const [candidate] = await candidates(product);
    if (candidate && candidate.endedAt !== null) return candidate;
    if (Date.now() > deadline) throw new Error(`not reached: ${JSON.stringify(candidate)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

test('a sign of two halves where a message is cut does not stop the change', async () => {
  const { product, repository } = await productIn();
  const message = [199, 1_999, 9_999].reduce((text, at) => `${text.padEnd(at, text === '' ? 'x' : 'y')}🚀\n\n`, '');
  await repository.commit({ 'dev/values.yaml': chart('1') }, message);
  const [outcome] = await look(repository);
  expect(outcome?.outcome).toMatch(/a candidate of flow "to-prod"$/);
  expect(await ended(product)).toMatchObject({ status: 'RELEASED' });
});
