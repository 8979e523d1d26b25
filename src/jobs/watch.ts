import { Rounds } from '../clock.ts';
import type { Parts } from '../parts.ts';

/** Looks at something again and again for as long as the process lives; a round that fails is told, and the next one comes. */
export abstract class Watch {
  protected readonly app: Parts;
  protected readonly rounds: Rounds;

  /** @param every the pause between two rounds, in milliseconds */
  constructor(app: Parts, name: string, every: number, failed: string) {
    this.app = app;
    const round = (): Promise<void> => this.round().catch((error: unknown) => app.log.warn({ error }, failed));
    this.rounds = new Rounds(app.clock, name, every, round);
  }

  start(): void {
    this.rounds.start();
  }

  close(): Promise<void> {
    return this.rounds.close();
  }

  abstract round(): Promise<void>;
}
