import { setTimeout as sleep } from 'node:timers/promises';
import { compare, type EventFilter, type Found, type LoggedEvent, type Place } from '../store/event-log.ts';
import { fits } from './filter.ts';
import type { Ring } from './ring.ts';
import type { Waiter, Waiters } from './waiters.ts';

export interface SubscriptionSource {
  ring: Ring;
  waiters: Waiters;
  readPage: (query: { after: Place; upTo: Place; filter: EventFilter; limit: number }) => Promise<Found>;
  onError: (error: unknown) => void;
  onEnd: (subscription: Subscription) => void;
}

/**
 * One reader of the log. It owns a place and at most one page, never a buffer: when it reads slowly, the ring moves on, and it
 * reads from the database until it has caught up. Written by hand because the `return` of an async generator would wait
 * for the next event.
 */
export class Subscription implements AsyncIterableIterator<LoggedEvent> {
  readonly #source: SubscriptionSource;
  readonly #filter: EventFilter;
  /** Everything up to here was delivered or does not fit. */
  #place: Place;
  #page: LoggedEvent[] = [];
  #ended = false;
  #waiter: Waiter | null = null;

  constructor(source: SubscriptionSource, filter: EventFilter, after: Place) {
    this.#source = source;
    this.#filter = filter;
    this.#place = after;
  }

  async next(): Promise<IteratorResult<LoggedEvent>> {
    while (!this.#ended) {
      const event = await this.#look();
      if (event && !this.#ended) {
        this.#moveTo(event);
        return { done: false, value: event };
      }
      if (event === NOTHING && !this.#ended) await this.#wait();
    }
    return { done: true, value: undefined };
  }

  /** The events that are there now, at most so many; none: the next one is yet to come. */
  async already(most: number): Promise<LoggedEvent[]> {
    const events: LoggedEvent[] = [];
    while (!this.#ended && events.length < most) {
      const event = await this.#look();
      if (event === NOTHING) break;
      if (event === null || this.#ended) continue;
      this.#moveTo(event);
      events.push(event);
    }
    return events;
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#page = [];
    if (this.#waiter) {
      this.#source.waiters.remove(this.#waiter);
      this.#waiter.tell(null);
    }
    this.#source.onEnd(this);
  }

  async return(): Promise<IteratorResult<LoggedEvent>> {
    this.end();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<LoggedEvent>> {
    this.end();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next event that fits; null after reading a page: look again. */
  async #look(): Promise<LoggedEvent | null | typeof NOTHING> {
    const known = this.#page.shift();
    if (known) {
      // What the caller may see can be less by now than when the page was read.
      if (fits(this.#filter, known)) return known;
      this.#moveTo(known);
      return null;
    }
    const { ring } = this.#source;
    const first = ring.firstAfter(this.#place);
    if (first === null) {
      await this.#catchUp();
      return null;
    }
    for (let number = first; number < ring.end; number += 1) {
      const event = ring.at(number)!;
      if (fits(this.#filter, event)) return event;
    }
    this.#moveTo(ring.newest);
    return NOTHING;
  }

  async #catchUp(): Promise<void> {
    const upTo = this.#source.ring.newest;
    try {
      const query = { after: this.#place, upTo, filter: this.#filter, limit: ROWS };
      const { events, cut } = await this.#source.readPage(query);
      this.#page = events.slice(0, PAGE);
      // Nothing more fits until there; the last event moves the place itself.
      if (events.length === 0) this.#moveTo(cut ?? upTo);
    } catch (error) {
      // A database that is away for a moment must not end the subscription.
      this.#source.onError(error);
      await sleep(RETRY);
    }
  }

  async #wait(): Promise<void> {
    const event = await new Promise<LoggedEvent | null>((resolve) => {
      this.#waiter = { filter: this.#filter, tell: resolve };
      this.#source.waiters.add(this.#waiter);
    });
    this.#waiter = null;
    // Nothing before this event fitted. Without this step, a quiet subscriber would look for it in the database when
    // the ring has moved past the place where it fell asleep.
    if (event) this.#moveTo({ position: event.position, id: event.id - 1 });
  }

  /** Never back: a cursor of another process can be ahead of what this one has read. */
  #moveTo({ position, id }: Place): void {
    if (compare({ position, id }, this.#place) > 0) this.#place = { position, id };
  }
}

/** Nothing that fits is there. */
const NOTHING = undefined;
/** So many events are held; those that were read beyond are read again. */
const PAGE = 100;
/** Most hold one or two events. */
const ROWS = 50;
/** Milliseconds. */
const RETRY = 250;
