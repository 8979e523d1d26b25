import cliTruncate from 'cli-truncate';
import { printable, printableIn } from '../core/printable.ts';
import stringWidth from 'string-width';
import { stringify } from 'yaml';

export const FORMATS = ['table', 'json', 'yaml', 'name'] as const;
export type Format = (typeof FORMATS)[number];

/** A column of a table: its heading, and what a row shows there. */
export type Column<T> = [heading: string, cell: (row: T) => string | null | undefined];

/** In columns of a terminal. What is longer is cut: `-o json` has it whole. */
const WIDEST = 120;

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
 * it.
 */
export function table<T>(rows: T[], columns: Column<T>[]): string {
  const cells = [
    columns.map(([heading]) => heading),
    ...rows.map((row) => columns.map(([, cell]) => cliTruncate(printableIn(cell(row) || '-').trim() || ' ', WIDEST))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => stringWidth(line[index]!))));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cell + ' '.repeat(widths[index]! - stringWidth(cell)))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param what one thing or a list, as the API gave it */
export function render<T>(
  what: T | T[],
  format: Format,
  view: { columns: Column<T>[]; name: (row: T) => string },
): string {
  const rows = Array.isArray(what) ? what : [what];
  switch (format) {
    case 'json':
      return JSON.stringify(what, null, 2);
    case 'yaml':
      return stringify(what).trimEnd();
    case 'name':
      return rows.map(view.name).join('\n');
    case 'table':
      return table(rows, view.columns);
  }
}

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
export function age(since: string | null | undefined, now = Date.now()): string {
  if (!since) return '-';
  const seconds = Math.max(0, (now - Date.parse(since)) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 2 * 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}
