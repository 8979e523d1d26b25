/** Milliseconds by which the clock of this machine is behind the server's. */
let behind = 0;
const SECOND = 1_000;
/** An answer tells whole seconds: within so many milliseconds both clocks count as one. */
const SAME = 2 * SECOND;

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
  const differs = Date.parse(date ?? '') + SECOND / 2 - (Date.now() - took / 2);
  if (Math.abs(differs - behind) >= SAME + took) behind = Math.abs(differs) < SAME + took ? 0 : differs;
}
