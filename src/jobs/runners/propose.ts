import type { GitDriverSpec, PullRequestPolicy } from '../../core/definitions.ts';
import { DEFAULT_PULL_REQUEST } from '../../core/definitions.ts';
import type { PlannedApplication, StepWork } from '../../core/plan.ts';
import { OPENED } from '../../core/pull-request.ts';
import { bodyOf, titleOf } from '../../core/pull-request-text.ts';
import type { AboutPullRequest } from '../../core/pull-request-text.ts';
import type { Outcome, PullRequestNews } from '../../core/release.ts';
import { shortIdOf } from '../../core/short-id.ts';
import { newsOf, sightingOf } from '../../commands/close-pull-request.ts';
import { commitsOf } from '../../commands/release-notes.ts';
import { PermanentError, TransientError } from '../../drivers/driver.ts';
import type { EffectContext, PartOfProposal, Proposal } from '../../drivers/driver.ts';
import type { Forge, PullRequestOpened, PullRequestSeen } from '../../drivers/forge/forge.ts';
import { NothingToPropose } from '../../drivers/forge/forge.ts';
import type { NewPullRequestRecord, PullRequestRecord } from '../../store/pull-requests.ts';
import { liveOf, rollbackOf } from './apply.ts';
import { asking } from './runner.ts';
import type { StepAt } from './runner.ts';

type Propose = Extract<StepWork, { kind: 'propose' }>;

/**
 * Opens the pull request of a change. What it is about to do is written down before it does anything, so that whatever comes of it is
 * found again. The branch is found by its name and its signed key, the pull request by its branch, so asked twice both are there once.
 */
export const proposeRunner = asking<Propose>(propose);

async function propose(at: StepAt<Propose>): Promise<Outcome> {
  const { hands, release, promoted, context, position, index } = at;
  const { signal } = context;
  const parts = await partsOf(at);
  const target = parts[0]!.target;
  const forge = await forgeOf(at, target);
  const { repoURL: repository, branch: base } = target;
  const place = { product: release.product, environment: promoted.name, repository, base };
  const record: NewPullRequestRecord = {
    key: context.key,
    releaseId: release.id,
    position,
    step: index,
    attempt: context.attempt,
    ...place,
    forge: forge.kind,
    branch: hands.branchOf(place, context.key),
  };
  const adopted = await endEarlier(at, forge, record);
  const isNew = await hands.pullRequests.begin({ ...record, branch: adopted?.branch ?? record.branch });
  const branch = adopted?.branch ?? record.branch;
  // What was begun before may have been merged or closed, and its branch deleted, by now: it is not made again.
  const there = isNew ? undefined : await forge.find(repository, { head: branch, base }, { signal });
  if (there !== undefined && there.state !== 'OPEN') return opened(at, there);
  const own = { ...context, key: adopted?.key ?? context.key };
  const proposal = await hands.drivers.driver(target).propose(parts, branch, own);
  if (adopted) return opened(at, adopted, proposal);
  if (!proposal.changed) {
    await hands.pullRequests.saw(context.key, { state: 'GONE' });
    return { kind: 'succeeded', changed: false, outputs: { [OPENED.base]: proposal.base }, skipped: proposal.skipped };
  }
  await mustBeMine(context);
  const seen = await open(at, forge, target, branch, parts, proposal);
  const outcome = await opened(at, seen, proposal);
  // Given up while it was being opened, it may have been looked for, to be closed, before it was there.
  if (await context.givenUp?.()) {
    const given = (await hands.pullRequests.ofRelease(release.id)).find((each) => each.key === context.key);
    if (given) await hands.pullRequests.close(given, 'its promotion was given up', signal);
    throw new TransientError('the promotion was given up while its pull request was opened: it is closed again');
  }
  return outcome;
}

/** The most that are told of one pull request. */
const MOST_REMARKS = 20;

/** A pull request that is there, as later steps need it. */
async function opened(
  { hands, context }: StepAt<Propose>,
  seen: PullRequestSeen & Partial<Pick<PullRequestOpened, 'remarks'>>,
  proposal?: Proposal,
): Promise<Outcome> {
  const { commit: proposed, base, drift, skipped } = proposal ?? {};
  await hands.pullRequests.saw(context.key, {
    ...sightingOf(seen),
    ...(proposed !== undefined && { proposedSha: proposed }),
  });
  const outputs = {
    [OPENED.number]: String(seen.number),
    [OPENED.url]: seen.url,
    [OPENED.branch]: seen.head.branch,
    [OPENED.head]: proposed ?? seen.head.sha,
    ...(base !== undefined && { [OPENED.base]: base }),
  };
  const remarks = seen.remarks?.slice(0, MOST_REMARKS) ?? [];
  const news: PullRequestNews = { ...newsOf(seen), state: 'OPEN', ...(remarks.length > 0 && { remarks }) };
  return { kind: 'succeeded', outputs, drift, skipped, pullRequest: news };
}

async function open(
  at: StepAt<Propose>,
  forge: Forge,
  { repoURL, branch: base }: GitDriverSpec,
  head: string,
  parts: readonly PartOfProposal<GitDriverSpec>[],
  proposal: Proposal,
): Promise<PullRequestOpened | PullRequestSeen> {
  const policy = policyOf(at);
  const { signal, key } = at.context;
  const about = await aboutOf(at, parts, proposal);
  const { labels, reviewers, draft } = policy;
  const wanted = {
    head,
    base,
    title: titleOf(about, policy.title),
    body: bodyOf(about, key),
    labels,
    reviewers,
    draft,
  };
  try {
    return await forge.open(repoURL, wanted, { signal });
  } catch (error) {
    // Merged between the push and this: its host then sees nothing to merge.
    const seen = error instanceof NothingToPropose ? await forge.find(repoURL, { head, base }, { signal }) : undefined;
    if (seen === undefined) throw error;
    return seen;
  }
}

/**
 * What earlier attempts and releases left open for this environment is closed first, so that two changes of one place are never open
 * together. One that a person had closed and has opened again is taken over, when it is of this very step.
 */
async function endEarlier(
  { hands, release, context }: StepAt<Propose>,
  forge: Forge,
  { key, releaseId, position, step, attempt, ...place }: NewPullRequestRecord,
): Promise<(PullRequestSeen & { branch: string; key: string }) | undefined> {
  const { signal } = context;
  const isEarlier = (each: PullRequestRecord): boolean =>
    each.releaseId === releaseId && each.position === position && each.step === step && each.attempt < attempt;
  const mine = (await hands.pullRequests.ofRelease(releaseId)).filter(isEarlier);
  for (const each of mine.toReversed()) {
    if (each.state !== 'CLOSED' || each.number === null || each.repository !== place.repository) continue;
    const seen = await forge.get(each.repository, each.number, { signal });
    // Another repository may have taken the name, with a pull request of the same number.
    const isOurs = seen.head.branch === each.branch;
    if (isOurs && seen.state === 'OPEN' && seen.base === place.base)
      return { ...seen, branch: each.branch, key: each.key };
    if (each === mine.at(-1)) await hands.pullRequests.deleteBranch(each, signal);
  }
  for (const each of await hands.pullRequests.openIn(place)) {
    const beside = each.releaseId === releaseId && each.position === position && each.attempt === attempt;
    if (each.key === key || beside) continue;
    await mustBeMine(context);
    await hands.pullRequests.close(each, `release ${calledOf(release)} brings another version there`, signal);
  }
  return undefined;
}

async function partsOf(at: StepAt<Propose>): Promise<PartOfProposal<GitDriverSpec>[]> {
  const { hands, release, promoted, planned, work } = at;
  return Promise.all(
    work.applications.map(async (position) => {
      const application = promoted.applications[position];
      if (application === undefined) throw new PermanentError(`${planned.id} has no application`);
      const version = release.contents[application.content];
      if (!version) throw new PermanentError(`the pinned content of ${application.content} is missing`);
      const content = await hands.content({ release: release.id, content: application.content, version });
      const rollback = rollbackOf(at, application);
      return { target: targetOf(application), content, live: liveOf(at, application), ...(rollback && { rollback }) };
    }),
  );
}

/** @throws PermanentError where it is changed in another way than by git */
export function targetOf({ name, spec: { driver } }: PlannedApplication): GitDriverSpec {
  if (driver.type === 'git') return driver;
  throw new PermanentError(
    `application "${name}" is changed by ${driver.type}, which has no pull requests: use action commit`,
  );
}

/** @throws PermanentError where the repository has no forge */
export async function forgeOf(
  { hands, application }: Pick<StepAt, 'hands' | 'application'>,
  { repoURL }: GitDriverSpec,
): Promise<Forge> {
  const forge = await hands.drivers.forge(repoURL);
  if (forge) return forge;
  throw new PermanentError(
    `application "${application?.name ?? ''}": no secret says which forge has ${repoURL}: store one, or use action commit`,
  );
}

const calledOf = ({ product, number }: StepAt['release']): string => shortIdOf(product, number);

/** How the promotion proposes its changes. */
export function policyOf({ promoted }: Pick<StepAt, 'promoted'>): PullRequestPolicy {
  return promoted.pullRequest ?? DEFAULT_PULL_REQUEST;
}

async function aboutOf(
  at: StepAt<Propose>,
  parts: readonly PartOfProposal<GitDriverSpec>[],
  { files, more = 0 }: Proposal,
): Promise<AboutPullRequest> {
  const { hands, release, promoted, work } = at;
  const applications = await Promise.all(
    work.applications.map(async (position) => {
      const { name, content } = promoted.applications[position] as PlannedApplication;
      const place = { product: release.product, environment: promoted.name, application: name };
      const [live] = await hands.knownContents(place, []);
      return { name, from: live?.label ?? null, to: release.contents[content]?.label ?? release.version };
    }),
  );
  const { content, rollback } = parts[0]!;
  const { commit, author, message, date } = content;
  return {
    product: release.product,
    environment: promoted.name,
    version: content.label,
    release: calledOf(release),
    link: hands.linkTo(release.id),
    flow: release.plan.flow.name,
    way: release.plan.promotions.flatMap(({ environment }) => (environment === null ? [] : [environment])),
    applications,
    source: { commit, author, message, date },
    ...(!rollback && (await broughtBy(at))),
    ...(promoted.policy && { policy: promoted.policy }),
    files,
    more,
    ...(rollback && { rollback }),
    merges: policyOf(at).merge === 'AUTO',
  };
}

/** The commits of the first application's source beside what is live there; nothing where they are not known here. */
async function broughtBy({
  hands,
  release,
  promoted,
  work,
  context,
}: StepAt<Propose>): Promise<Pick<AboutPullRequest, 'commits' | 'moreCommits'>> {
  const { name: application, content } = promoted.applications[work.applications[0]!] as PlannedApplication;
  const { promotions, triggerEnvironment } = release.plan;
  const begun = promotions.find(({ environment }) => environment === triggerEnvironment);
  const source = begun?.applications.find((each) => each.name === content);
  const [live] = await hands.knownContents({ product: release.product, environment: promoted.name, application }, []);
  const [from, to] = [live?.commit, release.contents[content]?.commit];
  if (!source || !from || !to || from === to) return {};
  const { name, spec } = source;
  const found = await commitsOf(hands, { name, driver: spec.driver }, { from, to }, undefined, context.signal);
  if (typeof found === 'string') return {};
  return { commits: found.commits, moreCommits: Math.max(0, found.added - found.commits.length) };
}

/** @throws TransientError when the step is not this run's any more: what comes of it counts for nothing. */
export async function mustBeMine({ stillMine, signal }: EffectContext): Promise<void> {
  signal.throwIfAborted();
  if (stillMine === undefined || (await stillMine())) return;
  throw new TransientError('another run has this step, or it was given up: nothing is done about its pull request');
}
