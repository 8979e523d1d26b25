import type { Pool } from 'pg';
import { within } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { holdingNothing } from '../connections.ts';
import { endOfPart, LOG_LIMITS, LogLines } from '../core/action-log.ts';
import { storable } from '../core/printable.ts';
import type { ActionLog } from '../drivers/actions/log.ts';
import type { Log } from '../log.ts';
import { openedSecrets } from '../opened-secrets.ts';
import { appendChunks, placeKey } from '../store/action-logs.ts';
import type { ActionPlace, Appended, NewChunk } from '../store/action-logs.ts';

/** A log that is written, until it is closed. */
export interface OpenActionLog extends ActionLog {
  /** Resolves once all that was written is kept, or cannot be. A log in which nothing was written costs nothing. */
  close(): Promise<void>;
}

/** What logs are kept with. */
export interface ActionLogParts {
  clock: Clock;
  log: Log;
  append: (chunks: readonly NewChunk[]) => Promise<Appended[]>;
  limits?: Limits;
}

type Limits = { readonly [K in keyof typeof LOG_LIMITS]: number };

/**
 * Keeps what actions write. All logs of a process are written by one statement at a time: what comes while one is under way goes with the
 * next. A line is kept a quarter of a second after it was written, at the latest, and at once where its action has ended: so a process
 * that is killed loses no more than that, and nothing of an action whose outcome is recorded.
 */
export class ActionLogs {
  readonly #parts: ActionLogParts;
  readonly #limits: Limits;
  /** Those with something to be written. */
  readonly #waiting = new Set<Writing>();
  #hurries = false;
  #wake: (() => void) | null = null;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(parts: ActionLogParts) {
    this.#parts = parts;
    this.#limits = parts.limits ?? LOG_LIMITS;
  }

  static on(pool: Pool, parts: Pick<ActionLogParts, 'clock' | 'log'>): ActionLogs {
    return new ActionLogs({ ...parts, append: (chunks) => appendChunks(pool, chunks) });
  }

  /** @param given its `try` null: a new one, after all that are there; a number: what is there of it is gone on with */
  open(given: ActionPlace & { try: number | null }): OpenActionLog {
    const writing = new Writing(given, this.#limits, () => this.#begin(writing));
    return {
      say: (line) => writing.say(line),
      heard: (chunk, from) => writing.heard(chunk, from),
      close: async () => {
        writing.end();
        if (writing.text === '') return;
        this.#begin(writing);
        this.#hurry();
        const kept = new Promise<void>((resolve) => (writing.onKept = resolve));
        if (await within(this.#parts.clock, 'action-log', PATIENCE, kept)) return;
        this.#parts.log.warn({ ...given }, 'the end of the log of an action could not be kept');
        this.#giveUp(writing);
      },
    };
  }

  /** What is open is not written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hurry();
    await this.#running;
  }

  #begin(writing: Writing): void {
    this.#waiting.add(writing);
    this.#running ??= holdingNothing(() => this.#run());
  }

  #hurry(): void {
    this.#hurries = true;
    this.#wake?.();
  }

  async #run(): Promise<void> {
    let failed = 0;
    while (this.#waiting.size > 0 && !this.#closed) {
      await this.#pause(failed);
      const batch = this.#batch(failed);
      try {
        this.#kept(batch, await this.#parts.append(batch.flatMap(({ chunks }) => chunks)));
        failed = 0;
      } catch (error) {
        failed += 1;
        this.#failed(batch, error);
      }
    }
    this.#running = null;
  }

  /** A moment for more to come, unless an action waits for its log; after a failure always. */
  async #pause(failed: number): Promise<void> {
    if (this.#closed || (this.#hurries && failed === 0)) return;
    const pause = failed === 0 ? GATHERING : Math.min(RETRY * 2 ** failed, RETRY_AT_MOST);
    await new Promise<void>((resolve) => {
      const timer = this.#parts.clock.after('action-log', pause, resolve);
      this.#wake = () => {
        if (failed > 0 && !this.#closed) return;
        timer.cancel();
        resolve();
      };
    });
    this.#wake = null;
  }

  /** Of one place no more than one try, in the order in which every process writes; after a failure one log alone. */
  #batch(failed: number): Batch[] {
    this.#hurries = false;
    const places = new Set<string>();
    const batch: Batch[] = [];
    let room = MOST_AT_ONCE;
    for (const writing of this.#waiting) {
      const place = placeKey(writing.place);
      if (places.has(place) || room <= 0 || (failed > 1 && batch.length > 0)) {
        // Its action may wait for it.
        this.#hurries = true;
        continue;
      }
      places.add(place);
      const chunks = writing.chunks(room, this.#parts.clock.now());
      room -= chunks.reduce((sum, { text }) => sum + text.length, 0);
      batch.push({ writing, chunks });
    }
    return batch.sort((a, b) => (a.writing.place.releaseId < b.writing.place.releaseId ? -1 : 1));
  }

  #kept(batch: readonly Batch[], appended: readonly Appended[]): void {
    const ends = new Map(appended.map((each) => [placeKey(each), each]));
    const totals = new Map<string, number>();
    for (const { releaseId, total } of appended) totals.set(releaseId, Math.max(total, totals.get(releaseId) ?? 0));
    for (const { writing, chunks } of batch) {
      const { releaseId } = writing.place;
      writing.kept(chunks, ends.get(placeKey(writing.place))?.try ?? null);
      if ((totals.get(releaseId) ?? 0) >= this.#limits.release) writing.fill();
      if (writing.text === '') this.#done(writing);
    }
  }

  #failed(batch: readonly Batch[], error: unknown): void {
    const { code = '' } = error as { code?: string };
    const [one] = batch;
    // Data that can never be kept. Among others it is not known whose that is: the next batches are of one log each.
    if (batch.length === 1 && one && code.startsWith('22')) {
      this.#parts.log.warn({ error, ...one.writing.place }, 'the log of an action could not be kept');
      return this.#giveUp(one.writing);
    }
    // The place in the order was taken by another process: the next one is.
    if (code !== '23505') this.#parts.log.debug({ error }, 'logs of actions could not be kept, trying again');
    // Others come first, so that one log holds up no other one.
    for (const { writing } of batch) {
      this.#waiting.delete(writing);
      this.#waiting.add(writing);
    }
  }

  #giveUp(writing: Writing): void {
    writing.drop();
    this.#done(writing);
  }

  #done(writing: Writing): void {
    this.#waiting.delete(writing);
    writing.onKept?.();
  }
}

interface Batch {
  writing: Writing;
  chunks: NewChunk[];
}

/** One try of one action. */
class Writing {
  /** What is to be kept and is not yet. */
  text = '';
  onKept: (() => void) | null = null;
  readonly place: ActionPlace;
  readonly #limits: Limits;
  readonly #told: () => void;
  readonly #lines = { OUT: new LogLines(openedSecrets), ERR: new LogLines(openedSecrets) };
  readonly #decoders = { OUT: new TextDecoder(), ERR: new TextDecoder() };
  #try: number | null;
  /** Bytes that were taken, and bytes that were not, but for their end. */
  #taken = 0;
  #left = 0;
  #tail = '';
  /** Nothing more of it is kept. */
  #over = false;

  constructor({ try: given, ...place }: ActionPlace & { try: number | null }, limits: Limits, told: () => void) {
    this.place = place;
    this.#try = given;
    this.#limits = limits;
    this.#told = told;
  }

  say(line: string): void {
    this.#endLines();
    const lines = openedSecrets.hide(line).split('\n');
    this.#add(storable(lines.map((each) => `> ${each}\n`).join('')));
  }

  heard(chunk: Uint8Array, from: 'OUT' | 'ERR'): void {
    this.#add(this.#lines[from].add(this.#decoders[from].decode(chunk, { stream: true })));
  }

  /** Nothing more comes of what a program has begun to say. */
  #endLines(): void {
    for (const from of ['OUT', 'ERR'] as const) {
      this.#add(this.#lines[from].add(this.#decoders[from].decode()));
      this.#add(this.#lines[from].end());
    }
  }

  end(): void {
    this.#endLines();
    if (this.#left === 0 || this.#over) return;
    const isWhole = Buffer.byteLength(this.#tail) === this.#left;
    const tail = isWhole ? this.#tail : this.#tail.slice(this.#tail.indexOf('\n') + 1);
    const between = this.#left - Buffer.byteLength(tail);
    const note = `> ${between} bytes are left out here: of a try its first ${this.#limits.try} bytes are kept, and its end\n`;
    this.text += isWhole ? tail : note + tail;
    this.#left = 0;
  }

  /** Parts of what is to be kept, of at most so many characters together. */
  chunks(room: number, at: Date): NewChunk[] {
    const chunks: NewChunk[] = [];
    for (let from = 0; from < this.text.length && from < room;) {
      const rest = this.text.slice(from, from + this.#limits.chunk + 1);
      const length = endOfPart(rest, this.#limits.chunk);
      chunks.push({ ...this.place, try: this.#try, at, text: rest.slice(0, length) });
      from += length;
    }
    return chunks;
  }

  kept(chunks: readonly NewChunk[], number: number | null): void {
    this.#try ??= number;
    this.text = this.text.slice(chunks.reduce((sum, { text }) => sum + text.length, 0));
  }

  /** The logs of its release are full. */
  fill(): void {
    if (this.#over) return;
    this.drop();
    this.text = `> the logs of this release have ${this.#limits.release} bytes, and nothing more is kept\n`;
  }

  drop(): void {
    this.#over = true;
    this.text = '';
    this.#tail = '';
  }

  #add(text: string): void {
    if (text === '' || this.#over) return;
    const size = Buffer.byteLength(text);
    if (this.#left === 0 && this.#taken + size <= this.#limits.try) {
      this.#taken += size;
      this.text += text;
      this.#told();
      return;
    }
    this.#left += size;
    this.#tail = (this.#tail + text).slice(-this.#limits.tail);
  }
}

/** In milliseconds: how long lines are gathered; between two tries of the same; how long an action waits for its log. */
const GATHERING = 250;
const RETRY = 25;
const RETRY_AT_MOST = 1_000;
const PATIENCE = 15_000;
/** Characters that one statement writes. */
const MOST_AT_ONCE = 1024 * 1024;
