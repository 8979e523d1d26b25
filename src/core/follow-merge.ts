import { followApproval } from './approvals/decide.ts';
import type { Draft } from './draft.ts';
import { awaitsMerge, isSameJudgement, judgeMerge, JUDGEMENTS_KEPT, levelOf, unmetAt, wakesOf } from './gates/merge.ts';
import type { MergeJudgement, MergeState, StatusLevel } from './gates/merge-state.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { PromotionState, PullRequestNews } from './release.ts';
import { cutOff, isFailing, mustStop } from './steps.ts';

/**
 * What the gates say of a promotion whose pull request is open: judged in every decision of its release, kept when it is news, and told
 * to the host as a commit status. A gate that fails for good (a rejection, an approval that came too late) ends the promotion.
 * Answers whether anything changed.
 */
export function followMerge(draft: Draft, position: number): boolean {
  const planned = draft.planned(position);
  if (planned.pullRequest === undefined) return false;
  const before = draft.touched;
  const stops = mustStop(draft.plan, draft.state, position) || isFailing(promotionAt(draft, position));
  if (awaitsMerge(planned, promotionAt(draft, position)) && !stops) {
    if (planned.approval) followApproval(draft, position, planned.approval, []);
    const judgement = judgeMerge(draft.plan, draft.state, position, draft.facts, draft.now);
    draft.wakes.push(...wakesOf(judgement));
    const last = promotionAt(draft, position).merge?.judgements.at(-1);
    if (last === undefined || !isSameJudgement(last, judgement)) keep(draft, position, judgement);
    const never = judgement.unmet.find(({ verdict }) => verdict === 'fail');
    if (never !== undefined) giveUp(draft, position, never.reason);
  }
  tell(draft, position);
  return draft.touched > before;
}

const promotionAt = ({ state }: Draft, position: number): PromotionState =>
  state.promotions[position] as PromotionState;

function keep(draft: Draft, position: number, judgement: MergeJudgement): void {
  const { judgements, ...rest } = promotionAt(draft, position).merge ?? NOTHING_YET;
  const kept = [...judgements, judgement].slice(-JUDGEMENTS_KEPT);
  draft.promotion(position).merge = { ...rest, judgements: kept };
}

const NOTHING_YET: MergeState = { judgements: [], level: null, through: 0, generation: 0 };

/** The request will not be merged: whatever of the promotion is on its way ends. */
function giveUp(draft: Draft, position: number, reason: string): void {
  const { steps } = promotionAt(draft, position);
  const begun = [...steps.keys()].filter(
    (each) => steps[each]?.status === 'RUNNING' || steps[each]?.status === 'WAITING',
  );
  const running = begun.some((each) => steps[each]?.status === 'RUNNING');
  const late = begun.length > 0 ? begun : [steps.findIndex((each) => each.status === 'PENDING')];
  for (const each of late) cutOff(draft, position, each, reason);
  if (running) draft.work.push({ kind: 'abort', promotions: [position] });
}

/**
 * The level is work when it changes, and when another request was opened or merged: who does that work looks at the requests. After
 * the last merge nothing more is told; the end of a promotion whose request was not merged is told once.
 */
function tell(draft: Draft, position: number): void {
  const planned = draft.planned(position);
  const { merge, steps, status, attempt } = promotionAt(draft, position);
  const judgement = merge?.judgements.at(-1);
  if (!merge || judgement === undefined) return;
  const isOver = !awaitsMerge(planned, promotionAt(draft, position)) && !ENDED_PROMOTION.has(status);
  const through = planned.steps.filter(
    ({ work }, index) => (work.kind === 'propose' || work.kind === 'merge') && steps[index]?.status === 'SUCCEEDED',
  ).length;
  const merged = planned.steps.every(
    ({ work }, index) => work.kind !== 'merge' || steps[index]?.status === 'SUCCEEDED',
  );
  const level = isOver || merged ? null : levelOf(draft.plan, draft.state, position, judgement);
  if (through === merge.through && isSameLevel(level, merge.level)) return;
  const generation = merge.generation + 1;
  draft.promotion(position).merge = { ...merge, level, through, generation };
  draft.work.push({ kind: 'tell-merge', promotion: position, attempt, generation });
}

function isSameLevel(one: StatusLevel | null, other: StatusLevel | null): boolean {
  return one?.state === other?.state && one?.description === other?.description;
}

/**
 * A merge is held against the gates of its own moment. What did not hold then is recorded, and the flow says what follows. A change that
 * came to the branch by another way is no other thing, at the moment at which it was found; whoever closed its pull request has not merged.
 */
export function judgeMerged(
  draft: Draft,
  position: number,
  step: number,
  { state, number, url, ...end }: PullRequestNews,
): void {
  const { pullRequest, environment } = draft.planned(position);
  const { by, at } = state === 'MERGED' ? end : {};
  const mergedAt = Math.min(at ?? draft.now, draft.now);
  const unmet = unmetAt(draft.plan, draft.state, position, draft.facts, mergedAt, draft.now);
  if (unmet.length === 0) return;
  const told = unmet.map(({ gate, reason }) => ({ gate, reason }));
  draft.emit({
    type: 'PullRequestMergedOutsideGates',
    ...draft.atStep(position, step),
    unmet: told,
    by,
    when: new Date(mergedAt).toISOString(),
    number,
    url,
  });
  // A rollback is never rolled back.
  if (pullRequest?.onMergeOutsideGates !== 'ROLL_BACK' || environment === null || draft.plan.rollback) return;
  const { attempt } = promotionAt(draft, position);
  const came = state === 'MERGED' ? `merged${by === undefined ? '' : ` by ${by}`}` : 'its change came to the branch';
  const reason = `${came} outside the gates: ${unmet.map((each) => each.reason).join('; ')}`;
  draft.work.push({
    kind: 'roll-back',
    promotion: position,
    attempt,
    reason,
    at: draft.now,
    cause: 'MERGED_OUTSIDE_GATES',
  });
}
