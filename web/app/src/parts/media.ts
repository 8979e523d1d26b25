import { useSyncExternalStore } from 'react';

const NARROW = window.matchMedia('(max-width: 44em)');

function listen(listener: () => void): () => void {
  NARROW.addEventListener('change', listener);
  return () => NARROW.removeEventListener('change', listener);
}

/** Whether there is no room for a table or a graph: then what stands beside each other stands below each other. */
export const useIsNarrow = (): boolean => useSyncExternalStore(listen, () => NARROW.matches);
