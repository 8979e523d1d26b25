import type { HealthStatus } from './definitions.ts';
import { BADNESS } from './health-clock.ts';
import type { VersionRef } from './rollback/rollback.ts';

// What one place of the table of products and environments says: made of the newest deployment of each application there, and of what was
// seen of it since. Nothing here asks the outside world. All times in milliseconds, UTC.

/** What is live in one application of a place. */
export interface LiveApplication {
  application: string;
  version: VersionRef;
  /** Since when. */
  at: number;
  /** When its promotion succeeded with it; null: not so far. */
  verifiedAt: number | null;
  drifted: boolean;
  /** The newest report of its health; null: none came. */
  report: { status: HealthStatus; at: number } | null;
}

/** A health, and when it was seen; null: it never was. */
export interface SeenHealth {
  status: HealthStatus;
  at: number | null;
}

/** The applications of one place together. */
export interface PlaceNow {
  /** Null: its applications run different versions. */
  version: VersionRef | null;
  /** Since when all of them run what they run. */
  since: number;
  health: SeenHealth;
  drifted: boolean;
}

/**
 * The health of a version as it was seen last: by the report of an outside system, or by the promotion that brought it. A report from
 * before the version came is about another one.
 */
export function seenHealth({ at, verifiedAt, report }: Omit<LiveApplication, 'application'>): SeenHealth {
  if (report !== null && report.at >= Math.max(at, verifiedAt ?? at)) return report;
  return verifiedAt === null ? { status: 'UNKNOWN', at: null } : { status: 'HEALTHY', at: verifiedAt };
}

/** Null: nothing was brought there. The worst health counts, and of two that are equally bad the one that was seen longer ago. */
export function placeNow(applications: readonly LiveApplication[]): PlaceNow | null {
  const [first, ...others] = applications;
  if (!first) return null;
  const seen = applications.map(seenHealth);
  const worst = seen.reduce((found, each) => (isWorse(each, found) ? each : found));
  return {
    version: others.every(({ version }) => version.digest === first.version.digest) ? first.version : null,
    since: applications.reduce((latest, { at }) => Math.max(latest, at), 0),
    health: worst,
    drifted: applications.some(({ drifted }) => drifted),
  };
}

function isWorse(one: SeenHealth, other: SeenHealth): boolean {
  const worse = BADNESS[one.status] - BADNESS[other.status];
  return worse > 0 || (worse === 0 && (one.at ?? 0) < (other.at ?? 0));
}

/** How the version in one environment relates to the version in another one. */
export interface Comparison {
  /** APART: each has commits that the other one has not. UNKNOWN: `reason` says why. */
  relation: 'SAME' | 'BEHIND' | 'AHEAD' | 'APART' | 'UNKNOWN';
  /** Commits of the source that the other one has and this one has not; null: not known. */
  behind: number | null;
  /** Commits that this one has and the other one has not; null: not known. */
  ahead: number | null;
  /** Why it is not known, in a sentence; null: it is. */
  reason: string | null;
}

/** What is in a place, as it is compared with another one. */
export interface Compared {
  /** Null: several versions. */
  version: VersionRef | null;
  /** The number of the release that brought it; 0: a rollback did, whose number says nothing of how new the version is. */
  release: number;
  /** Source application → the commit that was pinned of it; null where it has none. */
  commits: Readonly<Record<string, string | null>>;
}

/** What git says of two commits of a source: how many commits the first and the second alone have. */
export type CountedCommits = { first: number; second: number } | { unknown: string };

/**
 * Compares the version of a place with the one of another place. The same digest is the same version, whatever commits lie between.
 * @param counted by source application; a source that is missing has the same commit in both
 */
export function compareVersions(
  here: Compared,
  there: Compared,
  counted: Readonly<Record<string, CountedCommits>>,
): Comparison {
  if (here.version !== null && here.version.digest === there.version?.digest)
    return { relation: 'SAME', behind: 0, ahead: 0, reason: null };
  const answers = Object.values(counted);
  const unknown = answers.find((each) => 'unknown' in each);
  const known = answers.flatMap((each) => ('unknown' in each ? [] : [each]));
  if (unknown || known.length === 0) {
    const reason = unknown ? unknown.unknown : 'the versions have no commits that could be counted';
    return { relation: byRelease(here, there), behind: null, ahead: null, reason };
  }
  const ahead = known.reduce((sum, { first }) => sum + first, 0);
  const behind = known.reduce((sum, { second }) => sum + second, 0);
  if (ahead === 0 && behind === 0) return { relation: 'APART', behind, ahead, reason: OTHER_CONTENT };
  return { relation: ahead === 0 ? 'BEHIND' : behind === 0 ? 'AHEAD' : 'APART', behind, ahead, reason: null };
}

const OTHER_CONTENT = 'the commits are the same and the content is not: another template has chosen it';

/** Where commits do not tell: the later release has the later version. */
function byRelease(here: Compared, there: Compared): Comparison['relation'] {
  if (here.release === there.release || here.release === 0 || there.release === 0) return 'UNKNOWN';
  return here.release < there.release ? 'BEHIND' : 'AHEAD';
}
