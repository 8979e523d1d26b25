import { badInput, checkFirst, readCursor } from '../schema/connection.ts';
import type { PageArgs } from '../schema/connection.ts';
import type { ApiContext } from '../schema/context.ts';
import { UUID } from '../schema/node.ts';

/** Cursors of lists that show the newest first, by time and then by id. */

export function writeSince({ since, id }: { since: number; id: string }): string {
  return `${since}/${id}`;
}

/** Where such a list was looked at no further. */
export function cutSince(cut: readonly unknown[] | null): string | null {
  if (cut === null) return null;
  const [time, id] = cut as [Date, string];
  return writeSince({ since: time.getTime(), id });
}

export function readSince(after: string | null | undefined): { since: number; id: string } | undefined {
  const cursor = readCursor(after);
  if (cursor === undefined) return undefined;
  const [since = '', id = ''] = cursor.split('/');
  if (/^\d{1,15}$/.test(since) && UUID.test(id)) return { since: Number(since), id };
  throw badInput('`after` is not a cursor of this list', 'after');
}

/** How a page of such a list is read: one more than it shows, and at most so many entries are looked at. */
export function pageOf({ app }: ApiContext, { first, after }: PageArgs) {
  return { limit: checkFirst(first) + 1, entries: app.limits.entriesPerPage, before: readSince(after) };
}
