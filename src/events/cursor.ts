import { BEGINNING, type LoggedEvent, type Place } from '../store/event-log.ts';

/**
 * An event's place as clients see it: opaque text, the same in the subscription and in the connection. It names the event's
 * release as well, so that the cursor of another database (a restored one, say) is noticed and not silently followed.
 */
export interface Cursor extends Place {
  /** The first eight characters of the release's id. */
  release: string;
  /** True: go on with this very event; false: go on after it. */
  itself: boolean;
}

/** What comes after this event. */
export const cursorOf = (event: Place & { releaseId: string }): string => encode(event, 'after');

/** This event and what comes after it: what is left when the log no longer goes back further. */
export const cursorBefore = (event: Place & { releaseId: string }): string => encode(event, 'from');

/** @returns null for the empty text, which stands for the beginning of the log. */
export function parseCursor(text: string): Cursor | null {
  if (text === '') return null;
  const match = /^(after|from)\.(\d{1,15})\.(\d{1,15})\.([0-9a-f]{8})$/.exec(
    text.length <= 100 ? Buffer.from(text, 'base64url').toString('latin1') : '',
  );
  if (!match) throw new InvalidCursorError(text);
  const [, kind, position, id, release] = match as unknown as [string, string, string, string, string];
  return { position: Number(position), id: Number(id), release, itself: kind === 'from' };
}

/** The place after which a reader with this cursor goes on. */
export function placeOf(cursor: Cursor | null): Place {
  if (!cursor) return BEGINNING;
  const { position, id, itself } = cursor;
  return { position, id: itself ? id - 1 : id };
}

export const isAt = (cursor: Cursor, event: LoggedEvent | undefined): boolean =>
  event !== undefined &&
  event.position === cursor.position &&
  event.id === cursor.id &&
  event.releaseId.startsWith(cursor.release);

function encode({ position, id, releaseId }: Place & { releaseId: string }, kind: 'after' | 'from'): string {
  return Buffer.from(`${kind}.${position}.${id}.${releaseId.slice(0, 8)}`).toString('base64url');
}

/** Not a cursor at all: a mistake of the client. */
export class InvalidCursorError extends Error {
  override readonly name = 'InvalidCursorError';
  constructor(text: string) {
    const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    super(`'${shown}' is not a cursor: pass one that this API returned, or "" for the beginning of the log`);
  }
}

/** The log no longer holds (or never held) the event of this cursor, so what came after it cannot be promised. */
export class CursorExpiredError extends Error {
  override readonly name = 'CursorExpiredError';
  /** The cursor that begins with the oldest event that is kept; "" when there is none. */
  readonly oldest: string;
  constructor(oldest: string) {
    super(
      'the log no longer holds the event of this cursor: read the state again, or go on from the oldest cursor and accept the gap',
    );
    this.oldest = oldest;
  }
}
