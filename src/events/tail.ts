import type { Log } from '../log.ts';
import { type LogPage, type LoggedEvent, type Place } from '../store/event-log.ts';

export interface TailParts {
  read: (after: Place, limit: number) => Promise<LogPage>;
  publish: (events: LoggedEvent[]) => void;
  /** Events after this place are read. */
  from: Place;
  /** How often it looks without being told, in milliseconds: notices are hints and may be lost. */
  pollMs: number;
  log: Log;
}

export interface TailHealth {
  /** Milliseconds since the log was last read successfully. */
  lookedAgo: number;
  /** For how long events have been waiting for an older transaction that is still open; 0: none wait. */
  heldForMs: number;
  error: string | null;
}

/** Reads the log on and on: when it is told to look, again soon while events are not settled, and every now and then. */
export class Tail {
  readonly #parts: TailParts;
  #place: Place;
  #told = false;
  #wake: (() => void) | null = null;
  #closed = false;
  #lookedAt = performance.now();
  #heldSince: number | null = null;
  #error: string | null = null;
  #loop: Promise<void> | null = null;

  constructor(parts: TailParts) {
    this.#parts = parts;
    this.#place = parts.from;
  }

  start(): void {
    this.#loop = this.#run();
  }

  /** Something may have been written. */
  look(): void {
    this.#told = true;
    this.#wake?.();
  }

  health(): TailHealth {
    const now = performance.now();
    const heldForMs = this.#heldSince === null ? 0 : Math.round(now - this.#heldSince);
    return { lookedAgo: Math.round(now - this.#lookedAt), heldForMs, error: this.#error };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.look();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let pause = 0;
    while (!this.#closed) {
      this.#told = false;
      try {
        const { events, isFull, unsettled } = await this.#parts.read(this.#place, PAGE);
        this.#settle(events, unsettled);
        if (isFull) continue;
        if (unsettled) pause = events.length > 0 ? SOON : Math.min(Math.max(pause, SOON) * 1.5, SOON_AT_MOST);
        else pause = this.#parts.pollMs;
        // Many small commits in a row are read together.
        if (this.#told) await this.#sleep(BREATH);
      } catch (error) {
        this.#error = error instanceof Error ? error.message : String(error);
        this.#parts.log.warn({ error }, 'the event log could not be read, trying again');
        await this.#sleep(AFTER_ERROR);
        continue;
      }
      if (!this.#told) await this.#pause(pause);
    }
  }

  #settle(events: LoggedEvent[], unsettled: boolean): void {
    this.#lookedAt = performance.now();
    this.#error = null;
    if (!unsettled || events.length > 0) this.#heldSince = null;
    if (unsettled) this.#heldSince ??= this.#lookedAt;
    const last = events.at(-1);
    if (!last) return;
    this.#place = { position: last.position, id: last.id };
    this.#parts.publish(events);
  }

  /** Ends early when it is told to look. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.#wake = done;
    });
  }

  #sleep(ms: number): Promise<void> {
    return this.#closed ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
  }
}

/** Rows of the log. */
const PAGE = 500;
/** Milliseconds. A transaction that is open below the newest event mostly ends at once; after a long one we look less often. */
const SOON = 10;
const SOON_AT_MOST = 250;
const BREATH = 2;
const AFTER_ERROR = 200;
