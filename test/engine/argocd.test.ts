import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { headsSeen } from '../../src/commands/trigger/heads-seen.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { ArgoCdSpec } from '../../src/core/definitions.ts';
import { listCandidates } from '../../src/store/candidates.ts';
import type { KeptCandidate } from '../../src/store/candidates.ts';
import { startArgoCd } from '../peers/argocd.ts';
import type { ArgoCdPeer, PeerApplication } from '../peers/argocd.ts';
import { startGitHost } from '../peers/git-host.ts';
import type { GitHost, HostedRepository } from '../peers/git-host.ts';
import { saveDevToProd } from '../support/by-push.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { eventually } from '../support/eventually.ts';

// A push to dev, which Argo CD deploys by itself, becomes a release into prod, where Sluice asks for the sync; both follow one branch.

let engine: TestEngine;
let host: GitHost;
let argoCd: ArgoCdPeer;
let repository: HostedRepository;
const deployed = {} as Record<'dev' | 'prod', PeerApplication>;

beforeAll(async () => {
  host = await startGitHost();
  repository = await host.repository('billing');
  argoCd = await startArgoCd((url) => (url === repository.url ? repository.path : undefined));
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, {
    SLUICE_DATA_DIR: `${host.root}/data`,
    SLUICE_GIT_PROTOCOLS: 'http',
    SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
    SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  });
  await setSecret(
    engine.app,
    { name: 'argocd', value: argoCd.token, description: null, use: { kind: 'REFERENCE', hosts: ['127.0.0.1'] } },
    'ada',
  );
  await engine.startWorker();
  await saveDevToProd(engine);
  await engine.save('Product', 'billing', {
    promotionFlows: [],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
    trigger: { coalesce: 0 },
  });
  for (const environment of ['dev', 'prod'] as const) {
    await repository.commit({ [`${environment}/values.yaml`]: chart('0') }, 'First');
    const name = `billing-${environment}`;
    const sources = [{ repoURL: repository.url, path: environment, targetRevision: 'main' }];
    const auto = environment === 'dev';
    deployed[environment] = argoCd.application(name, { project: 'shop', sources, auto });
    await deployed[environment].reconcile();
    const sync: ArgoCdSpec = {
      type: 'argocd',
      server: argoCd.url,
      application: name,
      project: 'shop',
      token: '${secrets.argocd}',
      sync: auto ? 'AUTO' : 'REQUEST',
      prune: false,
      requireSynced: true,
      interval: 100,
    };
    await engine.save('Application', name, {
      product: 'billing',
      environment,
      sync,
      health: { type: 'argocd', interval: 100 },
      driver: { type: 'git', repoURL: repository.url, branch: 'main', path: environment },
    });
  }
  await look();
});
afterAll(async () => {
  await engine.close();
  await argoCd.close();
  await host.close();
});

const chart = (tag: string): string => `image:\n  tag: "${tag}"\n`;

async function look(): Promise<void> {
  const heads = new Map([['main', (await repository.head())!]]);
  await headsSeen(engine.app, { repository: repository.url, heads, via: 'PUSH', deliveries: [] });
}

async function push(tag: string): Promise<void> {
  await repository.commit({ 'dev/values.yaml': chart(tag) }, `Billing ${tag}`);
  await look();
}

async function candidate(): Promise<KeptCandidate> {
  const { rows } = await listCandidates(engine.app.pool, { limit: 1, entries: 100, filter: { product: 'billing' } });
  return rows[0]!;
}

test('the release waits until Argo CD runs the push in dev, and prod is synced once, under its key', async () => {
  deployed.dev.ends = 'Running';
  await push('1');
  await eventually(async () => expect((await candidate()).reason).toContain('is syncing, asked for by auto-sync'));
  expect(await candidate()).toMatchObject({ status: 'WAITING', releaseId: null });
  deployed.dev.ends = 'Succeeded';
  await deployed.dev.finish();
  const { releaseId } = await eventually(async () => {
    const now = await candidate();
    expect(now.status, now.reason ?? '').toBe('RELEASED');
    return now;
  });
  expect((await engine.ended(releaseId!)).status).toBe('SUCCEEDED');
  expect([...argoCd.syncs]).toEqual([[`${releaseId}.1.prod.billing-prod/SYNC`, 1]]);
  expect(await repository.read('prod/values.yaml', deployed.prod.live[0])).toBe(chart('1'));
  const { rows } = await engine.app.pool.query<{ verified_by: string }>(
    `SELECT verified_by FROM deployment WHERE release_id = $1`,
    [releaseId],
  );
  expect(rows.map((each) => each.verified_by)).toEqual(['SYNC_AND_HEALTH', 'SYNC_AND_HEALTH']);
  expect(argoCd.problems).toEqual([]);
});

test('trap 42: a Rollout that is paused in prod suspends the promotion, and says who can promote it', async () => {
  deployed.prod.rollouts = [{ name: 'billing', status: 'Suspended', message: 'CanaryPauseStep' }];
  await push('2');
  const { releaseId } = await eventually(async () => {
    const now = await candidate();
    expect(now.state['billing-dev']?.commit).toBe(await repository.git('log', '-1', '--format=%H', '--', 'dev'));
    expect(now.status).toBe('RELEASED');
    return now;
  });
  await eventually(async () => {
    const to = await engine.app.releaseEngine.look(releaseId!, { fresh: true });
    const at = to!.state.promotions.at(-1)!;
    expect(at.status).toBe('SUSPENDED');
    expect(at.steps.find((each) => each.status === 'WAITING')?.reason).toContain(
      'kubectl argo rollouts promote billing',
    );
  });
  deployed.prod.rollouts = [{ name: 'billing', status: 'Healthy' }];
  expect((await engine.ended(releaseId!)).status).toBe('SUCCEEDED');
});
