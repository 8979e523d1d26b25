/** Counts what a set of runs reached: an idle generator must be noticed. */
export class Reached {
  readonly counts = new Map<string, number>();
  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }
  has(what: string): boolean {
    return this.counts.has(what);
  }
  table(): string {
    return [...this.counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([what, count]) => `${what.padEnd(50)} ${count}`)
      .join('\n');
  }
}
