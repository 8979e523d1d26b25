import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { CloseCode, createClient } from 'graphql-ws';
import { stringifyDocument } from 'urql';
import { heard, streamIs, useConnection } from './connection.ts';
import { addressOf } from './place.ts';
import { untilSignedIn } from './session.ts';

const RETRY_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];

/** A network that is gone says nothing, and neither does a computer that has slept: so long an answer to a ping may take. */
const PONG_MS = 5_000;
let overdue: ReturnType<typeof setTimeout> | undefined;

const client = createClient({
  url: addressOf('graphql').replace(/^http/, 'ws'),
  // The last one to leave closes the socket.
  lazy: true,
  keepAlive: 15_000,
  retryAttempts: 0,
  on: {
    connecting: () => streamIs(useConnection.getState().stream === 'lost' ? 'lost' : 'connecting'),
    connected: () => {
      streamIs('live');
      heard();
    },
    ping: (isReceived) => {
      if (!isReceived) overdue = setTimeout(() => client.terminate(), PONG_MS);
    },
    pong: heard,
    message: () => {
      clearTimeout(overdue);
      heard();
    },
    closed: () => clearTimeout(overdue),
  },
});

interface Following<Data, Variables> {
  document: TypedDocumentNode<Data, Variables>;
  /** Asked anew at each connection, so that it starts after the newest thing heard. */
  variables: () => Variables;
  onData: (data: Data) => void;
  /** The server does not know the cursor any more: what it came with has to be read again. Called at each try until `variables` has one that it knows. */
  onExpired: () => void;
}

/** How many follow something now; with none the state of the stream is idle. */
let followers = 0;

/**
 * Follows a subscription through lost sockets and restarts of the server, and not while the tab is hidden: then nothing is painted, and the
 * cursor brings back what was missed. @returns stops it
 */
export function follow<Data extends object, Variables extends Record<string, unknown>>(
  following: Following<Data, Variables>,
): () => void {
  const query = stringifyDocument(following.document);
  let stop: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  let ended = false;

  const start = (): void => {
    clearTimeout(timer);
    if (ended || stop !== undefined || document.hidden) return;
    let mine = true;
    const unsubscribe = client.subscribe<Data>(
      { query, variables: following.variables() },
      {
        next: ({ data, errors }) => {
          if (errors?.[0]) console.warn(errors[0].message);
          if (data) {
            failures = 0;
            following.onData(data);
          } else if (errors?.some(({ extensions }) => extensions?.['code'] === 'CURSOR_EXPIRED')) following.onExpired();
        },
        error: (error) => lost(error),
        complete: () => lost(undefined),
      },
    );
    const lost = (error: unknown): void => {
      if (!mine) return;
      mine = false;
      stop = undefined;
      if (ended) return;
      if (!document.hidden) streamIs('lost');
      const pause = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!;
      failures += 1;
      // Spread out: after a restart not all pages come in the same moment.
      const later = (): void => void (timer = setTimeout(start, pause * (0.5 + Math.random())));
      if (!isClose(error, CloseCode.Unauthorized)) return later();
      // The cursor brings what was missed meanwhile.
      void untilSignedIn(error.reason).then(later);
    };
    stop = () => {
      mine = false;
      stop = undefined;
      unsubscribe();
    };
  };

  const onVisibility = (): void => {
    if (document.hidden) {
      clearTimeout(timer);
      stop?.();
    } else start();
  };

  followers += 1;
  document.addEventListener('visibilitychange', onVisibility);
  start();
  return () => {
    ended = true;
    followers -= 1;
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onVisibility);
    stop?.();
    if (followers === 0) streamIs('idle');
  };
}

const isClose = (error: unknown, code: number): error is CloseEvent =>
  error instanceof CloseEvent && error.code === code;
