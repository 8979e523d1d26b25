import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { approvePromotion, rejectPromotion } from '../../src/commands/decide-promotion.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import type { PromotionState, ReleaseState } from '../../src/core/release.ts';
import { person } from '../core/support/builders.ts';
import { serve } from '../drivers/http-server.ts';
import { startArgoWorkflows } from '../peers/argo-workflows.ts';
import type { ArgoWorkflowsPeer } from '../peers/argo-workflows.ts';
import { onOneBackend } from '../support/backends.ts';
import { openTestEngine, typesAt } from '../support/engine.ts';
import type { TestEngine } from '../support/engine.ts';

// Actions that wait hold no worker: between two looks there is nothing but a row with a time, or with people who were asked.

const staging = ({ promotions }: ReleaseState): PromotionState => promotions[1] as PromotionState;
const asks = (state: ReleaseState): boolean => staging(state).status === 'SUSPENDED';

onOneBackend('postgres', (backend) => {
  let engine: TestEngine;
  let peer: Awaited<ReturnType<typeof serve>>;
  let argo: ArgoWorkflowsPeer;
  beforeAll(async () => {
    argo = await startArgoWorkflows();
    argo.template('tests');
    peer = await serve((_, response) => response.end('7'));
    // A worker that does one thing at a time.
    engine = await openTestEngine(backend, {
      SLUICE_CONCURRENCY: '1',
      SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
      SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    });
    const use = { kind: 'REFERENCE' as const, hosts: ['127.0.0.1'] };
    await setSecret(engine.app, { name: 'argo', value: argo.token, description: null, use }, 'ada');
    await engine.startWorker();
  });
  afterAll(async () => {
    await engine.close();
    peer.close();
    await argo.close();
  });

  /** The pre-action of staging has these actions, side by side. */
  async function saveWith(product: string, ...actions: WorkflowAction[]): Promise<void> {
    await engine.saveBilling(product);
    await engine.save('PromotionWorkflow', 'checks', { actions });
  }

  const approval = (name: string, parameters: Record<string, unknown> = {}): WorkflowAction => ({
    name,
    type: 'approval',
    parameters: { forbidInitiator: false, ...parameters },
  });

  test('a workflow asks people and goes on when they agree, also after its worker has died', async () => {
    await saveWith('asked', approval('sign-off', { question: 'Is ${ENVIRONMENT} ready for ${VERSION}?' }));
    const other = await engine.another();
    const doomed = await engine.startWorker(other);
    const id = await engine.trigger({ product: 'asked', version: '7' });
    const waiting = await engine.reached(id, asks);
    expect(staging(waiting).steps[0]).toMatchObject({
      status: 'WAITING',
      recheckAt: null,
      asked: { question: 'Is staging ready for 7?' },
    });
    await doomed.close();
    const place = { releaseId: id, environment: 'staging', step: 'sign-off' };
    expect((await approvePromotion(engine.app, place, person('grace'))).refusals).toBeUndefined();
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    expect(staging(state).steps[0]?.outputs).toEqual({ APPROVED_BY: 'grace' });
    expect(typesAt(await engine.events(id), 'staging')).toEqual(
      expect.arrayContaining(['ApprovalRequested', 'ApprovalGiven', 'ApprovalGranted']),
    );
  });

  test('a rejection fails the promotion with what was said; a name that several steps have is refused with all of them', async () => {
    await saveWith('rejected', approval('sign-off'), { name: 'pause', type: 'wait', parameters: { duration: '1h' } });
    const id = await engine.trigger({ product: 'rejected', version: '1' });
    await engine.reached(
      id,
      (state) => staging(state).steps[0]?.asked !== null && staging(state).steps[1]?.status === 'WAITING',
    );
    const place = { releaseId: id, environment: 'staging' };
    expect(await rejectPromotion(engine.app, { ...place, step: 'signoff' }, person('grace'))).toMatchObject({
      refusals: [
        { code: 'NOT_FOUND', message: expect.stringContaining('rejected-staging/PRE_ACTION/sign-off'), path: ['step'] },
      ],
    });
    await rejectPromotion(engine.app, { ...place, step: 'sign-off', comment: 'too early' }, person('grace'));
    const state = await engine.ended(id);
    expect(state.firstProblem?.message).toBe('rejected by grace: too early');
    expect(
      staging(state)
        .steps.map(({ status }) => status)
        .slice(0, 2),
    ).toEqual(['FAILED', 'TERMINATED']);
  });

  test('ten pauses, ten approvals and ten analyses wait beside each other, and the only job of the worker is free', async () => {
    const ten = [...Array(10).keys()];
    await saveWith(
      'crowd',
      ...ten.map((each): WorkflowAction => ({ name: `pause-${each}`, type: 'wait', parameters: { duration: '4s' } })),
      ...ten.map((each) => approval(`ask-${each}`)),
      ...ten.map((each): WorkflowAction => ({
        name: `measure-${each}`,
        type: 'analysis',
        parameters: { url: `http://${peer.host}/`, success: '> 5', interval: '5s', count: 2 },
      })),
    );
    const id = await engine.trigger({ product: 'crowd', version: '1' });
    // On a busy machine the first of them are over before the last one waits.
    const waited = new Set<number>();
    await engine.reached(id, (state) => {
      for (const [place, { status }] of staging(state).steps.entries()) if (status === 'WAITING') waited.add(place);
      const isFree = state.promotions.every(({ steps }) => steps.every(({ status }) => status !== 'RUNNING'));
      return waited.size === 30 && isFree;
    });
    // Another release of another product passes all of them.
    await saveWith('passing', { name: 'nothing', type: 'simulate', parameters: {} });
    expect((await engine.ended(await engine.trigger({ product: 'passing', version: '1' }))).status).toBe('SUCCEEDED');
    for (const each of ten)
      await approvePromotion(
        engine.app,
        { releaseId: id, environment: 'staging', step: `ask-${each}` },
        person('grace'),
      );
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    for (const { startedAt, endedAt } of staging(state).steps.slice(0, 10))
      expect((endedAt as number) - (startedAt as number)).toBeGreaterThanOrEqual(4_000);
  });

  const integration = (more: Partial<WorkflowAction> = {}): WorkflowAction => ({
    name: 'integration',
    type: 'argoWorkflow',
    parameters: {
      server: argo.url,
      token: '${secrets.argo}',
      namespace: 'ci',
      template: 'tests',
      parameters: { version: '${VERSION}' },
      interval: '1s',
      outputs: { REPORT: 'report' },
    },
    ...more,
  });
  const submitted = (state: ReleaseState): boolean => staging(state).steps[0]?.progress?.['uid'] !== undefined;

  test('a workflow of Argo is followed to its end, whichever worker submitted it, and leaves its outputs', async () => {
    await saveWith('followed', integration(), {
      name: 'after',
      type: 'simulate',
      dependsOn: ['integration'],
      parameters: { outputs: { SEEN: '${REPORT} of ${WORKFLOW}' } },
    });
    const id = await engine.trigger({ product: 'followed', version: '7' });
    await engine.reached(id, submitted);
    const workflow = argo.workflow().runs();
    await expect.poll(() => workflow.looks >= 2).toBe(true);
    workflow.ends('Succeeded', '', { outputs: { report: 'https://reports.example.com/7' } });
    const state = await engine.ended(id);
    expect(state.status).toBe('SUCCEEDED');
    expect(staging(state).steps[1]?.outputs).toEqual({ SEEN: `https://reports.example.com/7 of ${workflow.name}` });
    expect([argo.made.get(workflow.name), argo.problems]).toEqual([1, []]);
  });

  test('it is stopped when its time is over, and when its release is terminated while no worker follows it', async () => {
    await saveWith('late', integration({ timeout: 4_000 }));
    const late = await engine.trigger({ product: 'late', version: '7' });
    await engine.reached(late, submitted);
    const first = argo.workflow().runs();
    expect((await engine.ended(late)).firstProblem?.message).toBe('not done within 4s');
    await expect.poll(() => first.shutdown === 'Stop').toBe(true);

    await saveWith('stopped', integration());
    const id = await engine.trigger({ product: 'stopped', version: '7' });
    await engine.reached(id, submitted);
    const workflow = argo.workflow().runs();
    expect(workflow.name).not.toBe(first.name);
    // From here on no look gets through; the errand waits until one does.
    argo.busy = { status: 503 };
    await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'changed my mind', by: 'ada' });
    expect((await engine.ended(id)).status).toBe('TERMINATED');
    expect(workflow.over).toBe(false);
    argo.busy = undefined;
    await expect.poll(() => workflow.shutdown === 'Stop').toBe(true);
    expect([workflow.exitHandlers, argo.problems]).toEqual([1, []]);
  });
});
