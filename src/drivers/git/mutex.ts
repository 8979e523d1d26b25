import { onAbort } from '../../abort-listener.ts';

/** One at a time, in the order of asking; who is aborted while waiting leaves the line. */
export class Mutex {
  private tail: Promise<void> = Promise.resolve();

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.tail;
    let release!: () => void;
    const own = new Promise<void>((resolve) => (release = resolve));
    // The next caller waits for this one and for all before it, even when this one leaves early.
    this.tail = before.then(() => own);
    try {
      await abortable(before, signal);
      return await work();
    } finally {
      release();
    }
  }
}

/** So many at a time, in the order of asking; who is aborted while waiting leaves the line. */
export class Places {
  readonly #line: (() => void)[] = [];
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  async run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    let come!: () => void;
    const turn = new Promise<void>((resolve) => (come = resolve));
    this.#line.push(come);
    try {
      await abortable(turn, signal);
    } catch (error) {
      const place = this.#line.indexOf(come);
      // Its turn came in the moment in which it left.
      if (place < 0) this.#leave();
      else this.#line.splice(place, 1);
      throw error;
    }
  }

  #leave(): void {
    const next = this.#line.shift();
    if (next) next();
    else this.#free += 1;
  }
}

/** The promise's answer, or the signal's reason if that comes first; what is behind the promise goes on. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stopListening!: () => void;
  const left = new Promise<never>((_, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason as Error));
  });
  try {
    return await Promise.race([promise, left]);
  } finally {
    stopListening();
  }
}
