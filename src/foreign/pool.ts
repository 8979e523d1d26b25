import { extname } from 'node:path';
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { onAbort } from '../abort-listener.ts';
import { PermanentError, ThrottledError } from '../drivers/driver.ts';
import type { ForeignLimits } from './limits.ts';
import type { Answer, Order } from './wire.ts';

export interface Ask {
  /** Whose text it is: a repository, a product, a person. Callers take turns. */
  caller: string;
  /** Begins every refusal: `file "eu/values.yaml"`. */
  what: string;
  signal?: AbortSignal;
}

interface Job extends Ask {
  order: Order;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
  /** Stops listening to the signal. */
  settle: () => void;
}

/**
 * A few processes that work on text from outside, so that no such text stops or ends this one. Processes and not readers: V8 ends
 * the whole process when one allocation in one reader does not fit, whatever limits the reader has.
 *
 * The life of a reader: it is made when there is more work than idle readers, takes one order at a time, and ends when it was
 * idle for long. An order that takes too long, or more memory than is granted, ends its reader; the caller is told what was too
 * much, and the next order gets a new reader. A caller has its own line, and lines take turns; a caller never occupies all
 * readers, so that one bad file does not stop the others.
 */
export class ReaderPool {
  readonly #limits: ForeignLimits;
  readonly #entry: URL;
  readonly #readers = new Set<Reader>();
  /** In the order in which callers get their turn. */
  readonly #lines = new Map<string, Job[]>();
  readonly #running = new Map<string, number>();
  #waiting = 0;

  constructor(limits: ForeignLimits, entry: URL = ENTRY) {
    this.#limits = limits;
    this.#entry = entry;
  }

  /**
   * @throws PermanentError when the text is refused, or takes more time or memory than is granted; ThrottledError when too much
   * waits already; the signal's reason
   */
  run(task: string, input: unknown, ask: Ask): Promise<unknown> {
    const { caller, what, signal } = ask;
    const { waiting, waitingPerCaller, resultBytes, taskMs } = this.#limits;
    const line = this.#lines.get(caller) ?? [];
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (line.length >= waitingPerCaller || this.#waiting >= waiting)
      return Promise.reject(
        new ThrottledError(`${what} was not read: ${this.#waiting} others wait to be read`, { retryAfter: 1_000 }),
      );
    return new Promise((resolve, reject) => {
      const order = { task, input, resultBytes, orphanMs: taskMs + 1_000 };
      const job: Job = { ...ask, order, resolve, reject, settle: () => undefined };
      if (signal) job.settle = onAbort(signal, () => this.#abort(job));
      line.push(job);
      this.#lines.set(caller, line);
      this.#waiting += 1;
      this.#next();
    });
  }

  /** Ends the readers that have nothing to do; others end after their order. The pool can be used again. */
  async close(): Promise<void> {
    await Promise.all([...this.#readers].filter((each) => each.idle).map((each) => each.end()));
  }

  /** How many readers there are; for tests and metrics. */
  get size(): number {
    return this.#readers.size;
  }

  #next(): void {
    for (let job = this.#take(); job; job = this.#take()) {
      const idle = [...this.#readers].find((each) => each.idle);
      const reader = idle ?? this.#start();
      const { caller } = job;
      this.#running.set(caller, (this.#running.get(caller) ?? 0) + 1);
      reader.work(job, () => {
        const left = this.#running.get(caller)! - 1;
        if (left === 0) this.#running.delete(caller);
        else this.#running.set(caller, left);
        this.#next();
      });
    }
  }

  /** The next order for which there is a reader; its caller goes to the end of the row. */
  #take(): Job | undefined {
    const { readers } = this.#limits;
    const busy = [...this.#readers].filter((each) => !each.idle).length;
    if (busy >= readers) return undefined;
    for (const [caller, line] of this.#lines) {
      if ((this.#running.get(caller) ?? 0) >= Math.max(1, readers - 1)) continue;
      const job = line.shift()!;
      this.#lines.delete(caller);
      if (line.length > 0) this.#lines.set(caller, line);
      this.#waiting -= 1;
      return job;
    }
    return undefined;
  }

  #start(): Reader {
    const reader = new Reader(this.#entry, this.#limits, () => {
      this.#readers.delete(reader);
      this.#next();
    });
    this.#readers.add(reader);
    return reader;
  }

  #abort(job: Job): void {
    job.settle();
    job.reject(job.signal?.reason);
    const line = this.#lines.get(job.caller);
    const at = line?.indexOf(job) ?? -1;
    if (line && at >= 0) {
      line.splice(at, 1);
      this.#waiting -= 1;
      if (line.length === 0) this.#lines.delete(job.caller);
    } else for (const each of this.#readers) each.drop(job);
  }
}

/** The source itself where a test runs from it, its JavaScript in a build. */
const ENTRY = new URL(`./reader${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** One process and what it works on. It holds this one open while it works, and not longer. */
class Reader {
  readonly #process: ChildProcess;
  readonly #limits: ForeignLimits;
  readonly #gone: Promise<void>;
  #ready = false;
  #ended = false;
  #job: Job | undefined;
  #onFree: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(entry: URL, limits: ForeignLimits, onExit: () => void) {
    this.#limits = limits;
    const options = [
      ...process.execArgv.filter((each) => !/^--(inspect|max-old)/.test(each)),
      `--max-old-space-size=${limits.heapMiB}`,
    ];
    this.#process = fork(entry, [], {
      execArgv: options,
      // Foreign text and the settings of the process, its secrets among them, do not meet.
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#process.on('message', (answer: Answer) => this.#hear(answer));
    // Also without an exit, when it could not even be started.
    this.#gone = new Promise((resolve) => {
      let told = false;
      const end = (error: Error): void => {
        // A channel that breaks is an error as well, before or after the exit.
        if (told) return;
        told = true;
        this.#ended = true;
        this.#process.kill('SIGKILL');
        clearTimeout(this.#timer);
        resolve();
        this.#settle((job) => job.reject(error));
        onExit();
      };
      this.#process.on('error', end);
      this.#process.on('exit', (code, signal) => end(this.#reasonOf(code, signal)));
    });
  }

  /** False as well when it is ending: no order comes to such a reader. */
  get idle(): boolean {
    return this.#job === undefined && !this.#ended;
  }

  work(job: Job, onFree: () => void): void {
    this.#job = job;
    this.#onFree = onFree;
    this.#hold(true);
    clearTimeout(this.#timer);
    if (this.#ready) this.#send();
    else this.#limit(this.#limits.startMs, () => new Error('a reader of foreign text did not start'));
  }

  /** The caller does not wait for the answer any more. */
  drop(job: Job): void {
    if (this.#job === job) this.end().catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    // This end may be all that our process still waits for: without the hold it would exit first, with exit code 13.
    this.#hold(true);
    this.#process.kill('SIGKILL');
    await this.#gone;
  }

  #send(): void {
    const { what, order } = this.#job!;
    const { taskMs } = this.#limits;
    this.#limit(
      taskMs,
      () =>
        new PermanentError(`${what} takes longer than ${taskMs / 1000} s to read: it, or a path into it, is too much`),
    );
    // Where it cannot be sent, the reader is gone, and its end is told by itself.
    this.#process.send(order, () => undefined);
  }

  #limit(ms: number, error: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#overdue(error()), ms);
  }

  /** Until it is gone it counts as busy, and its caller's turn as taken. */
  #overdue(error: Error): void {
    this.#job?.settle();
    this.#job?.reject(error);
    this.end().catch(() => undefined);
  }

  #hear(answer: Answer): void {
    if (this.#ended) return;
    if ('ready' in answer) {
      this.#ready = true;
      if (this.#job) this.#send();
      return;
    }
    this.#hold(false);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.end().catch(() => undefined);
    }, this.#limits.idleMs).unref();
    this.#settle((job) => {
      if ('value' in answer) job.resolve(answer.value);
      else if ('failed' in answer) job.reject(new Error(`${job.what} could not be worked on: ${answer.failed}`));
      // What edits files names the file already.
      else
        job.reject(
          new PermanentError(answer.refused.includes(job.what) ? answer.refused : `${job.what}: ${answer.refused}`),
        );
    });
  }

  #hold(open: boolean): void {
    if (open) {
      this.#process.ref();
      this.#process.channel?.ref();
    } else {
      this.#process.unref();
      this.#process.channel?.unref();
    }
  }

  #settle(tell: (job: Job) => void): void {
    const job = this.#job;
    const onFree = this.#onFree;
    if (!job) return;
    this.#job = undefined;
    this.#onFree = undefined;
    job.settle();
    tell(job);
    onFree?.();
  }

  /** V8 aborts when its heap is full. Any other end is not the text's fault, and the work may be tried again. */
  #reasonOf(code: number | null, signal: NodeJS.Signals | null): Error {
    const what = this.#job?.what ?? 'a text';
    if (signal === 'SIGABRT' || code === 134)
      return new PermanentError(
        `${what} takes more than ${this.#limits.heapMiB} MiB of memory to read: it, or a path into it, is too much`,
      );
    return new Error(`the reader of ${what} ended with ${signal ?? `code ${code}`}`);
  }
}
