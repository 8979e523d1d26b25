import type pg from 'pg';
import { clientConfig, DEFAULT_STATEMENT_MS, SturdyPool, timesOf } from '../connections.ts';
import type { ConnectionTimes } from '../connections.ts';
import { LIMITS } from '../limits.ts';
import type { Visibility } from '../core/access/index.ts';
import type { Kind } from '../core/definitions.ts';
import type { Log } from '../log.ts';
import {
  BEGINNING,
  type EventFilter,
  type LoggedEvent,
  oldestEvent,
  placesOf,
  type Place,
  readFiltered,
  readNewest,
  readOn,
  releaseAt,
} from '../store/event-log.ts';
import { lastChunk, LOGS_GROW, readChunks } from '../store/action-logs.ts';
import type { LogQuery, LoggedChunk } from '../store/action-logs.ts';
import { lastSave, savesAfter } from '../store/definition-log.ts';
import type { ToldSave } from '../store/definition-log.ts';
import { DEFINITIONS_CHANGE } from '../store/definitions.ts';
import type { Db } from '../store/reads.ts';
import { Listener } from '../store/listener.ts';
import { Changes, SharedChanges } from './changes.ts';
import { CursorExpiredError, cursorBefore, cursorOf, isAt, parseCursor, placeOf } from './cursor.ts';
import { GrowingReader } from './growing-reader.ts';
import type { GrowingSource } from './growing-reader.ts';
import { Lists, READ_EVERY } from './lists.ts';
import type { Digests, ListName, ListsChanged } from './lists.ts';
import { Ring } from './ring.ts';
import { Subscription, type SubscriptionSource } from './subscription.ts';
import { Tail, type TailHealth } from './tail.ts';
import { Waiters } from './waiters.ts';

export type { ListName };

export interface EventLogOptions {
  pool: pg.Pool;
  databaseUrl: string;
  log: Log;
  times?: ConnectionTimes;
  /** How many of the newest events stay in memory. */
  ringSize?: number;
  /** Entries of an index that one page looks at. */
  entries?: number;
  /** How often the log is read without a notice, in milliseconds. */
  pollMs?: number;
}

export interface Delivery {
  cursor: string;
  event: LoggedEvent;
}

export interface EventPage {
  events: Delivery[];
  hasMore: boolean;
  /** The cursor after which the next page begins; null: there is no event before it. */
  end: string | null;
}

/**
 * The log's live end: one reader per process, any number of subscribers. Each sees every event after its cursor once, in
 * the log's order, whichever process wrote it and whatever connection broke meanwhile.
 */
export class EventLog {
  readonly #pool: pg.Pool;
  readonly #reader: pg.Pool;
  readonly #entries: number;
  readonly #ring: Ring;
  /** The newest event before those of the ring, when it was filled. */
  readonly #floor: LoggedEvent | undefined;
  readonly #waiters = new Waiters();
  readonly #subscriptions = new Set<Subscription>();
  readonly #changes = new SharedChanges();
  readonly #tail: Tail;
  readonly #listener: Listener;
  readonly #source: SubscriptionSource;
  /** By release: who follows the logs of its actions. */
  readonly #growing = new Map<string, Set<() => void>>();
  readonly #readers = new Set<{ end: () => void }>();
  /** Who follows the saves of definitions. */
  readonly #following = new Set<() => void>();
  readonly #lists: Lists;
  #closing: Promise<void> | null = null;

  private constructor(options: EventLogOptions, reader: pg.Pool, newest: LoggedEvent[], ringSize: number) {
    const { pool, databaseUrl, log, times, pollMs = 1_000, entries = LIMITS.entriesPerPage } = options;
    this.#pool = pool;
    this.#lists = new Lists(pool);
    this.#reader = reader;
    this.#entries = entries;
    // The first of them only says what lies before the others.
    const [floor, ...rest] = newest;
    this.#floor = floor;
    this.#ring = new Ring(ringSize, floor ?? BEGINNING);
    for (const event of rest) this.#ring.push(event);
    this.#source = {
      ring: this.#ring,
      waiters: this.#waiters,
      readPage: (query) => readFiltered(pool, { ...query, entries }),
      onError: (error) => log.warn({ error }, 'a subscriber could not read the event log, trying again'),
      onEnd: (subscription) => this.#subscriptions.delete(subscription),
    };
    this.#tail = new Tail({
      read: (after, limit) => readOn(reader, after, limit),
      publish: (events) => this.#publish(events),
      from: this.#ring.newest,
      pollMs,
      log,
    });
    this.#listener = new Listener({
      url: databaseUrl,
      times,
      channels: ['sluice_events', LOGS_GROW, DEFINITIONS_CHANGE],
      onNotice: (channel, payload) => {
        if (channel === DEFINITIONS_CHANGE) this.#following.forEach((wake) => wake());
        else if (channel === LOGS_GROW) this.#growing.get(payload)?.forEach((wake) => wake());
        else this.#tail.look();
      },
      // Notices that came while the connection was down are lost.
      onConnected: () => {
        this.#tail.look();
        for (const wakes of [...this.#growing.values(), this.#following]) wakes.forEach((wake) => wake());
      },
      log,
    });
  }

  /** Resolves once it listens. */
  static async open(options: EventLogOptions): Promise<EventLog> {
    // A connection of its own: the reader must not wait in line behind the work that it reports on.
    const reader = new SturdyPool({
      connectionString: options.databaseUrl,
      max: 1,
      application_name: 'sluice-event-log',
      seams: null,
      ...clientConfig(options.times ?? timesOf(DEFAULT_STATEMENT_MS)),
    });
    reader.on('error', () => undefined);
    const ringSize = options.ringSize ?? 10_000;
    try {
      // After a restart everybody comes back at once, with cursors of a moment ago: these are answered from memory.
      const newest = await readNewest(reader, Math.ceil(ringSize / 5) + 1);
      const eventLog = new EventLog(options, reader, newest, ringSize);
      await eventLog.#listener.open();
      eventLog.#tail.start();
      return eventLog;
    } catch (error) {
      await reader.end();
      throw error;
    }
  }

  /**
   * Events after `after`, first those of the past, then as they come.
   * @param after a cursor; "" for the beginning of the log; absent: from now on.
   * @throws InvalidCursorError, CursorExpiredError
   */
  async subscribe(filter: EventFilter, after?: string | null, signal?: AbortSignal): Promise<Subscription> {
    // "Now" is the time of the call, not of the first read.
    const now = this.#ring.newest;
    const place = after === undefined || after === null ? now : await this.#resume(after);
    const subscription = new Subscription(this.#source, filter, place);
    if (this.#closing || signal?.aborted) {
      subscription.end();
      return subscription;
    }
    this.#subscriptions.add(subscription);
    signal?.addEventListener('abort', () => subscription.end(), { once: true });
    return subscription;
  }

  /** The same of one release, where events that come close together are told as one change. */
  async changes(filter: EventFilter & { releaseId: string }, after?: string | null): Promise<Changes> {
    return new Changes(await this.subscribe(filter, after), this.#changes);
  }

  /**
   * The logs of the actions of a release, from `after` on, as they grow; `after` null: from now on.
   * @param wanted what is read of them, asked at each look: it can change what a caller may see
   * @throws CursorExpiredError
   */
  async followActions(
    releaseId: string,
    after: number | null,
    wanted: () => Omit<LogQuery, 'releaseId' | 'after'>,
  ): Promise<GrowingReader<LoggedChunk>> {
    const limits = { limit: CHUNKS, entries: this.#entries };
    return this.#follow(beginAt(after, await lastChunk(this.#pool, releaseId)), {
      read: async (from) => {
        const { chunks: entries, cut } = await readChunks(this.#pool, { ...wanted(), releaseId, after: from }, limits);
        return { entries, cut };
      },
      isSeen: ({ position }) => wanted().positions.includes(position),
      listen: (wake) => this.#listenTo(releaseId, wake),
    });
  }

  /**
   * The saves of definitions, from `after` on, as they come; `after` null: from now on.
   * @param seen asked of each: it can change what a caller may see
   * @throws CursorExpiredError
   */
  async followDefinitions(
    after: number | null,
    filter: { kinds?: readonly Kind[]; names?: readonly string[] },
    seen: (save: ToldSave) => boolean,
  ): Promise<GrowingReader<ToldSave>> {
    return this.#follow(beginAt(after, await lastSave(this.#pool)), {
      read: async (from) => {
        const saves = await savesAfter(this.#pool, { ...filter, after: from, limit: SAVES });
        return { entries: saves.filter(seen), cut: saves.at(-1)?.sequence ?? null };
      },
      isSeen: seen,
      listen: (wake) => {
        this.#following.add(wake);
        return () => {
          this.#following.delete(wake);
        };
      },
    });
  }

  /**
   * Tells which of these lists say something else than before; null: than now.
   * @param seen what the caller sees of each list, asked at each look: it can change; undefined: nothing
   */
  async followLists(
    names: readonly ListName[],
    before: Digests | null,
    seen: (name: ListName) => Visibility | null | undefined,
  ): Promise<GrowingReader<ListsChanged>> {
    const look = async (): Promise<Digests> => {
      const digests = names.map(async (each) => {
        const visibility = seen(each);
        return [each, visibility === undefined ? '' : await this.#lists.digest(each, visibility)] as const;
      });
      return Object.fromEntries(await Promise.all(digests));
    };
    let known = before ?? (await look());
    return this.#follow(0, {
      read: async (from) => {
        const digests = await look();
        const lists = names.filter((each) => digests[each] !== known[each]);
        known = digests;
        return { entries: lists.length > 0 ? [{ sequence: from + 1, lists, digests }] : [], cut: null };
      },
      listen: (wake) => {
        const timer = setInterval(wake, READ_EVERY);
        return () => clearInterval(timer);
      },
    });
  }

  #follow<T extends { sequence: number }>(
    begin: number,
    source: Pick<GrowingSource<T>, 'read' | 'isSeen' | 'listen'>,
  ): GrowingReader<T> {
    const { onError } = this.#source;
    const reader = new GrowingReader<T>({ ...source, onError, onEnd: (ended) => this.#readers.delete(ended) }, begin);
    if (this.#closing) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  #listenTo(releaseId: string, wake: () => void): () => void {
    const wakes = this.#growing.get(releaseId) ?? new Set();
    this.#growing.set(releaseId, wakes.add(wake));
    return () => {
      wakes.delete(wake);
      if (wakes.size === 0) this.#growing.delete(releaseId);
    };
  }

  /** A page of the log, oldest first. @param after as in `subscribe`, but absent means the beginning. */
  async read(
    filter: EventFilter,
    after: string | null | undefined,
    first: number,
    db: Db = this.#pool,
  ): Promise<EventPage> {
    const place = await this.#resume(after ?? '');
    const { events, cut } = await readFiltered(db, {
      after: place,
      filter,
      limit: first + 1,
      entries: this.#entries,
    });
    const page = events.slice(0, first).map((event) => ({ cursor: cursorOf(event), event }));
    const end = page.length < first ? await this.#cursorAt(cut) : null;
    return { events: page, hasMore: events.length > first || cut !== null, end: end ?? page.at(-1)?.cursor ?? null };
  }

  /** The page that ends before `before`, oldest first; absent: with the newest event. `hasMore` and `end` look to the beginning. */
  async readBack(
    filter: EventFilter,
    before: string | null | undefined,
    last: number,
    db: Db = this.#pool,
  ): Promise<EventPage> {
    const cursor = typeof before === 'string' && before !== '' ? before : null;
    const place = cursor === null ? null : await this.#resume(cursor);
    const { events, cut } = await readFiltered(db, {
      after: BEGINNING,
      before: place,
      filter,
      limit: last + 1,
      entries: this.#entries,
    });
    const page = events.slice(-last).map((event) => ({ cursor: cursorOf(event), event }));
    const end = page.length < last ? await this.#cursorAt(cut) : null;
    return { events: page, hasMore: events.length > last || cut !== null, end: end ?? page[0]?.cursor ?? null };
  }

  /** Where the log was looked at no further. */
  async #cursorAt(cut: Place | null): Promise<string | null> {
    const releaseId = cut && (await releaseAt(this.#pool, cut));
    return cut && releaseId ? cursorOf({ ...cut, releaseId }) : null;
  }

  /** The cursors of these events, e.g. of the last event of each release as it was loaded. */
  async cursorsOf(events: readonly { releaseId: string; sequence: number }[]): Promise<(string | null)[]> {
    const places = await placesOf(this.#pool, events);
    return places.map((place, index) => place && cursorOf({ ...place, releaseId: events[index]!.releaseId }));
  }

  /** The cursor of the newest event that this process has read; "" while there is none. */
  get newest(): string {
    const newest = this.#ring.at(this.#ring.end - 1) ?? this.#floor;
    return newest === undefined ? '' : cursorOf(newest);
  }

  health(): TailHealth & { subscribers: number } {
    return { ...this.#tail.health(), subscribers: this.#subscriptions.size };
  }

  /** Ends every subscription. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const subscription of [...this.#subscriptions, ...this.#readers]) subscription.end();
    await this.#listener.close();
    await this.#tail.close();
    await this.#reader.end();
  }

  #publish(events: LoggedEvent[]): void {
    for (const event of events) {
      this.#ring.push(event);
      this.#waiters.tell(event);
    }
  }

  async #resume(text: string): Promise<Place> {
    const cursor = parseCursor(text);
    const place = placeOf(cursor);
    if (!cursor) return place;
    const number = this.#ring.firstAfter({ position: cursor.position, id: cursor.id - 1 });
    if (number !== null && isAt(cursor, this.#ring.at(number))) return place;
    // Not only looked up when it is older than the ring: it can also be newer than what this process has read.
    const release = await releaseAt(this.#pool, cursor);
    if (release?.startsWith(cursor.release)) return place;
    const oldest = await oldestEvent(this.#pool);
    throw new CursorExpiredError(oldest ? cursorBefore(oldest) : '');
  }
}

/** The place in a numbered list after which a reader begins; `after` null: at its end. */
function beginAt(after: number | null, last: number): number {
  // A number that was not given out yet is of another database, such as one that was restored since: what it has yet to count would not be told.
  if (after !== null && after > last) throw new CursorExpiredError('');
  return after ?? last;
}

/** Of logs of actions, and of saves of definitions, which one look of a subscriber reads. */
const CHUNKS = 20;
const SAVES = 50;
