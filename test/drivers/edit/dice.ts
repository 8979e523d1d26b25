/** Choices from a tape of numbers: a failure is one array that shrinks. Past its end every choice is the first. */
export class Dice {
  #at = 0;
  readonly #tape: number[];

  constructor(tape: number[]) {
    this.#tape = tape;
  }

  /** 0 to `sides` − 1. */
  roll(sides: number): number {
    const value = this.#tape[this.#at] ?? 0;
    this.#at += 1;
    return value % sides;
  }

  /** True once in `sides` rolls; never past the end of the tape. */
  once(sides: number): boolean {
    return this.roll(sides) === sides - 1;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.roll(from.length)]!;
  }

  shuffle<T>(from: readonly T[]): T[] {
    const all = [...from];
    return from.map(() => all.splice(this.roll(all.length), 1)[0]!);
  }
}
