import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { ReleaseEvent } from '../../../src/core/events.ts';

/** Writes into the log as a decision does: under the release's lock, at the position of the writing transaction. */
export class LogWriter {
  readonly client: pg.Client;
  readonly #sequences = new Map<string, number>();

  private constructor(client: pg.Client) {
    this.client = client;
  }

  static async connect(url: string): Promise<LogWriter> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    return new LogWriter(client);
  }

  /** In the open transaction, or in one of its own. */
  async write(releaseId: string, event: ReleaseEvent = { type: 'ReleaseStarted' }, product = 'billing'): Promise<void> {
    await this.many(releaseId, [event], product);
  }

  /** In one statement. */
  async many(releaseId: string, events: ReleaseEvent[], product = 'billing'): Promise<void> {
    const before = this.#sequences.get(releaseId) ?? 0;
    this.#sequences.set(releaseId, before + events.length);
    await this.client.query(
      `WITH written AS (
         INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
         SELECT $1, $2::integer + number, pg_current_xact_id()::text::bigint, clock_timestamp(), $3, 'RUNNING', null, event
         FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS given(event, number))
       SELECT pg_notify('sluice_events', '')`,
      [releaseId, before, product, JSON.stringify(events)],
    );
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

export const newRelease = (): string => randomUUID();

/** `count` small events. */
export const steps = (count: number): ReleaseEvent[] =>
  Array.from({ length: count }, (_, index) => ({ type: 'ReleaseTerminating', reason: `number ${index + 1}` }));
