import type { ApprovalState } from '../../../src/core/approvals/approval.ts';
import type { ApprovalSpec, WindowAction } from '../../../src/core/definitions.ts';
import type { PlannedPromotion, ReleasePlan } from '../../../src/core/plan.ts';
import type { Facts, PromotionState, ReleaseState } from '../../../src/core/release.ts';
import type { ReleaseWindow } from '../../../src/core/windows/index.ts';

/**
 * What may start, said once more and in another way: by plain arithmetic on single occurrences, and by trying every assignment
 * of people to rules. The simulation holds the gates against it.
 */

/** When an instant-to-instant window is active. */
function isActive({ spec }: ReleaseWindow, now: number): boolean {
  return Date.parse(spec.from as string) <= now && now < Date.parse(spec.to as string);
}

function inForce(
  facts: Facts,
  environment: string,
  action: WindowAction,
  state: PromotionState,
  now: number,
): ReleaseWindow[] {
  const overridden = new Set(state.overrides.filter((each) => now < each.expiresAt).flatMap((each) => each.windows));
  return (facts.windows[environment] ?? []).filter(
    ({ name, spec }) => spec.holds.includes(action) && !overridden.has(name),
  );
}

/** The windows that close it; none: it is open. */
export function closing(
  facts: Facts,
  environment: string,
  action: WindowAction,
  state: PromotionState,
  now: number,
): ReleaseWindow[] {
  const all = inForce(facts, environment, action, state, now);
  const plain = closedBy(all, now);
  const runway = action === 'PROMOTE' ? (facts.runway[environment] ?? 0) : 0;
  if (plain.length > 0 || runway === 0) return plain;
  // What starts now is still at work when the next one closes.
  const next = changesOf(all).find((each) => each > now && closedBy(all, each).length > 0);
  if (next === undefined || now < next - runway) return [];
  const denying = all.filter((each) => each.spec.kind === 'DENY' && isActive(each, next));
  const allows = all.filter((each) => each.spec.kind === 'ALLOW');
  const over = allows.some((each) => isActive(each, next)) ? [] : allows.filter((each) => isActive(each, next - 1));
  return [...denying, ...over].filter(({ spec }) => spec.runway);
}

const changesOf = (all: ReleaseWindow[]): number[] =>
  all.flatMap(({ spec }) => [Date.parse(spec.from as string), Date.parse(spec.to as string)]).sort((a, b) => a - b);

function closedBy(all: ReleaseWindow[], now: number): ReleaseWindow[] {
  const denying = all.filter((each) => each.spec.kind === 'DENY' && isActive(each, now));
  if (denying.length > 0) return denying;
  const allowing = all.filter((each) => each.spec.kind === 'ALLOW');
  return allowing.some((each) => isActive(each, now)) ? [] : allowing;
}

/** Whether it was closed at any moment from `since` to `now`: what starts then is spread. The overrides are those of now. */
export function wasClosed(
  facts: Facts,
  environment: string,
  action: WindowAction,
  state: PromotionState,
  now: number,
): boolean {
  const all = inForce(facts, environment, action, state, now);
  const jitter = Math.max(0, ...all.map(({ spec }) => spec.jitter ?? 0));
  const alone: Facts = { ...facts, windows: { [environment]: all } };
  const plain = { ...state, overrides: [] };
  const runway = facts.runway[environment] ?? 0;
  const moments = [now - jitter, ...changesOf(all).flatMap((each) => [each - 1, each, each - runway])];
  return moments.some(
    (each) => each >= now - jitter && each < now && closing(alone, environment, action, plain, each).length > 0,
  );
}

export function actionOf(plan: ReleasePlan): WindowAction {
  return plan.rollback ? 'ROLLBACK' : 'PROMOTE';
}

/** Why the promotion may not start, whatever its dependencies and its group say; null: it may. */
export function obstacle(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): string | null {
  const planned = plan.promotions[position] as PlannedPromotion;
  const promotion = state.promotions[position] as PromotionState;
  const { environment, name } = planned;
  if (environment !== null) {
    if (facts.heldBy[environment] !== undefined) return `${name} is held`;
    const [window] = closing(facts, environment, actionOf(plan), promotion, now);
    if (window) return `${name} is closed by ${window.name}`;
    if (!plan.rollback) {
      if (holding(facts, environment, state, now).length > 0) return `${name} is on hold`;
      if (marked(facts, environment, now).length > 0) return `the version is marked bad for ${name}`;
    } else {
      const changed = planned.applications.find(({ name: application, expects }) => {
        const live = facts.live[application];
        return expects && live?.id !== expects.deployment && !expects.digests.includes(live?.digest ?? '');
      });
      if (changed) return `something else is live in ${name}`;
    }
  }
  if (planned.approval && !isApproved(planned.approval, promotion.approval, state.initiator))
    return `${name} lacks approvals`;
  return null;
}

/** The same for the opening of a pull request, which is for review: windows and people have no part in it. */
export function openObstacle(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): string | null {
  const promotions = plan.promotions.map((each, index) => (index === position ? { ...each, approval: null } : each));
  return obstacle({ ...plan, promotions }, state, position, { ...facts, windows: {} }, now);
}

/** The same for its merge, which the lock and what is live have no part in. */
export function mergeObstacle(
  plan: ReleasePlan,
  state: ReleaseState,
  position: number,
  facts: Facts,
  now: number,
): string | null {
  const { applications } = plan.promotions[position] as PlannedPromotion;
  const live = Object.fromEntries(
    applications.map(({ name, expects }) => [name, { id: expects?.deployment ?? '', digest: '', label: '' }]),
  );
  return obstacle(plan, state, position, { ...facts, heldBy: {}, live }, now);
}

/** Whether it closes, or an override ends that keeps it open, within so long. It is open now. */
export function closingWithin(
  facts: Facts,
  environment: string,
  action: WindowAction,
  state: PromotionState,
  now: number,
  within: number,
): boolean {
  const all = facts.windows[environment] ?? [];
  const runway = facts.runway[environment] ?? 0;
  const moments = [
    ...state.overrides.map(({ expiresAt }) => expiresAt),
    ...changesOf(all).flatMap((each) => [each, each - runway]),
  ];
  return moments.some(
    (each) => each > now && each <= now + within && closing(facts, environment, action, state, each).length > 0,
  );
}

const lasts = (end: number | null, now: number): boolean => end === null || now < end;

export function holding(
  facts: Facts,
  environment: string,
  { createdAt }: ReleaseState,
  now: number,
): (number | null)[] {
  return (facts.holds[environment] ?? [])
    .filter(({ until }) => lasts(until, now))
    .filter((each) => each.rollback === null || !facts.byPerson || createdAt <= each.since)
    .map(({ until }) => until);
}

export function marked(facts: Facts, environment: string, now: number): (number | null)[] {
  return (facts.badVersions[environment] ?? []).map(({ expiresAt }) => expiresAt).filter((end) => lasts(end, now));
}

/** Every way to give each seat of each rule to another person. */
export function isApproved(spec: ApprovalSpec, approval: ApprovalState | null, initiator: string | null): boolean {
  if (approval === null || approval.decisions.some((each) => each.kind === 'REJECTED')) return false;
  const people = approval.decisions
    .map((each) => each.by)
    .filter((each) => each !== initiator || !spec.forbidInitiator);
  if (spec.onExpiry === 'FAIL' && approval.decisions.some((each) => each.at >= approval.expiresAt)) return false;
  const rules = spec.rules.length > 0 ? spec.rules : [{ count: 1 }];
  const seats = rules.flatMap((rule) => Array.from({ length: rule.count }, () => rule.users));
  const fill = (seat: number, left: (string | null)[]): boolean =>
    seat === seats.length ||
    left.some((person, index) => {
      const users = seats[seat];
      const fits = users === undefined || (person !== null && users.includes(person));
      return fits && fill(seat + 1, [...left.slice(0, index), ...left.slice(index + 1)]);
    });
  return fill(0, people);
}

/**
 * When the windows alone let it start, at the latest: the first instant, by trying every instant at which something changes, and
 * the longest jitter on top. Null: never by itself.
 */
export function opensBy(
  facts: Facts,
  environment: string,
  action: WindowAction,
  state: PromotionState,
  now: number,
): number | null {
  const all = inForce(facts, environment, action, state, now);
  const alone: Facts = { ...facts, windows: { [environment]: all } };
  const plain = { ...state, overrides: [] };
  const open = [now, ...changesOf(all).filter((each) => each > now)].find(
    (at) => all.length === 0 || closing(alone, environment, action, plain, at).length === 0,
  );
  if (open === undefined) return null;
  const jitter = Math.max(0, ...all.map(({ spec }) => spec.jitter ?? 0));
  if (open > now) return open + jitter;
  // It may have opened a moment ago, and its moment is to come.
  const opened = changesOf(all).filter((each) => each <= now && each + jitter > now);
  return Math.max(now, ...opened.map((each) => each + jitter));
}
