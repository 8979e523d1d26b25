import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { ReleaseEvent } from '../core/events.ts';
import type { LoggedEvent } from '../store/event-log.ts';
import { cursorOf } from './cursor.ts';
import type { Subscription } from './subscription.ts';

/** In milliseconds: a subscriber is told of changes at most this often. */
export const PACE = 200;
/** Of one change; those that came beyond follow with the next one. */
const EVENTS = 1_000;

/** What events of a release tell of together: not how it is now, but of which parts that has to be read. */
export interface ReleaseChange {
  releaseId: string;
  /** Of the newest of the events. */
  cursor: string;
  sequence: number;
  /** The names of promotions. */
  promotions: ReadonlySet<string>;
  /** The names of groups. */
  groups: ReadonlySet<string>;
}

/**
 * Changes that are told to many are one object: what is asked of it is then read once for all of them. Short-lived, since that is the
 * release of that moment.
 */
export class SharedChanges {
  readonly #known = new LRUCache<string, ReleaseChange>({ max: 1_000, ttl: PACE, ttlAutopurge: true });

  of(events: readonly [LoggedEvent, ...LoggedEvent[]]): ReleaseChange {
    const made = changeOf(events);
    const { releaseId, cursor, promotions, groups } = made;
    const key = JSON.stringify([releaseId, cursor, [...promotions], [...groups]]);
    const known = this.#known.get(key);
    if (known) return known;
    this.#known.set(key, made);
    return made;
  }
}

/**
 * The events of a release, those that come close together as one change. It holds no buffer, as its subscription holds none: a slow
 * reader gets more of them in one. All that are told of one release are told at the same moments, and so of the same events.
 */
export class Changes implements AsyncIterableIterator<ReleaseChange> {
  readonly #events: Subscription;
  readonly #shared: SharedChanges;

  constructor(events: Subscription, shared: SharedChanges) {
    this.#events = events;
    this.#shared = shared;
  }

  async next(): Promise<IteratorResult<ReleaseChange>> {
    const first = await this.#events.next();
    if (first.done) return first;
    await sleep(PACE - (performance.now() % PACE));
    const more = await this.#events.already(EVENTS);
    return { done: false, value: this.#shared.of([first.value, ...more]) };
  }

  return(): Promise<IteratorResult<ReleaseChange>> {
    return this.#events.return() as Promise<IteratorResult<never>>;
  }

  throw(error: unknown): Promise<IteratorResult<ReleaseChange>> {
    return this.#events.throw(error) as Promise<IteratorResult<never>>;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

function changeOf(events: readonly [LoggedEvent, ...LoggedEvent[]]): ReleaseChange {
  const newest = events.at(-1) as LoggedEvent;
  const promotions = new Set<string>();
  const groups = new Set<string>();
  for (const { event } of events) {
    for (const name of namesIn(event)) promotions.add(name);
    if ('group' in event) groups.add(event.group);
  }
  const { releaseId, sequence } = newest;
  return { releaseId, sequence, cursor: cursorOf(newest), promotions, groups };
}

/** The promotions that an event is about. */
function namesIn(event: ReleaseEvent): string[] {
  return [
    ...('environment' in event ? [event.environment] : []),
    ...('environments' in event ? event.environments : []),
    ...('target' in event ? [event.target] : []),
  ];
}
