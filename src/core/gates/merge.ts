import type { PlannedPromotion, ReleasePlan } from '../plan.ts';
import { ENDED_PROMOTION } from '../release.ts';
import type { Facts, PromotionState, ReleaseState } from '../release.ts';
import { isFailing, mustStop, stopReason } from '../steps.ts';
import type { GateAnswer } from './answer.ts';
import { askGates, GATES_OF_MERGES } from './index.ts';
import type { MergeJudgement, StatusLevel, StatusState } from './merge-state.ts';
import { nextClosing } from './window.ts';

/**
 * The second question. A promotion by pull request has started when its request is opened, and its version goes live when the
 * request is merged, hours or days later and mostly not by Sluice. Until then holds, marks, windows and approvals are asked again,
 * by the same gates as at the start. The answer is the level of the commit status on the request, the permission of Sluice's
 * own merge, and, once merged, what the merge is held against.
 *
 * Dependencies, the group and the environment's lock are not asked again: they were met, and the promotion has the environment to
 * itself.
 */

/** So long before a known closing the answer is no longer green, in milliseconds: until red has arrived, people can still merge. */
export const STATUS_LEAD = 60_000;

/** All that is asked again, as at the start; what passes, too. */
export function askMerge(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): GateAnswer[] {
  const kind = plan.rollback ? 'ROLLBACK' : 'FORWARD';
  const again = GATES_OF_MERGES.filter((each) => each.of.includes(kind));
  return askGates(plan, state, position, facts, now, again);
}

/** A request that is open for weeks is judged often; older answers are of no use once newer ones are known. */
export const JUDGEMENTS_KEPT = 20;

/** The answer at `now`, with the time at which it changes by itself. */
export function judgeMerge(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): MergeJudgement {
  const unmet = askMerge(plan, state, position, facts, now).filter((each) => each.verdict !== 'pass');
  if (unmet.length > 0) {
    const times = unmet.flatMap((each) => each.recheckAt ?? (each.gate === 'APPROVAL' ? (each.expiresAt ?? []) : []));
    return { at: now, unmet, green: false, until: times.length > 0 ? Math.min(...times) : null };
  }
  const { environment } = plan.promotions[position] as PlannedPromotion;
  const { overrides } = state.promotions[position] as PromotionState;
  const action = plan.rollback ? 'ROLLBACK' : 'PROMOTE';
  const until = environment === null ? null : nextClosing(environment, facts, now, action, overrides);
  return { at: now, unmet, green: until === null || until - now > STATUS_LEAD, until };
}

/** Whether two judgements say the same, whenever they were made. */
export function isSameJudgement(one: MergeJudgement, other: MergeJudgement): boolean {
  return inOrder({ ...one, at: 0 }) === inOrder({ ...other, at: 0 });
}

/** As JSON, whatever the order of its keys: a database keeps another one. */
function inOrder(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** When the promotion has to look again although nobody tells it anything. */
export function wakesOf({ green, until }: MergeJudgement): number[] {
  if (until === null) return [];
  return green ? [until - STATUS_LEAD, until] : [until];
}

/** Its changes come by pull request, and one of them is not on the branch yet. */
export function awaitsMerge(planned: PlannedPromotion, { steps, startedAt, status }: PromotionState): boolean {
  if (planned.pullRequest === undefined || startedAt === null || ENDED_PROMOTION.has(status)) return false;
  return planned.steps.some(({ work }, index) => work.kind === 'merge' && steps[index]?.status !== 'SUCCEEDED');
}

/** Its people are asked while the request is open, and may say no until it is merged. */
export function isAskedBeforeMerge(planned: PlannedPromotion, promotion: PromotionState): boolean {
  return planned.pullRequest?.open === 'AT_ONCE' && awaitsMerge(planned, promotion);
}

/** The gates of the start, without those that hold the merge alone. */
export function askStart(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): GateAnswer[] {
  const planned = plan.promotions[position] as PlannedPromotion;
  return askGates(plan, state, position, facts, now).filter((each) => !isLeftToMerge(planned, each));
}

/** Windows and approvals do not hold the opening of such a request, only its merge. */
function isLeftToMerge({ pullRequest }: PlannedPromotion, { gate, verdict }: GateAnswer): boolean {
  return pullRequest?.open === 'AT_ONCE' && verdict === 'wait' && (gate === 'WINDOW' || gate === 'APPROVAL');
}

/** The level of the status: green while it may go live this second, and only then. */
export function levelOf(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  judgement: MergeJudgement,
): StatusLevel {
  const promotion = state.promotions[position] as PromotionState;
  const { name } = plan.promotions[position] as PlannedPromotion;
  const level = (is: StatusState, text: string): StatusLevel => ({ state: is, description: short(text) });
  if (ENDED_PROMOTION.has(promotion.status)) {
    const why = promotion.problem?.message;
    return level('FAILURE', `${name} ${WORDS[promotion.status] ?? 'is over'}${why === undefined ? '' : `: ${why}`}`);
  }
  if (mustStop(plan, state, position)) return level('FAILURE', `${name} stops: ${stopReason(state, position)}`);
  if (isFailing(promotion)) return level('FAILURE', `${name} has failed: ${promotion.problem?.message ?? 'it stops'}`);
  const { unmet, green, until } = judgement;
  if (unmet.length > 0) {
    const failed = unmet.some((each) => each.verdict === 'fail');
    return level(failed ? 'FAILURE' : 'PENDING', unmet.map(({ reason }) => reason).join('; '));
  }
  if (!green) return level('PENDING', `${name} closes ${new Date(until as number).toISOString()}: too late to merge`);
  return level('SUCCESS', `all gates of ${name} hold`);
}

const WORDS: Partial<Record<PromotionState['status'], string>> = {
  FAILED: 'failed',
  TERMINATED: 'was terminated',
  SKIPPED: 'was skipped',
};

/** GitHub refuses a longer description. */
const LONGEST = 140;

/** On one line, and cut where hosts would refuse it. */
export function short(text: string): string {
  const line = text.replace(/\s+/gu, ' ').trim();
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/**
 * The gates that did not hold when it was merged. Hosts tell the time of a merge in whole seconds: gates that held at some moment of that
 * second let it through.
 *
 * @param mergedAt as the host says, milliseconds since the epoch; a time in the future is now
 */
export function unmetAt(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  mergedAt: number,
  now: number,
): GateAnswer[] {
  const first = Math.min(mergedAt, now);
  const last = Math.min(mergedAt % SECOND === 0 ? mergedAt + SECOND - 1 : mergedAt, now);
  const judged = (state.promotions[position]?.merge?.judgements ?? []).map(({ at }) => at);
  const moments = [first, ...judged.filter((at) => at > first && at < last), last];
  const unmet = moments.map((moment) => unmetIn(plan, state, position, facts, moment));
  return unmet.some((each) => each.length === 0) ? [] : (unmet[0] as GateAnswer[]);
}

/** In milliseconds. */
const SECOND = 1_000;

/**
 * At one moment. What was judged then counts for as long as it could not change by itself; after that (Sluice was away), and of holds and
 * marks in any case, what is known now of that moment counts.
 */
function unmetIn(plan: ReleasePlan, state: ReleaseState, position: number, facts: Facts, moment: number): GateAnswer[] {
  const known = state.promotions[position]?.merge?.judgements.findLast(({ at }) => at <= moment);
  const then = asOf(state, position, moment);
  const seen = askMerge(plan, then, position, factsAsOf(facts, moment), moment).filter(
    ({ verdict }) => verdict !== 'pass',
  );
  if (known === undefined || (known.until !== null && known.until <= moment)) return seen;
  const judged = new Set(known.unmet.map(({ gate }) => gate));
  const late = seen.filter(({ gate }) => (gate === 'HOLD' || gate === 'VERSION') && !judged.has(gate));
  return [...known.unmet, ...late];
}

/** What people had said by then. */
function asOf(state: ReleaseState, position: number, moment: number): ReleaseState {
  const promotion = state.promotions[position] as PromotionState;
  const { approval, overrides } = promotion;
  const promotions = state.promotions.slice();
  promotions[position] = {
    ...promotion,
    overrides: overrides.filter(({ at }) => at <= moment),
    approval: approval && {
      ...approval,
      expiredAt: approval.expiredAt !== null && approval.expiredAt <= moment ? approval.expiredAt : null,
      decisions: approval.decisions.filter(({ at }) => at <= moment),
    },
  };
  return { ...state, promotions };
}

function factsAsOf(facts: Facts, moment: number): Facts {
  const begun = <T extends { since: number }>(all: Readonly<Record<string, T[]>>): Record<string, T[]> =>
    Object.fromEntries(Object.entries(all).map(([name, each]) => [name, each.filter(({ since }) => since <= moment)]));
  return { ...facts, holds: begun(facts.holds), badVersions: begun(facts.badVersions) };
}
