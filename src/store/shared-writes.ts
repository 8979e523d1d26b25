import type { Pace } from './shared-reads.ts';

/** What one write may have together. */
export interface SharedWrite<T, R> {
  /** Writes all of them in one statement. @returns what came of each, in their order */
  write: (items: readonly T[]) => Promise<R[]>;
  /** No two of the same key are in one statement. */
  keyOf: (item: T) => string;
  /** Whether it failed by what one of them holds, so that each is to be written alone. */
  isOwnFault: (error: unknown) => boolean;
  /** A lane that has written several begins its next statement so much later at the earliest. */
  pace: Pace;
}

/** Statements under way at one time: one that waits for a lock does not hold up all that come. */
const LANES = 2;
const MOST = 200;

/**
 * Writes that many ask for at the same time. What comes while the lanes are busy goes together into the next statement: a flood is a few
 * statements, each with more in it, instead of one each. A caller hears of its own once the statement with it was committed; alone it waits for
 * nothing.
 */
export class SharedWrites<T, R> {
  readonly #how: SharedWrite<T, R>;
  #waiting: Asked<T, R>[] = [];
  #busy = 0;

  constructor(how: SharedWrite<T, R>) {
    this.#how = how;
  }

  write(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#next();
    });
  }

  #next(): void {
    const over = (): void => {
      this.#busy -= 1;
      this.#next();
    };
    while (this.#busy < LANES && this.#waiting.length > 0) {
      this.#busy += 1;
      this.#lane(this.#take())
        .catch(() => undefined)
        .finally(over);
    }
  }

  async #lane(asked: readonly Asked<T, R>[]): Promise<void> {
    const { clock, apart } = this.#how.pace;
    const began = clock.elapsed();
    await this.#settle(asked);
    const left = began + apart - clock.elapsed();
    if (asked.length > 1 && left > 0) await clock.sleep('shared-write', left);
  }

  /** The longest waiting, one of each key; the others stay in their order. */
  #take(): Asked<T, R>[] {
    const taken = new Map<string, Asked<T, R>>();
    const left: Asked<T, R>[] = [];
    for (const each of this.#waiting) {
      const key = this.#how.keyOf(each.item);
      if (taken.size < MOST && !taken.has(key)) taken.set(key, each);
      else left.push(each);
    }
    this.#waiting = left;
    return [...taken.values()];
  }

  /** Never rejects: whoever asked hears of it. */
  async #settle(asked: readonly Asked<T, R>[]): Promise<void> {
    try {
      const answers = await this.#how.write(asked.map(({ item }) => item));
      for (const [index, { resolve }] of asked.entries()) resolve(answers[index]!);
    } catch (error) {
      if (asked.length > 1 && this.#how.isOwnFault(error)) for (const each of asked) await this.#settle([each]);
      else for (const { reject } of asked) reject(error);
    }
  }
}

interface Asked<T, R> {
  item: T;
  resolve: (answer: R) => void;
  reject: (error: unknown) => void;
}
