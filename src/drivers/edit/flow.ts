import type { Edit } from './text.ts';
import { sliceEdited } from './text.ts';

/** An entry of braces or brackets in its new order: one that was there, with its edits, or a new text. */
export type Piece = { from: number; edits: Edit[] } | { text: string };

/** Where a map or list in brackets stands in a text. */
export interface Brackets {
  /** Behind the opening bracket, and at the closing one. */
  open: number;
  close: number;
  items: { start: number; end: number }[];
}

/** How entries between brackets are written. */
export interface FlowStyle {
  comment: '#' | '//';
  /** Between a comma and the next entry of the same line. */
  blank: string;
  /** What stands before a first entry and before the closing bracket, where there was none; '' keeps it in the line. */
  first: string;
  last: string;
}

/**
 * The entries between two brackets put together anew: what was there keeps its bytes, its blanks and the comments before it
 * and behind it in its line. New entries look like their neighbours. Only commas are added and taken away.
 */
export function rebuildFlow(text: string, { open, close, items }: Brackets, pieces: Piece[], style: FlowStyle): Edit {
  const parts = items.map(({ start, end }, index) => {
    const limit = items[index + 1]?.start ?? close;
    const comma = commaIn(text, end, limit, style.comment);
    return { start, end, comma, split: ownLine(text, comma === undefined ? end : comma + 1, limit, style.comment) };
  });
  const before = parts.map(({ start }, index) => text.slice(index === 0 ? open : parts[index - 1]!.split, start));
  const rest = text.slice(parts.at(-1)?.split ?? open, close);
  const trailing = parts.at(-1)?.comma !== undefined;
  const isBlank = (each: string | undefined): each is string => each !== undefined && each.trim() === '';
  const lead = before[0] ?? (rest.trim() === '' ? style.first : `${rest.trimEnd()}${style.first}`);
  const between =
    before.slice(1).find(isBlank) ??
    (lead.includes('\n') || before[1]?.includes('\n') ? lastLine(before[1] ?? lead) : style.blank);

  const out = pieces.map((piece, index) => {
    const isLast = index === pieces.length - 1;
    const comma = !isLast || trailing;
    const own = 'from' in piece ? before[piece.from]! : undefined;
    const gap =
      isBlank(own) || own === undefined
        ? index === 0
          ? isBlank(lead) || items.length === 0
            ? lead
            : between
          : between
        : own;
    if (!('from' in piece)) return `${gap}${piece.text}${comma ? ',' : ''}`;
    const part = parts[piece.from]!;
    const body = sliceEdited(text, part.start, part.end, piece.edits);
    const tail = text.slice(part.end, part.split);
    if (part.comma === undefined) return `${gap}${body}${comma ? ',' : ''}${tail}`;
    const at = part.comma - part.end;
    return `${gap}${body}${comma ? tail : tail.slice(0, at) + tail.slice(at + 1)}`;
  });
  const isEmpty = pieces.length === 0;
  const end = isEmpty && rest.trim() === '' ? '' : items.length === 0 ? style.last : rest;
  return { start: open, end: close, text: out.join('') + end };
}

/** The line break and the blanks before an entry, without comments. */
const lastLine = (gap: string): string => /\r?\n[ \t]*$/.exec(gap)?.[0] ?? gap;

function commaIn(text: string, from: number, to: number, comment: '#' | '//'): number | undefined {
  let at = from;
  while (at < to) {
    if (text[at] === ',') return at;
    at = pastComment(text, at, comment) ?? at + 1;
  }
  return undefined;
}

/** Where the comment that begins at `at` ends. */
function pastComment(text: string, at: number, comment: '#' | '//'): number | undefined {
  if (text.startsWith(comment, at)) {
    const end = text.indexOf('\n', at);
    return end === -1 ? text.length : end;
  }
  if (comment !== '//' || !text.startsWith('/*', at)) return undefined;
  const end = text.indexOf('*/', at);
  return end === -1 ? text.length : end + 2;
}

/** The end of the line's comments, when nothing but comments follows in the line; `from` otherwise. */
function ownLine(text: string, from: number, to: number, comment: '#' | '//'): number {
  let at = from;
  while (at < to) {
    const past = pastComment(text, at, comment);
    if (past !== undefined) at = past;
    else if (text[at] === '\n') return text[at - 1] === '\r' ? at - 1 : at;
    else if (/\s/.test(text[at]!)) at += 1;
    else return from;
  }
  // The closing bracket follows in the line.
  return text.slice(from, to).trim() === '' ? from : to;
}
