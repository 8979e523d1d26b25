/**
 * Every secret that this process has opened, so that no text that leaves it shows one: log lines, errors, outputs, events. One
 * for the process, like the log that it guards.
 */
export class OpenedSecrets {
  /** Insertion order: the oldest goes first when there are too many. */
  readonly #values = new Set<string>();
  #spellings: string[] | undefined;

  remember(value: string): void {
    if (value.length < SHORTEST || this.#values.has(value)) return;
    this.#values.add(value);
    if (this.#values.size > MOST) this.#values.delete(this.#values.values().next().value!);
    this.#spellings = undefined;
  }

  /** Characters of the longest spelling of a secret; 0: none was opened. */
  get longest(): number {
    return this.#all()[0]?.length ?? 0;
  }

  /** The text with `***` for every secret, in whichever spelling. */
  hide(text: string): string {
    if (this.#values.size === 0) return text;
    let shown = text;
    // One after the other: an alternation of thousands is many times slower than looking for each.
    for (const each of this.#all()) if (shown.includes(each)) shown = shown.replaceAll(each, '***');
    return shown;
  }

  #all(): string[] {
    return (this.#spellings ??= allSpellings([...this.#values]));
  }

  /** The same for every text in a value of plain data, keys included. */
  hideIn<T>(value: T): T {
    if (this.#values.size === 0) return value;
    return hideIn(value, (text) => this.hide(text)) as T;
  }

  /** Of an error and of its causes, in place: it stays what it is. */
  hideInError(error: unknown): void {
    for (let at = error; at instanceof Error && this.#values.size > 0; at = at.cause) {
      replaceText(at, 'message', this.hide(at.message));
      if (at.stack !== undefined) replaceText(at, 'stack', this.hide(at.stack));
    }
  }
}

/** Only when it differs: the message of a DOMException, which is what an AbortSignal that timed out gives, can only be read. */
function replaceText(error: Error, field: 'message' | 'stack', text: string): void {
  if (error[field] === text) return;
  // An own property stands in front of a getter of the class.
  Object.defineProperty(error, field, { value: text, configurable: true, writable: true });
}

/** Shorter texts are found in ordinary words. */
const SHORTEST = 8;
const MOST = 10_000;

export const openedSecrets = new OpenedSecrets();

function hideIn(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return hide(value);
  if (Array.isArray(value)) return value.map((each) => hideIn(each, hide));
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [hide(key), hideIn(each, hide)]));
}

/** The longest first: a secret may be the beginning of another one. */
function allSpellings(values: string[]): string[] {
  return [...new Set(values.flatMap(spellings))].sort((a, b) => b.length - a.length);
}

/** A value as it is, line by line, and as it looks in JSON, in a URL, in HTML, in hex and inside base64. */
function spellings(value: string): string[] {
  const lines = value.split(/\r?\n/).map((line) => line.trim());
  const plain = lines.length > 1 ? [value, ...lines] : [value];
  const found = plain.flatMap((each) => {
    const json = JSON.stringify(each).slice(1, -1);
    const bytes = Buffer.from(each);
    const wellFormed = bytes.toString();
    const url = encodeURIComponent(wellFormed);
    return [
      each,
      json,
      // A string in a string, as a log line that holds JSON.
      JSON.stringify(json).slice(1, -1),
      json.replaceAll('/', '\\/'),
      asciiJson(json),
      url,
      url.replaceAll('%20', '+'),
      url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
      encodeURI(wellFormed),
      each.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;'),
      bytes.toString('hex'),
      bytes.toString('hex').toUpperCase(),
      ...insideBase64(bytes),
    ];
  });
  return found.filter((each) => each.length >= SHORTEST);
}

const asciiJson = (text: string): string =>
  text.replace(/[\u0080-\uffff]/g, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What base64 makes of the bytes wherever they stand in a longer text: three ways to be cut into groups of three. */
function insideBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const from = Math.ceil((before * 8) / 6);
    const standard = whole.toString('base64').slice(from, Math.floor((whole.length * 8) / 6));
    return [standard, standard.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
