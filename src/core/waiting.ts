import { progressOf } from './approvals/approval.ts';
import { askedUntil } from './approvals/asking-step.ts';
import { answerOf, deedOf } from './approvals/gate.ts';
import type { RuleProgress } from './approvals/approval.ts';
import { standingOf } from './gates/dependencies.ts';
import type { GateAnswer } from './gates/answer.ts';
import { askMerge, askStart, awaitsMerge } from './gates/merge.ts';
import { memberTimes } from './group-gate.ts';
import { comesAtTheEnd, ownStart, startOf } from './own-steps.ts';
import type { Dependency, PlannedGroup, PlannedPromotion, PlannedStep, ReleasePlan, StepWork } from './plan.ts';
import { ENDED_PROMOTION } from './release.ts';
import type { Facts, PromotionState, ReleaseState, StepState } from './release.ts';
import { endsBefore } from './late.ts';
import { countOf, isSkippedByPerson } from './required.ts';
import { isLook, soakEnd } from './soak.ts';
import { mustStop, takenBackBy } from './steps.ts';
import { inOrder } from './waiting-order.ts';

/**
 * One thing that a release waits for, in words and as data. `who` can end it; `earliest` is the first time at which it can
 * end (milliseconds since the epoch, UTC), null when that is not known. `promotion` is the position of what waits, null
 * where the whole release does.
 */
export type WaitingReason = {
  message: string;
  who: string | null;
  earliest: number | null;
  promotion: number | null;
} & WaitingCause;

/** What sort of thing it waits for, with what belongs to that. */
export type WaitingCause =
  /** Another release of the product goes first. */
  | { kind: 'TURN'; release: string }
  /** `on` are the dependencies that are still open. */
  | { kind: 'DEPENDENCIES'; on: Dependency[] }
  /** As many members of the group run as may at once. */
  | { kind: 'GROUP'; group: number }
  /** Another release is at work in the environment. */
  | { kind: 'ENVIRONMENT'; release: string | null }
  /** A release window is closed; `windows` are the names of those that decide. */
  | { kind: 'WINDOW'; windows: string[] }
  /** People have to agree; how far that is, rule by rule. `expiresAt` is null until they are asked, and after it. `step`: that asks by itself. */
  | { kind: 'APPROVAL'; rules: RuleProgress[]; expiresAt: number | null; step?: number }
  /** Of a rollback: as many of its promotions run as may at once. */
  | { kind: 'LIMIT' }
  /** The environment is on hold; `holds` are the ids. */
  | { kind: 'HOLD'; holds: string[] }
  /** The version was marked bad; `badVersions` are the ids of the marks. */
  | { kind: 'VERSION'; badVersions: string[] }
  /** The group's members have succeeded, and not enough of them are healthy now or have been for long enough. */
  | { kind: 'GROUP_HEALTH'; group: number }
  | { kind: StepCause; step: number };

type StepCause = 'SYNC' | 'HEALTH' | 'SOAK' | 'RETRY' | 'ACTION';

/**
 * Everything that a release waits for now, at once: its turn, every unmet gate of every promotion that has not started or whose
 * pull request awaits its merge,
 * the gates of groups, and every step that waits for a time, a person or a report. What moves by itself right now (a running
 * step) is not waiting. The causes come first, what waits for them inside the release (DEPENDENCIES) last.
 *
 * The gates' answers are those of `askGates`, which starts promotions; the steps' are those that the executor left.
 */
export function waitingFor(plan: ReleasePlan, state: ReleaseState, facts: Facts, now: number): WaitingReason[] {
  if (state.endedAt !== null) return [];
  const forecast = new Forecast(plan, state, facts, now);
  const reasons: WaitingReason[] = [];
  if (state.startedAt === null && facts.behind !== null) {
    const who = `release ${facts.behind.called}`;
    const message = `${who} goes first`;
    reasons.push({ kind: 'TURN', release: facts.behind.id, promotion: null, message, who, earliest: null });
  }
  plan.groups.forEach((group, position) => {
    const { status, reason } = state.groups[position] as ReleaseState['groups'][number];
    // When a question is repeated, it has a reason already: it goes on waiting.
    if ((status !== 'WAITING' && status !== 'ASKING') || reason === null || willStop(state)) return;
    const who = `the health of ${group.name}`;
    const earliest = forecast.gate(position);
    reasons.push({ kind: 'GROUP_HEALTH', group: position, promotion: null, message: reason, who, earliest });
  });
  plan.promotions.forEach((planned, position) => {
    const promotion = state.promotions[position] as PromotionState;
    if (ENDED_PROMOTION.has(promotion.status)) return;
    if (promotion.startedAt !== null) reasons.push(...waitingSteps(planned, promotion, position, now));
    const starts = promotion.startedAt === null && !willStop(state) && !comesAtTheEnd(planned.own);
    const merges = awaitsMerge(planned, promotion) && !mustStop(plan, state, position);
    const asked = starts
      ? askStart(plan, state, position, facts, now)
      : merges
        ? askMerge(plan, state, position, facts, now)
        : [];
    const unmet = asked.filter((each) => each.verdict === 'wait');
    reasons.push(...unmet.map((each) => unmetGate(plan, state, position, each, forecast)));
  });
  const isCause = ({ kind }: WaitingReason): boolean => kind !== 'DEPENDENCIES';
  return [...reasons.filter(isCause), ...reasons.filter((each) => !isCause(each))];
}

/**
 * The same of one promotion, where its own state says it all: it has started, or ended. Null: its gates have to be asked, and they look
 * at the whole release.
 */
export function waitingAtWork(
  plan: ReleasePlan,
  { endedAt, promotions }: Pick<ReleaseState, 'endedAt'> & { promotions: Readonly<Record<number, PromotionState>> },
  position: number,
  now: number,
): WaitingReason[] | null {
  const planned = plan.promotions[position] as PlannedPromotion;
  const promotion = promotions[position] as PromotionState;
  if (endedAt !== null || ENDED_PROMOTION.has(promotion.status)) return [];
  if (promotion.startedAt === null || awaitsMerge(planned, promotion)) return null;
  return waitingSteps(planned, promotion, position, now);
}

/**
 * The joint earliest start of each promotion, all of its gates together, never before `now`; in the order of the plan. Null
 * where it has started or never will, and where it waits for what has no known time: a person, another release.
 */
export function earliestStarts(plan: ReleasePlan, state: ReleaseState, facts: Facts, now: number): (number | null)[] {
  if (state.endedAt !== null || willStop(state)) return plan.promotions.map(() => null);
  const forecast = new Forecast(plan, state, facts, now);
  return plan.promotions.map(({ own }, position) =>
    isAhead(state, position) && !comesAtTheEnd(own) ? forecast.start(position) : null,
  );
}

/** The first time at which anything that has not started can start; null as for `earliestStarts`. */
export function earliestNextStart(plan: ReleasePlan, state: ReleaseState, facts: Facts, now: number): number | null {
  return nth(earliestStarts(plan, state, facts, now), 1);
}

function isAhead(state: ReleaseState, position: number): boolean {
  const { startedAt, status } = state.promotions[position] as PromotionState;
  return startedAt === null && !ENDED_PROMOTION.has(status);
}

/** What has not started never will. */
function willStop(state: ReleaseState): boolean {
  return state.terminating !== null || state.halted || takenBackBy(state) !== null;
}

function unmetGate(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  answer: GateAnswer,
  forecast: Forecast,
): WaitingReason {
  const { name, dependsOn, group, approval, own } = plan.promotions[position] as PlannedPromotion;
  const common = { message: `${name}: ${answer.reason}`, who: answer.who ?? null, promotion: position };
  const earliest = answer.recheckAt ?? null;
  switch (answer.gate) {
    case 'DEPENDENCIES': {
      const start = own === undefined && ownStart(plan, state) === 'open' ? [{ promotion: startOf(plan) }] : [];
      const on = [...start, ...dependsOn.filter((each) => standingOf(state, each) === 'open')];
      return { ...common, kind: 'DEPENDENCIES', on, earliest: forecast.known(forecast.dependencies(position)) };
    }
    case 'GROUP':
      return { ...common, kind: 'GROUP', group: group as number, earliest };
    case 'ENVIRONMENT':
      return { ...common, kind: 'ENVIRONMENT', release: answer.release ?? null, earliest };
    case 'HOLD':
      return { ...common, kind: 'HOLD', holds: answer.holds, earliest };
    case 'VERSION':
      return { ...common, kind: 'VERSION', badVersions: answer.badVersions, earliest };
    case 'WINDOW': {
      const message = `${common.message}${endsBefore(plan, state, earliest)}`;
      return { ...common, kind: 'WINDOW', windows: answer.windows, earliest, message };
    }
    case 'APPROVAL': {
      const rules = approval ? progressOf(approval, (state.promotions[position] as PromotionState).approval) : [];
      return { ...common, kind: 'APPROVAL', rules, expiresAt: answer.expiresAt ?? null, earliest };
    }
    // What is live never waits: it passes, or there is nothing to take back.
    case 'LIVE':
    case 'LIMIT':
      return { ...common, kind: 'LIMIT', earliest };
  }
}

function waitingSteps(
  planned: PlannedPromotion,
  promotion: PromotionState,
  position: number,
  now: number,
): WaitingReason[] {
  return promotion.steps.flatMap((step, index): WaitingReason[] => {
    const looked = isLook(planned, step, index);
    if (step.status !== 'WAITING' && !looked) return [];
    const { id, work, application } = planned.steps[index] as PlannedStep;
    const of = application === null ? planned.name : (planned.applications[application]?.name ?? planned.name);
    const kind = causeOf(step, work.kind);
    const message = `${planned.name}: ${id} ${kind === 'RETRY' ? 'is tried again: ' : ''}${step.reason ?? 'waits'}`;
    const { outside, asked } = step;
    if (asked && outside) {
      const { who = null } = answerOf(asked.spec, asked.approval, deedOf(planned), now);
      const rules = progressOf(asked.spec, asked.approval);
      const common = { step: index, promotion: position, message, who, earliest: null };
      return [{ kind: 'APPROVAL', rules, expiresAt: askedUntil(step), ...common }];
    }
    const forPerson = outside && step.waitsFor === 'PERSON';
    const unhealthy = kind === 'SOAK' && step.clock !== null && step.clock.status !== 'HEALTHY';
    const reports = `a report of the health of ${of}`;
    const ends = forPerson ? 'a person' : `the outside system that ends ${id}`;
    const target = `the target of ${of}`;
    const who =
      kind === 'SYNC'
        ? target
        : unhealthy || (outside && kind === 'HEALTH' && !forPerson)
          ? reports
          : outside
            ? ends
            : null;
    const earliest = kind === 'SOAK' ? soakEnd(planned, step, index) : outside ? null : step.recheckAt;
    return [{ kind, step: index, promotion: position, message, who, earliest }];
  });
}

function causeOf(step: StepState, work: StepWork['kind']): StepCause {
  if (work === 'soak') return 'SOAK';
  if (step.tries > 0 && !step.outside && step.recheckAt !== null && step.reason === step.lastError) return 'RETRY';
  if (work === 'sync') return 'SYNC';
  return work === 'health' ? 'HEALTH' : 'ACTION';
}

/**
 * When things can happen at the earliest: bounds from below, made of the times that are known (soaks, rechecks, the times
 * of gates). Work of unknown length counts as nothing; what a person has to do counts as never (null).
 */
class Forecast {
  readonly #plan: ReleasePlan;
  readonly #state: ReleaseState;
  readonly #facts: Facts;
  readonly #now: number;
  readonly #starts = new Map<number, number | null>();
  readonly #ends = new Map<number, number | null>();

  constructor(plan: ReleasePlan, state: ReleaseState, facts: Facts, now: number) {
    this.#plan = plan;
    this.#state = state;
    this.#facts = facts;
    this.#now = now;
    // From the front to the back: each finds what it asks for answered, and a chain of a thousand is no deep recursion.
    for (const position of inOrder(plan)) this.#end(position);
  }

  start(position: number): number | null {
    const known = this.#starts.get(position);
    if (known !== undefined) return known;
    // Plans have no cycles; a broken one is answered with "never", not with an endless walk.
    this.#starts.set(position, null);
    const answer = this.#askStart(position);
    this.#starts.set(position, answer);
    return answer;
  }

  #askStart(position: number): number | null {
    if (this.#state.startedAt === null && this.#facts.behind !== null) return null;
    const times = askStart(this.#plan, this.#state, position, this.#facts, this.#now)
      .filter((each) => each.verdict !== 'pass')
      .map((each) => {
        if (each.verdict === 'fail') return null;
        if (each.gate === 'DEPENDENCIES') return this.dependencies(position);
        return each.gate === 'GROUP' ? this.#room(position) : (each.recheckAt ?? null);
      });
    return latest([this.#now, ...times]);
  }

  /** A bound that says nothing, because it is now, is no time to tell people. */
  known(bound: number | null): number | null {
    return bound === null || bound <= this.#now ? null : bound;
  }

  /** When as many of its dependencies as it needs can be met. */
  dependencies(position: number): number | null {
    const { dependsOn, required } = this.#plan.promotions[position] as PlannedPromotion;
    const times = dependsOn.map((each) => ('group' in each ? this.gate(each.group) : this.#end(each.promotion)));
    return required === 0 ? this.#now : nth(times, required);
  }

  /** When a running member of its group can end and leave its place. */
  #room(position: number): number | null {
    const { group } = this.#plan.promotions[position] as PlannedPromotion;
    const { members } = this.#plan.groups[group as number] as PlannedGroup;
    return nth(
      members.filter((each) => each !== position && !isAhead(this.#state, each)).map((each) => this.#end(each)),
      1,
    );
  }

  /** When as many of its members as it needs can have been healthy for long enough. */
  gate(position: number): number | null {
    const seen = this.#state.groups[position] as ReleaseState['groups'][number];
    const group = this.#plan.groups[position] as PlannedGroup;
    if (seen.status === 'FAILED') return null;
    const { required } = countOf(group, this.#state);
    if (seen.status === 'PASSED' || required === 0) return this.#now;
    const times = memberTimes(
      group,
      seen,
      (each) => (isSkippedByPerson(this.#state, each) ? null : this.#end(each)),
      this.#now,
    );
    return nth(times, required);
  }

  #end(position: number): number | null {
    const known = this.#ends.get(position);
    if (known !== undefined) return known;
    this.#ends.set(position, null);
    const answer = this.#askEnd(position);
    this.#ends.set(position, answer);
    return answer;
  }

  #askEnd(position: number): number | null {
    const promotion = this.#state.promotions[position] as PromotionState;
    if (promotion.status === 'SUCCEEDED' || isSkippedByPerson(this.#state, position)) return this.#now;
    if (ENDED_PROMOTION.has(promotion.status)) return null;
    const begin = promotion.startedAt === null ? this.start(position) : this.#now;
    if (begin === null) return null;
    const planned = this.#plan.promotions[position] as PlannedPromotion;
    const { steps } = planned;
    const ends: (number | null)[] = [];
    // A step's needs stand before it in the list only within its phase's order; actions of a workflow may not.
    const endOf = (index: number): number | null => {
      if (ends[index] !== undefined) return ends[index];
      ends[index] = null;
      const { needs, work } = steps[index] as PlannedStep;
      const state = promotion.steps[index] as StepState;
      const pause = work.kind === 'soak' ? work.duration : 0;
      const soaks = work.kind === 'soak' && (state.status === 'WAITING' || state.status === 'RUNNING');
      if (soaks) ends[index] = soakEnd(planned, state, index);
      else if (state.outside) ends[index] = null;
      else if (state.status === 'WAITING') ends[index] = state.recheckAt;
      else if (state.status === 'SUCCEEDED' || state.status === 'RUNNING') ends[index] = begin;
      else if (state.status === 'PENDING') {
        const ready = latest([begin, ...needs.map(endOf)]);
        ends[index] = ready === null ? null : ready + pause;
      }
      return ends[index];
    };
    return latest([begin, ...steps.map((_, index) => endOf(index))]);
  }
}

/** All of them: null (never) when one is. */
function latest(times: (number | null)[]): number | null {
  return times.reduce((max, each) => (max === null || each === null ? null : Math.max(max, each)), -Infinity);
}

/** The `count`-th of them: null when too few have a time. */
function nth(times: (number | null)[], count: number): number | null {
  return times.filter((each) => each !== null).sort((a, b) => a - b)[count - 1] ?? null;
}
