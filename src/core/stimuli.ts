import { remember } from './actor.ts';
import { applyDecision } from './approvals/decide.ts';
import type { Draft } from './draft.ts';
import { applyGroupAnswer } from './group-answer.ts';
import { applyOutcome } from './outcome.ts';
import type { ReleasePlan } from './plan.ts';
import { refusal } from './problems.ts';
import type { Refusal } from './problems.ts';
import { applyPullRequestClosed, applyPullRequestTold, isReplaceable } from './pull-request.ts';
import { ENDED_PROMOTION, occupiesEnvironment } from './release.ts';
import type { OverrideStimulus, PromotionState, ReleaseState, Stimulus } from './release.ts';
import { applyHealthReport, lookAgain, applyDeploymentReport, applyRolloutReport } from './reports.ts';
import { applyRetry } from './retry.ts';
import { applyRollbackNews } from './rollback/take-back.ts';
import { isOpenQuestion } from './settle.ts';
import { applySkip } from './skip.ts';
import { abortRunning, redispatch } from './steps.ts';
import type { WindowOverride } from './windows/override.ts';

/** What it says, once: a key that was heard before is not heard again. */
export function apply(draft: Draft, stimulus: Stimulus): void {
  const { key } = stimulus;
  if (key === undefined) return hear(draft, stimulus);
  if (draft.state.heard.some((each) => each.key === key)) return;
  const { touched } = draft;
  hear(draft, stimulus);
  if (draft.touched > touched) rememberKey(draft, stimulus);
}

/** The same key again changes nothing from now on. */
export function rememberKey(draft: Draft, { key }: Stimulus): void {
  if (key === undefined || draft.state.heard.some((each) => each.key === key)) return;
  draft.state.heard = remember(draft.state.heard, key, draft.now);
}

function hear(draft: Draft, stimulus: Stimulus): void {
  switch (stimulus.kind) {
    case 'tick':
      return;
    case 'outcome':
      return applyOutcome(draft, stimulus);
    case 'group-answer':
      return applyGroupAnswer(draft, stimulus);
    case 'health-reported':
      return applyHealthReport(draft, stimulus);
    case 'deployment-reported':
      return applyDeploymentReport(draft, stimulus);
    case 'application-told':
      return lookAgain(draft, stimulus);
    case 'terminate':
      if (draft.state.endedAt !== null || draft.state.terminating !== null) return;
      if (stimulus.onlyIf !== undefined && !isStill(draft, stimulus.onlyIf)) return;
      draft.state.terminating = { reason: stimulus.reason, by: stimulus.by };
      draft.emit({ type: 'ReleaseTerminating', reason: stimulus.reason });
      return abortRunning(draft);
    case 'approve':
    case 'reject':
      return applyDecision(draft, stimulus);
    case 'override-windows':
      return applyOverride(draft, stimulus);
    case 'retry':
      return applyRetry(draft, stimulus);
    case 'skip':
      return applySkip(draft, stimulus);
    case 'lost-dispatch':
      return redispatch(draft, stimulus.promotion, (step) => step.dispatch === stimulus.dispatch);
    case 'lost-question': {
      const group = draft.state.groups[stimulus.group];
      if (!isOpenQuestion(draft, group, stimulus.generation)) return;
      const asked = draft.group(stimulus.group);
      asked.generation += 1;
      asked.carrier = null;
      draft.work.push({ kind: 'ask-group', group: stimulus.group, generation: asked.generation });
      return;
    }
    case 'rollout-reported':
      return applyRolloutReport(draft, stimulus);
    case 'pull-request-told':
      return applyPullRequestTold(draft, stimulus);
    case 'pull-request-closed':
      return applyPullRequestClosed(draft, stimulus);
    case 'rollback-told':
      return applyRollbackNews(draft, stimulus);
    case 'rollback-joined': {
      const { environment, cause, reason, release } = stimulus;
      return draft.emit({ type: 'RollbackJoined', causedIn: environment, cause, reason, origin: release ?? undefined });
    }
  }
}

/** Who asked for the end had read what the release does before, without its lock: it may do something else by now. */
function isStill(
  { plan, state }: Draft,
  what: NonNullable<Extract<Stimulus, { kind: 'terminate' }>['onlyIf']>,
): boolean {
  if (what === 'QUEUED') return state.status === 'QUEUED';
  if ('inReviewIn' in what) return state.status === 'SUSPENDED' && isReplaceable(plan, state, what.inReviewIn);
  return state.promotions.some(
    (each, position) => plan.promotions[position]?.environment === what.atWorkIn && occupiesEnvironment(each),
  );
}

/** Why windows cannot be overridden for a promotion; null: they can. */
export function whyNoOverride(plan: ReleasePlan, state: ReleaseState, position: number): Refusal | null {
  const seen = state.promotions[position];
  if (seen && !ENDED_PROMOTION.has(seen.status)) return null;
  const message = `the promotion into "${plan.promotions[position]?.name}" has ended: ${seen?.status}`;
  return refusal('WRONG_STATE', message, ['environment']);
}

/** Recorded where the promotion has not ended; whether the named windows hold it now does not matter. */
function applyOverride(draft: Draft, stimulus: OverrideStimulus): void {
  const { promotion: position, windows, reason, by, expiresAt } = stimulus;
  const unfit = whyNoOverride(draft.plan, draft.state, position);
  if (unfit !== null) return void draft.refused.set(stimulus, unfit);
  const seen = draft.state.promotions[position] as PromotionState;
  const isSame = (each: WindowOverride): boolean =>
    each.expiresAt === expiresAt && each.reason === reason && each.by === by && each.windows.join() === windows.join();
  if (seen.overrides.some(isSame)) return;
  const override = { windows, reason, by, at: draft.now, expiresAt };
  draft.promotion(position).overrides = [...seen.overrides, override];
  const at = draft.atPromotion(position, seen.status);
  draft.emit({ type: 'WindowOverridden', ...at, windows, reason, expiresAt: new Date(expiresAt).toISOString() });
}
