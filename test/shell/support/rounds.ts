/** Milliseconds of the world's time after which nothing is waited for any more. */
export const LONGEST = 12 * 60 * 60_000;

/**
 * How long the world is waited for. Targets may take ten minutes for one effect, and so for each of many, one after the other: a
 * round in which one is at work, or in which something came to pass, says nothing against the engine. Rounds in which neither
 * happened are counted, and when there were too many of them the world stands still; one that goes on for half a day never ends.
 */
export class PatientRounds {
  readonly #most: number;
  readonly #began: number;
  #idle = 0;

  /** `most`: rounds in which nothing happens. `began`: the world's time, in milliseconds. */
  constructor(most: number, began: number) {
    this.#most = most;
    this.#began = began;
  }

  /** A round has passed; whether there is another one. */
  goOn({ now, atWork, cameToPass }: { now: number; atWork: boolean; cameToPass: boolean }): boolean {
    if (!atWork && !cameToPass) this.#idle += 1;
    return this.#idle < this.#most && now - this.#began < LONGEST;
  }
}
