import { useMemo } from 'react';
import { endOf, useChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { AnyReleaseDocument, ReleasesDocument } from '../generated/documents.ts';
import { type ReleasesSearch, toFilter } from './search.ts';

const PER_PAGE = 25;

/** A page of the list, read again when something happens to a release that can stand in it. */
export function useReleases(search: ReleasesSearch) {
  const { product, environment, since, until, after } = search;
  const key = JSON.stringify({ ...search, after: undefined });
  const filter = useMemo(() => toFilter(search), [key]);
  const choices = useMemo(() => toFilter({ environment, since, until }), [environment, since, until]);
  const [answer, ask] = useRead({ query: ReleasesDocument, variables: { first: PER_PAGE, after, filter, choices } });
  useChanges(AnyReleaseDocument, {
    variables: { filter: { product, environment } },
    from: endOf(answer.data?.newest),
    asks: [ask],
  });
  return answer;
}
