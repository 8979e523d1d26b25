import { createRequire } from 'node:module';
import { printable, printableIn } from '../core/printable.ts';
import { now } from './clock.ts';
import { cutTo, widthOf } from './width.ts';

export const FORMATS = ['table', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** How something is to be printed. */
export interface Style {
  format: Format;
  /** Columns of the terminal; left out where they are unknown: then no cell is cut. */
  width?: number;
}

/** A column of a table: its heading, what a row shows there, and whether it is never cut because people copy it. */
export type Column<T> = [heading: string, cell: (row: T) => string | null | undefined, whole?: 'whole'];

export interface View<T> {
  columns: Column<T>[];
  /** What `-o name` prints of a row. */
  name: (row: T) => string;
}

/** In columns of a terminal. What is longer is cut: `-o json` has it whole. */
const WIDEST = 120;
/** A cell that gives way to others keeps this much. */
const NARROWEST = 6;

/**
 * Where all goes that the command prints as text, live pictures aside. Texts of other people may hold what steers a terminal (its
 * title, its colors, the place where the next letter appears); JSON stays the same JSON.
 */
export function safeWriter(writer: Writer): Writer {
  return { write: (text) => writer.write(printable(text, { lines: true })) };
}

/** A terminal, a pipe, or a test. */
export interface Writer {
  write(text: string): unknown;
}

/**
 * Rows under headings, columns as wide as their widest cell, which is one line; no lines around, so that `awk` and eyes both like
 * it. In a terminal that is too narrow the widest cells are cut.
 */
export function table<T>(rows: T[], columns: Column<T>[], width = Infinity): string {
  const cells = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, cell]) => cutTo(printableIn(cell(row) || '-').trim() || ' ', WIDEST))),
  ];
  const natural = columns.map((_, index) => Math.max(...cells.map((line) => widthOf(line[index]!))));
  const gap = sum(natural) + 3 * (columns.length - 1) > width ? 2 : 3;
  const whole = columns.map(([, , kept]) => kept === 'whole');
  const widths = fitted(natural, whole, width - gap * (columns.length - 1));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cutTo(cell, widths[index]!))
        .map((cell, index) => cell + ' '.repeat(widths[index]! - widthOf(cell)))
        .join(' '.repeat(gap))
        .trimEnd(),
    )
    .join('\n');
}

const sum = (numbers: number[]): number => numbers.reduce((total, each) => total + each, 0);

/** Takes a column from the widest cell that may be cut, for as long as the line does not fit. */
function fitted(natural: number[], whole: boolean[], room: number): number[] {
  const widths = [...natural];
  for (let over = sum(widths) - room; over > 0; over -= 1) {
    const cut = widths.map((each, index) => (whole[index] ? 0 : each));
    const widest = Math.max(...cut);
    if (widest <= NARROWEST) break;
    widths[cut.indexOf(widest)]! -= 1;
  }
  return widths;
}

/** The library is large, and loaded when the first text is written: most commands print a table. */
export function toYaml(what: unknown): string {
  const { stringify } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  return stringify(what).trimEnd();
}

/** @param what one thing or a list, as the API gave it */
export function render<T>(what: T | T[], { format, width }: Style, view: View<T>): string {
  const rows = Array.isArray(what) ? what : [what];
  switch (format) {
    case 'json':
      return JSON.stringify(what, null, 2);
    case 'yaml':
      return toYaml(what);
    case 'name':
      return rows.map(view.name).join('\n');
    case 'table':
      return table(rows, view.columns, width);
  }
}

/** A list; of an empty one a person reads `none`, a program gets the empty list. */
export function renderList<T>(rows: T[], style: Style, view: View<T>, none: string): string {
  return rows.length === 0 && style.format === 'table' ? none : render(rows, style, view);
}

/** Under a table: the sentences that it may have cut, whole. Nothing for programs, which are given them whole. */
export function uncut<T>(
  rows: T[],
  { format, width = Infinity }: Style,
  name: (row: T) => string,
  sentence: (row: T) => string | null,
): string {
  if (format !== 'table') return '';
  return rows
    .map((row) => ({ name: printableIn(name(row)).trim(), text: printableIn(sentence(row) ?? '').trim() }))
    .filter(({ text }) => widthOf(text) > Math.min(WIDEST, width / 3))
    .map(({ name: of, text }) => `\n\n${of}: ${text}`)
    .join('');
}

/** The first 8 characters of a uuid, which commands take for the whole. */
export const shortened = (uuid: string): string => uuid.slice(0, 8);

/** `1h 04m`, `2m 05s`, `3.4s`: short enough for a column, exact enough to compare. */
export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)}s`;
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two((seconds % 3600) / 60)}m`;
}

/** `3m`, `2h`, `5d` ago, as in lists. */
export function age(since: string | null | undefined): string {
  return since ? length(now() - Date.parse(since)) : '-';
}

/** `in 3m`, `3m ago`, as in lists. */
export function when(at: string | null | undefined): string {
  if (!at) return '-';
  const left = Date.parse(at) - now();
  // What was set to 2h a moment ago ends in 2h.
  return left > 0 ? `in ${length(left, Math.round)}` : `${length(-left)} ago`;
}

function length(ms: number, round = Math.floor): string {
  const seconds = round(Math.max(0, ms) / 1000);
  if (seconds < 60) return `${seconds}s`;
  const minutes = round(seconds / 60);
  if (minutes < 60) return `${minutes}m`;
  const hours = round(seconds / 3600);
  return hours < 48 ? `${hours}h` : `${round(seconds / 86_400)}d`;
}
