import type { RollbackPolicySpec } from '../definitions.ts';
import type { ReleasePlan } from '../plan.ts';
import type { RollbackCause, VersionRef } from './rollback.ts';

/** Everything that decides a rollback, read at one moment under the product's lock. All times: milliseconds since the epoch, UTC. */
export interface RollbackQuestion {
  now: number;
  product: string;
  cause: RollbackCause;
  /** False: it is not known whether it failed (UNKNOWN, or the way there was broken). Only a certain failure starts a rollback. */
  definite: boolean;
  /** The bad version. */
  version: VersionRef;
  /** What the release of the cause froze: its groups and dependencies say who is a sibling. Null when that release is not known. */
  plan: ReleasePlan | null;
  /** The one that `policyFor` chose. */
  policy: RollbackPolicySpec | null;
  /** What a person asked for; null when Sluice starts it by itself. */
  asked: RollbackRequest | null;
  /** Every environment in which the product has an application, each once. */
  environments: EnvironmentFacts[];
}

/** A person's order: these environments, or every one in which the bad version is live. */
export interface RollbackRequest {
  environments: string[] | 'EVERYTHING_THAT_RUNS_IT';
  /** The label or digest of the version to go back to in the environments that were asked for; null: the last good one of each. */
  to: string | null;
}

/** What is known of one environment of the product. */
export interface EnvironmentFacts {
  name: string;
  /** Every deployment there, the newest first, verified or not: the first one is what is live now. */
  history: PastDeployment[];
  /** A promotion that is at work there and has not ended. `floor`: see PastDeployment. */
  inFlight: { release: string; version: VersionRef; floor: string | null } | null;
  /** The promotions of open releases that have not started there, the oldest first. */
  planned: { release: string; version: VersionRef }[];
  /** A rollback that waits or is at work there. */
  rollback: { release: string; called: string; from: VersionRef | null; to: VersionRef } | null;
  /** Rollbacks that Sluice started by itself and that took the bad version back there, ended or not. */
  automatic: { release: string; called: string; version: VersionRef }[];
  /** Why no rollback touches this environment, in words; null where rollbacks are free to. */
  excluded: string | null;
  /** Versions of the product start here: what is live comes from outside and is not Sluice's to take back. */
  source: boolean;
}

/**
 * A version that became live in the environment. KNOWN: what ran there was that version. DRIFTED: it was changed by hand.
 * UNKNOWN: its target could not be checked just now; until it can, the record counts.
 */
export interface PastDeployment {
  version: VersionRef;
  release: string;
  at: number;
  /** When it was found healthy there; null: never. */
  verifiedAt: number | null;
  /** It was found healthy, and its target was never seen to run it, although that target can be asked. Absent: not so. */
  unsynced?: true;
  state: 'KNOWN' | 'DRIFTED' | 'UNKNOWN';
  /** The version may not be promoted to this environment, as the ledger says now. */
  markedBad: boolean;
  /** A rollback brought it. */
  rollback: boolean;
  /** The release's `rollbackFloor`: the label or digest of the earliest version to which anything may go back after it ran here. */
  floor: string | null;
}
