import { DEFAULT_MAX_AGE } from './definitions.ts';
import { spell } from './duration.ts';
import { diesAt } from './limits.ts';
import type { PlannedPromotion, ReleasePlan } from './plan.ts';
import type { ReleaseState } from './release.ts';
import { inOrder } from './waiting-order.ts';
import { windowState } from './windows/index.ts';
import type { ReleaseWindow } from './windows/index.ts';
import { quote } from './wording.ts';

/**
 * What can be seen when a release is triggered: it cannot get through before its own limits end it. Windows are those of now, and
 * may change; so these are warnings. `windowsOf`: the windows that concern the product in an environment.
 */
export function lateWarnings(
  plan: ReleasePlan,
  windowsOf: (environment: string) => ReleaseWindow[],
  now: number,
): string[] {
  const maxAge = plan.maxAge ?? DEFAULT_MAX_AGE;
  const closed = plan.promotions.flatMap(({ environment }): string[] => {
    if (environment === null) return [];
    const at = windowState(windowsOf(environment), now, 'PROMOTE');
    if (!at.closed || (at.nextOpen !== null && at.nextOpen < now + maxAge)) return [];
    const opens = at.nextOpen === null ? 'does not open within five years' : `opens ${iso(at.nextOpen)}`;
    return [
      `${quote(environment)} ${opens}, and the release ends ${iso(now + maxAge)}, at its maxAge of ${spell(maxAge)}`,
    ];
  });
  const slow = plan.promotions.flatMap((planned): string[] => {
    const soak = soakOf(planned);
    if (planned.timeout === null || soak < planned.timeout) return [];
    return [
      `${quote(planned.name)} soaks for ${spell(soak)}, and its timeout of ${spell(planned.timeout)} ends it before`,
    ];
  });
  const soaks = longestSoak(plan);
  if (soaks >= plan.timeout)
    slow.push(`what soaks one after the other takes ${spell(soaks)}, and the flow's timeout is ${spell(plan.timeout)}`);
  return [...closed, ...slow];
}

/** Appended to what a window says, where the release ends before it opens. */
export function endsBefore(plan: ReleasePlan, state: ReleaseState, opens: number | null): string {
  const dies = diesAt(plan, state);
  return opens !== null && opens < dies ? '' : `; the release ends before that, ${iso(dies)}, at its maxAge`;
}

function soakOf({ steps }: PlannedPromotion): number {
  return Math.max(0, ...steps.map(({ work }) => (work.kind === 'soak' ? work.duration : 0)));
}

/** The soaks along the longest way through the flow. */
function longestSoak(plan: ReleasePlan): number {
  const until = plan.promotions.map(() => 0);
  const groupUntil = (group: number): number => {
    const { members, soak = 0 } = plan.groups[group] as ReleasePlan['groups'][number];
    return Math.max(0, ...members.map((each) => until[each] as number)) + soak;
  };
  for (const position of inOrder(plan)) {
    const planned = plan.promotions[position] as PlannedPromotion;
    const before = planned.dependsOn.map((each) =>
      'group' in each ? groupUntil(each.group) : (until[each.promotion] as number),
    );
    until[position] = Math.max(0, ...before) + soakOf(planned);
  }
  return Math.max(0, ...until, ...plan.groups.map((_, group) => groupUntil(group)));
}

const iso = (at: number): string => new Date(at).toISOString();
