import { decide, readProposals } from './api.ts';
import { Habit } from './habit.ts';
import type { Random } from './random.ts';

/** Somebody who is asked about promotions and about environments that go back, and decides, on whichever server there is, until it is closed. */
export class Operator {
  decided = 0;
  readonly #habit: Habit;

  constructor(urls: string[], random: Random) {
    this.#habit = new Habit(async (pause) => {
      for (const proposal of await readProposals(random.pick(urls))) {
        await decide(random.pick(urls), random.chance(0.7) ? 'approve' : 'reject', proposal);
        this.decided += 1;
      }
      await pause(random.between(300, 1_500));
    });
  }

  close(): Promise<void> {
    return this.#habit.close();
  }
}
