import { behindBy } from '../../../../src/core/server-clock.ts';

/** Milliseconds by which the clock of this machine is behind the server's. */
let behind = 0;

/**
 * The time at the server, in milliseconds since the epoch. All times come from the server: how long ago they were, and what is asked for "in an
 * hour", goes by its clock, however wrong the one of this machine is.
 */
export const now = (): number => Date.now() + behind;

/**
 * An answer came just now.
 * @param date its `Date`, as HTTP writes it; null: it has none
 * @param took milliseconds since it was asked for
 */
export function readClock(date: string | null, took: number): void {
  behind = behindBy(behind, { date, took, now: Date.now() });
}
