import { del, get, keys, set } from 'idb-keyval';
import { now } from '../../api/clock.ts';
import type { DraftStore, DraftWorld } from './drafts.ts';
import type { Words } from './words.ts';

const CHANNEL = 'sluice-drafts';
/** A page that is reloaded can be under way to its end still when the next one asks. */
const TO_END_MS = 300;

export const browserStore: DraftStore = {
  get: (key) => get<unknown>(key),
  set: (key, value) => set(key, value),
  remove: (key) => del(key),
  keys: async () => (await keys()).map(String),
};

/** Reading the property throws where a browser keeps nothing for this page. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/** Written before a call returns, unlike IndexedDB: for what has to survive a tab that ends now. A few megabytes for all pages. */
export const browserWords: Words = {
  keys: (prefix) => Object.keys(storage() ?? {}).filter((key) => key.startsWith(prefix)),
  get: (key) => storage()?.getItem(key) ?? null,
  set(key, value) {
    const kept = storage();
    try {
      kept?.setItem(key, value);
      return kept !== null;
    } catch {
      kept?.removeItem(key);
      return false;
    }
  },
  remove: (key) => storage()?.removeItem(key),
};

/**
 * What this browser keeps, and its other tabs. Browsers have locks only over HTTPS and on localhost: elsewhere, what two tabs write within
 * the same milliseconds is not merged, and the later of both stays.
 */
export function browserWorld(): DraftWorld {
  const channel = new BroadcastChannel(CHANNEL);
  const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  const lockOf = (tab: string): string => `${CHANNEL}/tab/${tab}`;
  const hasLocks = 'locks' in navigator;
  let leave = (): void => {};
  // The browser gives it back when the tab ends, however that comes. Where a page may keep nothing, it gives no locks.
  if (hasLocks)
    navigator.locks.request(lockOf(id), () => new Promise<void>((resolve) => (leave = resolve))).catch(() => {});
  return {
    store: browserStore,
    words: browserWords,
    tabs: {
      id,
      isGone: async (tab) =>
        !hasLocks ||
        navigator.locks.request(lockOf(tab), { signal: AbortSignal.timeout(TO_END_MS) }, () => true).catch(() => false),
      alone: (name, work) => (hasLocks ? navigator.locks.request(`${CHANNEL}/${name}`, work) : work()),
      tell: (key) => channel.postMessage(key),
      listen(told) {
        const hear = ({ data }: MessageEvent): void => told(String(data));
        channel.addEventListener('message', hear);
        return () => channel.removeEventListener('message', hear);
      },
      leave() {
        leave();
        channel.close();
      },
    },
    now,
  };
}

/** Calls `told` when any draft changes in another tab of this browser: in the store, or in the words that each tab leaves. @returns ends that */
export function listenToTabs(told: () => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener('message', told);
  addEventListener('storage', told);
  return () => {
    channel.close();
    removeEventListener('storage', told);
  };
}
