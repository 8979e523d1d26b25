import { CliError, EXIT } from '../exit.ts';
import type { Client } from '../client.ts';
import { readRelease } from '../operations.ts';
import type { ReleaseShown } from '../release-shown.ts';
import { EVENT_FIELDS, mayEnd, type StreamedEvent } from './events.ts';

export const STREAM = `subscription CliFollow($after: String!, $release: ID!) {
  releaseEvents(after: $after, filter: { releaseId: $release }) { cursor node { ...EventFields } }
} ${EVENT_FIELDS}`;

export const LOG = `query CliLog($after: String!, $release: ID!) {
  releaseEventLog(first: 100, after: $after, filter: { releaseId: $release }) {
    edges { cursor node { ...EventFields } } pageInfo { hasNextPage }
  }
} ${EVENT_FIELDS}`;

interface Page {
  releaseEventLog: { edges: StreamedEvent[]; pageInfo: { hasNextPage: boolean } };
}

/** Told while a release is followed; a listener that shows the release's state reads it again itself. */
export interface Listeners {
  onEvent(event: StreamedEvent): void;
  onLost(why: string): void;
  onBack(): void;
}

/**
 * Hears every event of a release once, from its first one, through lost connections and restarts of the server, until
 * it has ended. @returns the release as it ended, or undefined when `signal` came first.
 */
export async function followRelease(
  client: Client,
  releaseId: string,
  listeners: Listeners,
  signal: AbortSignal,
): Promise<ReleaseShown | undefined> {
  // "" is the beginning of the log.
  let after = '';
  const hear = (event: StreamedEvent): void => {
    after = event.cursor;
    listeners.onEvent(event);
  };
  const enough = new AbortController();
  const either = AbortSignal.any([signal, enough.signal]);
  const variables = (): Record<string, unknown> => ({ after, release: releaseId });
  try {
    const stream = client.follow<{ releaseEvents: StreamedEvent }>(STREAM, variables, {
      signal: either,
      onLost: (why) => listeners.onLost(why),
      onBack: () => listeners.onBack(),
    });
    for await (const { releaseEvents: event } of stream) {
      hear(event);
      if (!mayEnd(event)) continue;
      const release = await persistently(() => readRelease(client, releaseId, either), either);
      // Old news, when it was retried since.
      if (release === undefined || release.endedAt === null) continue;
      await rest(client, variables, hear, either);
      return release;
    }
    return undefined;
  } finally {
    enough.abort();
  }
}

/** What was written between the last event heard and the state read; usually nothing. */
async function rest(
  client: Client,
  variables: () => Record<string, unknown>,
  hear: (event: StreamedEvent) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const page = await persistently(() => client.ask<Page>(LOG, variables(), signal), signal);
    page?.releaseEventLog.edges.forEach(hear);
    if (!page?.releaseEventLog.pageInfo.hasNextPage) return;
  }
}

const PAUSE_MS = 500;

/** Asks until the server answers: a restart of it is no reason to leave. Undefined once `signal` came. */
export async function persistently<T>(question: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await question();
    } catch (error) {
      if (signal.aborted) break;
      if (!(error instanceof CliError) || error.exitCode !== EXIT.UNREACHABLE) throw error;
    }
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
  return undefined;
}
