import { storable } from './printable.ts';

/** How much of what actions write is kept; bytes are those of UTF-8. */
export const LOG_LIMITS = {
  /** Characters of a chunk. */
  chunk: 16 * 1024,
  /** Bytes of a try, from its beginning. */
  try: 4 * 1024 * 1024,
  /** Characters of its end, where it writes more. */
  tail: 64 * 1024,
  /** Bytes of all logs of a release. */
  release: 64 * 1024 * 1024,
  /** Characters of a line: a longer one is kept in parts. */
  line: 16 * 1024,
} as const;

/** Hides secrets in a text. `longest`: characters of the longest text that it looks for. */
export interface Mask {
  hide(text: string): string;
  readonly longest: number;
}

/**
 * Makes whole lines of what comes in pieces, without the secrets in them. A line is held until it is whole, as a piece may end in the
 * middle of a secret; of one that grows too long everything is handed on in which no secret can begin any more.
 */
export class LogLines {
  readonly #mask: Mask;
  #rest = '';

  constructor(mask: Mask) {
    this.#mask = mask;
  }

  /** What has become whole. */
  add(text: string): string {
    this.#rest += text;
    const whole = this.#rest.lastIndexOf('\n') + 1;
    if (whole > 0) return this.#take(whole);
    if (this.#rest.length <= LOG_LIMITS.line) return '';
    this.#rest = this.#mask.hide(this.#rest);
    const most = this.#rest.length - this.#mask.longest;
    return this.#take(isHalf(this.#rest, most) ? most - 1 : most);
  }

  /** What is left, as a line. */
  end(): string {
    return this.#rest === '' ? '' : this.#take(this.#rest.length) + '\n';
  }

  #take(length: number): string {
    if (length <= 0) return '';
    const taken = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return storable(this.#mask.hide(taken));
  }
}

/** Where the next part of a text ends: at the end of a line if there is one in its second half, and never inside of a character. */
export function endOfPart(text: string, most: number): number {
  if (text.length <= most) return text.length;
  const line = text.lastIndexOf('\n', most - 1) + 1;
  if (line > most / 2) return line;
  return isHalf(text, most) ? most - 1 : most;
}

/** A text after `at` characters would begin with the second half of one. */
const isHalf = (text: string, at: number): boolean => /^[\udc00-\udfff]/.test(text.charAt(at));
