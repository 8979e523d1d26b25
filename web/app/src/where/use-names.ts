import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useEffect, useState } from 'react';
import { type CombinedError, useClient } from 'urql';
import { WhereEnvironmentsDocument, WhereProductsDocument } from '../generated/documents.ts';

interface Page<Each> {
  nodes: Each[];
  pageInfo: { hasNextPage: boolean; endCursor?: string | null };
}

interface All<Each> {
  all: Each[] | undefined;
  error: CombinedError | undefined;
}

/** Every page of a list of names, one after the other; what is there is shown before the last one has come. */
function useAll<Data, Each>(
  document: TypedDocumentNode<Data, { after?: string | null }>,
  pick: (data: Data) => Page<Each>,
): All<Each> {
  const client = useClient();
  const [state, setState] = useState<All<Each>>({ all: undefined, error: undefined });
  useEffect(() => {
    let gone = false;
    const read = async (): Promise<void> => {
      const all: Each[] = [];
      for (let after: string | null | undefined = undefined; ;) {
        const { data, error } = await client.query(document, { after }).toPromise();
        if (gone) return;
        if (!data) return setState({ all: all.length > 0 ? all : undefined, error });
        const { nodes, pageInfo } = pick(data);
        all.push(...nodes);
        setState({ all: [...all], error: undefined });
        if (!pageInfo.hasNextPage) return;
        after = pageInfo.endCursor;
      }
    };
    void read();
    return () => {
      gone = true;
    };
    // `pick` belongs to the document.
  }, [client, document]);
  return state;
}

export const useProducts = () => useAll(WhereProductsDocument, ({ products }) => products);
export const useEnvironments = () => useAll(WhereEnvironmentsDocument, ({ environments }) => environments);
