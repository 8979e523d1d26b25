import { PermanentError } from '../drivers/driver.ts';

/** What the process and a reader say to each other. Plain data: nothing else crosses. */

export interface Order {
  task: string;
  input: unknown;
  resultBytes: number;
  /** After how many milliseconds the reader itself gives up, should the process be gone. */
  orphanMs: number;
}

export type Answer = { ready: true } | { value: unknown } | { refused: string } | { failed: string };

/** A refusal stays one on the other side; anything else is a fault of ours, and its stack is kept for the log. */
export function answerOfError(error: unknown): Answer {
  if (error instanceof PermanentError) return { refused: error.message };
  // The libraries recurse; the text that is nested too deeply for them is not a fault of the program.
  if (error instanceof RangeError && /call stack/.test(error.message)) return { refused: 'it is nested too deeply' };
  if (error instanceof RangeError && /string length|array length/.test(error.message))
    return { refused: 'it grows to more than fits into memory' };
  return { failed: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
