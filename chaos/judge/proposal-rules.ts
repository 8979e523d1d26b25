import { createHash } from 'node:crypto';
import type { Peers } from '../proposals/peers.ts';
import type { Stretch } from '../processes.ts';
import type { ProposedProduct } from '../proposals/world.ts';
import { PROPOSED_ENVIRONMENT, versionIn } from '../proposals/world.ts';
import { query } from '../database.ts';
import type { History, Invariant } from './history.ts';
import { Rule } from './history.ts';
import { workedIn } from './recovery.ts';

/** A pull request as Sluice remembers it. */
interface Remembered {
  key: string;
  product: string;
  environment: string;
  branch: string;
  state: string;
}

/**
 * So long, in milliseconds, after the log has told the end of a pull request its status may still be set: 20 s until what a killed sender had
 * claimed is another one's, 10 s for the call.
 */
const UNDER_WAY = 30_000;
/** Longer by this, in milliseconds, for each sender that is killed at it: until its status is another one's, and that one has started. */
const LEASE = 30_000;

/**
 * What the host of pull requests has counted, beside what Sluice remembers: after all has ended.
 * @param killed how many senders of one status were killed at it, one after the other, at most
 */
export async function judgeProposals(
  { forge }: Peers,
  products: readonly ProposedProduct[],
  history: History,
  databaseUrl: string,
  killed = 0,
): Promise<Invariant[]> {
  const underWay = UNDER_WAY + killed * LEASE;
  const once = new Rule('a promotion and attempt has one branch and one pull request');
  const closed = new Rule('no pull request of an ended promotion is open, and none of their branches is left');
  const late = new Rule('no status is set after the outcome of its pull request was told');
  const merged = new Rule('what was merged is recorded, and what is recorded was merged');
  const comments = new Rule('a comment is there once');
  const remembered = await query<Remembered>(
    databaseUrl,
    'SELECT key, product, environment, branch, state FROM pull_request',
  );
  for (const product of products) {
    const { name, repository } = product;
    const own = remembered.filter((each) => each.product === name);
    const { branches, opened, statuses } = await forge.counters(name);
    const pulls = await forge.pullRequests(name);
    const ours = branches.filter((each) => each.startsWith('sluice/'));
    for (const { branch, key, environment } of own) {
      const hash = createHash('sha256').update(key).digest('hex').slice(0, 16);
      once.expect(branch === `sluice/${name}/${environment}/${hash}`, () => `${key} has the branch ${branch}`);
    }
    for (const branch of ours) {
      const made = ours.filter((each) => each === branch).length;
      once.expect(made === 1, () => `${name}: ${branch} was made ${made} times`);
      once.expect(
        own.some((each) => each.branch === branch),
        () => `${name}: nobody remembers ${branch}`,
      );
    }
    for (const head of opened) {
      const count = opened.filter((each) => each === head).length;
      once.expect(count === 1, () => `${name}: ${count} pull requests were opened from ${head}`);
    }
    for (const { head, number, state } of pulls)
      closed.expect(state !== 'open', () => `${name} #${number} (${head.branch}) is open still`);
    const left = (await repository.branches()).filter((each) => each.startsWith('sluice/'));
    for (const branch of left) {
      // One that a person has closed stays, so that it can be opened again.
      const byPerson = pulls.some((each) => each.head.branch === branch && each.closedBy !== forge.account);
      closed.expect(byPerson, () => `${name}: branch ${branch} is left`);
    }
    const ends = endsTold(name, history);
    for (const { sha, context, state, at } of statuses) {
      const told = pulls.filter(({ head }) => head.sha === sha).map(({ number }) => ends.get(number) ?? Infinity);
      const since = told.length === 0 ? 0 : at.getTime() - Math.max(...told);
      late.expect(
        since < underWay,
        () =>
          `${name}: ${context} of ${sha} was set to ${state} ${since} ms after the end of its pull request was told`,
      );
    }
    for (const { number, comments: said } of pulls) {
      const marks = said.flatMap(({ body }) => /<!-- sluice:[^>]*-->/.exec(body)?.[0] ?? []);
      comments.expect(new Set(marks).size === marks.length, () => `${name} #${number} has ${marks.join(', ')}`);
    }
    judgeMerges(merged, name, pulls, history);
    await judgeContent(merged, product, history);
  }
  return [once, closed, late, merged, comments];
}

/**
 * In seconds, as far as a worker was there: 30 until a look notices it without a webhook, 30 until what a killed worker had claimed is another
 * one's, and 40 for workers that are killed at it and start on a busy machine.
 */
const TOLD_WITHIN = 100;

/** What became of a pull request is noticed in time, whoever is killed meanwhile. `served`: when each worker was ready. */
export async function judgeEndsTold(
  { forge }: Peers,
  products: readonly ProposedProduct[],
  history: History,
  served: readonly Stretch[],
): Promise<Invariant> {
  const rule = new Rule('the end of a pull request is told in time');
  for (const { name } of products) {
    const ends = endsTold(name, history);
    for (const { number, closedAt } of await forge.pullRequests(name)) {
      const to = ends.get(number);
      // One that is open, or never told of, is for the rules above.
      if (closedAt === undefined || to === undefined) continue;
      const seconds = workedIn(served, { from: closedAt.getTime(), to });
      rule.expect(seconds <= TOLD_WITHIN, () => `${name} #${number}: ${seconds.toFixed(1)} s after it had ended`);
    }
  }
  return rule;
}

/** The number of a pull request → when the log told its end, in milliseconds since the epoch. */
function endsTold(name: string, { log }: History): Map<number, number> {
  return new Map(
    log.flatMap(({ event, product, at }) =>
      product === name && (event.type === 'PullRequestMerged' || event.type === 'PullRequestClosed')
        ? [[event.number, at] as const]
        : [],
    ),
  );
}

function judgeMerges(
  rule: Rule,
  name: string,
  pulls: Awaited<ReturnType<Peers['forge']['pullRequests']>>,
  { log }: History,
): void {
  const told = log.flatMap(({ event, product }) => (product === name && 'number' in event ? [event] : []));
  for (const { number, state } of pulls) {
    if (state === 'open') continue;
    const ends = told.filter(
      (each) => each.number === number && (each.type === 'PullRequestMerged' || each.type === 'PullRequestClosed'),
    );
    const wanted = state === 'merged' ? 'PullRequestMerged' : 'PullRequestClosed';
    rule.expect(
      ends.length === 1 && ends[0]?.type === wanted,
      () => `${name} #${number} is ${state}, and the log says ${ends.map(({ type }) => type).join(', ') || 'nothing'}`,
    );
  }
}

/** The newest deployment of the environment is what its branch holds. */
async function judgeContent(rule: Rule, product: ProposedProduct, { deployments, releases }: History): Promise<void> {
  const there = deployments
    .filter(
      ({ releaseId, environment }) =>
        environment === PROPOSED_ENVIRONMENT && releases.get(releaseId)?.product === product.name,
    )
    .toSorted((a, b) => b.at.getTime() - a.at.getTime());
  const version = await versionIn(product, PROPOSED_ENVIRONMENT);
  const recorded = there[0] && releases.get(there[0].releaseId)?.version;
  rule.expect(
    (recorded ?? '0') === String(version),
    () => `${product.name}: ${PROPOSED_ENVIRONMENT} holds ${version}, and the record says ${recorded}`,
  );
}

/** What a push was taken for, and the release that came of it. */
export interface CandidateHistory {
  id: string;
  status: string;
  releaseId: string | null;
}

export function readCandidates(databaseUrl: string): Promise<CandidateHistory[]> {
  return query<CandidateHistory>(databaseUrl, 'SELECT id, status, release_id AS "releaseId" FROM candidate');
}

/** Every state of a trigger environment that was pushed, and is there still, became one release; none became two. */
export function judgeCandidates(
  pushed: ReadonlyMap<string, readonly number[]>,
  { releases }: History,
  candidates: readonly CandidateHistory[],
  how: { coalesced: boolean },
): Invariant {
  const rule = new Rule('a push becomes one release, by itself');
  for (const { id, status, releaseId } of candidates) {
    const same = candidates.filter((each) => releaseId !== null && each.releaseId === releaseId);
    rule.expect(
      (status === 'RELEASED') === (releaseId !== null && releases.has(releaseId)) && same.length <= 1,
      () => `candidate ${id} is ${status}, with release ${releaseId} of ${same.length} candidates`,
    );
  }
  for (const [product, versions] of pushed) {
    for (const version of versions) {
      const made = [...releases.values()].filter(
        (each) => each.product === product && each.kind === 'FORWARD' && each.version === String(version),
      );
      // Of pushes that come close together, or while one waits, the last counts.
      const must = !how.coalesced || version === versions.at(-1);
      rule.expect(
        made.length === 1 || (!must && made.length === 0),
        () => `${product}: version ${version} was made ${made.length} releases`,
      );
    }
  }
  return rule;
}

/** A cursor moves in the transaction that makes a candidate of the move: where it stands, the newest candidate does. */
export async function judgeCursors(databaseUrl: string): Promise<Invariant> {
  const rule = new Rule('a cursor stands where the newest candidate of its environment does');
  const cursors = await query<{ application: string; cursor: string; candidate: string }>(
    databaseUrl,
    `SELECT c.application, c.commit_id AS cursor, n.commit AS candidate FROM trigger_cursor c, LATERAL (
       SELECT state->c.application->>'commit' AS commit FROM candidate
       WHERE state ? c.application ORDER BY created_at DESC, id DESC LIMIT 1) n`,
  );
  for (const { application, cursor, candidate } of cursors)
    rule.expect(
      cursor === candidate,
      () => `${application}: the cursor is at ${cursor}, the candidate at ${candidate}`,
    );
  return rule;
}
