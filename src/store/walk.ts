import type { Db } from './reads.ts';

/**
 * How a list reads a table that grows with history: along an index that gives its order, entry by entry from its cursor, at most so
 * many. A filter that has no index of its own is asked of each entry on the way; when the way is at its end before the page is
 * full, the page is cut there, and the next one goes on from that place.
 */
export interface Walk {
  /** The table and its alias. */
  from: string;
  /** What is read of each entry; `join`: of another table, by its key. */
  select: string;
  join?: string;
  /** The place in the list, in the words of the index; numbers, where there are several ways. */
  order: readonly string[];
  direction: 'ASC' | 'DESC';
  /** What the index finds: an entry's way, and where the page begins. `way.w0`, `way.w1` are the columns of `ways`. */
  where: (values: Values) => string[];
  /** What is asked of each entry. */
  rest: (values: Values) => string[];
  /** Columns of equal length, walked side by side, one way a row. Absent: there is one way. */
  ways?: readonly { type: string; values: readonly unknown[] }[];
}

/** The values of a statement, in the order of their parameters. */
export class Values {
  readonly all: unknown[] = [];

  /** @returns the parameter */
  add(value: unknown): string {
    return `$${this.all.push(value)}`;
  }
}

/** For what has an end of its own. */
export const ALL = Number.POSITIVE_INFINITY;

/** How much of a list is answered, and how much of it may be looked at for that. */
export interface PageSize {
  limit: number;
  /** From its end, or from its key, towards the beginning; the rows come in that order. */
  backwards?: boolean;
  /** How many entries are looked at, all ways together. */
  entries: number;
}

/** A page of a list, and how far the list was looked at for it. */
export interface Looked<T> {
  rows: T[];
  /** The list was looked at up to this place, and all that fits until here is in `rows`; null: as far as was asked. */
  cut: unknown[] | null;
}

/** At most `limit` entries that fit, in their order. */
export async function walk<T extends object>(
  db: Db,
  list: Walk,
  { limit, entries, backwards }: PageSize,
): Promise<Looked<T>> {
  const found = { ...list, direction: directionOf(list.direction, backwards) };
  const ways = found.ways?.[0]?.values.length ?? 1;
  if (ways === 0) return { rows: [], cut: null };
  const most = Math.max(limit, Math.ceil(entries / ways));
  const { text, values, isBounded } = pageOf(found, limit, most);
  const { rows } = await db.query<T & Place>(text, values);
  if (isBounded || most === ALL || (ways === 1 && rows.length >= limit)) return { rows, cut: null };
  const [end] = (await db.query<Place>(endOf(found, most))).rows;
  if (!end) return { rows, cut: null };
  const cut = placeOf(end, found);
  const sign = found.direction === 'ASC' ? 1 : -1;
  const before = ways === 1 ? rows : rows.filter((row) => compare(placeOf(row, found), cut) * sign <= 0);
  return { rows: before, cut: before.length >= limit ? null : cut };
}

function directionOf(direction: Walk['direction'], backwards = false): Walk['direction'] {
  return (direction === 'ASC') === backwards ? 'DESC' : 'ASC';
}

/** How the entries of a page compare to the key from which it goes on. */
export function beyond(direction: Walk['direction'], backwards: boolean | undefined): '<' | '>' {
  return directionOf(direction, backwards) === 'ASC' ? '>' : '<';
}

/** A list by time, the newest first. */
export interface Newest extends PageSize {
  from: string;
  select: string;
  /** The columns of the index that gives the order. */
  time: string;
  id: string;
  /** Of the entry from which the page goes on. */
  key: { since: number; id: string } | undefined;
  /** What an index begins with that goes on with that order. */
  of?: Walk['where'];
  rest: Walk['rest'];
}

/** A list that shows the newest first, by a time and then by an id. */
export function newest<T extends object>(db: Db, list: Newest): Promise<Looked<T>> {
  const { from, select, time, id, key, of, rest, backwards } = list;
  const direction = 'DESC';
  const where = (values: Values): string[] => [
    ...(of?.(values) ?? []),
    ...(key === undefined
      ? []
      : [
          `(${time}, ${id}) ${beyond(direction, backwards)} (${values.add(new Date(key.since))}::timestamptz, ${values.add(key.id)}::uuid)`,
        ]),
  ];
  return walk(db, { from, select, order: [time, id], direction, where, rest }, list);
}

type Place = Record<`p${number}`, unknown>;

const placeOf = (row: Place, { order }: Walk): unknown[] => order.map((_, index) => row[`p${index}`]);

function compare(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, value] of a.entries()) {
    const difference = Number(value) - Number(b[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function pageOf(found: Walk, limit: number, most: number): { text: string; values: unknown[]; isBounded: boolean } {
  const { from, select, join = '', order } = found;
  const values = new Values();
  const where = found.where(values);
  const rest = found.rest(values);
  const alias = from.split(' ').at(-1) as string;
  const places = order.map((_, index) => `${alias}.p${index}`);
  // The place goes along as a column, so that the planner knows the order and stops as soon as the page is full.
  const entries = `SELECT ${alias}.*, ${named(order)} FROM ${from} WHERE ${all(where)}
    ORDER BY ${directed(order, found)} LIMIT ${rest.length === 0 ? limit : most === ALL ? 'ALL' : most}`;
  const fitting = `SELECT ${select}, ${places.join(', ')} FROM (${entries}) ${alias} ${join} WHERE ${all(rest)}
    ORDER BY ${directed(places, found)} LIMIT ${limit}`;
  return { ...alongWays(found, fitting, values, limit), isBounded: rest.length === 0 };
}

/** Where the first of the ways ended, if one did before there was nothing more. */
function endOf(found: Walk, most: number): { text: string; values: unknown[] } {
  const { from, order } = found;
  const values = new Values();
  const last = `SELECT ${named(order)} FROM ${from} WHERE ${all(found.where(values))}
    ORDER BY ${directed(order, found)} OFFSET ${most - 1} LIMIT 1`;
  return alongWays(found, last, values, 1);
}

function alongWays(found: Walk, each: string, values: Values, limit: number): { text: string; values: unknown[] } {
  if (found.ways === undefined) return { text: each, values: values.all };
  const columns = found.ways.map(({ type, values: given }) => `${values.add(given)}::${type}[]`);
  const names = found.ways.map((_, index) => `w${index}`);
  const places = found.order.map((_, index) => `page.p${index}`);
  const text = `SELECT page.* FROM unnest(${columns.join(', ')}) AS way(${names.join(', ')}) CROSS JOIN LATERAL (${each}) AS page
    ORDER BY ${directed(places, found)} LIMIT ${limit}`;
  return { text, values: values.all };
}

const named = (order: readonly string[]): string => order.map((column, index) => `${column} AS p${index}`).join(', ');

const directed = (columns: readonly string[], { direction }: Walk): string =>
  columns.map((column) => `${column} ${direction}`).join(', ');

const all = (conditions: readonly string[]): string => (conditions.length > 0 ? conditions.join(' AND ') : 'true');
