/**
 * A text of one YAML document, cut where it can be read part by part. What a parser keeps of a text while it reads is many times as
 * large as the text; and a part that is the same as before need not be read again.
 *
 * The cuts are guesses by the look of lines. They are right when every part can be read by itself: what runs on beyond a cut (quotes,
 * brackets) makes its part unreadable. When a part is unreadable, the caller reads the text as a whole.
 */
export type Part = Entries | Nested;

/** Whole entries of one map or list, with all that stands below them. */
export interface Entries {
  start: number;
  end: number;
}

/** An entry with nothing but its key in its line, and the map or list that stands below it. */
export interface Nested extends Entries {
  /** Where the line of the key ends. */
  head: number;
  parts: Part[];
}

/** Into what parts a text is cut, so that after an edit only what changed is read again. */
export interface Cuts {
  /** Characters of a text, or of what stands below a key, that is worth to be cut. */
  smallest: number;
  /** Characters that a part has on average. It ends at the latest with four times as many, or with so many entries. */
  size: number;
  entries: number;
  /** How many keys deep. */
  levels: number;
}

/** Fitted to files of some 100 KiB; smaller ones are read whole. */
export const CUTS: Cuts = { smallest: 8 * 1024, size: 1024, entries: 32, levels: 12 };

/** Undefined where the text is not one block map or list, or is small. */
export function partsOf(text: string, cuts: Cuts): Part[] | undefined {
  if (text.length < cuts.smallest || /^%/m.test(text)) return undefined;
  const before = /^\uFEFF?(?:[ \t]*(?:#.*)?\r?\n)*(?:---[ \t]*(?:#.*)?\r?\n)?/.exec(text)![0];
  return cut(text, cuts, { start: before.length, end: text.length, above: -1, level: 0 });
}

interface Block extends Entries {
  /** The column of the key that it belongs to. A map stands further in, a list may stand flush with it. */
  above: number;
  level: number;
}

function cut(text: string, cuts: Cuts, { start, end, above, level }: Block): Part[] | undefined {
  const parts: Part[] = [];
  let column = -1;
  let isList = false;
  let open: { start: number; entries: number } | undefined;
  let entry = -1;

  const close = (at: number): void => {
    if (open && open.start < at) parts.push({ start: open.start, end: at });
    open = undefined;
  };
  /** The entry that began at `entry` ends at `at`. */
  const finish = (at: number): void => {
    if (entry === -1) return;
    const nested = isList ? undefined : nestedIn(text, cuts, { start: entry, end: at, above: column, level });
    if (nested) {
      close(entry);
      parts.push(nested);
      return;
    }
    open ??= { start: entry, entries: 0 };
    open.entries += 1;
    const isFull = open.entries >= cuts.entries || at - open.start >= 4 * cuts.size;
    if (isFull || isLast(text, entry, at, cuts.size)) close(at);
  };

  for (let line = start; line < end; line = nextLine(text, line, end)) {
    let at = line;
    while (text[at] === ' ') at += 1;
    const sign = text[at];
    if (sign === '\t') return undefined;
    if (at >= end || sign === undefined || sign === '\n' || sign === '\r' || sign === '#') continue;
    const indent = at - line;
    const dash = sign === '-' && (text[at + 1] === ' ' || text[at + 1] === '\n' || text[at + 1] === '\r');
    if (column === -1) {
      if (indent < above || (indent === above && !dash)) return undefined;
      column = indent;
      isList = dash;
    }
    if (indent > column) continue;
    if (indent < column) return undefined;
    if (dash && !isList) {
      // A list that stands flush with its key.
      if (entry === -1) return undefined;
      continue;
    }
    if (isList ? !dash : !/[\p{L}\p{N}_"'/@<]/u.test(sign)) return undefined;
    finish(line);
    entry = line;
  }
  if (entry === -1) return undefined;
  finish(end);
  close(end);
  return parts;
}

/**
 * Whether a part ends with this entry: its own words say so, and not how much stands before it. So an entry that comes or goes moves no cut but
 * those beside it, and all other parts are known.
 */
function isLast(text: string, start: number, end: number, size: number): boolean {
  const of = Math.max(1, Math.ceil(size / (end - start)));
  let hash = 0x811c9dc5;
  for (let at = start; at < end && at < start + size; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % of === 0;
}

function nestedIn(text: string, cuts: Cuts, { start, end, above, level }: Block): Nested | undefined {
  if (end - start < cuts.smallest || level === cuts.levels) return undefined;
  const head = nextLine(text, start, end);
  if (!/^ *[\p{L}\p{N}_][\p{L}\p{N}_./-]*:[ ]*(?:#.*)?\r?\n$/u.test(text.slice(start, head))) return undefined;
  const parts = cut(text, cuts, { start: head, end, above, level: level + 1 });
  return parts && { start, end, head, parts };
}

function nextLine(text: string, from: number, end: number): number {
  const found = text.indexOf('\n', from);
  return found === -1 || found + 1 > end ? end : found + 1;
}
