import { del, get, keys, set } from 'idb-keyval';
import type { DraftStore, DraftWorld } from './drafts.ts';

const CHANNEL = 'sluice-drafts';

export const browserStore: DraftStore = {
  get: (key) => get<unknown>(key),
  set: (key, value) => set(key, value),
  remove: (key) => del(key),
  keys: async () => (await keys()).map(String),
};

/**
 * IndexedDB, and the other tabs of this browser. The channel is open as long as the page. Browsers have locks only over HTTPS and on
 * localhost: elsewhere, what two tabs write within the same milliseconds is not merged, and the later of both stays.
 */
export function browserWorld(): DraftWorld {
  const channel = new BroadcastChannel(CHANNEL);
  return {
    store: browserStore,
    tabs: {
      alone: (name, work) => ('locks' in navigator ? navigator.locks.request(`${CHANNEL}/${name}`, work) : work()),
      tell: (key) => channel.postMessage(key),
      listen(told) {
        const hear = ({ data }: MessageEvent): void => told(String(data));
        channel.addEventListener('message', hear);
        return () => channel.removeEventListener('message', hear);
      },
    },
    now: () => Date.now(),
  };
}
