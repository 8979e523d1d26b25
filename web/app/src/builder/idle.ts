/** A page that draws all the time is never idle. */
const LATEST_MS = 200;

/** Does what somebody would wait for later while nobody waits. @returns gives it up */
export function whenIdle(work: () => void): () => void {
  // Safari has no idle callbacks.
  if (!('requestIdleCallback' in window)) return () => {};
  const waiting = requestIdleCallback(work, { timeout: LATEST_MS });
  return () => cancelIdleCallback(waiting);
}
