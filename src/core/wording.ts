import { refusal, type Refusal, type RefusalCode } from './problems.ts';

/** A value as it appears in a message: quoted, one line, short enough to read whatever was sent. */
export function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}

/** `"a", "b" and 3 more`. */
export function quoteList(values: readonly string[], limit = 6): string {
  const shown = values.slice(0, limit).map(quote).join(', ');
  return values.length > limit ? `${shown} and ${values.length - limit} more` : shown;
}

/** A name that is close enough to `wrong` to be what was meant; comparing is bounded whatever the input's size. */
export function closest(wrong: string, candidates: Iterable<string>): string | undefined {
  if (wrong.length > 64) return undefined;
  const allowed = wrong.length <= 3 ? 1 : wrong.length <= 8 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  let compared = 0;
  for (const candidate of candidates) {
    if (++compared > 2000) break;
    if (Math.abs(candidate.length - wrong.length) >= bestDistance) continue;
    const distance = editDistance(wrong.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters added, left out, changed, or swapped with the next one: "gti" is one mistake away from "git". */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1, swapped ? before[j - 2]! + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}

/** Collects refusals; past a hundred it only counts, so that a hostile input gets an answer that can be read. */
export class Refusals {
  private readonly list: Refusal[] = [];
  private left = 0;

  add(code: RefusalCode, message: string, path: (string | number)[]): void {
    if (this.list.length < 100) this.list.push(refusal(code, message, path));
    else this.left += 1;
  }

  get size(): number {
    return this.list.length + this.left;
  }

  all(): Refusal[] {
    if (this.left === 0) return this.list;
    return [...this.list, refusal('INVALID', `and ${this.left} more problems, left out`, [])];
  }

  /** ` Did you mean "eu"?`, or nothing; looked up for the first few only, because it compares with every name. */
  hint(wrong: string, candidates: Iterable<string> | undefined): string {
    if (!candidates || this.size >= 20) return '';
    const meant = closest(wrong, candidates);
    return meant === undefined || meant === wrong ? '' : ` Did you mean ${quote(meant)}?`;
  }
}
