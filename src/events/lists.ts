import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { sees } from '../core/access/index.ts';
import type { Visibility } from '../core/access/index.ts';

/** Lists that keep no log of their changes. */
export type ListName = 'BAD_VERSIONS' | 'CANDIDATES' | 'ENVIRONMENT_HOLDS' | 'TRIGGERS' | 'WEBHOOK_DELIVERIES';

/** By list: a digest of what it says. It is the same in each process, so it can be compared after a restart. */
export type Digests = Partial<Record<ListName, string>>;

/** Lists that say something else than before. */
export interface ListsChanged {
  /** Counts what one reader was told. */
  sequence: number;
  lists: ListName[];
  /** Of all lists that are followed, as they are now. */
  digests: Digests;
}

/** One entry of a list: where it is about, and all that can change of it. */
interface Line {
  /** Null: all products, or none. */
  product: string | null;
  /** Empty: all of the product, or none. */
  environments: string[];
  /** It is there because it counts now, however old it is. */
  counts: boolean;
  says: string;
}

/** Newest entries of a list that are compared of what a reader sees, and as many of those that count now. */
const COMPARED = 200;
/** So many are read: entries that a reader does not see leave room for those of the reader, and their coming and going is not told. */
const NEWEST = 1_000;

const QUERIES: Record<ListName, string> = {
  BAD_VERSIONS: newestAnd(
    'bad_version',
    'unmarked_at IS NULL',
    `product, environments, concat_ws(' ', id, unmarked_at, expires_at <= now()) AS says`,
  ),
  CANDIDATES: `SELECT product, jsonb_build_array(environment) AS environments, false AS counts, concat_ws(' ', id, revision) AS says
    FROM candidate ORDER BY created_at DESC, id DESC LIMIT ${NEWEST}`,
  ENVIRONMENT_HOLDS: newestAnd(
    'environment_hold',
    'lifted_at IS NULL',
    `product, jsonb_build_array(environment) AS environments, concat_ws(' ', id, lifted_at, until <= now()) AS says`,
  ),
  TRIGGERS: `(SELECT a.product, jsonb_build_array(a.environment) AS environments, false AS counts,
      md5(concat_ws(' ', c.application, c.revision, c.looked_at, c.error)) AS says
      FROM trigger_cursor c JOIN application a ON a.name = c.application ORDER BY c.looked_at DESC NULLS LAST, c.application LIMIT ${NEWEST})
    UNION ALL (SELECT product, '[]', true, id::text FROM trigger_pause
      WHERE resumed_at IS NULL AND coalesce(until, 'infinity') > now() ORDER BY since DESC, id DESC LIMIT ${NEWEST})`,
  WEBHOOK_DELIVERIES: `SELECT NULL::text AS product, '[]'::jsonb AS environments, false AS counts,
      md5(concat_ws(' ', id, status, attempts, replays, outcome)) AS says
    FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT ${NEWEST}`,
};

function newestAnd(table: string, counts: string, columns: string): string {
  const page = `ORDER BY since DESC, id DESC LIMIT ${NEWEST}`;
  return `(SELECT ${columns}, false AS counts FROM ${table} ${page}) UNION ALL (SELECT ${columns}, true FROM ${table} WHERE ${counts} ${page})`;
}

/** Milliseconds for which one reading counts, for all who ask: lists are read so often at most, however many follow them. */
export const READ_EVERY = 1_000;

/** A list at one moment. What it says is worked out once for all who see the same. */
interface Reading {
  lines: readonly Line[];
  whole: string;
  digests: WeakMap<object, string>;
}

/** Stands for a reader who sees everything. */
const EVERYTHING = {};

/** Reads lists for all who follow them: each list once in a second while anybody does. */
export class Lists {
  readonly #pool: Pick<Pool, 'query'>;
  readonly #read = new Map<ListName, Promise<Reading>>();
  /** What was read last; where the same is read again, nothing is worked out again. */
  readonly #last = new Map<ListName, Reading>();

  constructor(pool: Pick<Pool, 'query'>) {
    this.#pool = pool;
  }

  /** What a list says to someone who sees so much; null: everything. */
  async digest(name: ListName, visibility: Visibility | null): Promise<string> {
    const { lines, digests } = await this.#reading(name);
    const reader = visibility ?? EVERYTHING;
    const known = digests.get(reader) ?? digestOf(lines, visibility);
    digests.set(reader, known);
    return known;
  }

  #reading(name: ListName): Promise<Reading> {
    const known = this.#read.get(name);
    if (known) return known;
    const read = this.#pool
      .query<Line>({ name: `list-${name}`, text: QUERIES[name] })
      .then(({ rows }) => this.#sameOr(name, rows));
    this.#read.set(name, read);
    const forget = (): unknown => this.#read.delete(name);
    read.then(() => setTimeout(forget, READ_EVERY * 0.9).unref()).catch(forget);
    return read;
  }

  #sameOr(name: ListName, lines: readonly Line[]): Reading {
    const whole = JSON.stringify(lines);
    const last = this.#last.get(name);
    if (last?.whole === whole) return last;
    const reading = { lines, whole, digests: new WeakMap<object, string>() };
    this.#last.set(name, reading);
    return reading;
  }
}

function digestOf(lines: readonly Line[], visibility: Visibility | null): string {
  const said: string[] = [];
  for (const counts of [false, true]) {
    let room = COMPARED;
    for (const line of lines) {
      if (room === 0) break;
      if (line.counts !== counts || !isSeen(line, visibility)) continue;
      said.push(line.says);
      room -= 1;
    }
  }
  return createHash('sha256').update(said.join('\n')).digest('base64url').slice(0, 16);
}

/** As the lists themselves show their entries: of several environments one has to be seen. */
function isSeen({ product, environments }: Line, visibility: Visibility | null): boolean {
  if (visibility === null) return true;
  const isEvery = environments.length === 0;
  if (product === null) return isEvery || environments.some((each) => visibility.environments.has(each));
  return isEvery ? sees(visibility, product, null) : environments.some((each) => sees(visibility, product, each));
}
