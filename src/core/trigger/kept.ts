import type { CandidateStatus, TriggerState } from './candidate.ts';
import type { CommitNote, NewsKind } from './change.ts';
import type { Cursor } from './move.ts';
import type { Pause } from './next-step.ts';

/** What a candidate was made from. */
export interface CandidateFacts {
  /** The newest of its commits. */
  commit?: string;
  author?: string;
  /** Of the author, in small letters. */
  email?: string;
  message?: string;
  branch?: string;
  repository?: string;
  /** From when on the trigger environment can run the change, in milliseconds: what was told of it before is about an earlier one. */
  since: number;
  commits: CommitNote[];
  deliveries: string[];
  /** Why its flow was chosen. */
  explanation: string[];
  chain?: number;
}

/** A candidate as it is kept. */
export interface KeptCandidate {
  id: string;
  key: string;
  revision: number;
  product: string;
  flow: string;
  environment: string;
  state: TriggerState;
  kind: NewsKind;
  status: CandidateStatus;
  reason: string;
  facts: CandidateFacts;
  createdAt: Date;
  dueAt: Date | null;
  coalescedAt: Date;
  expiresAt: Date;
  endedAt: Date | null;
  attempts: number;
  releaseId: string | null;
  supersededBy: string | null;
  actor: string | null;
}

/** A cursor as it is kept. */
export interface KeptCursor extends Cursor {
  application: string;
  revision: number;
  place: string;
  version: string | null;
  outcome: string;
  movedAt: Date;
  lookedAt: Date;
  error: string | null;
}

/** A pause as it is kept. */
export interface KeptPause extends Pause {
  id: string;
  /** Null: of all products. */
  product: string | null;
  since: number;
  resumedAt: number | null;
  resumedBy: string | null;
}

/** Whose commits those of an address are. */
export interface GitIdentity {
  email: string;
  user: string;
  by: string | null;
  at: Date;
}
