/** Rows and columns by name: the cells where they cross. */
export interface Part {
  products: string[];
  environments: string[];
}

/** Cells by `keyOf`; null: nothing can be there; undefined: not read yet. */
export type Cells<Cell> = ReadonlyMap<string, Cell | null>;

/** Cells of one part, by `keyOf`; undefined: they could not be read. */
export type Ask<Cell> = (part: Part) => Promise<ReadonlyMap<string, Cell> | undefined>;

export const keyOf = (product: string, environment: string): string => `${product}\n${environment}`;

/** Cells that one request asks for: the API compares no more versions in one operation. */
export const MOST_CELLS = 200;
/** Rows of one request, which are a page of the API's list. */
export const MOST_ROWS = 100;
/** Requests under way at a time for what is seen. */
const AT_ONCE = 2;

const NOTHING: Part = { products: [], environments: [] };

/**
 * Reads a large table by what is seen of it. What is seen is asked for in as few requests as it takes, two at a time, and always what is seen when
 * its turn comes: what was scrolled past before is not asked for at all. With nothing else to do it reads ahead. What was read is kept.
 */
export class CellReader<Cell> {
  readonly #ask: Ask<Cell>;
  readonly #cells = new Map<string, Cell | null>();
  /** Asked for, and read, since something has happened last. */
  readonly #fresh = new Set<string>();
  readonly #coming = new Set<string>();
  /** The request that a cell was read by: an earlier one that is slow does not paint over it. */
  readonly #readBy = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #happened = 0;
  #requests = 0;
  #underWay = 0;
  #changes = 0;
  #seen = NOTHING;
  #ahead = NOTHING;

  constructor(ask: Ask<Cell>) {
    this.#ask = ask;
  }

  get cells(): Cells<Cell> {
    return this.#cells;
  }

  /** Another number whenever cells have changed. */
  readonly changes = (): number => this.#changes;

  readonly listen = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** @param ahead what is read once what is seen is there */
  readonly see = (seen: Part, ahead: Part = NOTHING): void => {
    this.#seen = seen;
    this.#ahead = ahead;
    this.#goOn();
  };

  /** Something has happened: what is seen is read again, and stays as it is until then; the rest, when it is seen. */
  readonly again = (): void => {
    this.#happened += 1;
    this.#fresh.clear();
    this.#goOn();
  };

  #goOn(): void {
    while (this.#underWay < AT_ONCE) {
      const part = nextOf(this.#seen, (key) => !this.#fresh.has(key) && !this.#coming.has(key)) ?? this.#nextAhead();
      if (part === null) return;
      void this.#read(part);
    }
  }

  /** One at a time, and nothing twice: it must not stand in the way of what is seen. */
  #nextAhead(): Part | null {
    if (this.#underWay > 0) return null;
    return nextOf(this.#ahead, (key) => !this.#cells.has(key));
  }

  async #read(part: Part): Promise<void> {
    const keys = part.products.flatMap((product) => part.environments.map((each) => keyOf(product, each)));
    for (const key of keys) this.#coming.add(key);
    this.#requests += 1;
    this.#underWay += 1;
    const [request, happened] = [this.#requests, this.#happened];
    const found = await this.#ask(part);
    this.#underWay -= 1;
    for (const key of keys) this.#coming.delete(key);
    // Asked for again when the table is moved or something happens: a server in trouble is left alone until then.
    if (found === undefined) return;
    for (const key of keys) {
      // An answer that was under way when something happened may be from before it: it is shown, and asked for again.
      if (happened === this.#happened) this.#fresh.add(key);
      if ((this.#readBy.get(key) ?? 0) > request) continue;
      this.#readBy.set(key, request);
      this.#cells.set(key, found.get(key) ?? null);
    }
    this.#changes += 1;
    for (const each of this.#listeners) each();
    this.#goOn();
  }
}

/** Of a part the rows and columns with cells that are wanted, as many as one request holds; null: none is wanted. */
export function nextOf({ products, environments }: Part, isWanted: (key: string) => boolean): Part | null {
  const columns = environments
    .filter((environment) => products.some((product) => isWanted(keyOf(product, environment))))
    .slice(0, MOST_CELLS);
  if (columns.length === 0) return null;
  const rows = products.filter((product) => columns.some((environment) => isWanted(keyOf(product, environment))));
  const most = Math.min(MOST_ROWS, Math.floor(MOST_CELLS / columns.length));
  return { products: rows.slice(0, most), environments: columns };
}

/** Indexes, both of them included. */
export interface Range {
  from: number;
  to: number;
}

/** What is seen, and as much again in the direction in which it has moved since; undefined: it is seen for the first time. */
export function aheadOf({ from, to }: Range, before: Range | undefined, count: number): Range {
  const moved = before === undefined ? 1 : Math.sign(from - before.from);
  const size = to - from + 1;
  return {
    from: moved < 0 ? Math.max(0, from - size) : from,
    to: moved > 0 ? Math.min(count - 1, to + size) : to,
  };
}
