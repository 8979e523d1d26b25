import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { saveInTransaction } from '../src/commands/save-definition.ts';
import type { AnyDefinition, WorkflowAction } from '../src/core/definitions.ts';
import { createDataSource, migrate } from '../src/entities/data-source.ts';
import { startArgoWorkflows } from '../test/peers/argo-workflows.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import { mutate, setSecret } from './api.ts';
import { crowdOf, runCrowd } from './crowd-of-actions.ts';
import type { Crowd } from './crowd-of-actions.ts';
import { createDatabase, query } from './database.ts';
import { SluiceProcess } from './processes.ts';
import { Random } from './random.ts';
import { definitionsOfWorkflows, judgeWorkflows, killAtWorkflow, playWorkflows } from './workflow-kills.ts';
import type { WorkflowKill, WorkflowPoint } from './workflow-kills.ts';

/** Where the worker is killed: before an action does anything, when it has done it, when that was recorded. */
export const ACTION_POINTS = ['before-effect', 'after-effect', 'after-record'] as const;
/** The actions that leave something behind, at a peer or on the machine. */
export const ACTION_TYPES = ['http', 'notify', 'analysis', 'command'] as const;
export type ActionPoint = (typeof ACTION_POINTS)[number];
export type KilledAction = (typeof ACTION_TYPES)[number];
const EVERYWHERE = ACTION_TYPES.flatMap((at) => ACTION_POINTS.map((point) => ({ at, point })));

/** One release whose worker was killed at a point of an action, and what was left of it. */
export interface ActionKill {
  point: ActionPoint;
  at: KilledAction;
  /** False: no action of the release came to that point, so nothing was killed. */
  reached: boolean;
  status: string;
  problem: string;
  /** How often the peer, or the command itself, was met by each action of the release; by the keys that it was met with. */
  met: Record<KilledAction, number>;
  keys: Record<'http' | 'notify', number>;
  /** What the analysis says that it measured. */
  measured: string;
}

const PRODUCT = 'billing';
const CROWD = 10;

/**
 * Ten releases with eight actions each, four side by side, whose only worker is killed while all of them are at work. Then a release for
 * each point of each action, the worker killed (SIGKILL) there. A server counts what it is asked, and by which keys; a file counts the runs
 * of a command that must not run twice. Then the same of an action that follows a workflow of Argo, whose stand-in keeps what was made of it.
 * @param options `rounds`: how often all of it is done; `killsPerPhase`: of the ten releases, of their actions before the change and after it;
 * `workflows`: points of the action that follows a workflow, `givenUp` with the release terminated while its worker is gone
 */
export async function runActionKillPoints(options: {
  backend: 'redis' | 'postgres';
  main: string;
  /** Each action at each point, where nothing else is said. */
  where?: readonly { at: KilledAction; point: ActionPoint }[];
  rounds?: number;
  killsPerPhase?: number;
  seed?: number;
  workflows: readonly { point: WorkflowPoint; givenUp: boolean }[];
  tell?: (line: string) => void;
  signal?: AbortSignal;
}): Promise<{ kills: ActionKill[]; crowds: Crowd[]; workflows: WorkflowKill[]; broken: string[] }> {
  if (!existsSync(options.main)) throw new Error(`${options.main} is not there: npm run build`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-action-kills-'));
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startPostgres();
    closers.push(() => postgres.stop());
    const redis = options.backend === 'redis' ? await startRedis() : null;
    if (redis) closers.push(() => redis.stop());
    const databaseUrl = await createDatabase(postgres.url, 'action_kills');
    const peer = await startPeer();
    closers.push(() => peer.close());
    const runs = join(folder, 'runs');
    const argo = await startArgoWorkflows();
    closers.push(() => argo.close());
    playWorkflows(argo);
    await createWorld(databaseUrl, peer.url, runs, definitionsOfWorkflows(argo.url));
    const environment = { ...SETTINGS, SLUICE_ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    const open = async (name: string, role: 'api' | 'worker', more = {}): Promise<SluiceProcess> => {
      const { main } = options;
      const given = {
        name,
        role,
        main,
        folder,
        databaseUrl,
        environment: { ...environment, ...more },
        redisUrl: redis?.url,
      };
      const process = await SluiceProcess.open(given);
      closers.push(() => process.close());
      return process;
    };
    const [server, crowded] = await Promise.all([open('server', 'api'), open('crowded', 'worker', OF_THE_CROWD)]);
    for (const deadline = Date.now() + 90_000; !(await server.isReady()); await sleep(30))
      if (Date.now() > deadline) throw new Error('the server is not ready after 90 s');
    await setSecret(server.url, { name: 'channel', secretValue: `${peer.url}/notify`, hosts: ['127.0.0.1'] });
    await setSecret(server.url, { name: 'argo-workflows', secretValue: argo.token, hosts: ['127.0.0.1'] });

    const kills: ActionKill[] = [];
    const crowds: Crowd[] = [];
    const workflows: WorkflowKill[] = [];
    const { where = EVERYWHERE, rounds = 1, killsPerPhase = 1, seed = 1, tell, signal } = options;
    const random = new Random(seed);
    for (let round = 1; round <= rounds && !signal?.aborted; round += 1) {
      const crowd = await runCrowd({
        server,
        worker: crowded,
        databaseUrl,
        releases: CROWD,
        killsPerPhase,
        random,
        version: `crowd-${round}`,
      });
      crowds.push(crowd);
      tell?.(`crowd: ${JSON.stringify({ ...crowd, broken: crowd.broken.length })}`);
    }
    await crowded.close();
    const worker = await open('worker', 'worker');
    for (let round = 1; round <= rounds && !signal?.aborted; round += 1) {
      for (const { at, point } of where) {
        peer.forget();
        rmSync(runs, { force: true });
        const before = worker.reached.length;
        await worker.kill(`${point}/${at}:1`);
        const { releaseId, userErrors } = await mutate(server.url, 'trigger', {
          product: PRODUCT,
          version: `${at}-${point}-${round}`,
        });
        if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
        await untilEnded(databaseUrl, releaseId);
        const { status, problem, measured } = await leftOf(databaseUrl, releaseId);
        const met = { ...peer.met(), command: existsSync(runs) ? readFileSync(runs, 'utf8').length : 0 };
        const reached = worker.reached.length > before;
        kills.push({ point, at, reached, status, problem, met, keys: peer.keys(), measured });
        tell?.(`${point}/${at}: ${status}`);
      }
      for (const each of options.workflows) {
        const kill = await killAtWorkflow({ server, worker, databaseUrl, argo, round, ...each });
        workflows.push(kill);
        tell?.(`argoWorkflow: ${JSON.stringify(kill)}`);
      }
    }
    return { kills, crowds, workflows, broken: [...judgeWorkflows(workflows), ...argo.problems] };
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Peer {
  url: string;
  met(): Record<Exclude<KilledAction, 'command'>, number>;
  /** How many keys it was asked with. */
  keys(): Record<'http' | 'notify', number>;
  forget(): void;
  close(): Promise<void>;
}

/** Counts what it is asked, by the first part of the path, and answers 1. */
async function startPeer(): Promise<Peer> {
  let asked: { path: string; key: string }[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url?.slice(1) ?? '', key: String(request.headers['idempotency-key'] ?? '') });
    request.resume();
    response.end('1');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const count = (path: string): number => asked.filter((each) => each.path === path).length;
  const keysOf = (path: string): number =>
    new Set(asked.filter((each) => each.path === path).map(({ key }) => key)).size;
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    met: () => ({ http: count('http'), notify: count('notify'), analysis: count('analysis') }),
    keys: () => ({ http: keysOf('http'), notify: keysOf('notify') }),
    forget: () => void (asked = []),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const SETTINGS = {
  SLUICE_LOCK_DURATION_MS: '1000',
  SLUICE_STALLED_INTERVAL_MS: '500',
  SLUICE_SWEEP_INTERVAL_MS: '300',
  SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  SLUICE_COMMANDS: '/bin/sh',
  LOG_LEVEL: 'info',
};

/** Forty programs beside it make its worker slow: it keeps its jobs a while longer. */
const OF_THE_CROWD = { SLUICE_LOCK_DURATION_MS: '4000' };

const metadata = (name: string) => ({ name, labels: {}, annotations: {} });

async function createWorld(
  databaseUrl: string,
  peer: string,
  runs: string,
  more: readonly AnyDefinition[],
): Promise<void> {
  await migrate(databaseUrl);
  const dataSource = await createDataSource(databaseUrl, { poolSize: 2 }).initialize();
  const save = async (definition: AnyDefinition): Promise<void> => {
    await dataSource.transaction((tx) => saveInTransaction(tx, definition, { mode: 'UPSERT', actor: 'chaos' }));
  };
  for (const name of ['dev', 'eu'])
    await save({ kind: 'Environment', metadata: metadata(name), spec: { kind: 'NON_PRODUCTION' } });
  const actions: WorkflowAction[] = [
    { name: 'call', type: 'http', parameters: { url: `${peer}/http`, method: 'POST' } },
    {
      name: 'tell',
      type: 'notify',
      dependsOn: ['call'],
      parameters: { url: '${secrets.channel}', text: '${VERSION}' },
    },
    {
      name: 'measure',
      type: 'analysis',
      dependsOn: ['tell'],
      parameters: { url: `${peer}/analysis`, success: '== 1', interval: '200ms', count: 3 },
    },
    {
      name: 'migrate',
      type: 'command',
      dependsOn: ['measure'],
      parameters: { program: '/bin/sh', args: ['-c', `printf x >> '${runs}'`], idempotent: false },
    },
  ];
  await save({ kind: 'PromotionWorkflow', metadata: metadata('actions'), spec: { actions } });
  await save({
    kind: 'PromotionFlow',
    metadata: metadata('flow'),
    spec: {
      triggerEnvironment: 'dev',
      onFailure: 'FINISH_RUNNING',
      steps: [{ environment: 'eu', dependsOn: ['dev'], policy: { preAction: 'actions' } }],
    },
  });
  await save({
    kind: 'Product',
    metadata: metadata(PRODUCT),
    spec: { promotionFlows: [{ name: 'flow' }], concurrency: 'QUEUE', queueLimit: 50 },
  });
  for (const environment of ['dev', 'eu']) {
    const spec = {
      product: PRODUCT,
      environment,
      driver: { type: 'simulate' as const },
      health: { type: 'none' as const },
    };
    await save({ kind: 'Application', metadata: metadata(`${PRODUCT}-${environment}`), spec });
  }
  for (const definition of [...crowdOf(CROWD), ...more]) await save(definition);
  await dataSource.destroy();
}

async function leftOf(
  databaseUrl: string,
  releaseId: string,
): Promise<Pick<ActionKill, 'status' | 'problem' | 'measured'>> {
  const [left] = await query<Pick<ActionKill, 'status' | 'problem' | 'measured'>>(
    databaseUrl,
    `SELECT r.status, coalesce(p.problem->>'message', '') AS problem, coalesce(p.steps->2->'outputs'->>'MEASURED', '') AS measured
     FROM release r JOIN promotion p ON p.release_id = r.id AND p.position = 1 WHERE r.id = '${releaseId}'`,
  );
  return left!;
}

async function untilEnded(databaseUrl: string, releaseId: string): Promise<void> {
  const ended = `SELECT FROM release WHERE id = '${releaseId}' AND ended_at IS NOT NULL`;
  for (const deadline = Date.now() + 60_000; (await query(databaseUrl, ended)).length === 0; await sleep(50))
    if (Date.now() > deadline) throw new Error(`release ${releaseId} has not ended within a minute`);
}
