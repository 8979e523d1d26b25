import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { retryRelease, terminateRelease } from '../../src/commands/control-release.ts';
import type { PromotionFlowSpec } from '../../src/core/definitions.ts';
import type { ReleaseState } from '../../src/core/release.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// What hooks are told, as a receiver of theirs gets it, and when they run.

interface Told {
  hook: string;
  [name: string]: unknown;
}

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  let server: Server;
  const told: Told[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (part: Buffer) => (text += part.toString()));
      request.on('end', () => {
        told.push(JSON.parse(text) as Told);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    engine = await openTestEngine(backend, { SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8' });
    await engine.startWorker();
  });
  afterAll(async () => {
    await engine.close();
    server.close();
  });

  /** A workflow that tells the receiver its own name and these parameters. */
  async function saveTeller(name: string, ...parameters: string[]): Promise<void> {
    const { port } = server.address() as AddressInfo;
    const body = Object.fromEntries(parameters.map((each) => [each, `\${${each}}`]));
    await engine.save('PromotionWorkflow', name, {
      actions: [
        {
          name: 'tell',
          type: 'http',
          parameters: { url: `http://127.0.0.1:${port}/`, body: { hook: name, ...body } },
        },
      ],
    });
  }

  /** Two environments after dev, with these workflows of one simulated action each. */
  async function saveFlow(product: string, flow: Partial<PromotionFlowSpec>): Promise<void> {
    await engine.saveBilling(product);
    await engine.save('PromotionFlow', 'to-production', {
      triggerEnvironment: 'dev',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      steps: [
        { environment: 'staging', dependsOn: ['dev'] },
        { environment: 'eu', dependsOn: ['staging'] },
      ],
      ...flow,
    });
  }

  const ofRelease = (id: string): Told[] => told.filter((each) => each['RELEASE_ID'] === id);
  const pictureOf = ({ status, promotions }: ReleaseState): string =>
    `${status}: ${promotions.map((each) => each.status).join(' ')}`;

  test('a release that goes well tells its start and its success, each once', async () => {
    await saveTeller(
      'announce',
      'RELEASE_ID',
      'RELEASE_URL',
      'PRODUCT_NAME',
      'VERSION',
      'PROMOTION_FLOW_NAME',
      'COMMIT_SHA',
    );
    await saveTeller('close', 'RELEASE_ID');
    await saveTeller('page', 'RELEASE_ID', 'ERROR_MESSAGE', 'FAILED_ENVIRONMENTS');
    await saveFlow('well', { hooks: { onStart: 'announce', onSuccess: 'close', onFail: 'page' } });
    const id = await engine.trigger({ product: 'well', version: '7' });
    expect(pictureOf(await engine.ended(id))).toBe(
      'SUCCEEDED: SUCCEEDED SUCCEEDED SUCCEEDED SUCCEEDED SUCCEEDED SKIPPED',
    );
    expect(ofRelease(id)).toEqual([
      {
        hook: 'announce',
        RELEASE_ID: id,
        RELEASE_URL: expect.stringContaining(id),
        PRODUCT_NAME: 'well',
        VERSION: '7',
        PROMOTION_FLOW_NAME: 'to-production',
        COMMIT_SHA: '',
      },
      { hook: 'close', RELEASE_ID: id },
    ]);
  });

  test('an environment tells its start and its success once for all of its applications, and its failure beside it', async () => {
    await saveTeller('greet', 'RELEASE_ID', 'ENVIRONMENT');
    await saveTeller('wave', 'RELEASE_ID', 'ENVIRONMENT');
    await saveTeller('warn', 'RELEASE_ID', 'ENVIRONMENT', 'FAILED_ENVIRONMENTS');
    await engine.save('PromotionWorkflow', 'ends', {
      actions: [{ name: 'run', type: 'simulate', parameters: { fail: 'FAILED' } }],
    });
    const hooks = { onStart: 'greet', onSuccess: 'wave', onFail: 'warn' };
    await saveFlow('places', {
      steps: [
        { environment: 'staging', dependsOn: ['dev'], hooks },
        { environment: 'eu', dependsOn: ['staging'], policy: { postAction: 'ends' }, hooks },
      ],
      hooks: { onFail: 'page' },
    });
    await engine.save('Application', 'places-staging-api', {
      product: 'places',
      environment: 'staging',
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
    const id = await engine.trigger({ product: 'places', version: '7' });
    expect(pictureOf(await engine.ended(id))).toBe('FAILED: SUCCEEDED SUCCEEDED FAILED SKIPPED SUCCEEDED SUCCEEDED');
    expect(ofRelease(id).map(({ hook, ENVIRONMENT }) => [hook, ENVIRONMENT])).toEqual([
      ['greet', 'staging'],
      ['wave', 'staging'],
      ['greet', 'eu'],
      ['warn', 'eu'],
      ['page', undefined],
    ]);
    const { rows } = await engine.app.pool.query(
      `SELECT environment, verified_at IS NOT NULL AS verified FROM deployment WHERE release_id = $1 AND environment <> 'dev' ORDER BY application`,
      [id],
    );
    expect(rows).toEqual([
      { environment: 'eu', verified: false },
      { environment: 'staging', verified: true },
      { environment: 'staging', verified: true },
    ]);
  });

  test('what a hook hands on and what a step leaves reaches later ones', async () => {
    const leaves = (name: string, outputs: Record<string, string>) =>
      engine.save('PromotionWorkflow', name, { actions: [{ name: 'run', type: 'simulate', parameters: { outputs } }] });
    await leaves('opens', { PROMOTION_CONTEXT: '{"TICKET": "OPS-1", "RELEASE_ID": "none"}' });
    await leaves('builds', { IMAGE: 'billing@sha256:1' });
    await saveTeller('closes', 'RELEASE_ID', 'TICKET', 'IMAGE');
    await saveTeller('scans', 'RELEASE_ID', 'IMAGE');
    await saveFlow('handed', {
      steps: [
        { name: 'image', workflow: 'builds', dependsOn: ['dev'] },
        { name: 'tests', workflow: 'checks', dependsOn: ['dev'] },
        { environment: 'staging', dependsOn: ['image', 'tests'], policy: { preAction: 'scans' } },
      ],
      hooks: { onStart: 'opens', onSuccess: 'closes' },
    });
    const id = await engine.trigger({ product: 'handed', version: '7' });
    const { status, context } = await engine.ended(id);
    expect([status, context]).toEqual(['SUCCEEDED', { TICKET: 'OPS-1', RELEASE_ID: 'none' }]);
    expect(ofRelease(id)).toEqual([
      { hook: 'scans', RELEASE_ID: id, IMAGE: 'billing@sha256:1' },
      { hook: 'closes', RELEASE_ID: id, TICKET: 'OPS-1', IMAGE: 'billing@sha256:1' },
    ]);
  });

  test('a failure and a termination are told with their reasons, and once more after a retry', async () => {
    await engine.save('PromotionWorkflow', 'breaks', {
      actions: [{ name: 'run', type: 'simulate', parameters: { fail: 'FAILED' } }],
    });
    const steps = [
      { environment: 'staging', dependsOn: ['dev'] },
      { environment: 'eu', dependsOn: ['staging'], policy: { postAction: 'breaks' } },
    ];
    await saveFlow('badly', { steps, hooks: { onSuccess: 'close', onFail: 'page' } });
    const id = await engine.trigger({ product: 'badly', version: '7' });
    expect(pictureOf(await engine.ended(id))).toBe('FAILED: SUCCEEDED SUCCEEDED FAILED SKIPPED SUCCEEDED');
    await retryRelease(engine.app, { releaseId: id }, 'test');
    await engine.reached(id, ({ endedAt, promotions }) => endedAt !== null && promotions[4]?.attempt === 2);
    const failed = { Name: 'eu', Status: 'FAILED', Applications: ['badly-eu'] };
    for (const { FAILED_ENVIRONMENTS: environments, ...each } of ofRelease(id)) {
      expect(each).toEqual({
        hook: 'page',
        RELEASE_ID: id,
        ERROR_MESSAGE: expect.stringContaining('simulated failure'),
      });
      expect(JSON.parse(environments as string)).toEqual([
        { ...failed, ErrorMessage: expect.stringContaining('simulated failure') },
      ]);
    }
    expect(ofRelease(id)).toHaveLength(2);

    await engine.save('PromotionWorkflow', 'breaks', {
      actions: [{ name: 'run', type: 'wait', parameters: { duration: '1h' } }],
    });
    const ended = await engine.trigger({ product: 'badly', version: '8' });
    await engine.reached(ended, ({ promotions }) => promotions[2]?.status === 'WAITING');
    await terminateRelease(engine.app, { releaseId: ended, reason: 'not this one' }, 'test');
    expect((await engine.ended(ended)).status).toBe('TERMINATED');
    expect(ofRelease(ended)).toMatchObject([{ hook: 'page', ERROR_MESSAGE: 'not this one' }]);
  });
});
