import { RefusedError } from './refused.ts';

/** `live`: what is shown is so now. `lost`: the connection is being made again. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused';

/** Something that is read once and followed from there. */
export interface Followed {
  /** Reads the state as it is now; from then on `changes` goes on after it. */
  open: (signal: AbortSignal) => Promise<void>;
  /** Streams what changes after the newest thing that was heard; calls `connected` when the stream is there. */
  changes: (signal: AbortSignal, connected: () => void) => Promise<void>;
  onConnection: (connection: Connection, problem: string | null) => void;
  /** The document, which is hidden now and then. */
  page: Page;
}

export interface Page {
  readonly hidden: boolean;
  addEventListener(type: 'visibilitychange', listener: () => void): void;
  removeEventListener(type: 'visibilitychange', listener: () => void): void;
}

/** After so many failures in a row, in milliseconds. */
const PAUSES = [250, 500, 1_000, 2_000, 4_000, 8_000];

/**
 * Follows through lost connections and restarts of the server, and not while the page is hidden. What was heard is not asked for again: the
 * stream goes on after its cursor. @returns stops it
 */
export function follow({ open, changes, onConnection, page }: Followed): () => void {
  let running: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOpen = false;
  let failures = 0;
  let ended = false;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    if (ended || running || page.hidden) return;
    const mine = new AbortController();
    running = mine;
    let since = Infinity;
    try {
      if (!isOpen) {
        await open(mine.signal);
        isOpen = true;
      }
      await changes(mine.signal, () => {
        if (mine.signal.aborted) return;
        since = performance.now();
        onConnection('live', null);
      });
    } catch (error) {
      if (mine.signal.aborted) return;
      if (error instanceof RefusedError) {
        // A cursor that the server does not know any more is refused as well: it is opened anew, once.
        if (!isOpen || error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN') {
          onConnection('refused', error.message);
          return;
        }
        isOpen = false;
      }
    } finally {
      if (running === mine) running = null;
    }
    if (ended || mine.signal.aborted) return;
    onConnection('lost', null);
    // A stream that ends as soon as it is there is a failure, too: the server, or what stands in front, is not well.
    if (performance.now() - since > PAUSES.at(-1)!) failures = 0;
    const pause = PAUSES[Math.min(failures, PAUSES.length - 1)] as number;
    failures += 1;
    // Spread out: after a restart not all pages come in the same moment.
    timer = setTimeout(() => void run(), pause * (0.5 + Math.random()));
  };

  const rest = (): void => {
    clearTimeout(timer);
    running?.abort();
    running = null;
  };
  const onVisibility = (): void => (page.hidden ? rest() : void run());
  page.addEventListener('visibilitychange', onVisibility);
  onConnection('connecting', null);
  void run();
  return () => {
    ended = true;
    page.removeEventListener('visibilitychange', onVisibility);
    rest();
  };
}
