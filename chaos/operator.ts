import { setTimeout as sleep } from 'node:timers/promises';
import { decide, readProposals, WrongRequest } from './api.ts';
import type { Random } from './random.ts';

/** Somebody who is asked about promotions and about environments that go back, and decides, on whichever server there is, until it is closed. */
export class Operator {
  decided = 0;
  readonly #urls: string[];
  readonly #stop = new AbortController();
  readonly #loop: Promise<void>;

  constructor(urls: string[], random: Random) {
    this.#urls = urls;
    this.#loop = this.#run(random);
    this.#loop.catch(() => undefined);
  }

  /** Throws what this program did wrong; a server that was away is weather. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loop;
  }

  async #run(random: Random): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for (const proposal of await readProposals(random.pick(this.#urls))) {
          await decide(random.pick(this.#urls), random.chance(0.7) ? 'approve' : 'reject', proposal);
          this.decided += 1;
        }
      } catch (error) {
        if (error instanceof WrongRequest) throw error;
      }
      await sleep(random.between(300, 1_500), undefined, { signal }).catch(() => undefined);
    }
  }
}
