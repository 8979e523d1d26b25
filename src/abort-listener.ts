import { setMaxListeners } from 'node:events';

/**
 * Calls `work` once when the signal is aborted. One signal stands for a whole step or request, and all of its files and fetches listen to
 * it side by side, each for as long as it lasts: more than ten listeners are no leak, and Node does not warn of them.
 *
 * @returns stops listening
 */
export function onAbort(signal: AbortSignal, work: () => void): () => void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', work, { once: true });
  return () => signal.removeEventListener('abort', work);
}
