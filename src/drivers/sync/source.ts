import type { Progress } from '../../core/release.ts';
import type { Change, Running } from '../../core/running.ts';
import type { Contained } from '../driver.ts';

/** What a sync source is asked about. */
export interface SyncContext {
  application: string;
  product: string;
  /** What the target is to run. */
  change: Change;
  /** When the change was made; `simulate` counts from here. */
  since: Date;
  now: Date;
  /** The last report of what it runs, for `report`, as far as that can be about the change. */
  report?: (Running & { at: Date }) | undefined;
  /** The folder where the change was made; none for drivers without one. */
  folder?: { repoURL: string; path: string };
  /**
   * How a revision relates to the change, or to another commit of the same repository instead of the change; undefined where that
   * cannot be known: no commit of the change is known, or its driver has none.
   */
  contains: (revision: string, commit?: string) => Promise<Contained | undefined>;
  /** The key of the step: a sync that is asked for with it is found again by it. */
  key: string;
  /** Whether the change is still wanted; asked right before something is asked for. */
  stillMine?: () => Promise<boolean>;
  /** What the last look kept. */
  progress?: Progress;
  signal: AbortSignal;
}

/** What a sync source answers. */
export interface SyncAnswer {
  /** The target was seen to run the change. False: it runs something else, or what it runs is unknown. */
  synced: boolean;
  message: string;
  /** Since when, as whoever told it says; absent: it was seen just now. */
  runsSince?: Date;
  /** When to ask again while it is not synced, in milliseconds; absent: a report will come. */
  recheckAfter?: number;
  /** Kept until the next look. */
  progress?: Progress;
  /** The source holds the change back for now: that time does not count. */
  held?: true;
}
