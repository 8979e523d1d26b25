import { newsOf, sightingOf } from '../../commands/close-pull-request.ts';
import type { GitDriverSpec } from '../../core/definitions.ts';
import { proposalOf } from '../../core/plan.ts';
import type { StepWork } from '../../core/plan.ts';
import { OPENED } from '../../core/pull-request.ts';
import { titleOf } from '../../core/pull-request-text.ts';
import type { Outcome } from '../../core/release.ts';
import { PermanentError, TransientError } from '../../drivers/driver.ts';
import type { Landing, PinnedContent } from '../../drivers/driver.ts';
import type { Forge, PullRequestSeen } from '../../drivers/forge/forge.ts';
import { keyOf } from '../step-key.ts';
import { toOutcome } from './apply.ts';
import { forgeOf, mustBeMine, policyOf, targetOf } from './propose.ts';
import { asking } from './runner.ts';
import type { StepAt } from './runner.ts';

type Merge = Extract<StepWork, { kind: 'merge' }>;

/**
 * Waits until the change is on the branch. One look is one question to the host, and one to git; in between nothing is held, and the
 * promotion is SUSPENDED. A host that does not answer ends no wait: it is asked again later, for as long as the wait may last.
 *
 * What is merged is judged by its content on the branch. Everything that can become of a pull request otherwise has an end of its own:
 * closed, meant for another branch, in conflict, archived.
 */
export const mergeRunner = asking<Merge>(async (at) => {
  try {
    return await look(at);
  } catch (error) {
    if (error instanceof PermanentError || at.context.signal.aborted) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const after = error instanceof TransientError ? (error.retryAfter ?? 0) : 0;
    return waits(at, `it could not be looked at: ${message}`, {
      recheckAfter: Math.max(after, SOON),
      waitsFor: 'SYSTEM',
    });
  }
});

/** In milliseconds. News is told; these looks find what was not. */
const SAFETY = 5 * 60_000;
const SOON = 30_000;
/** Until a host has worked out what it did not know, or has said what it did. */
const HOST_THINKS = 10_000;
/** So many looks in a row must find a conflict, and a merge without its change: hosts are late with both. */
const IN_A_ROW = 2;

/** A merge whose commit is known, and that still is not on the branch, was undone there by then. */
const MOST_MISSING = 30;

/** What is kept between two looks. */
interface Kept {
  pullRequest?: { number: string; url: string };
  /** How many looks in a row found a conflict, and between which commits: a host that has not worked it out yet may say so, too. */
  conflicts?: number;
  between?: string;
  /** How many looks in a row found it merged and its change not on the branch. */
  missing?: number;
  /** When a look found its change on the branch, and it was open: hosts say later that it is merged. */
  cameAt?: number;
}

interface Looked {
  forge: Forge;
  target: GitDriverSpec;
  content: PinnedContent;
  /** What its proposal left. */
  opened: Readonly<Record<string, string>>;
  key: string;
}

async function look(at: StepAt<Merge>): Promise<Outcome> {
  const { hands, release, promoted, planned, application, index } = at;
  if (application === undefined) return { kind: 'failed', message: `${planned.id} has no application` };
  const target = targetOf(application);
  const version = release.contents[application.content];
  if (!version) return { kind: 'failed', message: `the pinned content of ${application.content} is missing` };
  const content = await hands.content({ release: release.id, content: application.content, version });
  const opened = openedIn(at);
  const number = opened[OPENED.number];
  if (number === undefined) return alreadyThere(at, target, content);
  const forge = await forgeOf(at, target);
  const key = keyOf(release.id, promoted, at.context.attempt, proposalOf(promoted, index) ?? index);
  const looked: Looked = { forge, target, content, opened, key };
  const seen = await forge.get(target.repoURL, Number(number), { signal: at.context.signal });
  const branch = opened[OPENED.branch];
  // Another repository has taken the name: neither its pull request nor its branch is touched.
  if (branch !== undefined && seen.head.branch !== branch)
    return {
      kind: 'failed',
      message: `pull request ${number} of ${target.repoURL} brings branch "${seen.head.branch}" now, and not "${branch}": it is another one than was opened`,
    };
  // A run that was held up with an older answer must not write over what another one has seen since; a merge is the last word.
  if (seen.state !== 'MERGED') await mustBeMine(at.context);
  await hands.pullRequests.saw(key, sightingOf(seen));
  return judge(at, looked, seen);
}

/** Nothing was to be changed. */
async function alreadyThere(at: StepAt<Merge>, target: GitDriverSpec, content: PinnedContent): Promise<Outcome> {
  const { effect } = await landedOf(at, { target, content, opened: {} });
  if (effect) return toOutcome({ ...effect, changed: false });
  const message = `branch "${target.branch}" of ${target.repoURL} held ${content.label} when it was to be proposed, and holds it no more`;
  return { kind: 'failed', message };
}

async function judge(at: StepAt<Merge>, looked: Looked, seen: PullRequestSeen): Promise<Outcome> {
  const { target, content } = looked;
  const name = `pull request ${seen.number}`;
  const by = seen.by === undefined ? '' : ` by ${seen.by}`;
  const landing = await landedOf(at, looked, seen.state === 'MERGED' ? (seen.mergeCommit ?? undefined) : undefined);
  if (isThere(landing, seen)) {
    // Merged between the two looks: the host is asked once more, so that the log says so, and who did it.
    const { signal } = at.context;
    const now = seen.state === 'OPEN' ? await looked.forge.get(target.repoURL, seen.number, { signal }) : seen;
    if (now !== seen) await at.hands.pullRequests.saw(looked.key, sightingOf(now));
    const came = now.state === 'OPEN' && landing.before === false;
    const cameAt = keptIn(at).cameAt ?? at.hands.clock.now().getTime();
    if (came && at.hands.clock.now().getTime() < cameAt + HOST_THINKS) {
      const reason = `its change is on "${target.branch}", and its host does not say yet that ${name} is merged`;
      return waits(at, reason, { recheckAfter: HOST_THINKS, waitsFor: 'SYSTEM', kept: { cameAt } });
    }
    return merged(at, looked, now, landing);
  }
  if (seen.state === 'MERGED') {
    if (seen.base !== target.branch)
      return ended(at, seen, `${name} was merged${by} into "${seen.base}" instead of "${target.branch}"`);
    const missing = (keptIn(at).missing ?? 0) + 1;
    // The host tells of a merge before everybody who fetches from it sees the merge.
    if (missing <= (landing.contains === true ? 0 : landing.contains === false ? MOST_MISSING : IN_A_ROW)) {
      const reason = `${name} is merged${by}, and "${target.branch}" does not have it yet`;
      return waits(at, reason, { recheckAfter: HOST_THINKS, waitsFor: 'SYSTEM', kept: { missing } });
    }
    await at.hands.lookAtLive(at.release.product, at.promoted.name);
    const files = landing.drift?.files.join(', ') ?? '';
    return ended(at, seen, `${name} was merged${by} with another content than ${content.label}: ${files} differs`);
  }
  if (seen.state === 'CLOSED') return ended(at, seen, `${name} was closed${by} without being merged`);
  if (seen.archived === true)
    return { kind: 'failed', message: `${name} cannot be merged: its repository ${target.repoURL} is archived` };
  if (seen.base !== target.branch)
    return { kind: 'failed', message: `${name} is for branch "${seen.base}" now, and not for "${target.branch}"` };
  if (seen.mergeable === 'NO') {
    const before = keptIn(at);
    const between = `${seen.head.sha} ${landing.head}`;
    const conflicts = (before.between === between ? (before.conflicts ?? 0) : 0) + 1;
    const reason = `${name} conflicts with branch "${target.branch}"`;
    if (conflicts >= IN_A_ROW) return { kind: 'failed', message: reason };
    return waits(at, reason, { recheckAfter: HOST_THINKS, waitsFor: 'SYSTEM', kept: { conflicts, between } });
  }
  return awaitMerge(at, looked, seen);
}

/** The change is on the branch. What a rollback takes away besides comes by the merge that is awaited, and is no question after it. */
const isThere = ({ effect, left }: Landing, { state }: PullRequestSeen): boolean =>
  effect !== undefined && (state === 'MERGED' || left !== true);

/** The pull request is over, and its change is not on the branch. */
async function ended(at: StepAt<Merge>, seen: PullRequestSeen, message: string): Promise<Outcome> {
  const state = seen.state === 'MERGED' ? 'MERGED' : 'CLOSED';
  return { kind: 'failed', message, pullRequest: { ...newsOf(seen), state } };
}

async function merged(
  at: StepAt<Merge>,
  { forge, target }: Looked,
  seen: PullRequestSeen,
  { effect, before }: Landing,
  noticedBy?: 'MERGE',
): Promise<Outcome> {
  const { signal } = at.context;
  const isMerged = seen.state === 'MERGED';
  const branchLeft = isMerged && !(await isDeleted(forge, target.repoURL, seen.head.branch, signal));
  // Of a pull request that applications share, nothing has to be a change of this one. Where that is not known, a merge alone says so.
  const came = before === null ? isMerged : !before;
  return {
    ...toOutcome({ ...effect, changed: came }),
    ...(came && runsSince(at, target, seen)),
    pullRequest: { ...newsOf(seen), ...(noticedBy && { noticedBy }), ...(branchLeft && { branchLeft }) },
  };
}

/**
 * From when reports of the target may be about the change: its merge, which may be long before a look noticed it. Hosts date a merge by the
 * second, and a report of that second may be about the version before. Nothing where the change came to the branch in another way.
 */
function runsSince(
  { hands, stepState }: StepAt<Merge>,
  target: GitDriverSpec,
  seen: PullRequestSeen,
): { runsSince?: number } {
  if (seen.state !== 'MERGED' || seen.base !== target.branch || seen.mergedAt === undefined) return {};
  // A clock of the host that is behind must not reach back to before the pull request was open, nor one that is ahead into the future.
  const at = Math.max(Date.parse(seen.mergedAt) + 1_000, stepState.startedAt ?? 0);
  return { runsSince: Math.min(at, hands.clock.now().getTime()) };
}

/** The branch of what was merged is of no use any more. True also where Sluice may not delete it: it stays, and is in the way of none. */
async function isDeleted(forge: Forge, repository: string, branch: string, signal: AbortSignal): Promise<boolean> {
  try {
    await forge.deleteBranch(repository, branch, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof PermanentError;
  }
}

/** Open, and nothing stands against it: whoever merges it here does so, or is waited for. */
async function awaitMerge(at: StepAt<Merge>, looked: Looked, seen: PullRequestSeen): Promise<Outcome> {
  const { hands, release, position, context } = at;
  const policy = policyOf(at);
  const { forge, target, content, opened } = looked;
  const name = `pull request ${seen.number}`;
  const where = `: ${seen.url}`;
  if (seen.draft) return waits(at, `${name} is a draft${where}`);
  const changed = opened[OPENED.head] !== undefined && seen.head.sha !== opened[OPENED.head];
  const onto = changed ? ', and somebody has pushed onto its branch' : '';
  const blocked = seen.blocked === undefined ? '' : ` (${seen.blocked})`;
  if (seen.queue !== undefined) {
    const { repoURL: repository, branch: base } = target;
    const { commit } = seen.queue;
    if (commit !== undefined) await hands.inMergeQueue({ repository, commit, base });
    return queued(at, `${name} is in the queue of its host${onto}${where}`);
  }
  if (policy.merge === 'MANUAL') return waits(at, `${name} waits for its merge${blocked}${onto}${where}`);
  if (changed)
    return waits(
      at,
      `${name} waits for a person: somebody has pushed onto its branch, and Sluice merges only its own${where}`,
    );
  const may = await hands.mayMerge({ releaseId: release.id, promotion: position });
  if (!may.may) return waits(at, `${name} is not merged yet: ${may.why}${where}`, { recheckAfter: SOON });
  await mustBeMine(context);
  const { name: environment, restores } = at.promoted;
  const about = { product: release.product, environment, version: content.label, rollback: restores };
  const title = titleOf(about, policy.title);
  const { signal } = context;
  const answer = await forge
    .merge(target.repoURL, seen.number, { sha: seen.head.sha, method: policy.method, title }, { signal })
    .catch((error: unknown) => {
      // A person can still merge it, or give Sluice the right to.
      if (error instanceof PermanentError) return { kind: 'NOT_YET' as const, why: error.message };
      throw error;
    });
  if (answer.kind === 'QUEUED') return queued(at, `${name} is in the queue of its host${where}`);
  if (answer.kind === 'NOT_YET')
    return waits(at, `${name} cannot be merged by Sluice now: ${answer.why}${where}`, { recheckAfter: 2 * SOON });
  const now = await forge.get(target.repoURL, seen.number, { signal });
  await hands.pullRequests.saw(looked.key, sightingOf(now));
  const landing = await landedOf(at, looked, answer.commit ?? now.mergeCommit);
  if (isThere(landing, now)) return merged(at, looked, now, landing, 'MERGE');
  return waits(at, `${name} is merged, and "${target.branch}" does not have it yet`, {
    recheckAfter: HOST_THINKS,
    waitsFor: 'SYSTEM',
  });
}

/** The queue makes another commit whenever one before it goes or comes, and not every host tells of it. */
const queued = (at: StepAt<Merge>, reason: string): Outcome =>
  waits(at, reason, { recheckAfter: SOON, waitsFor: 'SYSTEM' });

function landedOf(
  { hands, context, application }: StepAt<Merge>,
  { target, content, opened }: Pick<Looked, 'target' | 'content' | 'opened'>,
  contains?: string,
): Promise<Landing> {
  const since = opened[OPENED.base];
  const undo = application?.undo;
  const asked = {
    ...(since !== undefined && { since }),
    ...(contains !== undefined && { contains }),
    ...(undo && { back: { undo, environment: context.environment, application: context.application } }),
  };
  return hands.drivers.driver(target).landed(target, content, asked, context.signal);
}

function waits(
  at: StepAt<Merge>,
  reason: string,
  {
    recheckAfter = SAFETY,
    waitsFor = 'PERSON',
    kept = {},
  }: { recheckAfter?: number; waitsFor?: 'PERSON' | 'SYSTEM'; kept?: Kept } = {},
): Outcome {
  const { [OPENED.number]: number, [OPENED.url]: url } = openedIn(at);
  const pullRequest = number !== undefined && url !== undefined && { pullRequest: { number, url } };
  return { kind: 'pending', reason, recheckAfter, waitsFor, progress: { ...pullRequest, ...kept } };
}

/** What the step before left. */
function openedIn({ promoted, promotionState, index }: StepAt<Merge>): Readonly<Record<string, string>> {
  return promotionState.steps[proposalOf(promoted, index) ?? index]?.outputs ?? {};
}

function keptIn({ stepState }: StepAt<Merge>): Kept {
  return stepState.progress ?? {};
}
