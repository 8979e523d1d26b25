import type { ApprovalSpec, RollbackCauseKind, RollbackPolicySpec } from '../definitions.ts';

/** A version where it runs or ran: its pinned content, by digest, and what people call it. */
export interface VersionRef {
  digest: string;
  label: string;
}

/** Why a rollback was started. */
export interface RollbackCause {
  kind: RollbackCauseKind;
  environment: string;
  reason: string;
  /** Milliseconds since the epoch, UTC. */
  at: number;
  /** Who asked or reported; null: Sluice itself. */
  by: string | null;
  /** The release whose promotion failed or is taken back; null when it is not known. */
  release: string | null;
}

/**
 * INCLUDED goes back by itself, PROPOSED after an approval. LEFT_ALONE has nothing to take back; IMPOSSIBLE should go back
 * and cannot (no earlier version that is good): a person has to look.
 */
export type RollbackDecision = 'INCLUDED' | 'PROPOSED' | 'LEFT_ALONE' | 'IMPOSSIBLE';

/** One environment that a rollback looked at, taken or not, and why. */
export interface RollbackTarget {
  environment: string;
  decision: RollbackDecision;
  reason: string;
  /** What is live there now, or on its way there. */
  from: VersionRef | null;
  /** The last version that was verified healthy there before, and the release that brought it; null unless it goes back. */
  to: (VersionRef & { release: string }) | null;
  /** Who has to agree; null: no approval is needed. */
  approval: ApprovalSpec | null;
  /** A change that was made there by hand may be lost: a person said so, or is asked for just that. */
  overChange?: true;
}

/** What a rollback does; frozen into it when it starts. */
export interface RollbackPlan {
  cause: RollbackCause;
  /** The bad version: what is taken back. */
  version: VersionRef;
  targets: RollbackTarget[];
  maxParallel: number | null;
  onTargetFailure: RollbackPolicySpec['onTargetFailure'];
  markBad: RollbackPolicySpec['markBad'];
}
