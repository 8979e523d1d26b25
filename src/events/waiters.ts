import type { EventFilter, LoggedEvent } from '../store/event-log.ts';
import { fits } from './filter.ts';

export interface Waiter {
  filter: EventFilter;
  /** Called once, with the first event that fits. */
  tell(event: LoggedEvent | null): void;
}

/**
 * Subscribers that have read everything. An event wakes only those whom it concerns; most follow one release, so they are
 * found by it.
 */
export class Waiters {
  readonly #byRelease = new Map<string, Set<Waiter>>();
  readonly #others = new Set<Waiter>();

  add(waiter: Waiter): void {
    const { releaseId } = waiter.filter;
    if (releaseId === undefined) {
      this.#others.add(waiter);
      return;
    }
    const set = this.#byRelease.get(releaseId);
    if (set) set.add(waiter);
    else this.#byRelease.set(releaseId, new Set([waiter]));
  }

  remove(waiter: Waiter): void {
    this.#others.delete(waiter);
    const { releaseId } = waiter.filter;
    const set = releaseId === undefined ? undefined : this.#byRelease.get(releaseId);
    if (set?.delete(waiter) && set.size === 0) this.#byRelease.delete(releaseId!);
  }

  tell(event: LoggedEvent): void {
    for (const set of [this.#byRelease.get(event.releaseId), this.#others]) {
      for (const waiter of set ?? []) {
        if (!fits(waiter.filter, event)) continue;
        this.remove(waiter);
        waiter.tell(event);
      }
    }
  }
}
