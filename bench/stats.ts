/** `part` from 0 to 1; the nearest rank, so that a p99 is always something that was measured. */
export function percentile(values: readonly number[], part: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(part * sorted.length) - 1))] as number;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export const rounded = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** Columns as wide as their widest cell; numbers right, words left. */
export function table(head: string[], rows: (string | number | null)[][]): string {
  const cells = [head, ...rows.map((row) => row.map((cell) => (cell === null ? '' : String(cell))))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)));
  return cells
    .map((row, line) =>
      row
        .map((cell, column) => {
          const isNumber = line > 0 && /^[\d.–-]/.test(cell);
          return isNumber ? cell.padStart(widths[column] as number) : cell.padEnd(widths[column] as number);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
