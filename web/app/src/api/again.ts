import { useEffect } from 'react';

interface Options {
  requestPolicy: 'network-only';
}

/** Asks again every few seconds while the tab is seen: for lists of which the API has no stream. @param every in milliseconds */
export function useAgain(asks: readonly ((options: Options) => void)[], every = 5_000): void {
  useEffect(() => {
    const again = (): void => {
      if (!document.hidden) for (const ask of asks) ask({ requestPolicy: 'network-only' });
    };
    const timer = setInterval(again, every);
    document.addEventListener('visibilitychange', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
    };
    // Functions of urql, which stay the same for the same question.
  }, [every, ...asks]);
}
