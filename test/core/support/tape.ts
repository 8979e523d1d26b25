/**
 * A tape of numbers that decides everything in a simulated run: one array is one run, so a failure can be replayed and
 * shrunk. A tape that is over says 0, which by convention is the calm choice.
 */
export class Tape {
  readonly #numbers: readonly number[];
  #position = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get over(): boolean {
    return this.#position >= this.#numbers.length;
  }

  /** 0 … count - 1. */
  next(count: number): number {
    return (this.#numbers[this.#position++] ?? 0) % count;
  }

  /** True in `parts` of 100 cases; never once the tape is over. */
  chance(parts: number): boolean {
    return this.next(100) >= 100 - parts;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.next(choices.length)] as T;
  }

  /** One of the keys, as often as its weight says; the first one once the tape is over. */
  weighted<K extends string>(weights: Partial<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = this.next(entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      if (left < weight) return key;
      left -= weight;
    }
    return entries[0]?.[0] as K;
  }
}
