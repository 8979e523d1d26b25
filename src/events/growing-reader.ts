import { setTimeout as sleep } from 'node:timers/promises';

/** Where a reader reads, and what tells it that there is more. */
export interface GrowingSource<T extends { sequence: number }> {
  /** What comes after `after`, and up to which number it was looked. */
  read(after: number): Promise<{ entries: T[]; cut: number | null }>;
  /** Whether an entry is still for this reader: asked of each when it is told, since it can have been read long before. All are when left out. */
  isSeen?(entry: T): boolean;
  /** Calls `wake` whenever there may be more. @returns what ends that */
  listen(wake: () => void): () => void;
  onEnd(reader: GrowingReader<T>): unknown;
  onError(error: unknown): void;
}

/**
 * A numbered list, from a place on, as it grows: the logs of a release, or the saves of definitions. It holds one page and no buffer: a slow reader reads later what came meanwhile.
 * Written by hand because the `return` of an async generator would wait for the next entry.
 */
export class GrowingReader<T extends { sequence: number }> implements AsyncIterableIterator<T> {
  readonly #source: GrowingSource<T>;
  readonly #unlisten: () => void;
  #after: number;
  #page: T[] = [];
  #ended = false;
  /** Something was told since the last look. */
  #told = false;
  #wake: (() => void) | null = null;

  constructor(source: GrowingSource<T>, after: number) {
    this.#source = source;
    this.#after = after;
    this.#unlisten = source.listen(() => {
      this.#told = true;
      this.#wake?.();
    });
  }

  async next(): Promise<IteratorResult<T>> {
    while (!this.#ended) {
      const entry = this.#page.shift();
      if (entry === undefined) await this.#look();
      else if (this.#source.isSeen?.(entry) ?? true) return { done: false, value: entry };
    }
    return { done: true, value: undefined };
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#page = [];
    this.#unlisten();
    this.#wake?.();
    this.#source.onEnd(this);
  }

  async return(): Promise<IteratorResult<T>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<T>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #look(): Promise<void> {
    this.#told = false;
    try {
      const { entries, cut } = await this.#source.read(this.#after);
      if (this.#ended) return;
      this.#page = entries;
      this.#after = entries.at(-1)?.sequence ?? cut ?? this.#after;
      if (entries.length === 0 && cut === null && !this.#told) await this.#wait();
    } catch (error) {
      // A database that is away for a moment must not end the subscription.
      this.#source.onError(error);
      await sleep(RETRY);
    }
  }

  /** Until it is told, or for a while: what is told can be lost. */
  async #wait(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, UNTOLD);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }
}

/** Milliseconds. */
const RETRY = 250;
const UNTOLD = 5_000;
