import { CLOCK_SLACK } from './clock.ts';
import type { HealthClock } from './health-clock.ts';
import type { Draft } from './draft.ts';
import { ENDED_PROMOTION } from './release.ts';

/**
 * What was set by a clock that was ahead, and has been put right since: everything that begins later than now begins now, and
 * what it waits for is as far away as it was meant to be. Nothing waits for hours that a wrong clock has added.
 */
export function bringBack(draft: Draft): void {
  const { state, plan, now } = draft;
  const ahead = (at: number | null | undefined): number => (at != null && at - now > CLOCK_SLACK ? at - now : 0);
  if (ahead(state.countsFrom) > 0) state.countsFrom = now;
  if (ahead(state.moving.since) > 0) state.moving = { ...state.moving, since: now };
  for (const [position, meter] of Object.entries(state.limited)) {
    if (ahead(meter.since) > 0) state.limited = { ...state.limited, [position]: { ...meter, since: now } };
  }
  state.promotions.forEach(({ status, approval, steps }, position) => {
    if (ENDED_PROMOTION.has(status)) return;
    const late = ahead(approval?.requestedAt);
    if (approval && late > 0) {
      draft.promotion(position).approval = { ...approval, requestedAt: now, expiresAt: approval.expiresAt - late };
    }
    steps.forEach((step, index) => {
      // Nothing else of it was set either.
      if (step.startedAt === null) return;
      if (ahead(step.startedAt) > 0) draft.step(position, index).startedAt = now;
      const waits = step.status === 'WAITING' ? ahead(step.waitingSince) : 0;
      if (waits > 0) {
        const recheckAt = step.recheckAt === null ? null : step.recheckAt - waits;
        Object.assign(draft.step(position, index), { waitingSince: now, recheckAt });
      }
      const stops = ahead(step.stop?.since);
      if (step.stop && stops > 0) {
        draft.step(position, index).stop = { ...step.stop, since: now, by: step.stop.by - stops };
      }
      const looked = ahead(step.clock?.lookedAt);
      if (step.clock && looked > 0) draft.step(position, index).clock = shift(step.clock, looked);
    });
  });
  for (const position of plan.groups.keys()) {
    const { clocks, recheckAt, unknownSince } = state.groups[position] as (typeof state.groups)[number];
    const looked = Math.max(0, ...clocks.map((each) => ahead(each?.lookedAt)));
    if (looked === 0) continue;
    Object.assign(draft.group(position), {
      recheckAt: recheckAt === null ? null : recheckAt - looked,
      unknownSince: unknownSince === null ? null : Math.min(unknownSince, now),
      clocks: clocks.map((each) => (each && ahead(each.lookedAt) > 0 ? shift(each, looked) : each)),
    });
  }
}

/** How long it has been healthy stays: that much time did pass, whatever it was called. */
function shift(clock: HealthClock, by: number): HealthClock {
  return { ...clock, since: clock.since - by, lookedAt: clock.lookedAt - by, standsUntil: clock.standsUntil - by };
}
