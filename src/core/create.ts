import type { Decision } from './decision.ts';
import type { Maker } from './caller.ts';
import { freshGroup } from './group-gate.ts';
import { FRESH_METER } from './limits.ts';
import { freshStep } from './step.ts';
import type { ReleasePlan } from './plan.ts';
import type { ReleaseState } from './release.ts';

/** How many findings an event tells; the plan has all. */
const MOST_FOUND = 20;

/** A release before its first decision: QUEUED, with the event that says so, and with what was found in its source. */
export function createRelease(
  id: string,
  plan: ReleasePlan,
  version: string,
  now: number,
  actor: string | null,
  makers: readonly Maker[] = [],
  found: readonly string[] = [],
): Pick<Decision, 'state' | 'events'> {
  const state: ReleaseState = {
    id,
    status: 'QUEUED',
    initiator: actor,
    ...(makers.length > 0 && { initiatorMakers: makers }),
    createdAt: now,
    startedAt: null,
    endedAt: null,
    deadline: null,
    countsFrom: now,
    moving: FRESH_METER,
    limited: {},
    terminating: null,
    halted: false,
    promotions: plan.promotions.map((promotion) => ({
      status: 'PENDING',
      attempt: 1,
      dispatch: 0,
      steps: promotion.steps.map(freshStep),
      startedAt: null,
      endedAt: null,
      problem: null,
      evidence: null,
      overrides: [],
      approval: null,
      merge: null,
    })),
    groups: plan.groups.map(() => freshGroup()),
    skips: {},
    forgiven: [],
    rollbacks: {},
    context: {},
    heard: [],
    firstProblem: null,
    lastProblem: null,
    wakeAt: null,
    sequence: 1,
    lastEventAt: now,
  };
  const environments = plan.promotions.filter((each) => each.own === undefined).map((each) => each.name);
  const { product, flow, rollback } = plan;
  const warned = found.length > 0 ? { warnings: found.slice(0, MOST_FOUND) } : {};
  const kind = rollback && { kind: 'ROLLBACK' as const };
  const event = { type: 'ReleaseQueued', ...kind, product, flow: flow.name, version, environments, ...warned } as const;
  return { state, events: [{ sequence: 1, at: now, releaseStatus: 'QUEUED', actor, event }] };
}
