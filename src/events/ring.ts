import { compare, type LoggedEvent, type Place } from '../store/event-log.ts';

/** The newest events, in order; the oldest one makes room for the newest. Numbered from 0 for as long as the process lives. */
export class Ring {
  readonly #items: (LoggedEvent | undefined)[] = [];
  readonly #capacity: number;
  /** All events after this place, up to the newest, are here. */
  #floor: Place;
  #newest: Place;
  /** The number that the next event gets. */
  end = 0;

  constructor(capacity: number, floor: Place) {
    this.#capacity = capacity;
    this.#floor = floor;
    this.#newest = floor;
  }

  get start(): number {
    return Math.max(0, this.end - this.#capacity);
  }

  /** How far the log was read. */
  get newest(): Place {
    return this.#newest;
  }

  push(event: LoggedEvent): void {
    const slot = this.end % this.#capacity;
    const evicted = this.#items[slot];
    if (evicted) this.#floor = { position: evicted.position, id: evicted.id };
    this.#items[slot] = event;
    this.#newest = { position: event.position, id: event.id };
    this.end += 1;
  }

  at(number: number): LoggedEvent | undefined {
    return number >= this.start && number < this.end ? this.#items[number % this.#capacity] : undefined;
  }

  /** The number of the first event after `place`, which may be one that is yet to come; null: older than what is here. */
  firstAfter(place: Place): number | null {
    if (compare(place, this.#floor) < 0) return null;
    let low = this.start;
    let high = this.end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compare(this.at(middle)!, place) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
