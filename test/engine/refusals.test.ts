import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { deleteDefinition } from '../../src/commands/delete-definition.ts';
import { saveDefinition } from '../../src/commands/save-definition.ts';
import { terminateRelease } from '../../src/commands/control-release.ts';
import { triggerRelease } from '../../src/commands/trigger-release.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

describe('bad input is refused at its place and changes nothing', () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await openTestEngine({ name: 'postgres', queuePrefix: 'sluice' });
    await engine.saveBilling();
  });
  afterAll(() => engine.close());

  const counts = async (): Promise<unknown> =>
    (
      await engine.app.pool.query(
        'SELECT (SELECT count(*) FROM release) r, (SELECT count(*) FROM definition_revision) d',
      )
    ).rows[0];

  test('a flow with a cycle names it', async () => {
    const before = await counts();
    const result = await saveDefinition(
      engine.app,
      {
        kind: 'PromotionFlow',
        metadata: { name: 'round', labels: {}, annotations: {} },
        spec: {
          triggerEnvironment: 'dev',
          onFailure: 'FINISH_RUNNING',
          steps: [
            { environment: 'eu', dependsOn: ['asia', 'dev'] },
            { environment: 'asia', dependsOn: ['eu'] },
          ],
        },
      },
      { mode: 'CREATE', actor: null },
    );
    expect(result.refusals?.map((each) => each.code)).toContain('CYCLE');
    expect(await counts()).toEqual(before);
  });

  test('a product without an application in an environment of the flow is told which', async () => {
    await engine.save('Product', 'lonely', { promotionFlows: [], concurrency: 'QUEUE', queueLimit: 50 });
    const result = await triggerRelease(engine.app, { product: 'lonely', version: '1' }, null);
    expect(result.refusals?.[0]).toMatchObject({ code: 'NO_APPLICATION', path: ['flow', 'dev'] });
    expect(result.refusals?.[0]?.message).toContain('product "lonely" has no application in environment "dev"');
  });

  test('an unreachable git remote is an answer, not a release', async () => {
    await engine.saveBilling('gone', {
      driver: () => ({ type: 'git', repoURL: 'file:///nowhere/at-all.git', branch: 'main', path: 'app' }),
    });
    const before = await counts();
    const result = await triggerRelease(engine.app, { product: 'gone' }, null);
    expect(result.refusals?.[0]?.code).toBe('SOURCE_UNREACHABLE');
    expect(result.refusals?.[0]?.message).toContain('the source of application "gone-dev" in "dev" cannot be read');
    expect(await counts()).toEqual(before);
  });

  test('an unknown product, flow or release is named', async () => {
    expect((await triggerRelease(engine.app, { product: 'nope', version: '1' }, null)).refusals?.[0]?.message).toBe(
      'there is no product "nope"',
    );
    expect(
      (await triggerRelease(engine.app, { product: 'billing', version: '1', flow: 'nope' }, null)).refusals?.[0],
    ).toMatchObject({
      code: 'NOT_FOUND',
      path: ['flow'],
    });
    for (const releaseId of ["'; DROP TABLE release; --", '00000000-0000-4000-8000-000000000000']) {
      expect((await terminateRelease(engine.app, { releaseId }, null)).refusals?.[0]?.code).toBe('NOT_FOUND');
    }
  });

  test('an environment that a flow names cannot be deleted', async () => {
    const result = await deleteDefinition(engine.app, 'Environment', 'eu', { actor: null });
    expect(result.refusals?.[0]).toMatchObject({ code: 'IN_USE' });
    expect(result.refusals?.[0]?.message).toContain('Application "billing-eu"');
    // staging is a step of the flow, eu a member of its group.
    const step = await deleteDefinition(engine.app, 'Environment', 'staging', { actor: null });
    expect(step.refusals?.[0]?.message).toContain('PromotionFlow "');
  });

  test('the second of two editors is told the revision that he has not seen', async () => {
    const edit = (description: string, expectedRevision: number) =>
      saveDefinition(
        engine.app,
        {
          kind: 'Environment',
          metadata: { name: 'eu', labels: {}, annotations: {} },
          spec: { kind: 'PRODUCTION', description },
        },
        { mode: 'UPDATE', expectedRevision, actor: null },
      );
    expect((await edit('one', 1)).value?.revision).toBe(2);
    expect((await edit('two', 1)).refusals?.[0]).toMatchObject({ code: 'CONFLICT', path: ['expectedRevision'] });
  });

  test('manifests are applied all or none, errors name line and column', async () => {
    const before = await counts();
    const text = `apiVersion: sluice.dev/v1
kind: Environment
metadata: { name: moon }
spec: { kind: PRODUCTION }
---
apiVersion: sluice.dev/v1
kind: PromotionFlow
metadata: { name: to-the-moon }
spec:
  triggerEnvironment: dev
  steps:
    - environment: moon
      dependsOn: [mars]
`;
    const broken = await applyManifests(engine.app, { text, fileName: 'moon.yaml', dryRun: false }, null);
    expect(broken.errors[0]).toMatchObject({ file: 'moon.yaml', line: 13, column: 19 });
    expect(await counts()).toEqual(before);
    const dry = await applyManifests(engine.app, { text: text.replace('[mars]', '[dev]'), dryRun: true }, null);
    expect(dry.changes.map((each) => `${each.kind} ${each.name} ${each.change}`)).toEqual([
      'Environment moon CREATED',
      'PromotionFlow to-the-moon CREATED',
    ]);
    expect(dry.changes[1]?.diff).toContain('+  triggerEnvironment: dev');
    expect(await counts()).toEqual(before);
  });
});
