import type { GateAnswer } from './answer.ts';

/** What an open request was answered at one moment. */
export interface MergeJudgement {
  at: number;
  /** The gates that did not hold. */
  unmet: GateAnswer[];
  /** All gates held, and none of them was about to close. */
  green: boolean;
  /** From when on it says nothing any more, because a known time changes it; null: only somebody's doing does. */
  until: number | null;
}

/** What stands between a promotion by pull request and its merge. */
export interface MergeState {
  /** What it was answered so far, the newest last; at most `JUDGEMENTS_KEPT`. */
  judgements: MergeJudgement[];
  /** What was asked to be told to the host last; null: nothing, or nothing any more. */
  level: StatusLevel | null;
  /** How many of its steps that open and await requests had succeeded then. */
  through: number;
  /** Counts the tellings. */
  generation: number;
}

/** A commit status as it should be; `description` is for people, at most 140 characters. */
export interface StatusLevel {
  state: StatusState;
  description: string;
}

/** As hosts call them. Only SUCCESS lets a protected branch take the merge. */
export const STATUS_STATES = ['PENDING', 'SUCCESS', 'FAILURE', 'ERROR'] as const;
export type StatusState = (typeof STATUS_STATES)[number];
