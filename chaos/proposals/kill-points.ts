import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, FaultProxy, Meant } from '../../test/peers/faults.ts';
import { startPostgres, startRedis } from '../../test/support/servers.ts';
import { apply, mutateUntilAnswered, toGlobalId } from '../api.ts';
import { createDatabase, query } from '../database.ts';
import { manifest } from '../guarded.ts';
import { judgeFold } from '../judge/fold-rules.ts';
import { readHistory, readSettledHistory, toLines } from '../judge/history.ts';
import type { Invariant } from '../judge/history.ts';
import { judgeLog } from '../judge/log-rules.ts';
import { judgeCandidates, judgeCursors, judgeProposals, readCandidates } from '../judge/proposal-rules.ts';
import { SluiceProcess } from '../processes.ts';
import { Random } from '../random.ts';
import { introduce, openPeers } from './peers.ts';
import type { Peers } from './peers.ts';
import { Robot } from './robot.ts';
import { PROPOSED_ENVIRONMENT, PROPOSED_WAY, proposedWorld, pushVersion } from './world.ts';
import type { ProposedProduct } from './world.ts';

/**
 * An effect: of one at a peer, how its request is told from others; what the process calls the record of it, which it may have in common
 * with others.
 */
interface Effect {
  at: 'git' | 'forge' | 'database' | 'server';
  /** Absent: no request is made. */
  meant?: Meant;
  record: string;
  /** Whether it is about the commit of a merge queue; absent: that does not matter. */
  group?: boolean;
}

const context = (of: (product: string) => boolean): Meant => {
  return (request, body) => {
    if (!/^POST .*\/statuses\/[0-9a-f]+$/.test(request)) return false;
    return of((JSON.parse(body.toString()) as { context: string }).context);
  };
};

/** `sluice/PRODUCT/ENVIRONMENT`, in place of `sluice/PRODUCT`. */
const isOfPlace = (each: string): boolean => each.split('/').length === 3;

/**
 * Rows of effects that Sluice has at a forge, deliveries that ask for more than a look, what a push is taken for, and the release that starts
 * by itself.
 */
export const EFFECTS = {
  branch: {
    at: 'git',
    meant: (request, body) => /^POST .*\/git-receive-pack$/.test(request) && body.includes('refs/heads/sluice/'),
    record: 'propose',
  },
  open: { at: 'forge', meant: /^POST .*\/pulls$/, record: 'propose' },
  'labels and reviewers': { at: 'forge', meant: /^POST .*\/(labels|requested_reviewers)$/, record: 'propose' },
  'status on the head': { at: 'forge', meant: context(isOfPlace), record: 'status', group: false },
  'status on a merge group': { at: 'forge', meant: context(isOfPlace), record: 'status', group: true },
  'status on the triggering commit': {
    at: 'forge',
    meant: context((each) => !isOfPlace(each)),
    record: 'status',
  },
  merge: { at: 'forge', meant: /^PUT .*\/merge$/, record: 'merge' },
  comment: { at: 'forge', meant: /^POST .*\/comments$/, record: 'close-pull-request' },
  close: { at: 'forge', meant: /^PATCH .*\/pulls\/\d+$/, record: 'close-pull-request' },
  'delete the branch': { at: 'forge', meant: /^DELETE .*\/git\/refs\//, record: 'merge' },
  'delivery of a merge group': { at: 'server', record: 'news' },
  'candidate of a push': { at: 'database', record: 'arrival' },
  'automatic release': { at: 'database', record: 'candidate' },
} satisfies Record<string, Effect>;
export type EffectName = keyof typeof EFFECTS;

export const POINTS = ['before-effect', 'after-effect', 'after-record'] as const;
export type Point = (typeof POINTS)[number];

export interface ProposalKillsOutcome {
  /** `effect, point` → how often the worker was killed there. */
  reached: Record<string, number>;
  releases: Record<string, number>;
  invariants: Invariant[];
  /** What the processes wrote; kept when something was found. */
  logs: string | null;
}

/**
 * Releases of several products at once, each started by a push, into an environment that takes pull requests: Sluice merges some, people
 * merge others, some go in by a merge queue, and some are ended while their pull request is open. On their way the only worker, or the
 * server, is killed (SIGKILL) at a point of an effect, a few times at each: before the peer has heard of it, before the worker has the
 * answer, or when it is recorded. Everything goes on and ends, and the counters of the peers are the judge.
 */
export async function runProposalKills(options: {
  backend: 'redis' | 'postgres';
  main: string;
  /** Which effects at which points, and how many kills at each. */
  kills: { effect: EffectName; point: Point; times: number }[];
  /** How many products; three are needed for all that can happen. */
  products?: number;
  seed?: number;
  tell?: (line: string) => void;
  /** Ends it before the next round; what there is until then is judged. */
  signal?: AbortSignal;
}): Promise<ProposalKillsOutcome> {
  if (!existsSync(options.main)) throw new Error(`${options.main} is not there: npm run build`);
  const { backend, main, kills, tell = () => undefined } = options;
  const random = new Random(options.seed ?? 1);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-proposal-kills-'));
  const closers: (() => Promise<unknown>)[] = [];
  let keep = true;
  try {
    const postgres = await startPostgres();
    closers.push(() => postgres.stop());
    const redis = backend === 'redis' ? await startRedis() : null;
    if (redis) closers.push(() => redis.stop());
    const databaseUrl = await createDatabase(postgres.url, 'proposal_kills');
    const peers = await openPeers(folder);
    closers.push(() => peers.close());
    const environment = { ...SETTINGS, ...peers.environment };
    const open = async (name: string, role: 'api' | 'worker'): Promise<SluiceProcess> => {
      const process = await SluiceProcess.open({
        name,
        role,
        main,
        folder,
        databaseUrl,
        redisUrl: redis?.url,
        environment,
      });
      closers.push(() => process.close());
      return process;
    };
    const server = await open('server', 'api');
    await ready(server);
    const worker = await open('worker', 'worker');
    const names = Array.from({ length: options.products ?? 6 }, (_, index) => ({
      name: `proposed-${index + 1}`,
      merge: index % 3 === 0 ? ('AUTO' as const) : ('MANUAL' as const),
    }));
    const { products, manifests } = await proposedWorld(peers, names);
    await introduce(
      server.url,
      peers,
      names.map(({ name }) => name),
    );
    await apply(server.url, [...PROPOSED_WAY.map(environmentManifest), manifests].join('\n---\n'));
    await untilLookedAt(databaseUrl, products);
    const groups = new Set<string>();
    peers.gitHost.onRefMoved(({ ref, after }) => void (ref.startsWith(QUEUE) && groups.add(after)));
    for (const { name, merge } of products)
      if (merge === 'MANUAL' && !isLeft(name))
        peers.forge.protect(name, 'main', {
          contexts: [`sluice/${name}/${PROPOSED_ENVIRONMENT}`],
          pushers: [peers.forge.account, peers.forge.gitLogin.username],
        });
    const world: World = {
      peers,
      products,
      server,
      worker,
      databaseUrl,
      random,
      groups,
      pushed: new Map(),
      faults: [],
    };
    closers.push(async () => {
      if (keep) await dump(databaseUrl, folder);
    });
    await round(world, []);
    const rows = kills.map((each): Row => ({ ...each, killed: 0 }));
    const isOpen = ({ times, killed }: Row): boolean => killed < times;
    // What was killed is done again, and can be killed again; where there is not enough of it, there is another round.
    const most = 3 + 2 * Math.max(...rows.map(({ times }) => times));
    const unended: Invariant = {
      name: 'what goes on ends within five minutes of the last kill',
      checked: 0,
      violations: [],
    };
    try {
      for (let left = most; left > 0 && rows.some(isOpen) && !options.signal?.aborted; left -= 1) {
        const open = rows.filter(isOpen);
        await round(world, open);
        unended.checked += 1;
        const killed = rows.reduce((sum, each) => sum + each.killed, 0);
        tell(
          `killed ${killed} times, of ${rows.filter((each) => !isOpen(each)).length} of ${rows.length} kinds enough`,
        );
      }
      await untilEnded(world, ({ errands, statuses }) => errands + statuses === 0);
    } catch (error) {
      // Where something has not ended, the rest is judged all the same.
      unended.violations.push(String(error));
    }
    const reached = Object.fromEntries(rows.map(({ effect, point, killed }) => [`${effect}, ${point}`, killed]));
    const history = await readSettledHistory(databaseUrl);
    const releases: Record<string, number> = {};
    for (const { status } of history.releases.values()) releases[status] = (releases[status] ?? 0) + 1;
    const invariants = [
      unended,
      ...judgeLog(history),
      judgeFold([...history.releases.values()]),
      ...(await judgeProposals(peers, products, history, databaseUrl, sendersKilled(rows))),
      judgeCandidates(world.pushed, history, await readCandidates(databaseUrl), { coalesced: false }),
      await judgeCursors(databaseUrl),
    ];
    keep = world.faults.length > 0 || invariants.some(({ violations }) => violations.length > 0);
    if (world.faults.length > 0) throw new Error(`the robot failed: ${world.faults.map(String).join('; ')}`);
    return { reached, releases, invariants, logs: keep ? folder : null };
  } finally {
    for (const close of closers.reverse()) await close();
    if (!keep) rmSync(folder, { recursive: true, force: true });
    else tell(`what the processes wrote is in ${folder}`);
  }
}

/** What was judged, for whoever has to look into it: the database is gone soon. */
export async function dump(databaseUrl: string, folder: string): Promise<void> {
  writeFileSync(join(folder, 'history.jsonl'), toLines(await readHistory(databaseUrl)));
  for (const table of [
    'pull_request',
    'candidate',
    'trigger_cursor',
    'commit_status',
    'outbox',
    'watched_repository',
  ]) {
    const rows = await query<{ row: unknown }>(databaseUrl, `SELECT to_jsonb(t) AS row FROM ${table} t`);
    writeFileSync(join(folder, `${table}.jsonl`), rows.map(({ row }) => `${JSON.stringify(row)}\n`).join(''));
  }
}

/** A point of an effect, how often is to be killed there, and how often was. */
interface Row {
  effect: EffectName;
  point: Point;
  times: number;
  killed: number;
}

interface World {
  peers: Peers;
  products: ProposedProduct[];
  server: SluiceProcess;
  worker: SluiceProcess;
  databaseUrl: string;
  random: Random;
  /** Commits that merge queues have made. */
  groups: Set<string>;
  /** What was pushed for each product. */
  pushed: Map<string, number[]>;
  /** Of the robot. */
  faults: unknown[];
}

/** Of one product in three the release is ended while its pull request is open. */
const isLeft = (name: string): boolean => Number(/\d+$/.exec(name)![0]) % 3 === 0;

const QUEUE = 'refs/heads/gh-readonly-queue/';

const SETTINGS = {
  SLUICE_LOCK_DURATION_MS: '1000',
  SLUICE_STALLED_INTERVAL_MS: '500',
  SLUICE_SWEEP_INTERVAL_MS: '300',
  SLUICE_DRIFT_INTERVAL_MS: '0',
  SLUICE_CONCURRENCY: '16',
  LOG_LEVEL: 'info',
};

const environmentManifest = (name: string): string =>
  manifest('Environment', name, { kind: name === PROPOSED_ENVIRONMENT ? 'PRODUCTION' : 'NON_PRODUCTION' });

/** Records of what is done after its release has ended, too, and a minute later where a killed worker had claimed it. */
const LATER: ReadonlySet<string> = new Set(['close-pull-request', 'status']);

/** Of one kind in one round: so much is on its way that more would be at the same things again. */
const MOST_IN_A_ROUND = 4;

/**
 * One version of each product on its way to the end, with kills on the way. What a killed worker had claimed may be done a minute later:
 * the next rounds go on meanwhile.
 */
async function round(world: World, rows: readonly Row[]): Promise<void> {
  const { peers, products, server, worker, random, pushed } = world;
  const armed = await arm(world, rows);
  const queues = rows.some(({ effect }) => effect.endsWith('merge group'));
  const robot = new Robot(
    peers,
    products.filter(({ merge }) => merge === 'MANUAL'),
    ({ name }) => {
      if (isLeft(name)) return { deed: 'leave', after: 0 };
      const deed = queues && random.chance(0.7) ? 'queue' : random.pick(['merge', 'squash', 'rebase'] as const);
      return { deed, after: random.between(100, 1_000) };
    },
    (error) => world.faults.push(error),
  );
  try {
    const version = (pushed.get(products[0]!.name)?.length ?? 0) + 1;
    for (const product of products) {
      await pushVersion(product, version);
      pushed.set(product.name, [...(pushed.get(product.name) ?? []), version]);
    }
    // What outlives releases is killed in the rounds of others; where only that is left, it is waited for.
    const isLater = rows.every(({ effect }) => LATER.has(EFFECTS[effect].record));
    const isEnough = ({ errands, statuses }: Left): boolean =>
      armed.left() === 0 || !isLater || errands + statuses === 0;
    await untilEnded(world, isEnough, async () => {
      sendAgain(peers);
      await terminate(world, server.url);
      await armed.stir();
      return armed.left();
    });
  } finally {
    await robot.close();
    armed.takeBack();
  }
  armed.count();
  if (rows.some(endsItself)) await Promise.all([worker.kill(), server.kill()]);
}

/** The process ends itself; else the peer ends it. */
const endsItself = ({ effect, point }: Row): boolean => point === 'after-record' || !('meant' in EFFECTS[effect]);

interface Armed {
  /** How many kills are still to come. */
  left(): number;
  /** A process ends itself at one point at a time: one that has not come to its own for a while has the next one. */
  stir(): Promise<void>;
  /** Tells the rows what was met. */
  count(): void;
  /** What was not met is met no more. */
  takeBack(): void;
}

async function arm(world: World, rows: readonly Row[]): Promise<Armed> {
  const { server, worker } = world;
  const itself = new Map<string, Row[]>();
  for (const row of rows.filter(endsItself)) itself.set(pointOf(row), [...(itself.get(pointOf(row)) ?? []), row]);
  const kinds = [
    ...[...itself].map(([point, alike]) => armItself(world, point, alike)),
    ...rows.filter((row) => !endsItself(row)).map((row) => armPeer(world, row)),
  ];
  for (const victim of [server, worker]) {
    const points = kinds.flatMap(({ at, points }) => (at === victim ? points : []));
    if (points.length === 0) continue;
    await victim.kill(...world.random.shuffled(points));
    await ready(victim);
  }
  const waiting = new Map([server, worker].map((victim) => [victim, { met: 0, since: Date.now(), patience: LONG }]));
  const stir = async (victim: SluiceProcess): Promise<void> => {
    const own = kinds.filter(({ at, points }) => at === victim && points.length > 0);
    const met = own.reduce((sum, each) => sum + each.met(), 0);
    const before = waiting.get(victim)!;
    const isIdle = met === before.met;
    if (isIdle && Date.now() - before.since < before.patience) return;
    // A process that is killed again and again before it has come to anything comes to nothing: each life is longer than the last one.
    waiting.set(victim, { met, since: Date.now(), patience: isIdle ? Math.min(before.patience * 2, LONGEST) : LONG });
    if (isIdle && own.some((each) => each.met() < each.most)) await victim.strike();
  };
  return {
    stir: async () => {
      await stir(server);
      await stir(worker);
    },
    left: () => kinds.reduce((sum, each) => sum + Math.max(0, each.most - each.met()), 0),
    count: () => {
      for (const each of kinds) for (const row of each.rows) row.killed += each.met();
    },
    takeBack: () => kinds.forEach((each) => each.takeBack()),
  };
}

/** That a process has not come to where it is to end itself, in milliseconds: at first, and at most. */
const LONG = 8_000;
const LONGEST = 60_000;

/** The kills of one row in one round, or of rows with one record between them. */
interface ArmedRow {
  rows: readonly Row[];
  at: SluiceProcess;
  /** Where the process ends itself. */
  points: string[];
  most: number;
  met(): number;
  takeBack(): void;
}

/** Of merge groups there are few; and there is no second time in a round of three products, where Sluice merges one, and one is closed. */
const lastOf = ({ products }: World, { effect }: Row): number =>
  EFFECTS[effect].at === 'server' || products.length <= 3 ? 1 : 2;

const mostOf = ({ times, killed }: Row): number => Math.min(times - killed, MOST_IN_A_ROUND);

/** Where a process ends itself. What is done in the database alone is killed between its parts in place of after it. */
function pointOf({ effect, point }: Row): string {
  const { at, record }: Effect = EFFECTS[effect];
  return `${at === 'database' && point === 'after-effect' ? 'in-transaction' : point}/${record}`;
}

/** @param rows with one record between them: killed after it, all of them were */
function armItself(world: World, point: string, rows: readonly Row[]): ArmedRow {
  const at = EFFECTS[rows[0]!.effect].at === 'server' ? world.server : world.worker;
  const most = Math.max(...rows.map(mostOf));
  const last = Math.min(...rows.map((row) => lastOf(world, row)));
  const points = Array.from({ length: most }, () => `${point}:${world.random.whole(1, last)}`);
  const from = at.reached.length;
  const met = (): number => at.reached.slice(from).filter((each) => each.startsWith(`${point}:`)).length;
  return { rows, at, points, most, met: () => Math.min(most, met()), takeBack: () => undefined };
}

function armPeer(world: World, row: Row): ArmedRow {
  const { peers, worker, groups } = world;
  const { at: place, meant, group }: Effect = EFFECTS[row.effect];
  const proxy: FaultProxy = place === 'git' ? peers.git : peers.forge.faults;
  const most = mostOf(row);
  let met = 0;
  const end = (): Promise<void> => {
    met += 1;
    return worker.strike();
  };
  const fault: Fault = { when: row.point === 'before-effect' ? 'ENDS_BEFORE' : 'ENDS_AFTER', end };
  const faults = Array.from({ length: most }, () => {
    const passing = world.random.whole(1, lastOf(world, row)) - 1;
    return [...Array<undefined>(passing), fault];
  }).flat();
  const isMeant: Meant = (request, body) =>
    (meant instanceof RegExp ? meant.test(request) : meant!(request, body)) &&
    (group === undefined || groups.has(/\/statuses\/([0-9a-f]+)$/.exec(request)![1]!) === group);
  return { rows: [row], at: worker, points: [], most, met: () => met, takeBack: proxy.script(isMeant, ...faults) };
}

/** A merge queue waits for its checks for ever: where the server was away, somebody sends the question again, as hosts do not. */
function sendAgain({ forge: { deliveries } }: Peers): void {
  const asked = deliveries.list.filter(({ event, action }) => event === 'merge_group' && action === 'checks_requested');
  for (const first of asked.filter(({ redelivery }) => !redelivery)) {
    const tries = asked.filter(({ guid }) => guid === first.guid);
    const isLost = tries.every(({ status, at }) => status === 0 && Date.now() - at.getTime() > 2_000);
    if (isLost) deliveries.redeliver(first.id);
  }
}

/** Somebody ends the releases of one product in three, when their pull request is open. */
async function terminate({ products, databaseUrl }: World, url: string): Promise<void> {
  for (const { name, merge } of products) {
    if (merge === 'AUTO' || !isLeft(name)) continue;
    const open = `SELECT r.id FROM release r JOIN pull_request p ON p.release_id = r.id
      WHERE r.product = '${name}' AND r.ended_at IS NULL AND p.state = 'OPEN'`;
    for (const { id } of await query<{ id: string }>(databaseUrl, open)) {
      const input = { releaseId: toGlobalId(id), reason: 'somebody changed their mind' };
      await mutateUntilAnswered(() => [url], 'terminate', input, Date.now() + 10_000);
    }
  }
}

/** The first look takes what is there for known: only what is pushed after it makes releases. */
export async function untilLookedAt(databaseUrl: string, products: readonly ProposedProduct[]): Promise<void> {
  const seen = `SELECT FROM trigger_cursor WHERE application IN (${products.map(({ name }) => `'${name}-dev'`).join()})`;
  for (const deadline = Date.now() + 60_000; (await query(databaseUrl, seen)).length < products.length;) {
    if (Date.now() > deadline) throw new Error('the repositories were not looked at within a minute');
    await sleep(50);
  }
}

/** How much of what outlives releases is not done. */
interface Left {
  errands: number;
  statuses: number;
}

/**
 * When all that was pushed is released, all releases have ended, and enough of what outlives them is done.
 * @param meanwhile answers how many kills are still to come: each one that comes begins the five minutes again
 */
async function untilEnded(
  { databaseUrl, products, pushed, peers }: World,
  isEnough: (left: Left) => boolean,
  meanwhile: () => Promise<number> = () => Promise.resolve(0),
): Promise<void> {
  const wanted = [...pushed.values()].reduce((sum, each) => sum + each.length, 0);
  let deadline = Date.now() + 300_000;
  for (let left = -1; ;) {
    const [row] = await query<Record<'made' | 'open' | 'errands' | 'statuses', number>>(
      databaseUrl,
      `SELECT (SELECT count(*)::integer FROM release) AS made,
         (SELECT count(*)::integer FROM release WHERE ended_at IS NULL) AS open,
         (SELECT count(*)::integer FROM outbox WHERE work->>'kind' = 'errand') AS errands,
         (SELECT count(*)::integer FROM commit_status WHERE due_at IS NOT NULL) AS statuses`,
    );
    if (row!.made >= wanted && row!.open === 0 && isEnough(row!)) return;
    if (Date.now() > deadline) {
      const pulls = await Promise.all(products.map(({ name }) => peers.forge.pullRequests(name)));
      const open = pulls.flat().filter(({ state }) => state === 'open');
      const left = open.map(({ repository, number }) => `${repository} #${number}`).join(', ');
      throw new Error(`not all has ended within five minutes: ${JSON.stringify({ wanted, ...row })}, open: ${left}`);
    }
    const now = await meanwhile();
    if (now !== left) deadline = Date.now() + 300_000;
    left = now;
    await sleep(100);
  }
}

/** In one round, at a status of a pull request's head. */
function sendersKilled(rows: readonly Row[]): number {
  const atHeads = rows.filter(({ effect }) => effect === 'status on the head');
  return atHeads.reduce((sum, { killed }) => sum + Math.min(killed, MOST_IN_A_ROUND), 0);
}

async function ready(process: SluiceProcess): Promise<void> {
  for (const deadline = Date.now() + 90_000; !(await process.isReady());) {
    if (Date.now() > deadline) throw new Error(`${process.name} is not ready after 90 s`);
    await sleep(30);
  }
}
