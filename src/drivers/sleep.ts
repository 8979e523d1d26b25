import { systemClock } from '../clock.ts';

/** Waits `ms`; rejects with the signal's own reason when it is aborted. No timer at all for 0. */
export async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (ms > 0) await systemClock.sleep('driver', ms, signal);
}
