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
  says: string;
}

/** Newest entries of a list that are compared, and as many of those that count now. */
const NEWEST = 200;

const QUERIES: Record<ListName, string> = {
  BAD_VERSIONS: newestAnd(
    'bad_version',
    'unmarked_at IS NULL',
    `product, environments, concat_ws(' ', id, unmarked_at, expires_at <= now()) AS says`,
  ),
  CANDIDATES: `SELECT product, jsonb_build_array(environment) AS environments, concat_ws(' ', id, revision) AS says
    FROM candidate ORDER BY created_at DESC, id DESC LIMIT ${NEWEST}`,
  ENVIRONMENT_HOLDS: newestAnd(
    'environment_hold',
    'lifted_at IS NULL',
    `product, jsonb_build_array(environment) AS environments, concat_ws(' ', id, lifted_at, until <= now()) AS says`,
  ),
  TRIGGERS: `(SELECT a.product, jsonb_build_array(a.environment) AS environments,
      md5(concat_ws(' ', c.application, c.revision, c.looked_at, c.error)) AS says
      FROM trigger_cursor c JOIN application a ON a.name = c.application ORDER BY c.looked_at DESC NULLS LAST, c.application LIMIT ${NEWEST})
    UNION ALL (SELECT product, '[]', id::text FROM trigger_pause
      WHERE resumed_at IS NULL AND coalesce(until, 'infinity') > now() ORDER BY since DESC, id DESC LIMIT ${NEWEST})`,
  WEBHOOK_DELIVERIES: `SELECT NULL::text AS product, '[]'::jsonb AS environments,
      md5(concat_ws(' ', id, status, attempts, replays, outcome)) AS says
    FROM webhook_delivery ORDER BY received_at DESC, id DESC LIMIT ${NEWEST}`,
};

function newestAnd(table: string, counts: string, columns: string): string {
  const page = `ORDER BY since DESC, id DESC LIMIT ${NEWEST}`;
  return `(SELECT ${columns} FROM ${table} ${page}) UNION ALL (SELECT ${columns} FROM ${table} WHERE ${counts} ${page})`;
}

/** Milliseconds for which one reading counts, for all who ask: lists are read so often at most, however many follow them. */
export const READ_EVERY = 1_000;

/** Reads lists for all who follow them: each list once in a second while anybody does. */
export class Lists {
  readonly #pool: Pool;
  readonly #read = new Map<ListName, Promise<Line[]>>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** What a list says to someone who sees so much; null: everything. */
  async digest(name: ListName, visibility: Visibility | null): Promise<string> {
    return digestOf(await this.#lines(name), visibility);
  }

  #lines(name: ListName): Promise<Line[]> {
    const known = this.#read.get(name);
    if (known) return known;
    const read = this.#pool.query<Line>({ name: `list-${name}`, text: QUERIES[name] }).then(({ rows }) => rows);
    this.#read.set(name, read);
    const forget = (): unknown => this.#read.delete(name);
    read.then(() => setTimeout(forget, READ_EVERY * 0.9).unref()).catch(forget);
    return read;
  }
}

function digestOf(lines: readonly Line[], visibility: Visibility | null): string {
  const digest = createHash('sha256');
  for (const line of lines) if (isSeen(line, visibility)) digest.update(`${line.says}\n`);
  return digest.digest('base64url').slice(0, 16);
}

/** As the lists themselves show their entries: of several environments one has to be seen. */
function isSeen({ product, environments }: Line, visibility: Visibility | null): boolean {
  if (visibility === null) return true;
  const isEvery = environments.length === 0;
  if (product === null) return isEvery || environments.some((each) => visibility.environments.has(each));
  return isEvery ? sees(visibility, product, null) : environments.some((each) => sees(visibility, product, each));
}
