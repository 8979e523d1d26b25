import type { PromotionStatus, ReleaseKind } from './release.ts';

// The four figures of DORA (https://dora.dev/guides/dora-metrics-four-keys/), from what Sluice recorded of one product in one environment. All
// times in milliseconds, UTC.

/** A release that changed the environment. */
export interface Change {
  kind: ReleaseKind;
  status: PromotionStatus;
  /** When the release was created. */
  createdAt: number;
  /** When its version came to the environment. */
  at: number;
  /** When it was found healthy there; null: it was not. */
  verifiedAt: number | null;
  /** When its promotion ended there. */
  endedAt: number;
  /** When the newest commit of its version was made; null: it has none. */
  committedAt: number | null;
}

/** How long something took: the median, what nine of ten stay below, and of how many. */
export interface Spread {
  median: number;
  p90: number;
  count: number;
}

/** Null: there is nothing to count. */
export interface DeliveryMetrics {
  /** Versions that were brought by a flow and found healthy. */
  deployments: number;
  deploymentsPerDay: number;
  /** From the commit until the version was found healthy in the environment. */
  leadTime: Spread | null;
  /** Versions that were brought and failed there, or were taken back. */
  failed: number;
  /** Their share of all that were brought; from 0 to 1. */
  changeFailureRate: number | null;
  /** From the failure until a version was found healthy again. */
  timeToRestore: Spread | null;
  /** Failures after which none was, so far. */
  unrestored: number;
}

/** A version that a person ended, or that is still on its way, is neither good nor bad. */
const FAILED: ReadonlySet<PromotionStatus> = new Set(['FAILED', 'ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED']);

const DAY = 24 * 60 * 60 * 1000;

/**
 * A rollback is a repair and no deployment: it counts as what restored the environment. A change that failed before it changed anything is not
 * in the list, and is no failure of a change.
 */
export function deliveryMetrics(
  changes: readonly Change[],
  { since, until }: { since: number; until: number },
): DeliveryMetrics {
  const brought = changes.filter(({ kind, at }) => kind === 'FORWARD' && at >= since && at < until);
  const failed = brought.filter(({ status }) => FAILED.has(status));
  const good = brought.filter(({ verifiedAt }) => verifiedAt !== null);
  const judged = brought.filter((each) => FAILED.has(each.status) || each.verifiedAt !== null).length;
  const restores = failed.map((each) => restoredAfter(each, changes));
  return {
    deployments: good.length,
    deploymentsPerDay: (good.length * DAY) / Math.max(1, until - since),
    leadTime: spreadOf(
      good.flatMap(({ verifiedAt, committedAt }) => (committedAt === null ? [] : [verifiedAt! - committedAt])),
    ),
    failed: failed.length,
    changeFailureRate: judged === 0 ? null : failed.length / judged,
    timeToRestore: spreadOf(restores.filter((each) => each !== null)),
    unrestored: restores.filter((each) => each === null).length,
  };
}

/** How long it took until a version was found healthy after this one had failed; null: none was. */
function restoredAfter(change: Change, changes: readonly Change[]): number | null {
  const failedAt = failureOf(change, changes);
  const later = changes.flatMap(({ verifiedAt }) => (verifiedAt !== null && verifiedAt > failedAt ? [verifiedAt] : []));
  return later.length === 0 ? null : least(later) - failedAt;
}

/** What was taken back later had failed when the rollback was started; anything else when its promotion ended. */
function failureOf({ status, at, endedAt }: Change, changes: readonly Change[]): number {
  if (status === 'FAILED') return endedAt;
  const rollbacks = changes.flatMap(({ kind, createdAt }) =>
    kind === 'ROLLBACK' && createdAt > at ? [createdAt] : [],
  );
  return rollbacks.length === 0 ? endedAt : least(rollbacks);
}

const least = (numbers: readonly number[]): number => numbers.reduce((found, each) => Math.min(found, each));

/** By the nearest rank: each is a time that something really took. */
function spreadOf(times: readonly number[]): Spread | null {
  if (times.length === 0) return null;
  const sorted = times.map((each) => Math.max(0, each)).sort((one, other) => one - other);
  const rank = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
  return { median: rank(0.5), p90: rank(0.9), count: sorted.length };
}
