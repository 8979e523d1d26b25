import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Reached } from '../test/core/support/reached.ts';
import { startPostgres, startRedis } from '../test/support/servers.ts';
import { apply } from './api.ts';
import { createDatabase, query } from './database.ts';
import { injectFaults } from './faults.ts';
import type { FaultRecord } from './faults.ts';
import { GUARDED, guardedWorld } from './guarded.ts';
import { HOOKED, hookedWorld } from './hooked.ts';
import { judgeAudit } from './judge/audit-rules.ts';
import { judgeProcesses, judgeSubscribers, judgeTriggers } from './judge/client-rules.ts';
import { judgeDeployments } from './judge/deployment-rules.ts';
import { judgeFold } from './judge/fold-rules.ts';
import { judgeGit } from './judge/git-rules.ts';
import { judgeGuards } from './judge/guard-rules.ts';
import { judgeCalls, judgeHooks } from './judge/hook-rules.ts';
import { readSettledHistory, toLines } from './judge/history.ts';
import type { Invariant } from './judge/history.ts';
import { judgeLog } from './judge/log-rules.ts';
import {
  judgeCandidates,
  judgeCursors,
  judgeEndsTold,
  judgeProposals,
  readCandidates,
} from './judge/proposal-rules.ts';
import { judgeRollbacks } from './judge/rollback-rules.ts';
import { judgeRecovery, recoveryOf, standstills } from './judge/recovery.ts';
import type { Standstill } from './judge/recovery.ts';
import { Keeper } from './keeper.ts';
import { Load } from './load.ts';
import { Operator } from './operator.ts';
import { SluiceProcess } from './processes.ts';
import { untilLookedAt } from './proposals/kill-points.ts';
import { introduce, openPeers } from './proposals/peers.ts';
import { faultBy, fateBy, Pusher } from './proposals/pusher.ts';
import { anyDeed, Robot } from './proposals/robot.ts';
import { proposedWorld } from './proposals/world.ts';
import { Random } from './random.ts';
import { Subscriber } from './subscriber.ts';
import { Target } from './target.ts';
import { WaitingReader } from './waiting-reader.ts';
import { createWorld, ENVIRONMENTS, REGIONS, troubleFrom } from './world.ts';

export interface ChaosOptions {
  seed: number;
  /** How long faults are injected. */
  seconds: number;
  backend: 'redis' | 'postgres';
  /** Sluice as it was built: dist/src/main.js. */
  main: string;
  /** Kinds of faults that come first, in this order; then they are drawn. */
  first?: string[];
  /** Milliseconds between two faults, and between two releases of a product, on average. */
  faultEvery?: number;
  releaseEvery?: number;
  /** Seconds that releases have to end in once the faults have stopped. */
  bound?: number;
  /** Keep what the processes wrote even when nothing was found. */
  keepLogs?: boolean;
  signal?: AbortSignal;
  tell?: (line: string) => void;
}

export interface ChaosOutcome {
  seed: number;
  seconds: number;
  backend: 'redis' | 'postgres';
  faults: Record<string, number>;
  releases: Record<string, number>;
  invariants: Invariant[];
  /** Releases that had not ended within the bound. */
  stuck: number;
  /** Seconds that a release which was at work when a fault hit stood still. */
  recovery: { p50: number; p99: number; max: number };
  longest: Standstill[];
  /** Seconds from the last fault until every release had ended. */
  settled: number;
  /** What there was of hooks, policies, skips and retries, and how often. */
  reached: Record<string, number>;
  /** What a run of that length has to reach and did not. */
  missing: string[];
  /** What the processes wrote; kept when something was found. */
  logs: string | null;
}

const LOCK_DURATION = 3_000;

/** Two servers, two workers, real PostgreSQL, Redis and git, on loopback; a load, faults, silence, and then the judge. */
export async function runChaos(options: ChaosOptions): Promise<ChaosOutcome> {
  if (!existsSync(options.main)) throw new Error(`${options.main} is not there: npm run build`);
  const { seed, seconds, backend, tell = () => undefined, signal = new AbortController().signal } = options;
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-'));
  const closers: (() => Promise<unknown>)[] = [];
  // Until something is known, something may have to be looked into.
  let keepLogs = true;
  try {
    // What a crash of the server must not lose, it must have on disk: fsync stays on.
    const postgres = await startPostgres({ durable: true });
    closers.push(() => postgres.stop());
    const redis = backend === 'redis' ? await startRedis({ appendOnly: true }) : null;
    if (redis) closers.push(() => redis.stop());
    const databaseUrl = await createDatabase(postgres.url, 'chaos');
    const world = await createWorld(databaseUrl, join(folder, 'git'), troubleFrom(random.fork()));
    const target = await Target.open(random.fork());
    closers.push(() => target.close());
    const peers = await openPeers(folder);
    closers.push(() => peers.close());
    const processes: SluiceProcess[] = [];
    for (const [name, role] of [
      ['server-1', 'api'],
      ['server-2', 'api'],
      ['worker-1', 'worker'],
      ['worker-2', 'worker'],
    ] as const) {
      const process = await SluiceProcess.open({
        name,
        role,
        main: options.main,
        folder,
        databaseUrl,
        redisUrl: redis?.url,
        environment: { ...SETTINGS, ...peers.environment },
      });
      closers.push(() => process.close());
      processes.push(process);
    }
    const urls = processes.filter((each) => each.role === 'api').map((each) => each.url);
    await allReady(processes);
    await apply(urls[0] as string, guardedWorld(ENVIRONMENTS, REGIONS, target.url));
    await apply(urls[0] as string, hookedWorld(ENVIRONMENTS, REGIONS, target.url));
    for (const name of [GUARDED, ...HOOKED]) world.products.push({ name, repository: null });
    await introduce(urls[0] as string, peers);
    const proposed = await proposedWorld(peers, PROPOSED);
    await apply(urls[0] as string, proposed.manifests);

    const filters = [
      {},
      {},
      { product: 'git-one' },
      { product: 'slow' },
      { environment: 'asia-2' },
      { product: 'overlapping', environment: 'staging' },
    ];
    const subscribers = filters.map(
      (filter, index) => new Subscriber(`subscriber-${index + 1}`, urls, filter, random.fork()),
    );
    for (const each of subscribers) closers.push(() => each.close());
    // A long run leaves room to recover: faults that come faster than a process starts only show that nothing works while
    // nothing lives, and releases that come faster than they end only show how long a queue gets. Many lead to a rollback.
    const long = seconds > 60;
    const load = new Load(urls, random.fork(), options.releaseEvery ?? (long ? 12_000 : 4_000));
    const operator = new Operator(urls, random.fork());
    await Promise.all([load.first(world), untilLookedAt(databaseUrl, proposed.products)]);
    const unready = await untilEnded(databaseUrl, { since: Date.now(), bound: 60_000 }, signal);
    if (unready > 0) throw new Error(`${unready} releases did not end before anything went wrong`);
    load.start(world);
    const pusher = new Pusher(proposed.products, random.fork(), options.releaseEvery ?? (long ? 12_000 : 4_000));
    const deeds = random.fork();
    const robotFaults: unknown[] = [];
    const robot = new Robot(
      peers,
      proposed.products,
      ({ merge }) => drawn(deeds, merge),
      (each) => robotFaults.push(each),
    );
    closers.push(() => robot.close());
    peers.forge.deliveries.fate = fateBy(random.fork());
    peers.forge.faults.byChance = faultBy(random.fork());
    const keeper = new Keeper(urls, random.fork(), target.url);
    const reader = new WaitingReader(urls, random.fork());
    tell(`seed ${seed}, ${backend}: faults for ${seconds} s`);
    const victims = { processes, subscribers, postgres, redis, lockDurationMs: LOCK_DURATION };
    const faults = await injectFaults(victims, random.fork(), {
      until: Date.now() + seconds * 1_000,
      every: options.faultEvery ?? (long ? 3_000 : 700),
      first: options.first ?? [],
      signal,
    });
    const quiet = Date.now();
    tell(`${faults.length} faults; now everything has to end`);
    await Promise.all([keeper.close(), pusher.close()]);
    await load.stop(20_000);
    peers.forge.faults.byChance = undefined;
    const stuck = await untilEnded(
      databaseUrl,
      { since: quiet, bound: (options.bound ?? 60) * 1_000 },
      signal,
      pusher.pushed,
    );
    const settled = (Date.now() - quiet) / 1_000;
    await Promise.all([operator.close(), reader.close(), robot.close()]);
    if (robotFaults.length > 0) throw new Error(`the robot failed: ${robotFaults.map(String).join('; ')}`);
    await allReady(processes);
    await untilSeen(databaseUrl, subscribers, signal);

    const history = await readSettledHistory(databaseUrl);
    const candidates = await readCandidates(databaseUrl);
    const byThemselves = new Set(candidates.flatMap(({ releaseId }) => releaseId ?? []));
    const releases = [...history.releases.values()];
    const repositories = world.products.flatMap(({ name, repository }) =>
      repository ? [{ product: name, repository }] : [],
    );
    const reached = new Reached();
    countDone(load, reached);
    const served = processes.filter(({ role }) => role === 'worker').flatMap((each) => each.served);
    const invariants = [
      ...judgeLog(history),
      judgeFold(releases),
      judgeDeployments(history),
      ...(await judgeGit(repositories, history)),
      ...(await judgeRollbacks(repositories, history)),
      judgeSubscribers(subscribers, history),
      judgeTriggers(load.asked, history, byThemselves),
      ...(await judgeProposals(peers, proposed.products, history, databaseUrl)),
      await judgeEndsTold(peers, proposed.products, history, served),
      judgeCandidates(pusher.pushed, history, candidates, { coalesced: true }),
      await judgeCursors(databaseUrl),
      judgeProcesses(processes),
      ...judgeGuards(history, { keeper, calls: target.calls, reader }),
      ...judgeHooks(history, reached),
      judgeCalls(history, target.calls, reached),
      judgeAudit(history, byThemselves),
    ];
    // Those stand still for as long as people leave a pull request open.
    const own = releases.filter(({ product }) => !proposed.products.some(({ name }) => name === product));
    const still = standstills(own, faults.filter(isOutage), served);
    invariants.push(judgeRecovery(still));
    keepLogs = options.keepLogs === true || stuck > 0 || invariants.some((each) => each.violations.length > 0);
    // The database is gone soon: what was judged stays with the logs, for whoever has to look into it.
    if (keepLogs) writeFileSync(join(folder, 'history.jsonl'), toLines(history));
    return {
      seed,
      seconds,
      backend,
      faults: countBy(faults, (each) => each.kind),
      releases: countBy(releases, (each) => (each.kind === 'ROLLBACK' ? `ROLLBACK ${each.status}` : each.status)),
      invariants,
      stuck,
      recovery: recoveryOf(still),
      longest: still.slice(0, 8),
      settled,
      reached: Object.fromEntries(reached.counts),
      missing: missingIn(reached, seconds),
      logs: keepLogs ? folder : null,
    };
  } finally {
    for (const close of closers.reverse())
      await close().catch((error: unknown) => tell(`while closing: ${String(error)}`));
    if (!keepLogs) rmSync(folder, { recursive: true, force: true });
  }
}

/** What people did to releases on their way, and after their end. */
function countDone({ terminated, retried, retriedOne, skipped, reported }: Load, reached: Reached): void {
  const done = { terminate: terminated.length, retry: retried.length, 'retry of one': retriedOne.length };
  for (const [what, times] of Object.entries({ ...done, skip: skipped.length, 'report of a rollout': reported }))
    if (times > 0) reached.count(`person: ${what}`, times);
}

/** What a run of a minute reaches. */
const MUST_REACH = [
  ...['terminate', 'retry of one', 'skip', 'report of a rollout'].map((each) => `person: ${each}`),
  ...['ON_START', 'ON_SUCCESS', 'ON_FAIL'].map((own) => `hook ${own} SUCCEEDED`),
  'hook onFail of an FAILED environment',
  'hook onFail of an FAILED member',
  'hook onFail of a promotion SUCCEEDED',
  ...['FLOW', 'POLICY', 'a locked POLICY'].map((origin) => `setting of ${origin}`),
  'context handed on',
  'output of a step handed on',
];

/** And a run of five. */
const LONG_MUST_REACH = [
  ...MUST_REACH,
  'person: retry',
  ...['ON_START', 'ON_SUCCESS', 'ON_FAIL'].map((own) => `hook ${own} FAILED`),
  'hook onFail of an FAILED step',
  'hook onFail of a promotion FAILED',
  'hook ON_FAIL after a termination',
  ...['ON_START', 'ON_SUCCESS'].map((phase) => `hook of an environment ${phase} failed`),
  'a hook failed, and it goes back',
];

/** What a run of so many seconds had to reach and did not. */
function missingIn(reached: Reached, seconds: number): string[] {
  const wanted = seconds >= 300 ? LONG_MUST_REACH : seconds >= 60 ? MUST_REACH : [];
  return wanted.filter((each) => !reached.has(each));
}

/** Their changes arrive by pushes, and go in by pull requests. */
const PROPOSED = [
  { name: 'proposed-one', merge: 'MANUAL' as const },
  { name: 'proposed-two', merge: 'AUTO' as const },
];

/** Sluice merges its own when nobody else does. */
function drawn(random: Random, merge: 'MANUAL' | 'AUTO'): ReturnType<typeof anyDeed> {
  return merge === 'AUTO' && random.chance(0.7) ? { deed: 'leave', after: 0 } : anyDeed(random);
}

const SETTINGS = {
  SLUICE_LOCK_DURATION_MS: String(LOCK_DURATION),
  SLUICE_STALLED_INTERVAL_MS: '1000',
  SLUICE_SWEEP_INTERVAL_MS: '500',
  SLUICE_CONCURRENCY: '16',
  // Targets are looked at all the time: what the faults do to promotions must not look like somebody's change by hand.
  SLUICE_DRIFT_INTERVAL_MS: '15000',
  // Roles apart say nothing about who reaches them: only a whole server takes files without being told.
  SLUICE_GIT_PROTOCOLS: 'file',
  // What the http actions call is on this machine.
  SLUICE_ALLOWED_NETWORKS: '127.0.0.0/8',
  LOG_LEVEL: 'info',
};

/** A cut subscriber holds nobody up. */
const isOutage = ({ kind }: FaultRecord): boolean => kind !== 'subscriber cut';

async function allReady(processes: SluiceProcess[]): Promise<void> {
  const deadline = Date.now() + 90_000;
  for (const each of processes) {
    while (!(await each.isReady())) {
      if (Date.now() > deadline) throw new Error(`${each.name} is not ready after 90 s`);
      await sleep(50);
    }
  }
}

/**
 * How many releases have not ended `bound` milliseconds after `since`, or rollbacks have not begun, or not told all whom they take back; how
 * many pull requests are not closed, statuses not set, and newest pushes of a product not released: one whose webhook was lost is noticed by the next
 * look at its repository. A machine that is merely slow is given ten times as long, for as long as the log goes on: what is stuck says
 * nothing any more, and what goes round for ever says too much.
 */
async function untilEnded(
  url: string,
  { since, bound }: { since: number; bound: number },
  signal: AbortSignal,
  pushed: ReadonlyMap<string, readonly number[]> = new Map(),
): Promise<number> {
  const newest = [...pushed].map(([product, versions]) => ({ product, version: String(versions.at(-1)) }));
  for (;;) {
    const [row] = await query<{ open: number; quiet: number }>(
      url,
      `SELECT count(*)::integer + (SELECT count(*) FROM rollback WHERE settled_at IS NULL)::integer
         + (SELECT count(*) FROM outbox WHERE work->>'kind' IN ('roll-back', 'errand'))::integer
         + (SELECT count(*) FROM candidate WHERE ended_at IS NULL)::integer
         + (SELECT count(*) FROM commit_status WHERE due_at IS NOT NULL)::integer
         + (SELECT count(*) FROM jsonb_to_recordset($1::jsonb) AS p(product text, version text)
            WHERE NOT EXISTS (SELECT FROM release r WHERE r.product = p.product AND r.version = p.version))::integer AS open,
         (SELECT extract(epoch FROM now() - max(at))::float FROM release_event) AS quiet
       FROM release WHERE ended_at IS NULL`,
      [JSON.stringify(newest)],
    );
    const { open = 0, quiet = 0 } = row ?? {};
    const over = Date.now() > since + (quiet > SILENCE ? 1 : SLOW) * bound;
    if (open === 0 || over || signal.aborted) return open;
    await sleep(100);
  }
}

/**
 * Longer than any lock, backoff or timer of a run, in seconds. The longest are those of news: a look that a killed worker had begun is
 * another one's after 10 s, a candidate after 15 s, a status after 20 s.
 */
const SILENCE = 25;
/** So many times the bound a run takes at most while its log goes on. */
const SLOW = 10;

/** Subscribers may lag: they get a moment for what they have not seen yet, and one more for what they should not see. */
async function untilSeen(url: string, subscribers: Subscriber[], signal: AbortSignal): Promise<void> {
  const [row] = await query<{ events: number }>(url, 'SELECT count(*)::integer AS events FROM logged_event');
  const all = subscribers.filter((each) => Object.keys(each.filter).length === 0);
  const deadline = Date.now() + 10_000;
  while (all.some((each) => each.seen.length < (row?.events ?? 0)) && Date.now() < deadline && !signal.aborted)
    await sleep(50);
  await sleep(500);
}

function countBy<T>(all: T[], key: (each: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of all) counts[key(each)] = (counts[key(each)] ?? 0) + 1;
  return counts;
}
