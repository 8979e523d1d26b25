import type { Client, UserError, Variables } from './client.ts';
import { CliError, EXIT } from './exit.ts';

/** What every mutation is asked for beside what it made. */
export const ERRORS = 'userErrors { code message path }';
/** What every list is asked for beside its `nodes`. */
export const PAGE = 'pageInfo { hasNextPage endCursor }';

/**
 * A mutation, or a query with refusals. @param document its field is called `payload`, and asks for ERRORS
 * @param more its other variables
 * @throws CliError with what the server refuses
 */
export async function ask<T>(client: Client, document: string, input: object, more: Variables = {}): Promise<T> {
  const { payload } = await client.ask<{ payload: T & { userErrors: UserError[] } }>(document, { input, ...more });
  if (payload.userErrors.length === 0) return payload;
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
}

interface Page<T> {
  list: { nodes: T[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** How many entries of a list are read at most. */
export class Most {
  readonly entries: number;
  /** Whether the list had more. */
  isCut = false;

  constructor(entries: number) {
    this.entries = entries;
  }

  /** For a person, where the list had more; nothing otherwise. @param more the command that shows it */
  told(more: string): string {
    return this.isCut ? `There are more than these ${this.entries}. See: ${more}\n` : '';
  }
}

/**
 * Page by page. @param document its list is called `list`, takes `$first` and `$after`, and asks for PAGE
 * @param size of a page: fewer where each entry asks for much
 */
export async function all<T>(
  client: Client,
  document: string,
  variables: Variables = {},
  limit = new Most(Infinity),
  size = 100,
): Promise<T[]> {
  const rows: T[] = [];
  let after: string | null = null;
  do {
    const first = Math.min(size, limit.entries - rows.length);
    const { list }: Page<T> = await client.ask<Page<T>>(document, { ...variables, first, after });
    rows.push(...list.nodes);
    after = list.pageInfo.hasNextPage ? list.pageInfo.endCursor : null;
  } while (after !== null && rows.length < limit.entries);
  limit.isCut = after !== null;
  return rows;
}

/**
 * A list; or, of a list without a question for one entry, those entries that a person named, wherever in it they stand.
 * @throws CliError when nothing is called so
 */
export async function listOrNamed<T>(
  client: Client,
  document: string,
  limit: Most,
  { is, none }: { is: ((row: T) => boolean) | undefined; none: string },
): Promise<T[]> {
  if (!is) return all<T>(client, document, {}, limit);
  const found = (await all<T>(client, document)).filter(is);
  if (found.length === 0) throw new CliError(EXIT.REFUSED, none);
  return found;
}

/** Of a list that shows the first 8 characters of an id, the whole one. @param what the noun for a message */
export function wholeId(ids: readonly string[], typed: string, what: string, list: string): string {
  if (ids.includes(typed)) return typed;
  const fitting = typed.length >= 8 ? ids.filter((id) => id.startsWith(typed.toLowerCase())) : [];
  if (fitting.length === 1) return fitting[0] as string;
  // A whole id that the list does not hold is for the server to judge.
  if (typed.length >= 36) return typed;
  const why = fitting.length > 1 ? `${fitting.length} ids begin with` : 'no id begins with';
  throw new CliError(EXIT.REFUSED, `There is no ${what} '${typed}': ${why} it. See: ${list}`);
}
