import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { ReleaseEvent } from '../../../src/core/events.ts';
import { eventRows } from '../../../src/store/event-rows.ts';

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

  /** As one decision says them. */
  async many(releaseId: string, events: ReleaseEvent[], product = 'billing'): Promise<void> {
    const [actor, at, releaseStatus] = [null, Date.now(), 'RUNNING'] as const;
    const numbered = events.map((event) => ({ sequence: this.#next(releaseId), at, releaseStatus, actor, event }));
    await this.#insert(releaseId, product, eventRows(numbered));
  }

  /** In one statement, as was done before rows held lists: a row for each. */
  async apart(releaseId: string, events: ReleaseEvent[], product = 'billing'): Promise<void> {
    const rows = events.map((event) => ({ sequence: this.#next(releaseId), event }));
    await this.#insert(releaseId, product, rows);
  }

  #next(releaseId: string): number {
    const sequence = (this.#sequences.get(releaseId) ?? 0) + 1;
    this.#sequences.set(releaseId, sequence);
    return sequence;
  }

  async #insert(releaseId: string, product: string, rows: { sequence: number; event: unknown }[]): Promise<void> {
    await this.client.query(
      `WITH written AS (
         INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
         SELECT $1, sequence, pg_current_xact_id()::text::bigint, clock_timestamp(), $2, 'RUNNING', null, event
         FROM jsonb_to_recordset($3::jsonb) AS given(sequence integer, event jsonb) ORDER BY sequence)
       SELECT pg_notify('sluice_events', '')`,
      [releaseId, product, JSON.stringify(rows)],
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
