import { mostTelling } from '../core/receiver/news.ts';
import { nextLook } from '../core/receiver/look.ts';
import type { HeadsAnswer, NextLook } from '../core/receiver/look.ts';
import type { Parts } from '../parts.ts';
import { noteOutcome } from '../store/deliveries.ts';
import { forgetHints, pauseHost, recordLook, stuckHints } from '../store/news.ts';
import type { Claimed } from '../store/news.ts';
import { tellMovedBases } from './tell-hinted.ts';
import { syncSourcesOf } from './sync-sources.ts';
import { headsSeen } from './trigger/heads-seen.ts';
import type { HeadOutcome } from './trigger/heads-seen.ts';

/**
 * A look at a repository that was claimed: asks where its branches stand, has the candidates made of what moved, and tells the
 * deliveries that led to it what came of it. Network; never inside a transaction. What the host refuses is recorded, not thrown.
 */
export async function lookAtRepository(app: Parts, claimed: Claimed, signal: AbortSignal): Promise<void> {
  const { repository, branches, intervalMs: interval, failures, hints, host } = claimed;
  const git = app.drivers.driver({ type: 'git', repoURL: repository, branch: branches[0]!, path: '.' });
  const answer = await git.heads(
    { type: 'git', repoURL: repository, branch: branches[0]!, path: '.' },
    branches,
    signal,
  );
  if (answer === undefined) throw new Error(`repository "${repository}" has a driver without branches`);
  const deliveries = [...new Set(hints.flatMap(({ deliveryId }) => (deliveryId === null ? [] : [deliveryId])))];
  const next = (came: HeadsAnswer): NextLook =>
    nextLook(came, { interval, failures: failures + 1, random: Math.random() });
  const { after, hostPause } = next(answer);
  if (answer.kind === 'FAILED') return await failed(app, claimed, answer, deliveries, { after, hostPause });
  const via = mostTelling(hints.map((each) => each.via));
  let outcomes: LookOutcome[];
  try {
    const { heads } = answer;
    const ofSources = await syncSourcesOf(app, { repository, heads }, signal);
    const ofApplications = await headsSeen(app, { repository, heads, via, deliveries });
    outcomes = [
      ...ofSources.map(({ source, ...more }) => ({ of: `git source ${source}`, ...more })),
      ...ofApplications.map(({ application: of, ...more }) => ({ of, ...more })),
    ];
  } catch (error) {
    const broken = unreadable(told(error));
    return await failed(app, claimed, broken, deliveries, next(broken));
  }
  await tellMovedBases(app, repository, claimed.heads, answer.heads);
  const unread = outcomes.filter((each) => each.unread);
  if (unread.length > 0) {
    const waits = unread.flatMap((each) => each.unread?.retryAfter ?? []);
    const said = [...new Set(unread.map(({ of, outcome }) => `${of}: ${outcome}`))].join('; ');
    const broken = unreadable(said, waits.length > 0 ? Math.max(...waits) : undefined);
    const again = next(broken);
    // What the others there wait for is a promise.
    if (unread.length < outcomes.length && again.hostPause === null)
      again.after = Math.min(again.after ?? Infinity, after ?? Infinity);
    return await failed(app, claimed, broken, deliveries, { ...again, heads: answer.heads });
  }
  await recordLook(app.pool, { repository, after, heads: answer.heads, hints: hints.map(({ id }) => id) });
  await noteOutcome(app.pool, deliveries, 'DONE', inWords(repository, answer.heads, outcomes), app.clock.now());
  if (failures > 0) app.log.info({ repository, host }, 'a repository can be looked at again');
}

async function failed(
  { pool, clock, log }: Parts,
  { repository, host, failures, errorKind }: Claimed,
  { why, message, retryAfter }: Extract<HeadsAnswer, { kind: 'FAILED' }>,
  deliveries: string[],
  { after, hostPause, heads }: NextLook & { heads?: ReadonlyMap<string, string> },
): Promise<void> {
  // A host that is ill is told of once.
  if (failures === 0 || errorKind !== why)
    log.warn({ repository, why, message, retryAfter }, 'a repository could not be looked at');
  if (hostPause !== null) await pauseHost(pool, host, hostPause);
  await recordLook(pool, { repository, after, hints: [], failure: { kind: why, message }, ...(heads && { heads }) });
  const again =
    after === null ? 'it is not tried again before a secret changes or a message comes' : 'it is tried again';
  await noteOutcome(
    pool,
    deliveries,
    'PENDING',
    `the repository could not be looked at (${message}); ${again}`,
    clock.now(),
  );
}

/** Its branches were told, and what moved there was not. */
const unreadable = (said: string, retryAfter?: number): Extract<HeadsAnswer, { kind: 'FAILED' }> => ({
  kind: 'FAILED',
  why: 'UNREACHABLE',
  message: `what moved there could not be read: ${said}`,
  ...(retryAfter !== undefined && { retryAfter }),
});

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What came of a look, for an application or a git source. */
interface LookOutcome extends Pick<HeadOutcome, 'outcome' | 'unread'> {
  of: string;
}

/** For the delivery that led to the look. */
function inWords(repository: string, heads: ReadonlyMap<string, string>, outcomes: LookOutcome[]): string {
  const stand = [...heads].map(([branch, commit]) => `${branch} at ${commit.slice(0, 10)}`).join(', ');
  const came = outcomes.map(({ of, outcome }) => `${of}: ${outcome}`).join('; ');
  return `looked at ${repository}: ${stand || 'none of its branches is there'}; ${came || 'no application is triggered from it, and no git source is in it'}`;
}

/**
 * A repository that never answers keeps the newest of its hints, which are reasons for one look; the deliveries of the others are told that
 * nothing will come of them.
 */
export async function giveUpHints({ pool, clock }: Pick<Parts, 'pool' | 'clock'>): Promise<void> {
  const stuck = await stuckHints(pool);
  if (stuck.length === 0) return;
  await forgetHints(
    pool,
    stuck.map(({ id }) => id),
  );
  for (const repository of new Set(stuck.map((each) => each.repository))) {
    const told = stuck.filter((each) => each.repository === repository).flatMap(({ deliveryId }) => deliveryId ?? []);
    const outcome = `the repository ${repository} could not be looked at, for 30 days or until a thousand newer messages waited for the same look: this one waits no more`;
    await noteOutcome(pool, [...new Set(told)], 'FAILED', outcome, clock.now());
  }
}
