import type { Outcome, Progress } from '../../core/release.ts';

/** What came of one look at an action. Whatever it throws is an outcome, too: see `Runner`. */
export type ActionAnswer =
  | { kind: 'succeeded'; outputs: Record<string, string> }
  | Extract<Outcome, { kind: 'pending' | 'asked' | 'failed' | 'transient' }>;

/** What a look at an action may know of the looks before it. */
export interface ActionLook {
  /** When the action started, and now: milliseconds since the epoch, UTC. */
  startedAt: number;
  now: number;
  /** What the look before kept; null: there was none, or it kept nothing. */
  progress: Progress | null;
  /** The names of the people who agreed; null: nobody was asked, or it is still open. */
  agreedBy: string[] | null;
}
