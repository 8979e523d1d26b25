import { When } from './time.tsx';

interface UntilProps {
  /** When it was ended; not yet: null. */
  endedAt: string | null | undefined;
  endedBy: string | null | undefined;
  /** What ended it, such as `lifted`. */
  word: string;
  /** When it ends by itself; null: it does not. */
  until: string | null | undefined;
  /** What is said when it does not end by itself. */
  never: string;
}

/** Until when something counts: it was ended, ends by itself, or somebody ends it. */
export function Until({ endedAt, endedBy, word, until, never }: UntilProps) {
  if (!endedAt) return until ? <When at={until} /> : never;
  return (
    <>
      {word} <When at={endedAt} /> {endedBy && `by ${endedBy}`}
    </>
  );
}
