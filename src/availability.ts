import type { Log } from './log.ts';

/**
 * Tells the log once when something that Sluice needs goes away and once when it is back; what fails meanwhile for the same reason
 * says nothing new.
 */
export class Availability {
  readonly #parts: { log: Log; name: string; meanwhile: string };
  #awaySince: number | null = null;
  #why = '';

  /** @param parts.meanwhile what that means and what becomes of it, in words. */
  constructor(parts: { log: Log; name: string; meanwhile: string }) {
    this.#parts = parts;
  }

  away(error: unknown): void {
    const { log, name, meanwhile } = this.#parts;
    this.#why = wordingOf(error);
    if (this.#awaySince !== null) return log.debug({ error: this.#why }, `${name} is still away`);
    this.#awaySince = performance.now();
    log.warn({ error: this.#why }, `${name} is away: ${meanwhile}`);
  }

  back(): void {
    if (this.#awaySince === null) return;
    const { log, name } = this.#parts;
    log.info({ awayMs: Math.round(performance.now() - this.#awaySince) }, `${name} is back`);
    this.#awaySince = null;
  }

  /** Null while it is there; else since when it is not and what is done about it. */
  get problem(): string | null {
    if (this.#awaySince === null) return null;
    const { name, meanwhile } = this.#parts;
    const seconds = ((performance.now() - this.#awaySince) / 1_000).toFixed(1);
    return `${name} is away for ${seconds} s (${this.#why}): ${meanwhile}`;
  }
}

/** A refused connection to a name with several addresses is an AggregateError, whose own message is empty. */
function wordingOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordingOf).join('; ');
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Whether the other side cannot be reached or has ended the connection, rather than answered with a fault. */
export function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^(E[A-Z]+|57P0[1-3]|08\w{3})$/.test(code) || /connection|timeout|timed out|writeable|socket/i.test(message);
}
