import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { useEffect, useEffectEvent } from 'react';
import { useQuery } from 'urql';
import {
  type DefinitionKind,
  DefinitionsChangedDocument,
  DefinitionsEndDocument,
  ListsChangedDocument,
  type WatchedList,
} from '../generated/documents.ts';
import { now } from './clock.ts';
import { coalesce } from './coalesce.ts';
import { follow } from './live.ts';

/** What `useRead` hands out to ask again, or anything that reads again. */
type Ask = (options: { requestPolicy: 'network-only' }) => void;

interface Changes<Variables> {
  /** Beside the cursor. */
  variables?: Omit<Variables, 'after'>;
  /** The cursor that came with what is shown; undefined: it was not read yet. */
  from: string | undefined;
  /** What is asked again; never earlier than the last change. */
  asks: readonly Ask[];
  /** Reads `from` again where none of `asks` does. What they read can be older than such a `from`, so they are asked once more when it is there. */
  askFrom?: Ask;
  /** Milliseconds: many changes in between are one. */
  pause?: number;
}

/** Reads something again when a subscription tells a change of it: nothing is missed between what was read and what is told. */
export function useChanges<
  Data extends Record<string, { cursor: string }>,
  Variables extends { after?: string | null | undefined },
>(
  document: TypedDocumentNode<Data, Variables>,
  { variables, from, asks, askFrom, pause = 1_000 }: Changes<NoInfer<Variables>>,
): void {
  const onChange = useEffectEvent(() => {
    for (const ask of asks) ask({ requestPolicy: 'network-only' });
  });
  const onExpired = useEffectEvent(() => (askFrom ? askFrom({ requestPolicy: 'network-only' }) : onChange()));
  const newestFrom = useEffectEvent(() => from);
  const isApart = askFrom !== undefined;
  const isRead = from !== undefined;
  const key = JSON.stringify(variables);
  useEffect(() => {
    if (!isRead) return undefined;
    let after = isApart ? undefined : newestFrom();
    const soon = coalesce(() => onChange(), pause);
    const stop = follow({
      document,
      variables: () => {
        if (after === undefined) {
          after = newestFrom();
          soon.call();
        }
        return { ...variables, after } as Variables;
      },
      onData: (data) => {
        [{ cursor: after }] = Object.values(data) as [{ cursor: string }];
        soon.call();
      },
      onExpired: () => {
        after = undefined;
        onExpired();
      },
    });
    return () => {
      stop();
      soon.stop();
    };
    // A newer answer does not begin a new stream: the stream has its own cursor.
  }, [document, isRead, isApart, key, pause]);
}

/** The same for lists without events: once when they are followed, and then when they have changed. */
export const useListChanges = (lists: WatchedList[], asks: readonly Ask[], pause?: number): void =>
  useChanges(ListsChangedDocument, { variables: { lists }, from: '', asks, pause });

/** The same for saves and deletions of definitions. @param names of which of these kinds; of all when left out */
export function useDefinitionChanges(kinds: DefinitionKind[], asks: readonly Ask[], names?: string[]): void {
  const [{ data }, askFrom] = useQuery({ query: DefinitionsEndDocument, requestPolicy: 'network-only' });
  useChanges(DefinitionsChangedDocument, { variables: { kinds, names }, from: data?.definitionCursor, asks, askFrom });
}

/** After a moment by which something says something else: the clock of an answer tells whole seconds. */
const LATER_MS = 3_000;
/** A timer holds 31 bits of milliseconds. */
const DAY_MS = 86_400_000;

/**
 * Reads something again once a moment has come that it names itself.
 * @param at when what it says is over; null, undefined: not by itself
 * @param answer as it was read last: one that still names a moment that is over is read again, too
 */
export function useMoment(at: string | null | undefined, answer: unknown, ask: Ask): void {
  const onMoment = useEffectEvent(() => ask({ requestPolicy: 'network-only' }));
  useEffect(() => {
    if (at == null) return undefined;
    let timer: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      const left = Math.max(Date.parse(at) - now(), 0) + LATER_MS;
      timer = left > DAY_MS ? setTimeout(wait, DAY_MS) : setTimeout(() => onMoment(), left);
    };
    wait();
    return () => clearTimeout(timer);
  }, [at, answer]);
}

/** Where the log of all releases stood when something was read; undefined: it was not read yet. */
export const endOf = (newest: { nodes: readonly { lastCursor: string }[] } | undefined): string | undefined =>
  newest && (newest.nodes[0]?.lastCursor ?? '');
