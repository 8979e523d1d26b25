import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyDefinition } from '../src/core/definitions.ts';
import type { ArgoWorkflowsPeer, PeerWorkflow } from '../test/peers/argo-workflows.ts';
import { mutate } from './api.ts';
import { query } from './database.ts';
import type { SluiceProcess } from './processes.ts';

/** Where the worker is killed: before the action looks at its workflow, after it has submitted it, when that was recorded. */
export const WORKFLOW_POINTS = ['before-effect', 'after-effect', 'after-record'] as const;
export type WorkflowPoint = (typeof WORKFLOW_POINTS)[number];

/** A release whose action follows a workflow of Argo, and whose worker was killed; and what Argo has of it. */
export interface WorkflowKill {
  point: WorkflowPoint;
  /** The release was terminated while its worker was gone. */
  givenUp: boolean;
  /** False: no action came to that point, so nothing was killed. */
  reached: boolean;
  status: string;
  /** How many workflows were made. */
  made: number;
  /** Those that go on, when the release has ended and its errands are done. */
  goOn: number;
  /** How often exit handlers were run, of each. */
  exitHandlers: number[];
  shutdown: string[];
}

const PRODUCT = 'outside';
const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

/** A product whose change comes after a workflow of Argo. */
export function definitionsOfWorkflows(server: string): AnyDefinition[] {
  const parameters = {
    server,
    token: '${secrets.argo-workflows}',
    namespace: 'ci',
    template: 'tests',
    parameters: { version: '${VERSION}' },
    interval: '1s',
  };
  return [
    {
      kind: 'PromotionWorkflow',
      metadata: metadata('outside'),
      spec: { actions: [{ name: 'integration', type: 'argoWorkflow', parameters }] },
    },
    {
      kind: 'PromotionFlow',
      metadata: metadata('outside'),
      spec: {
        triggerEnvironment: 'dev',
        onFailure: 'FINISH_RUNNING',
        steps: [{ environment: 'eu', dependsOn: ['dev'], policy: { preAction: 'outside' } }],
      },
    },
    {
      kind: 'Product',
      metadata: metadata(PRODUCT),
      spec: { promotionFlows: [{ name: 'outside' }], concurrency: 'QUEUE', queueLimit: 50 },
    },
    ...['dev', 'eu'].map((environment): AnyDefinition => ({
      kind: 'Application',
      metadata: metadata(`${PRODUCT}-${environment}`),
      spec: { product: PRODUCT, environment, driver: { type: 'simulate' }, health: { type: 'none' } },
    })),
  ];
}

/** Workflows end when they are asked about the second time; those of a version that is `endless` go on until they are stopped. */
export function playWorkflows(argo: ArgoWorkflowsPeer): void {
  argo.template('tests', {
    plays(workflow) {
      if (workflow.over) return;
      if (workflow.looks < 2 || versionOf(workflow).startsWith('endless')) workflow.runs();
      else workflow.ends('Succeeded');
    },
  });
}

const versionOf = ({ spec }: PeerWorkflow): string =>
  (spec as { arguments: { parameters: { value: string }[] } }).arguments.parameters[0]?.value ?? '';

/** One release, its worker killed (SIGKILL) at a point of its action; `givenUp`: and terminated right then. */
export async function killAtWorkflow(options: {
  server: SluiceProcess;
  worker: SluiceProcess;
  databaseUrl: string;
  argo: ArgoWorkflowsPeer;
  point: WorkflowPoint;
  givenUp: boolean;
  round: number;
}): Promise<WorkflowKill> {
  const { server, worker, databaseUrl, argo, point, givenUp, round } = options;
  const before = worker.reached.length;
  await worker.kill(`${point}/argoWorkflow:1`);
  const version = `${givenUp ? 'endless' : 'tests'}-${point}-${round}`;
  const { releaseId, userErrors } = await mutate(server.url, 'trigger', { product: PRODUCT, version });
  if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
  if (givenUp) {
    await until('the worker is killed', async () => worker.reached.length > before);
    await mutate(server.url, 'terminate', { releaseId, reason: 'changed my mind' });
  }
  await until('the release has ended, and all that it left to do is done', async () => {
    const left = `SELECT FROM release r WHERE id = '${releaseId}' AND ended_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM outbox WHERE release_id = r.id AND lane = 'errand')`;
    return (await query(databaseUrl, left)).length > 0;
  });
  const [ended] = await query<{ status: string }>(databaseUrl, `SELECT status FROM release WHERE id = '${releaseId}'`);
  const workflows = argo.workflows().filter((each) => versionOf(each) === version);
  return {
    point,
    givenUp,
    reached: worker.reached.length > before,
    status: ended!.status,
    made: workflows.length,
    goOn: workflows.filter(({ over }) => !over).length,
    exitHandlers: workflows.map(({ exitHandlers }) => exitHandlers),
    shutdown: workflows.flatMap(({ shutdown }) => shutdown ?? []),
  };
}

/** What an action that follows a workflow promises, wherever its worker dies. @returns what is broken, in words */
export function judgeWorkflows(kills: readonly WorkflowKill[]): string[] {
  return kills.flatMap((kill) => {
    const { point, givenUp, reached, status, made, goOn, exitHandlers, shutdown } = kill;
    const where = `${point}${givenUp ? ', given up' : ''}`;
    const broken: string[] = [];
    if (!reached) broken.push('nothing was killed');
    if (made > 1) broken.push(`it was submitted ${made} times`);
    if (goOn > 0) broken.push(`${goOn} of its workflows go on, and nothing follows them`);
    if (exitHandlers.some((each) => each !== 1)) broken.push(`exit handlers were run ${exitHandlers.join(', ')} times`);
    if (givenUp && status !== 'TERMINATED') broken.push(`its release is ${status}, and was terminated`);
    if (!givenUp && (status !== 'SUCCEEDED' || made === 0))
      broken.push(`its release is ${status}, with ${made} workflows`);
    if (!givenUp && shutdown.length > 0) broken.push('it was stopped, and had not to be');
    if (givenUp && point !== 'before-effect' && shutdown.join() !== 'Stop')
      broken.push(`it was shut down as "${shutdown.join()}", and was to be stopped`);
    return broken.map((each) => `${where}: ${each}`);
  });
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 150_000; !(await holds()); await sleep(50))
    if (Date.now() > deadline) throw new Error(`not within two and a half minutes: ${what}`);
}
