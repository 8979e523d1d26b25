/** A replacement in a text; an insertion where `start` is `end`. */
export interface Edit {
  start: number;
  end: number;
  text: string;
  /** A block of YAML stands at the end of `text` and needs a line break behind it; one that is KEPT also takes the blank lines there. */
  ending?: 'BROKEN' | 'KEPT';
}

/** Text that is put in at one place. */
export const insertion = (at: number, text: string): Edit => ({ start: at, end: at, text });

/** Edits do not overlap; those at one place are applied in their order. `from`: the offset at which `text` begins. */
export function applyEdits(text: string, edits: readonly Edit[], from = 0): string {
  const parts: string[] = [];
  let at = from;
  for (const each of edits.toSorted((a, b) => a.start - b.start)) {
    if (each.start < at) throw new Error(`edits overlap at ${each.start}`);
    parts.push(text.slice(at - from, each.start - from), each.text);
    at = each.end;
  }
  parts.push(text.slice(at - from));
  return parts.join('');
}

/** What stands from `start` to `end` after its edits. */
export const sliceEdited = (text: string, start: number, end: number, edits: readonly Edit[]): string =>
  applyEdits(text.slice(start, end), edits, start);

/** How lines of this text end. */
export const eolOf = (text: string): string => (text.includes('\r\n') ? '\r\n' : '\n');

/** Where the line of `offset` begins. */
export const lineStart = (text: string, offset: number): number => text.lastIndexOf('\n', offset - 1) + 1;

/** How far `offset` stands from the start of its line, without a byte order mark. */
export const columnOf = (text: string, offset: number): number => {
  const start = lineStart(text, offset);
  return offset - start - (start === 0 && text.startsWith('\uFEFF') ? 1 : 0);
};

/** Where the blank lines behind the end of a line end; what follows them keeps the line break before it. */
export function blanksEnd(text: string, end: number): number {
  const blank = /(?:\r?\n[ \t]*)*(?=\r?\n)/y;
  blank.lastIndex = end;
  return end + (blank.exec(text)?.[0].length ?? 0);
}

/** Where the line of `offset` ends, before its line break. */
export function lineEnd(text: string, offset: number): number {
  const found = text.indexOf('\n', offset);
  if (found === -1) return text.length;
  return found > offset && text[found - 1] === '\r' ? found - 1 : found;
}

/** Counted from 1. */
export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;
