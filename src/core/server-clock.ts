/** What an answer of a server tells a client of its time. */
export interface Answered {
  /** Its `Date`, as HTTP writes it; null: it has none. */
  date: string | null;
  /** Milliseconds since it was asked for. */
  took: number;
  /** When it came, by the clock of the client. */
  now: number;
}

const SECOND = 1_000;
/** An answer tells whole seconds: within so many milliseconds both clocks count as one. */
const SAME = 2 * SECOND;

/**
 * Milliseconds by which the clock of a client is behind that of the server, so that "in four hours" and "an hour ago" go by the server's.
 * @param behind as it was known before
 */
export function behindBy(behind: number, { date, took, now }: Answered): number {
  const differs = Date.parse(date ?? '') + SECOND / 2 - (now - took / 2);
  // Without a date it is not a number, and nothing is known better.
  if (!(Math.abs(differs - behind) >= SAME + took)) return behind;
  return Math.abs(differs) < SAME + took ? 0 : differs;
}
