import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { fromGlobalId } from './api.ts';
import type { Random } from './random.ts';

export interface Seen {
  releaseId: string;
  sequence: number;
  type: string;
}

export interface Filter {
  product?: string;
  environment?: string;
}

const DOCUMENT = `subscription Events($after: String, $filter: ReleaseEventFilterInput) {
  releaseEvents(after: $after, filter: $filter) { cursor node { __typename sequence releaseId } }
}`;

/** A portal: from the beginning of the log, on whichever server there is, and after every cut on with its last cursor. */
export class Subscriber {
  readonly name: string;
  readonly filter: Filter;
  readonly seen: Seen[] = [];
  /** What a server said to a subscriber beyond the events; none is expected. */
  readonly refusals: string[] = [];
  cuts = 0;
  #cursor = '';
  #socket: WebSocket | null = null;
  #closed = false;
  readonly #urls: string[];
  readonly #loop: Promise<void>;

  constructor(name: string, urls: string[], filter: Filter, random: Random) {
    this.name = name;
    this.filter = filter;
    this.#urls = urls;
    this.#loop = this.#run(random);
  }

  async #run(random: Random): Promise<void> {
    while (!this.#closed) {
      await this.#once(random.pick(this.#urls));
      if (!this.#closed) await sleep(random.between(10, 400));
    }
  }

  /** Until the connection breaks, for whatever reason. */
  #once(url: string): Promise<void> {
    return new Promise((resolve) => {
      const client = createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        keepAlive: 1_000,
        on: { connected: (socket) => (this.#socket = socket as WebSocket), closed: () => resolve() },
      });
      const variables = { after: this.#cursor, filter: this.filter };
      const end = (): void => {
        resolve();
        void client.dispose();
      };
      client.subscribe<{
        releaseEvents: { cursor: string; node: { __typename: string; sequence: number; releaseId: string } };
      }>(
        { query: DOCUMENT, variables },
        {
          next: ({ data, errors }) => {
            if (errors) this.refusals.push(JSON.stringify(errors));
            if (!data) return;
            const { cursor, node } = data.releaseEvents;
            this.#cursor = cursor;
            this.seen.push({ releaseId: fromGlobalId(node.releaseId), sequence: node.sequence, type: node.__typename });
          },
          error: (error) => {
            // A list of GraphQL errors is an answer; anything else is the wire.
            if (Array.isArray(error)) this.refusals.push(JSON.stringify(error));
            end();
          },
          complete: end,
        },
      );
    });
  }

  /** At whatever byte the stream is just now. */
  cut(): void {
    this.cuts += 1;
    this.#socket?.terminate();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#socket?.terminate();
    await this.#loop;
  }
}
