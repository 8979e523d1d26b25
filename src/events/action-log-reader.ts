import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggedChunk } from '../store/action-logs.ts';

/** Where a reader reads, and what tells it that there is more. */
export interface ActionLogSource {
  /** What comes after `after`, and up to which number it was looked. */
  read(after: number): Promise<{ chunks: LoggedChunk[]; cut: number | null }>;
  /** Calls `wake` whenever there may be more. @returns what ends that */
  listen(wake: () => void): () => void;
  onEnd(reader: ActionLogReader): unknown;
  onError(error: unknown): void;
}

/**
 * The logs of a release, from a place on, as they grow. It holds one page and no buffer: a slow reader reads later what came meanwhile.
 * Written by hand because the `return` of an async generator would wait for the next chunk.
 */
export class ActionLogReader implements AsyncIterableIterator<LoggedChunk> {
  readonly #source: ActionLogSource;
  readonly #unlisten: () => void;
  #after: number;
  #page: LoggedChunk[] = [];
  #ended = false;
  /** Something was told since the last look. */
  #told = false;
  #wake: (() => void) | null = null;

  constructor(source: ActionLogSource, after: number) {
    this.#source = source;
    this.#after = after;
    this.#unlisten = source.listen(() => {
      this.#told = true;
      this.#wake?.();
    });
  }

  async next(): Promise<IteratorResult<LoggedChunk>> {
    while (!this.#ended) {
      const chunk = this.#page.shift();
      if (chunk) return { done: false, value: chunk };
      await this.#look();
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

  async return(): Promise<IteratorResult<LoggedChunk>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<LoggedChunk>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #look(): Promise<void> {
    this.#told = false;
    try {
      const { chunks, cut } = await this.#source.read(this.#after);
      if (this.#ended) return;
      this.#page = chunks;
      this.#after = chunks.at(-1)?.sequence ?? cut ?? this.#after;
      if (chunks.length === 0 && cut === null && !this.#told) await this.#wait();
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
