import { RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';

/** A command's answer: what it made, or why it was refused and changed nothing. Faults are thrown. */
export type Result<T> = { value: T; refusals?: undefined } | { value?: undefined; refusals: Refusal[] };

/** Runs a command whose transaction ends by throwing a RefusedError when it is refused. */
export async function refusable<T>(command: () => Promise<T>): Promise<Result<T>> {
  try {
    return { value: await command() };
  } catch (error) {
    if (error instanceof RefusedError) return { refusals: error.refusals };
    throw error;
  }
}
