import { readWaiting } from './api.ts';
import type { Waiting } from './api.ts';
import { Habit } from './habit.ts';
import type { Random } from './random.ts';

/** Somebody who looks now and then at what waits, and for what, until it is closed. */
export class WaitingReader {
  /** How many promotions that wait were seen. */
  seen = 0;
  /** Promotions that waited for nothing, again and again. */
  readonly silent: string[] = [];
  readonly #habit: Habit;

  constructor(urls: string[], random: Random) {
    this.#habit = new Habit(async (pause) => {
      await this.#look(random.pick(urls), pause);
      await pause(random.between(500, 1_500));
    });
  }

  close(): Promise<void> {
    return this.#habit.close();
  }

  /**
   * The state and its reasons are read one after the other, and what may start waits for nothing until a worker that lives takes it
   * up: only what is silent each time, for as long as a release may stand still after a fault, is told.
   */
  async #look(url: string, pause: Habit['pause']): Promise<void> {
    let silent = new Map<string, Waiting>();
    for (let look = 0; look < LOOKS; look += 1) {
      const waiting = (await readWaiting(url)).filter(waits);
      if (look === 0) this.seen += waiting.length;
      const without = waiting.filter(
        ({ reasons }) => reasons.length === 0 || reasons.some((text) => text.trim() === ''),
      );
      const before = silent;
      silent = new Map(
        without.filter((each) => look === 0 || before.has(placeOf(each))).map((each) => [placeOf(each), each]),
      );
      if (silent.size === 0) return;
      await pause(PAUSE);
      // What is stuck at the end is told by another rule.
      if (this.#habit.closed) return;
    }
    for (const { releaseId, environment, status } of silent.values())
      this.silent.push(`${releaseId} ${environment} is ${status} and waits for nothing`);
  }
}

const LOOKS = 60;
/** In milliseconds. */
const PAUSE = 1_000;

const placeOf = ({ releaseId, environment, status }: Waiting): string => `${releaseId} ${environment} ${status}`;
const waits = ({ status }: Waiting): boolean => ['PENDING', 'WAITING', 'SUSPENDED'].includes(status);
