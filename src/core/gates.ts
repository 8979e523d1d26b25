import { askApproval } from './approvals/gate.ts';
import type { WindowAction } from './definitions.ts';
import { letsPass } from './holds.ts';
import type { Dependency, PlannedGroup, PlannedPromotion, ReleasePlan } from './plan.ts';
import { BAD_PROMOTION, ENDED_PROMOTION, holdsEnvironment } from './release.ts';
import { askRollback } from './rollback/gates.ts';
import { spreadAt, startIn, windowState } from './windows/index.ts';
import { inWords, standing } from './windows/override.ts';
import type { WindowOverride } from './windows/override.ts';
import type { Facts, GateAnswer, PromotionState, PromotionStatus, ReleaseState } from './release.ts';

/**
 * May this promotion start? One function answers for the executor, the API and every screen, so that explanation and
 * behaviour cannot drift apart. All gates are asked, together, against one state and one set of facts; the answers are
 * kept as the evidence of the start.
 */
export function askGates(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): GateAnswer[] {
  const promotion = plan.promotions[position] as PlannedPromotion;
  const answers = [askDependencies(plan, state, promotion)];
  if (plan.rollback) {
    answers.push(...askRollback(plan, state, position, facts));
  }
  if (promotion.group !== null) {
    answers.push(askGroupLimits(plan.groups[promotion.group] as PlannedGroup, state, position));
  }
  if (promotion.environment !== null) {
    const { environment } = promotion;
    answers.push(askEnvironment(environment, facts));
    // What goes back must not be kept from it by what keeps versions out.
    const { overrides } = state.promotions[position] as PromotionState;
    const others = plan.rollback
      ? [askWindow(environment, state, facts, now, 'ROLLBACK', overrides)]
      : [
          askHold(environment, state, facts, now),
          askVersion(environment, facts, now),
          askWindow(environment, state, facts, now, 'PROMOTE', overrides),
        ];
    answers.push(...others.filter((each) => each !== null));
  }
  const approval = askApproval(promotion, state.promotions[position] as PromotionState, now);
  if (approval) answers.push(approval);
  return answers;
}

export function verdictOf(answers: GateAnswer[]): 'pass' | 'wait' | 'fail' {
  if (answers.some((each) => each.verdict === 'fail')) return 'fail';
  return answers.some((each) => each.verdict === 'wait') ? 'wait' : 'pass';
}

export function askDependencies(plan: ReleasePlan, state: ReleaseState, promotion: PlannedPromotion): GateAnswer {
  const { dependsOn, required } = promotion;
  let satisfied = 0;
  let dead = 0;
  for (const each of dependsOn) {
    const standing = standingOf(state, each);
    if (standing === 'satisfied') satisfied += 1;
    else if (standing === 'dead') dead += 1;
  }
  const gate = 'DEPENDENCIES' as const;
  if (satisfied >= required)
    return { gate, verdict: 'pass', reason: `${satisfied} of ${dependsOn.length} dependencies are met` };
  const missing = (standing: Standing): string =>
    dependsOn
      .filter((each) => standingOf(state, each) === standing)
      .map((each) => nameOf(plan, each))
      .join(', ');
  if (dead > dependsOn.length - required) {
    return { gate, verdict: 'fail', reason: `${missing('dead')} did not succeed` };
  }
  return { gate, verdict: 'wait', reason: `waits for ${missing('open')}`, who: missing('open') };
}

type Standing = 'satisfied' | 'open' | 'dead';

function standingOf(state: ReleaseState, dependency: Dependency): Standing {
  if ('group' in dependency) {
    const { status } = state.groups[dependency.group] as ReleaseState['groups'][number];
    return status === 'PASSED' ? 'satisfied' : status === 'FAILED' ? 'dead' : 'open';
  }
  const { status } = state.promotions[dependency.promotion] as PromotionState;
  return status === 'SUCCEEDED' ? 'satisfied' : ENDED_PROMOTION.has(status) ? 'dead' : 'open';
}

export function nameOf(plan: ReleasePlan, dependency: Dependency): string {
  return 'group' in dependency
    ? (plan.groups[dependency.group] as PlannedGroup).name
    : (plan.promotions[dependency.promotion] as PlannedPromotion).name;
}

function askGroupLimits(group: PlannedGroup, state: ReleaseState, position: number): GateAnswer {
  const gate = 'GROUP' as const;
  const others = group.members
    .filter((each) => each !== position)
    .map((each) => state.promotions[each] as PromotionState);
  const failed = others.filter((each) => BAD_PROMOTION.has(each.status)).length;
  if (failed > group.maxFailures) {
    return {
      gate,
      verdict: 'fail',
      reason: `${failed} of group ${group.name} failed, ${group.maxFailures} may`,
    };
  }
  const running = others.filter(holdsEnvironment).length;
  if (running >= group.maxParallel) {
    return {
      gate,
      verdict: 'wait',
      reason: `${running} of group ${group.name} are running, ${group.maxParallel} may at once`,
      who: group.name,
    };
  }
  return { gate, verdict: 'pass', reason: `group ${group.name}: ${running} running, ${failed} failed` };
}

/** In a pipeline each environment takes the releases in order, also one that still waits in front of it. */
const GOES_FIRST: Partial<Record<PromotionStatus, string>> = {
  SUSPENDED: 'goes first, and waits for an approval in',
  WAITING: 'goes first, and waits in front of',
};

function askEnvironment(environment: string, facts: Facts): GateAnswer {
  const release = facts.heldBy[environment];
  if (release === undefined) return { gate: 'ENVIRONMENT', verdict: 'pass', reason: `${environment} is free` };
  const ahead = facts.ahead?.[environment];
  const does = ahead === undefined ? 'is at work in' : (GOES_FIRST[ahead] ?? 'goes first, and has not come to');
  return {
    gate: 'ENVIRONMENT',
    verdict: 'wait',
    reason: `release ${release} ${does} ${environment}`,
    who: `release ${release}`,
    release,
  };
}

/** Whether somebody or a rollback holds the environment. Null where nothing does. */
function askHold(environment: string, { createdAt }: ReleaseState, facts: Facts, now: number): GateAnswer | null {
  const gate = 'HOLD' as const;
  const active = (facts.holds[environment] ?? []).filter(({ until }) => until === null || until > now);
  if (active.length === 0) return null;
  const unmet = active.filter((each) => !letsPass(each, { createdAt, byPerson: facts.byPerson }));
  const [first] = unmet;
  if (first === undefined) {
    const reason = `${environment} is on hold until somebody promotes there again, as this release does`;
    return { gate, verdict: 'pass', reason, holds: active.map(({ id }) => id) };
  }
  const told = unmet.map(({ reason, by }) => (by === null ? reason : `${reason} (${by})`)).join('; ');
  return {
    gate,
    verdict: 'wait',
    reason: `${environment} is on hold: ${told}`,
    who: 'whoever may lift a hold',
    recheckAt: lastOf(unmet.map(({ until }) => until)),
    holds: unmet.map(({ id }) => id),
  };
}

/** Whether the version was marked bad for the environment. Null where it was not. */
function askVersion(environment: string, facts: Facts, now: number): GateAnswer | null {
  const active = (facts.badVersions[environment] ?? []).filter(
    ({ expiresAt }) => expiresAt === null || expiresAt > now,
  );
  const [first] = active;
  if (first === undefined) return null;
  return {
    gate: 'VERSION',
    verdict: 'wait',
    reason: `${first.label} is marked bad for ${environment}: ${active.map(({ reason }) => reason).join('; ')}`,
    who: 'whoever may take the mark back',
    recheckAt: lastOf(active.map(({ expiresAt }) => expiresAt)),
    badVersions: active.map(({ id }) => id),
  };
}

/** When all of them are over; not known when one has no end of its own. */
function lastOf(ends: (number | null)[]): number | undefined {
  const known = ends.filter((each) => each !== null);
  return known.length < ends.length ? undefined : Math.max(...known);
}

/**
 * A level, not an edge: what waits at the opening starts then, spread over the longest `jitter` of its windows (never past
 * the closing) by a number that stays the same for a release and environment. Null where no window holds the action there.
 */
export function askWindow(
  environment: string,
  state: ReleaseState,
  facts: Facts,
  now: number,
  action: WindowAction,
  overrides: readonly WindowOverride[] = [],
): GateAnswer | null {
  const all = (facts.windows[environment] ?? []).filter(({ spec }) => spec.holds.includes(action));
  if (all.length === 0) return null;
  const overridden = standing(overrides, now);
  const windows = all.filter(({ name }) => !overridden.some((each) => each.windows.includes(name)));
  const because = windows.length < all.length ? `; ${overridden.map(inWords).join('; ')}` : '';
  // What is measured is how long promotions take: nothing else has a runway.
  const options = action === 'PROMOTE' ? { runwayMs: facts.runway[environment] } : {};
  const at = windowState(windows, now, action, options);
  const common = { gate: 'WINDOW' as const, windows: at.windows };
  const wait = (recheckAt: number | undefined, reason: string): GateAnswer => {
    const pauses = windows.some(({ name, spec }) => spec.onClose === 'PAUSE' && at.windows.includes(name));
    return { ...common, verdict: 'wait', reason, who: at.windows.join(', '), recheckAt, pauses };
  };
  const spread = spreadAt(windows, at, now, action, options);
  const starts = spread === null ? undefined : startIn(spread, `${state.id} ${environment}`);
  if (at.closed) {
    const late = spread !== null && starts !== spread.opens ? `, this release starts ${inIso(starts)}` : '';
    const when = spread === null ? '' : `; opens ${inIso(spread.opens)}${late}`;
    return wait(starts, `${environment} is closed: ${at.reason}${when}${because}`);
  }
  if (starts !== undefined && starts > now)
    return wait(starts, `${environment} has just opened: this release starts ${inIso(starts)}${because}`);
  const pauses = all.some(({ spec }) => spec.onClose === 'PAUSE');
  return { ...common, verdict: 'pass', reason: `${environment} is open: ${at.reason}${because}`, pauses };
}

const inIso = (instant: number | undefined): string => new Date(instant ?? Number.NaN).toISOString();
