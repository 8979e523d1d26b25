import type { Draft } from './draft.ts';
import { changeOf, proposalOf } from './plan.ts';
import type { PlannedApplication, PlannedPromotion, ReleasePlan } from './plan.ts';
import type { NoticedBy, PromotionState, PullRequestNews, ReleaseState, Stimulus } from './release.ts';
import { ENDED_PROMOTION } from './release.ts';

/**
 * A change by pull request has two steps. The first one opens it. The second one waits for its merge, SUSPENDED, and is looked at when
 * something about it is told, and now and then; it is the change, and succeeds when the content is on the branch, whoever brought it
 * there and by whatever way.
 *
 * Whenever such a promotion ends, or its change is there, without the pull request being merged, the decision asks for an errand that
 * closes it. A merge that wins the race against that errand is told to the release, and recorded as the deployment that it is.
 */

/** OPENING: asked for, and not seen yet. GONE: it never came to be, or was never needed. All others are what its host says. */
export type PullRequestState = 'OPENING' | 'OPEN' | 'MERGED' | 'CLOSED' | 'GONE';

/** What the errand `close-pull-request` is about. */
export interface ClosingData {
  promotion: number;
  attempt: number;
  /** The position of the step that opens it. */
  step: number;
  /** Why, in words. */
  reason: string;
}

/** The name of the errand that closes a pull request. */
export const CLOSE_PULL_REQUEST = 'close-pull-request';

/** What the steps that open pull requests leave: by these names later steps find it. */
export const OPENED = {
  number: 'PULL_REQUEST_NUMBER',
  url: 'PULL_REQUEST_URL',
  branch: 'PULL_REQUEST_BRANCH',
  /** The commit that was proposed. */
  head: 'PULL_REQUEST_HEAD',
  /** The commit of the target's branch that it was made for. */
  base: 'PULL_REQUEST_BASE_COMMIT',
} as const;

/** Steps of that attempt that wait for a merge are due now; a look that is under way is done again, and stays that of who was first. */
export function applyPullRequestTold(
  draft: Draft,
  { promotion: position, attempt, via }: Extract<Stimulus, { kind: 'pull-request-told' }>,
): void {
  const seen = draft.state.promotions[position];
  if (!seen || seen.attempt !== attempt || seen.startedAt === null || ENDED_PROMOTION.has(seen.status)) return;
  draft.planned(position).steps.forEach(({ work }, index) => {
    const step = seen.steps[index];
    if (work.kind !== 'merge' || step === undefined) return;
    if (step.status === 'RUNNING' && step.news === null)
      Object.assign(draft.step(position, index), { news: 'TOLD', toldBy: step.toldBy ?? via });
    if (step.status === 'WAITING' && (step.recheckAt ?? 0) > draft.now)
      Object.assign(draft.step(position, index), { recheckAt: draft.now, toldBy: via });
  });
}

/** What became of a pull request whose promotion is over; the change of one that was merged first is live, and is recorded. */
export function applyPullRequestClosed(
  draft: Draft,
  { promotion: position, attempt, step, pullRequest, landed }: Extract<Stimulus, { kind: 'pull-request-closed' }>,
): void {
  const planned = draft.planned(position);
  if (planned.steps[step]?.work.kind !== 'propose' || pullRequest.state === 'OPEN') return;
  tell(draft, position, step, pullRequest, { attempt, late: true, commit: landed[0]?.commit ?? undefined });
  // One that its own step has recorded, as of an application that had its content before, may have been found healthy since.
  const { steps, ...promotion } = draft.state.promotions[position] as PromotionState;
  const isRecorded = (application: number): boolean =>
    promotion.attempt === attempt && steps[changeOf(planned, application)]?.status === 'SUCCEEDED';
  for (const { application, commit } of landed)
    if (!isRecorded(application)) draft.deploy(position, application, commit, null);
}

/** Tells what a step has learned about its pull request. */
export function tellPullRequest(
  draft: Draft,
  position: number,
  step: number,
  news: PullRequestNews,
  commit?: string,
): void {
  const { attempt, steps } = draft.state.promotions[position] as PromotionState;
  tell(draft, position, step, news, { attempt, commit, noticedBy: news.noticedBy ?? steps[step]?.toldBy ?? 'LOOK' });
}

function tell(
  draft: Draft,
  position: number,
  step: number,
  { state, number, url, branch, by, at, remarks }: PullRequestNews,
  { attempt, commit, late, noticedBy }: { attempt: number; commit?: string; late?: true; noticedBy?: NoticedBy },
): void {
  const which = { ...draft.atStep(position, step), attempt, number, url, branch };
  if (state === 'OPEN') return draft.emit({ type: 'PullRequestOpened', ...which, ...(remarks && { remarks }) });
  const when = at === undefined ? undefined : new Date(at).toISOString();
  const end = { by, when, noticedBy, ...(late && { late }) };
  if (state === 'MERGED') draft.emit({ type: 'PullRequestMerged', ...which, ...end, commit });
  else draft.emit({ type: 'PullRequestClosed', ...which, ...end });
}

/**
 * A promotion ends, or begins anew: what it opened, or may have opened, and was not merged, is to be closed. One that a person
 * closed stays as it is, so that it can be opened again.
 */
export function askToClose(draft: Draft, position: number, reason: string): void {
  const planned = draft.planned(position);
  planned.steps.forEach(({ work }, index) => {
    if (work.kind === 'propose' && mayBeOpen(planned, draft.state.promotions[position] as PromotionState, index))
      closeAfter(draft, position, index, `is closed: ${reason}`, reason);
  });
}

/** Its pull request for this environment waits for its merge, and makes way for a newer release. */
export function isReplaceable(plan: ReleasePlan, state: ReleaseState, environment: string): boolean {
  return plan.promotions.some(({ environment: at, pullRequest, steps }, position) => {
    const promotion = state.promotions[position];
    if (at !== environment || pullRequest?.onNewer !== 'REPLACE' || promotion?.startedAt == null) return false;
    return steps.some(({ work }, index) => work.kind === 'merge' && promotion.steps[index]?.status === 'WAITING');
  });
}

/**
 * The content of a merge step is on the branch, by whatever way. `changed` false: the branch held it before there was a pull request, which
 * brings changes of other applications.
 */
export function leaveLanded(
  draft: Draft,
  position: number,
  step: number,
  news: PullRequestNews,
  { commit, changed }: { commit?: string; changed?: boolean },
): void {
  const planned = draft.planned(position);
  const opens = proposalOf(planned, step);
  const { steps } = draft.state.promotions[position] as PromotionState;
  const isAwaited =
    opens !== undefined &&
    mergesOf(planned, opens).some((each) => each !== step && steps[each]?.status !== 'SUCCEEDED');
  // That it was closed is told by the steps that needed it, as long as there are some.
  if (news.state === 'MERGED' || (news.state === 'CLOSED' && (changed !== false || !isAwaited)))
    tellPullRequest(draft, position, step, news, changed === false ? undefined : commit);
  if (opens === undefined || steps[opens]?.closed === true) return;
  if (news.state === 'OPEN' && !isAwaited) {
    const reason = 'its change is on the branch already';
    closeAfter(draft, position, opens, `is closed: ${reason}`, reason);
  }
  // Applications that share it ask for one errand.
  if (news.state === 'MERGED' && news.branchLeft)
    closeAfter(draft, position, opens, 'is merged, and its branch is to be deleted');
  else if (news.state === 'MERGED') draft.step(position, opens).closed = true;
}

/** The pull request of this step was closed by somebody, or merged with another content: there is nothing left to close. */
export function leaveClosed(draft: Draft, position: number, step: number, news: PullRequestNews): void {
  tellPullRequest(draft, position, step, news);
  const opens = proposalOf(draft.planned(position), step);
  if (opens !== undefined) draft.step(position, opens).closed = true;
}

function closeAfter(draft: Draft, position: number, step: number, told: string, reason = told): void {
  const planned = draft.planned(position);
  const { attempt, steps } = draft.state.promotions[position] as PromotionState;
  const { application } = planned.steps[step] as PlannedPromotion['steps'][number];
  const { name } = planned.applications[application ?? 0] as PlannedApplication;
  const number = steps[step]?.outputs?.[OPENED.number];
  const which = number === undefined ? 'a pull request that may have been opened' : `pull request ${number}`;
  draft.step(position, step).closed = true;
  const data: ClosingData = { promotion: position, attempt, step, reason };
  draft.work.push({
    kind: 'errand',
    name: CLOSE_PULL_REQUEST,
    of: `p${position}-a${attempt}-s${step}`,
    about: `${which} for ${name} in ${planned.name} ${told}`,
    promotion: position,
    data,
  });
}

/** It was begun, and neither a merge of it was seen nor that it was closed. */
function mayBeOpen(planned: PlannedPromotion, { steps }: PromotionState, step: number): boolean {
  const opened = steps[step];
  if (opened === undefined || opened.startedAt === null || opened.closed === true) return false;
  // Nothing was to be changed: there is none.
  if (opened.status === 'SUCCEEDED' && opened.outputs?.[OPENED.number] === undefined) return false;
  return mergesOf(planned, step).some((each) => steps[each]?.status !== 'SUCCEEDED');
}

/** Whether changes that this step proposed are still to come: a retry proposes them anew. */
export function isUnmerged(planned: PlannedPromotion, { steps }: PromotionState, step: number): boolean {
  return mergesOf(planned, step).some((each) => steps[each]?.status !== 'SUCCEEDED');
}

/** The steps that wait for the merge of what this one opens. */
function mergesOf({ steps }: PlannedPromotion, step: number): number[] {
  if (steps[step]?.work.kind !== 'propose') return [];
  return [...steps.keys()].filter((each) => steps[each]?.work.kind === 'merge' && steps[each].needs.includes(step));
}
