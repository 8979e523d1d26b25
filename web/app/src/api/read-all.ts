import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Client, useClient } from 'urql';
import { wordsOf } from './client.ts';

interface Page<Node> {
  page: { nodes: readonly Node[]; pageInfo: { hasNextPage: boolean; endCursor?: string | null } };
}

/** A list whose pages are called `page`. */
type Pages<Node> = TypedDocumentNode<Page<Node>, { after?: string | null }>;

/** Every entry of a list, page by page. @throws Error in words for people */
export async function readAll<Node>(client: Client, document: Pages<Node>): Promise<Node[]> {
  const nodes: Node[] = [];
  let after: string | undefined;
  for (;;) {
    const { data, error } = await client.query(document, { after }, { requestPolicy: 'network-only' }).toPromise();
    if (error || !data) throw new Error(error ? wordsOf(error) : 'The server gave no answer.');
    nodes.push(...data.page.nodes);
    if (!data.page.pageInfo.hasNextPage) return nodes;
    after = data.page.pageInfo.endCursor ?? undefined;
  }
}

/** The same for a page of the app. `nodes` is undefined until they were read; `ask` reads them again, also while they are being read. */
export function useAll<Node>(document: Pages<Node>): {
  nodes: readonly Node[] | undefined;
  problem: string | undefined;
  ask: () => void;
} {
  const client = useClient();
  const [state, setState] = useState<{ nodes?: readonly Node[]; problem?: string }>({});
  const newest = useRef(0);
  const underWay = useRef(Promise.resolve());
  const ask = useCallback(() => {
    newest.current += 1;
    const own = newest.current;
    // One after the other: a page that is on its way is not asked for again.
    underWay.current = underWay.current.then(async () => {
      if (own !== newest.current) return;
      try {
        setState({ nodes: await readAll(client, document) });
      } catch (error) {
        setState((before) => ({ ...before, problem: (error as Error).message }));
      }
    });
  }, [client, document]);
  useEffect(() => ask(), [ask]);
  return { nodes: state.nodes, problem: state.problem, ask };
}
