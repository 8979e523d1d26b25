import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { planRelease, possibleReleases, triggerRelease } from '../../src/commands/trigger-release.ts';
import { startServer } from '../../src/server.ts';
import { sluice } from '../cli/served.ts';
import { frozen } from '../core/support/frozen.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';
import { createBillingRepository, values } from './rollback/repository.ts';
import type { BillingRepository } from './rollback/repository.ts';

// A hotfix goes to staging alone; everything else goes all the way. The message of the commit says which it is.

let engine: TestEngine;
let repository: BillingRepository;
beforeAll(async () => {
  repository = createBillingRepository();
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  engine = await openTestEngine(backend, { SLUICE_DATA_DIR: `${repository.root}/data` });
  await engine.saveBilling('billing', {
    driver: (environment) => ({ type: 'git', repoURL: repository.url, branch: 'main', path: environment }),
  });
  await engine.save('PromotionFlow', 'fast', {
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [{ environment: 'staging', dependsOn: ['dev'] }],
  });
  await engine.save('Product', 'billing', {
    promotionFlows: [
      {
        name: 'fast',
        gitTriggerSelectors: [{ key: 'commitMessage', operator: 'In', values: ['*hotfix*'] }],
      },
    ],
    concurrency: 'PIPELINE',
    queueLimit: 50,
    promotionTemplate: { versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' } },
  });
});
afterAll(async () => {
  await engine.close();
  repository.remove();
});

async function triggered(commit?: string): Promise<{ flow: string; version: string; commit: string | undefined }> {
  const id = await engine.trigger({ product: 'billing', commit });
  const { plan, version, contents } = (await engine.app.releaseEngine.look(id, { fresh: true }))!.release;
  return { flow: plan.flow.name, version, commit: contents['billing-dev']?.commit };
}

test('the message of the commit that is released chooses the flow', async () => {
  const hotfix = repository.write({ 'dev/values.yaml': values('dev', '1') }, 'a hotfix for eu\n\nit leaked');
  expect(await triggered()).toEqual({ flow: 'fast', version: '1', commit: hotfix });
  const feature = repository.write({ 'dev/values.yaml': values('dev', '2') }, 'a feature');
  expect(await triggered()).toEqual({ flow: 'to-production', version: '2', commit: feature });
  // Also where an earlier commit is asked for: its own message counts.
  expect(await triggered(hotfix.slice(0, 9))).toEqual({ flow: 'fast', version: '1', commit: hotfix });
});

test('who triggers may do all that any message can bring, who names the flow only that', async () => {
  const environments = async (input: { product: string; flow?: string }): Promise<string[][] | undefined> => {
    const found = await possibleReleases(engine.app, input);
    return found.value?.map(({ plan }) => plan.promotions.flatMap((each) => each.environment ?? []));
  };
  expect(await environments({ product: 'billing' })).toEqual([
    ['dev', 'staging'],
    ['dev', 'staging', 'asia', 'eu', 'us-east', 'asia-2'],
  ]);
  expect(await environments({ product: 'billing', flow: 'fast' })).toEqual([['dev', 'staging']]);
});

test('a plan reads no commit: what depends on one is not taken, and that is said', async () => {
  const planned = await planRelease(engine.app, { product: 'billing' });
  expect(planned.value?.plan.flow.name).toBe('to-production');
  expect(planned.value?.plan.warnings).toContainEqual(
    expect.stringContaining('the flow can be another one: it depends on the commit'),
  );
});

test('a source that does not have the commit is named, whichever way it is asked', async () => {
  for (const flow of [undefined, 'fast']) {
    const refused = await triggerRelease(engine.app, { product: 'billing', flow, commit: 'abcdef1' }, 'ada');
    expect(refused.refusals).toEqual([
      {
        code: 'SOURCE_UNREACHABLE',
        message: expect.stringMatching(
          /^the source of application "billing-dev" in "dev" cannot be read: .*commit abcdef1 is not on the branch$/,
        ),
        path: ['commit'],
      },
    ]);
  }
});

test('a version that files do not say is a warning on the command line: theirs counts', async () => {
  const server = await startServer(engine.app);
  try {
    repository.write({ 'dev/values.yaml': values('dev', '7') }, 'a feature');
    const asked = (version: string) =>
      sluice({ SLUICE_SERVER: server.url }, 'release', 'billing', '--version', version);
    const { code, out, err } = await asked('9');
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining('billing 7: ') });
    expect(err).toBe(
      'Warning: the files of billing say that this is 7: --version 9 counts only where there are none\n',
    );
    expect((await asked('7')).err).toBe('');
  } finally {
    await server.close();
  }
});

test('releases along one flow have one plan in memory, and none of them changes it', async () => {
  await engine.startWorker();
  const definitions = await engine.app.definitions.current();
  const flow = definitions.flows.find(({ metadata }) => metadata.name === 'to-production')!;
  const planned = definitions.plan(definitions.products.get('billing')!, flow);
  if ('refusals' in planned) throw new Error('the flow is refused');
  frozen(planned.plan);
  const commits = ['3', '4'].map((tag) => repository.write({ 'dev/values.yaml': values('dev', tag) }, 'a feature'));
  const ids: string[] = [];
  for (const commit of commits) ids.push(await engine.trigger({ product: 'billing', commit }));
  const [first, second] = await Promise.all(ids.map((id) => engine.ended(id)));
  expect([first!.status, second!.status]).toEqual(['SUCCEEDED', 'SUCCEEDED']);
  const plans = await Promise.all(ids.map((id) => engine.app.releaseEngine.look(id, { fresh: true })));
  for (const each of plans) expect(each!.release.plan.promotions).toBe(planned.plan.promotions);
});
