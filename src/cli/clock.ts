import { behindBy } from '../core/server-clock.ts';

/** Milliseconds by which the clock of this machine is behind the server's. */
let behind = 0;

/**
 * The time at the server, in milliseconds since the epoch; before it has answered, that of this machine. All times that are shown come
 * from the server, and it judges all that are given.
 */
export const now = (): number => Date.now() + behind;

/** The server has answered `took` milliseconds after it was asked. */
export function readClock({ headers }: Response, took: number): void {
  behind = behindBy(behind, { date: headers.get('date'), took, now: Date.now() });
}
