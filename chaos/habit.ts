import { setTimeout as sleep } from 'node:timers/promises';
import { WrongRequest } from './api.ts';

/** What somebody of a run does again and again until it is closed; a server that is away is weather, and the next round comes all the same. */
export class Habit {
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  /** `onAway` hears what a round met that is weather. */
  constructor(round: (pause: Habit['pause']) => Promise<void>, onAway: (error: unknown) => void = () => undefined) {
    this.#loop = this.#run(round, onAway);
    // Told by `close`.
    this.#loop.catch(() => undefined);
  }

  /** Ends early where it is closed. */
  readonly pause = (milliseconds: number): Promise<void> =>
    sleep(Math.max(0, milliseconds), undefined, { signal: this.#stop.signal }).catch(() => undefined);

  get closed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** When the round that is under way has ended. Throws what this program did wrong. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(round: (pause: Habit['pause']) => Promise<void>, onAway: (error: unknown) => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await round(this.pause);
      } catch (error) {
        if (error instanceof WrongRequest) throw error;
        onAway(error);
        await this.pause(500);
      }
    }
  }
}
