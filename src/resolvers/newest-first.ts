import { askedOf, foreignKey } from '../schema/connection.ts';
import type { Asked, PageArgs } from '../schema/connection.ts';
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

function readSince(asked: Asked): { since: number; id: string } | undefined {
  if (asked.key === undefined) return undefined;
  const [since = '', id = ''] = asked.key.split('/');
  if (/^\d{1,15}$/.test(since) && UUID.test(id)) return { since: Number(since), id };
  throw foreignKey(asked);
}

/** How a page of such a list is read: one more than it shows, and at most so many entries are looked at. */
export function pageOf({ app }: ApiContext, page: PageArgs) {
  const asked = askedOf(page);
  const { limit, backwards } = asked;
  return { limit, backwards, entries: app.limits.entriesPerPage, key: readSince(asked) };
}
