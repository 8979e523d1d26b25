import { Button } from 'react-aria-components';

export interface PagesProps {
  /** The cursor behind which this page begins; undefined: it is the first. */
  after: string | undefined;
  info: { hasNextPage: boolean; endCursor?: string | null } | undefined;
  /** Which way the list goes: `Older` under a list that begins with the newest. */
  next?: string | undefined;
  onPage: (after: string | undefined) => void;
}

/** To the next page of a list, and back to the first. */
export function Pages({ after, info, next = 'Older', onPage }: PagesProps) {
  if (after === undefined && info?.hasNextPage !== true) return null;
  return (
    <div className="pages">
      {after !== undefined && (
        <Button className="button" onPress={() => onPage(undefined)}>
          First page
        </Button>
      )}
      {info?.hasNextPage && (
        <Button className="button" onPress={() => onPage(info.endCursor ?? undefined)}>
          {next}
        </Button>
      )}
    </div>
  );
}
