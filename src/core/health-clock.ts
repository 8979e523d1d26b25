import type { HealthStatus } from './definitions.ts';

/**
 * How long something has been healthy, as far as looks can tell. All times in milliseconds, UTC.
 *
 * HEALTHY lets the clock run, from one look to the next. DEGRADED and PROGRESSING put it back to nothing, also when they came and
 * went between two looks, where the source can tell. UNKNOWN stops it: that time does not count, and what was counted
 * stays. A health that is older than `freshness` is UNKNOWN; without `freshness` a look speaks for `LOOK_STANDS`, so
 * that hours without a look (the engine was down) do not count.
 */
export interface HealthClock {
  /** As the last look found it, and since which look it has been so. */
  status: HealthStatus;
  since: number;
  /** How long it had been HEALTHY by then. */
  healthyFor: number;
  lookedAt: number;
  /** The last look speaks for the time up to here. */
  standsUntil: number;
  /** What the sources told of it by then, one by one; empty where no source was asked yet. */
  unhealthyAt: (number | null)[];
}

/** What a health source says of one application. */
export interface Observation {
  status: HealthStatus;
  message?: string;
  /** When it was seen; at the look itself when left out. */
  at?: number;
  /** When it was last known to be DEGRADED or PROGRESSING; compared with what was said before, never with another clock. */
  unhealthyAt?: number;
}

/** How long a look speaks for what comes after it, where no `freshness` says so, in milliseconds. */
export const LOOK_STANDS = 3 * 60_000;

/** The higher, the worse: the health of several is the worst one. */
export const BADNESS: Record<HealthStatus, number> = { HEALTHY: 0, PROGRESSING: 1, UNKNOWN: 2, DEGRADED: 3 };

/** Whatever is not seen any more is not known any more. */
export function statusOf({ status, at }: Observation, freshness: number | undefined, now: number): HealthStatus {
  return freshness !== undefined && at !== undefined && at + freshness <= now ? 'UNKNOWN' : status;
}

/** Just found healthy, by other means than a look. */
export function beginClock(now: number, stands: number): HealthClock {
  return { status: 'HEALTHY', since: now, healthyFor: 0, lookedAt: now, standsUntil: now + stands, unhealthyAt: [] };
}

/** The clock after a look at all the applications that count; without any, it is healthy. */
export function lookAt(
  before: HealthClock | null,
  seen: readonly Observation[],
  { freshness, now, stands = LOOK_STANDS }: { freshness: number | undefined; now: number; stands?: number },
): HealthClock {
  const all = seen.map((each) => statusOf(each, freshness, now));
  const status = all.reduce((worst, each) => (BADNESS[each] > BADNESS[worst] ? each : worst), 'HEALTHY');
  const unhealthyAt = seen.map((each, index) => each.unhealthyAt ?? before?.unhealthyAt[index] ?? null);
  const lookedAt = Math.max(now, before?.lookedAt ?? now);
  const told = seen.map(({ at }) => Math.min(at ?? now, now));
  const standsUntil = freshness === undefined ? lookedAt + stands : Math.min(now, ...told) + freshness;
  const since = before?.status === status ? before.since : lookedAt;
  const clock = { status, since, lookedAt, standsUntil, unhealthyAt };
  const broken =
    all.some((each) => each === 'DEGRADED' || each === 'PROGRESSING') ||
    unhealthyAt.some((each, index) => isNews(each, before, index));
  if (before === null || broken) return { ...clock, healthyFor: 0 };
  // Up to where the last look speaks, and from where this one does: what lies between them is not known.
  const spoke = before.status === 'HEALTHY' ? Math.max(before.standsUntil, before.lookedAt) : before.lookedAt;
  const until = Math.min(lookedAt, spoke);
  const seenSince = Math.max(until, ...told);
  // What was seen before the health became unknown says nothing of the time since.
  const speaks = status === 'HEALTHY' && (before.status === 'HEALTHY' || Math.max(...told) >= before.lookedAt);
  const from = speaks ? Math.min(lookedAt, seenSince) : lookedAt;
  return { ...clock, healthyFor: before.healthyFor + (until - before.lookedAt) + (lookedAt - from) };
}

/** The first look has nothing to compare with but its own clock. */
function isNews(unhealthyAt: number | null, before: HealthClock | null, index: number): boolean {
  const known = before?.unhealthyAt[index];
  if (known === undefined) return unhealthyAt !== null && unhealthyAt > (before?.lookedAt ?? -Infinity);
  return unhealthyAt !== known;
}

/** When it can have been healthy for `soak` at the earliest: now or later. `again`: when the next look is due. */
export function soakedAt(clock: HealthClock, soak: number, again: number): number {
  if (clock.status === 'HEALTHY') return clock.lookedAt + Math.max(0, soak - clock.healthyFor);
  const kept = clock.status === 'UNKNOWN' ? clock.healthyFor : 0;
  return again + Math.max(0, soak - kept);
}

/** How often is looked while a soak goes on, in milliseconds. */
const LOOK_LEAST = 5_000;
const LOOK_MOST = 60_000;

/** Long soaks are looked at less often; always twice before a look is out of date. */
export function lookPause(soak: number, freshness: number | undefined): number {
  return Math.floor(Math.min(Math.max(soak / 60, LOOK_LEAST), LOOK_MOST, (freshness ?? Infinity) / 2));
}
