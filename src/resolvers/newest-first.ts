import { badInput, readCursor } from '../schema/connection.ts';
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
