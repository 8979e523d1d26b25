import type { ApprovalState } from '../core/approvals/approval.ts';
import type { GateAnswer } from '../core/gates/answer.ts';
import type { MergeState } from '../core/gates/merge-state.ts';
import type { Maker } from '../core/caller.ts';
import type { ReleaseRest } from '../entities/release-rows.ts';
import { freshGroup } from '../core/group-gate.ts';
import { FRESH_METER } from '../core/limits.ts';
import { freshStep } from '../core/step.ts';
import { occupiesEnvironment } from '../core/release.ts';
import type { PromotionState, PromotionStatus, ReleaseState, ReleaseStatus, StepState } from '../core/release.ts';
import type { Problem } from '../core/problems.ts';
import type { WindowOverride } from '../core/windows/override.ts';

/** Rows ↔ the state that the core decides on; the one place where either shape is turned into the other. */

/** The row of a release, as far as its state is in it. */
export interface ReleaseRecord {
  id: string;
  status: ReleaseStatus;
  initiator: string | null;
  initiator_makers?: Maker[] | null;
  sequence: number;
  created_at: Date;
  started_at: Date | null;
  ended_at: Date | null;
  deadline: Date | null;
  wake_at: Date | null;
  /** Null: it was saved last by a version that kept it in `rest` alone. */
  last_event_at: Date | null;
  rest: ReleaseRest;
}

/** The row of a promotion. */
export interface PromotionRecord {
  release_id: string;
  position: number;
  status: PromotionStatus;
  attempt: number;
  dispatch: number;
  started_at: Date | null;
  ended_at: Date | null;
  steps: Partial<StepState>[];
  problem: Problem | null;
  evidence: GateAnswer[] | null;
  approval: ApprovalState | null;
  overrides: WindowOverride[] | null;
  merge?: MergeState | null;
}

const time = (at: Date | string | null): number | null => (at === null ? null : new Date(at).getTime());
const stamp = (at: number | null): string | undefined => (at === null ? undefined : new Date(at).toISOString());

/** Rows → state; `promotions` in any order. What older rows do not have is what it was before it was kept. */
export function toState(release: ReleaseRecord, promotions: PromotionRecord[]): ReleaseState {
  const inOrder = [...promotions].sort((a, b) => a.position - b.position);
  return { ...stateOf(release), promotions: inOrder.map(toPromotion) };
}

/** The same of a part of its promotions, by position. */
export function toPartialState(
  release: ReleaseRecord,
  promotions: PromotionRecord[],
): Omit<ReleaseState, 'promotions'> & { promotions: Record<number, PromotionState> } {
  const read = promotions.map((row) => [row.position, toPromotion(row)] as const);
  return { ...stateOf(release), promotions: Object.fromEntries(read) };
}

function stateOf(release: ReleaseRecord): Omit<ReleaseState, 'promotions'> {
  return {
    id: release.id,
    status: release.status,
    initiator: release.initiator,
    ...(release.initiator_makers && { initiatorMakers: release.initiator_makers }),
    createdAt: time(release.created_at) as number,
    startedAt: time(release.started_at),
    endedAt: time(release.ended_at),
    deadline: time(release.deadline),
    wakeAt: time(release.wake_at),
    sequence: release.sequence,
    // What was written before rollbacks were there says nothing of them.
    rollbacks: {},
    skips: {},
    forgiven: [],
    context: {},
    heard: [],
    // Nor of how long it moved: its limits begin anew. `maxAge` counts from its creation.
    countsFrom: time(release.created_at) as number,
    moving: FRESH_METER,
    limited: {},
    ...release.rest,
    // Versions before and after that column may take turns.
    lastEventAt: Math.max(release.rest.lastEventAt, time(release.last_event_at) ?? 0),
    groups: release.rest.groups.map((each) => ({ ...freshGroup(), ...each })),
  };
}

function toPromotion(row: PromotionRecord): PromotionState {
  return {
    status: row.status,
    attempt: row.attempt,
    dispatch: row.dispatch,
    steps: row.steps.map(toStep),
    startedAt: time(row.started_at),
    endedAt: time(row.ended_at),
    problem: row.problem,
    evidence: row.evidence,
    approval: row.approval,
    overrides: row.overrides ?? [],
    merge: row.merge ?? null,
  };
}

/** A release as the save statement takes it; every time is ISO 8601 in UTC. What has not changed since `before` of its documents is left out. */
export function releaseRow(
  state: ReleaseState,
  before: ReleaseState,
  expected: number,
): [
  id: string,
  expected: number,
  status: ReleaseStatus,
  sequence: number,
  lastEventAt: string,
  startedAt: string | undefined,
  endedAt: string | undefined,
  deadline: string | undefined,
  wakeAt: string | undefined,
  rest: ReleaseRest | undefined,
] {
  return [
    state.id,
    expected,
    state.status,
    state.sequence,
    new Date(state.lastEventAt).toISOString(),
    stamp(state.startedAt),
    stamp(state.endedAt),
    stamp(state.deadline),
    stamp(state.wakeAt),
    hasSameRest(state, before) ? undefined : restOf(state),
  ];
}

/** A state shares with the one before it what did not change. `lastEventAt` has a column of its own. */
function hasSameRest(state: ReleaseState, before: ReleaseState): boolean {
  return (
    state.terminating === before.terminating &&
    state.halted === before.halted &&
    state.rollbacks === before.rollbacks &&
    state.skips === before.skips &&
    state.forgiven === before.forgiven &&
    state.countsFrom === before.countsFrom &&
    state.moving === before.moving &&
    state.limited === before.limited &&
    state.heard === before.heard &&
    state.context === before.context &&
    state.firstProblem === before.firstProblem &&
    state.lastProblem === before.lastProblem &&
    areSame(state.groups, before.groups)
  );
}

const areSame = (some: readonly unknown[], others: readonly unknown[]): boolean =>
  some.length === others.length && some.every((each, index) => each === others[index]);

export function restOf(state: ReleaseState): ReleaseRest {
  const { terminating, halted, groups, rollbacks, firstProblem, lastProblem, lastEventAt } = state;
  const rest: ReleaseRest = { terminating, halted, groups, firstProblem, lastProblem, lastEventAt };
  if (Object.keys(rollbacks).length > 0) rest.rollbacks = rollbacks;
  if (Object.keys(state.skips).length > 0) rest.skips = state.skips;
  if (state.forgiven.length > 0) rest.forgiven = state.forgiven;
  if (state.countsFrom !== state.createdAt) rest.countsFrom = state.countsFrom;
  if (state.moving !== FRESH_METER) rest.moving = state.moving;
  if (Object.keys(state.limited).length > 0) rest.limited = state.limited;
  if (state.heard.length > 0) rest.heard = state.heard;
  if (Object.keys(state.context).length > 0) rest.context = state.context;
  return rest;
}

/** Stands for a document that is null now: null itself stands for one that has not changed. */
const NONE = false;

/** A promotion as the save statement takes it. What has not changed since `before` of its documents is left out. */
export function promotionRow(
  promotion: PromotionState,
  before: PromotionState,
): [
  status: PromotionStatus,
  holds: boolean,
  attempt: number,
  dispatch: number,
  startedAt: string | undefined,
  endedAt: string | undefined,
  steps: Partial<StepState>[] | undefined,
  evidence: unknown,
  problem: unknown,
  approval: unknown,
  overrides: unknown,
  merge: unknown,
] {
  const { steps, evidence, problem, approval, overrides, merge } = promotion;
  return [
    promotion.status,
    occupiesEnvironment(promotion),
    promotion.attempt,
    promotion.dispatch,
    stamp(promotion.startedAt),
    stamp(promotion.endedAt),
    areSame(steps, before.steps) ? undefined : steps.map(packStep),
    evidence === before.evidence ? undefined : (evidence ?? NONE),
    problem === before.problem ? undefined : (problem ?? NONE),
    approval === before.approval ? undefined : (approval ?? NONE),
    overrides === before.overrides ? undefined : overrides.length > 0 ? overrides : NONE,
    merge === before.merge ? undefined : (merge ?? NONE),
  ];
}

/** A promotion that has not begun, as the statement that inserts releases takes it. */
export function newPromotionRecord(
  releaseId: string,
  position: number,
  promotion: PromotionState,
): Record<string, unknown> {
  return {
    release_id: releaseId,
    position,
    status: promotion.status,
    holds: occupiesEnvironment(promotion),
    attempt: promotion.attempt,
    dispatch: promotion.dispatch,
    steps: promotion.steps.map(packStep),
  };
}

/** A step that has waited since before looks of safety existed has no time for its look: it is due now. One that asks people needs none. */
function toStep(stored: Partial<StepState>): StepState {
  const step = Object.assign(freshStep(), stored);
  if (step.status !== 'WAITING' || step.recheckAt !== null || step.asked) return step;
  return { ...step, outside: true, recheckAt: 0 };
}

const FRESH = Object.entries(freshStep());

/** Most of a step is as it was at the start: only what differs is stored. */
function packStep(step: StepState): Partial<StepState> {
  const packed: Record<string, unknown> = {};
  for (const [key, value] of FRESH) {
    const now = step[key as keyof StepState];
    if (now !== value) packed[key] = now;
  }
  return packed;
}
