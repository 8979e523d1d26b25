import type { Clock } from '../clock.ts';

/**
 * Reads that many ask for at the same time, by key. A caller that asks while a read is under way shares the next one with all others
 * who do: each answer was read after its question, and a flood of questions is two reads at a time. A read that fails fails for
 * those who share it.
 *
 * One that is asked for alone begins at once. The next one of its key begins `apart` milliseconds after it at the earliest: what a read costs
 * is paid so often and no more, however fast the questions come.
 */
export class SharedReads<T> {
  readonly #read: (key: string) => Promise<T>;
  readonly #pace: Pace;
  readonly #underWay = new Map<string, UnderWay<T>>();

  constructor(read: (key: string) => Promise<T>, pace: Pace) {
    this.#read = read;
    this.#pace = pace;
  }

  read(key: string): Promise<T> {
    const at = this.#underWay.get(key);
    if (at === undefined) return this.#begin(key);
    at.next ??= Promise.all([at.now.catch(() => undefined), this.#rest(at)]).then(() => this.#begin(key));
    return at.next;
  }

  #begin(key: string): Promise<T> {
    const begun: UnderWay<T> = { now: this.#read(key), at: this.#pace.clock.elapsed(), next: null };
    this.#underWay.set(key, begun);
    const over = (): void => {
      if (this.#underWay.get(key) === begun && begun.next === null) this.#underWay.delete(key);
    };
    begun.now.catch(() => undefined).finally(over);
    return begun.now;
  }

  async #rest({ at }: UnderWay<T>): Promise<void> {
    const { clock, apart } = this.#pace;
    const left = at + apart - clock.elapsed();
    if (left > 0) await clock.sleep('shared-read', left);
  }
}

/** How far the beginnings of what is shared are apart, in milliseconds. */
export interface Pace {
  clock: Pick<Clock, 'elapsed' | 'sleep'>;
  apart: number;
}

interface UnderWay<T> {
  now: Promise<T>;
  /** When it began. */
  at: number;
  next: Promise<T> | null;
}
