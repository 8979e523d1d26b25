/**
 * The clock may go back by so many milliseconds without harm: event times stand still until it is where it was. A clock that goes
 * back further was wrong before and is right now.
 */
export const CLOCK_SLACK = 60_000;

/** The time of a decision. Events never go back: they are at the time of the last one, at the least. */
export function decisionTime(now: number, lastEventAt: number): number {
  return lastEventAt - now > CLOCK_SLACK ? now : Math.max(now, lastEventAt);
}
