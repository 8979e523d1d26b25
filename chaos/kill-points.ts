import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_POINTS } from '../src/faults.ts';
import type { FaultPoint } from '../src/faults.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import { mutate } from './api.ts';
import { createDatabase, query } from './database.ts';
import { judgeFold } from './judge/fold-rules.ts';
import { judgeGit } from './judge/git-rules.ts';
import { readHistory } from './judge/history.ts';
import type { Invariant } from './judge/history.ts';
import { judgeLog } from './judge/log-rules.ts';
import { SluiceProcess } from './processes.ts';
import { createWorld } from './world.ts';

export interface KillPointsOutcome {
  /** Point → how many of the asked counts a release reached: there the worker was killed. */
  reached: Partial<Record<FaultPoint, number>>;
  statuses: Record<string, number>;
  invariants: Invariant[];
}

/**
 * One release after the other on a real git repository, its only worker killed (SIGKILL) at one point for the nth time: the
 * release goes on from there and succeeds, and nothing is committed twice. `counts` says which n are tried at which point.
 */
export async function runKillPoints(options: {
  backend: 'redis' | 'postgres';
  main: string;
  counts: Partial<Record<FaultPoint, number[]>>;
  tell?: (line: string) => void;
}): Promise<KillPointsOutcome> {
  if (!existsSync(options.main)) throw new Error(`${options.main} is not there: npm run build`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kill-points-'));
  const closers: (() => Promise<unknown>)[] = [];
  try {
    const postgres = await startPostgres();
    closers.push(() => postgres.stop());
    const redis = options.backend === 'redis' ? await startRedis() : null;
    if (redis) closers.push(() => redis.stop());
    const databaseUrl = await createDatabase(postgres.url, 'kill_points');
    const { products } = await createWorld(databaseUrl, join(folder, 'git'));
    const product = products.find((each) => each.repository !== null) as (typeof products)[number];
    const open = async (name: string, role: 'api' | 'worker'): Promise<SluiceProcess> => {
      const { main } = options;
      const process = await SluiceProcess.open({
        name,
        role,
        main,
        folder,
        databaseUrl,
        redisUrl: redis?.url,
        environment: SETTINGS,
      });
      closers.push(() => process.close());
      return process;
    };
    const [server, worker] = await Promise.all([open('server', 'api'), open('worker', 'worker')]);
    await ready(server);
    const reached: KillPointsOutcome['reached'] = {};
    for (const point of FAULT_POINTS) {
      for (const count of options.counts[point] ?? []) {
        const before = worker.pointsReached;
        await worker.kill(`${point}:${count}`);
        await product.repository?.change('dev');
        const { releaseId, userErrors } = await mutate(server.url, 'trigger', { product: product.name });
        if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
        await untilEnded(databaseUrl, releaseId);
        // A release has fewer of them than that: a higher count will not be reached either.
        if (worker.pointsReached === before) break;
        reached[point] = (reached[point] ?? 0) + 1;
        options.tell?.(`${point}:${count}`);
      }
    }
    const history = await readHistory(databaseUrl);
    const releases = [...history.releases.values()];
    const statuses: Record<string, number> = {};
    for (const { status } of releases) statuses[status] = (statuses[status] ?? 0) + 1;
    const repositories = products.flatMap(({ name, repository }) =>
      repository ? [{ product: name, repository }] : [],
    );
    return {
      reached,
      statuses,
      invariants: [...judgeLog(history), judgeFold(releases), ...(await judgeGit(repositories, history))],
    };
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const SETTINGS = {
  SLUICE_LOCK_DURATION_MS: '1000',
  SLUICE_STALLED_INTERVAL_MS: '500',
  SLUICE_SWEEP_INTERVAL_MS: '300',
  LOG_LEVEL: 'info',
};

async function ready(process: SluiceProcess): Promise<void> {
  for (const deadline = Date.now() + 90_000; !(await process.isReady());) {
    if (Date.now() > deadline) throw new Error(`${process.name} is not ready after 90 s`);
    await sleep(30);
  }
}

async function untilEnded(databaseUrl: string, releaseId: string): Promise<void> {
  const ended = `SELECT FROM release WHERE id = '${releaseId}' AND ended_at IS NOT NULL`;
  for (const deadline = Date.now() + 60_000; (await query(databaseUrl, ended)).length === 0;) {
    if (Date.now() > deadline) throw new Error(`release ${releaseId} has not ended within a minute`);
    await sleep(50);
  }
}
