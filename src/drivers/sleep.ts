import { setTimeout as delay } from 'node:timers/promises';

/** Waits `ms`; rejects with the signal's own reason when it is aborted. No timer at all for 0. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms <= 0) return;
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
