import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FAULT_POINTS } from '../src/faults.ts';
import type { FaultPoint } from '../src/faults.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import { decide, mutate, readProposals } from './api.ts';
import { createDatabase, query } from './database.ts';
import { judgeFold } from './judge/fold-rules.ts';
import { judgeGit } from './judge/git-rules.ts';
import { readSettledHistory } from './judge/history.ts';
import { Rule } from './judge/history.ts';
import type { Invariant } from './judge/history.ts';
import { judgeLog } from './judge/log-rules.ts';
import { SluiceProcess } from './processes.ts';
import { git } from './repositories.ts';
import { CASCADES, createWorld, PROPOSALS, REGIONS } from './world.ts';

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
  /** Every release fails in us-east and is taken back, with its siblings: killed on the way there and back. */
  cascade?: boolean;
  /** Of a cascade: its siblings are proposed, somebody agrees, and the worker is killed while that is decided. */
  asked?: boolean;
  tell?: (line: string) => void;
  /** Ends it before the next kill. */
  signal?: AbortSignal;
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
    const { products } = await createWorld(
      databaseUrl,
      join(folder, 'git'),
      options.asked ? PROPOSALS : options.cascade ? CASCADES : undefined,
    );
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
    const release = async (): Promise<string> => {
      await product.repository?.change('dev');
      const { releaseId, userErrors } = await mutate(server.url, 'trigger', { product: product.name });
      if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
      await untilEnded(databaseUrl, releaseId);
      const agreed = new Set<string>();
      const agree = async (): Promise<void> => {
        for (const proposal of await readProposals(server.url)) {
          const first = agreed.size === 0;
          agreed.add(`${proposal.releaseId} ${proposal.environment}`);
          await Promise.all([decide(server.url, 'approve', proposal), first ? worker.kill() : undefined]);
        }
      };
      if (options.cascade) await untilTakenBack(databaseUrl, releaseId, options.asked ? agree : undefined);
      return releaseId;
    };
    const bare = product.repository?.bare as string;
    const regions = (): Promise<string[]> => Promise.all(REGIONS.map((each) => git(bare, 'rev-parse', `main:${each}`)));
    if (options.cascade) await release();
    const good = await regions();
    const files = new Rule('after a cascade the files are byte for byte those of the last verified version');
    const reached: KillPointsOutcome['reached'] = {};
    for (const point of FAULT_POINTS) {
      for (const count of options.counts[point] ?? []) {
        options.signal?.throwIfAborted();
        const before = worker.reached.length;
        await worker.kill(`${point}:${count}`);
        const releaseId = await release();
        const now = options.cascade ? await regions() : good;
        files.expect(now.join() === good.join(), () => `${point}:${count}, release ${releaseId}: ${now.join()}`);
        // A release has fewer of them than that: a higher count will not be reached either.
        if (worker.reached.length === before) break;
        reached[point] = (reached[point] ?? 0) + 1;
        options.tell?.(`${point}:${count}`);
      }
    }
    const history = await readSettledHistory(databaseUrl);
    const releases = [...history.releases.values()];
    const statuses: Record<string, number> = {};
    for (const { status } of releases) statuses[status] = (statuses[status] ?? 0) + 1;
    const repositories = products.flatMap(({ name, repository }) =>
      repository ? [{ product: name, repository }] : [],
    );
    return {
      reached,
      statuses,
      invariants: [files, ...judgeLog(history), judgeFold(releases), ...(await judgeGit(repositories, history))],
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
  // The server of its role is taken for one that others reach.
  SLUICE_GIT_PROTOCOLS: 'file',
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
  for (const deadline = Date.now() + 120_000; (await query(databaseUrl, ended)).length === 0;) {
    if (Date.now() > deadline) {
      const last = `SELECT event FROM logged_event WHERE release_id = '${releaseId}' ORDER BY sequence DESC LIMIT 5`;
      const events = (await query(databaseUrl, last)).map(({ event }) => JSON.stringify(event));
      throw new Error(`release ${releaseId} has not ended within two minutes; last: ${events.join(', ')}`);
    }
    await sleep(50);
  }
}

/** The first release succeeds; every other one fails, and its rollback has told it how it ended. */
async function untilTakenBack(databaseUrl: string, releaseId: string, meanwhile?: () => Promise<void>): Promise<void> {
  const done = `SELECT FROM release r WHERE id = '${releaseId}' AND (status = 'SUCCEEDED' OR EXISTS (
    SELECT FROM rollback b JOIN release w ON w.id = b.id
    WHERE b.release_id = r.id AND w.ended_at IS NOT NULL AND b.settled_at IS NOT NULL))`;
  for (const deadline = Date.now() + 60_000; (await query(databaseUrl, done)).length === 0;) {
    if (Date.now() > deadline) throw new Error(`release ${releaseId} has not been taken back within a minute`);
    await meanwhile?.();
    await sleep(50);
  }
}
