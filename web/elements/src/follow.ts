import { RefusedError } from './source.ts';

/** `live`: what is shown is so now. `lost`: the connection is being made again. */
export type Connection = 'connecting' | 'live' | 'lost' | 'refused';

/** Something that is read once and followed from there. */
export interface Followed {
  /** Reads the state as it is now; from then on `changes` goes on after it. */
  open: (signal: AbortSignal) => Promise<void>;
  /** Streams what changes after the newest thing that was heard. */
  changes: (signal: AbortSignal) => Promise<void>;
  onConnection: (connection: Connection, problem: string | null) => void;
}

const PAUSES = [250, 500, 1_000, 2_000, 4_000, 8_000];

/**
 * Follows through lost connections and restarts of the server, and not while the page is hidden. What was heard is not asked for again: the
 * stream goes on after its cursor. @returns stops it
 */
export function follow({ open, changes, onConnection }: Followed): () => void {
  let running: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOpen = false;
  let failures = 0;
  let ended = false;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    if (ended || running || document.hidden) return;
    const mine = new AbortController();
    running = mine;
    try {
      if (!isOpen) {
        await open(mine.signal);
        isOpen = true;
      }
      failures = 0;
      onConnection('live', null);
      await changes(mine.signal);
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
  const onVisibility = (): void => (document.hidden ? rest() : void run());
  document.addEventListener('visibilitychange', onVisibility);
  onConnection('connecting', null);
  void run();
  return () => {
    ended = true;
    document.removeEventListener('visibilitychange', onVisibility);
    rest();
  };
}
