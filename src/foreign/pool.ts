import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PermanentError, TransientError } from '../drivers/driver.ts';
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
 * A few threads that work on text from outside, so that no such text stops the process.
 *
 * The life of a thread: it is made when there is more work than idle threads, takes one order at a time, and ends when it was
 * idle for long. An order that takes too long, or more memory than is granted, ends its thread; the caller is told what was too
 * much, and the next order gets a new thread. A caller has its own line, and lines take turns; a caller never occupies all
 * threads, so that one bad file does not stop the others.
 */
export class ThreadPool {
  readonly #limits: ForeignLimits;
  readonly #entry: URL;
  readonly #threads = new Set<Thread>();
  /** In the order in which callers get their turn. */
  readonly #lines = new Map<string, Job[]>();
  readonly #running = new Map<string, number>();
  #waiting = 0;

  constructor(limits: ForeignLimits, entry: URL = ENTRY) {
    this.#limits = limits;
    this.#entry = entry;
  }

  /**
   * @throws PermanentError when the text is refused, or takes more time or memory than is granted; TransientError when too much
   * waits already; the signal's reason
   */
  run(task: string, input: unknown, ask: Ask): Promise<unknown> {
    const { caller, what, signal } = ask;
    const { waiting, waitingPerCaller, resultBytes } = this.#limits;
    const line = this.#lines.get(caller) ?? [];
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (line.length >= waitingPerCaller || this.#waiting >= waiting)
      return Promise.reject(new TransientError(`${what} was not read: ${this.#waiting} others wait to be read`));
    return new Promise((resolve, reject) => {
      const order = { task, input, resultBytes };
      const onAbort = (): void => this.#abort(job);
      const job: Job = {
        ...ask,
        order,
        resolve,
        reject,
        settle: () => signal?.removeEventListener('abort', onAbort),
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      line.push(job);
      this.#lines.set(caller, line);
      this.#waiting += 1;
      this.#next();
    });
  }

  /** Ends the threads that have nothing to do; others end after their order. The pool can be used again. */
  async close(): Promise<void> {
    await Promise.all([...this.#threads].filter((each) => each.idle).map((each) => each.end()));
  }

  /** How many threads there are; for tests and metrics. */
  get size(): number {
    return this.#threads.size;
  }

  #next(): void {
    for (let job = this.#take(); job; job = this.#take()) {
      const idle = [...this.#threads].find((each) => each.idle);
      const thread = idle ?? this.#start();
      const { caller } = job;
      this.#running.set(caller, (this.#running.get(caller) ?? 0) + 1);
      thread.work(job, () => {
        const left = this.#running.get(caller)! - 1;
        if (left === 0) this.#running.delete(caller);
        else this.#running.set(caller, left);
        this.#next();
      });
    }
  }

  /** The next order for which there is a thread; its caller goes to the end of the row. */
  #take(): Job | undefined {
    const { threads } = this.#limits;
    const busy = [...this.#threads].filter((each) => !each.idle).length;
    if (busy >= threads) return undefined;
    for (const [caller, line] of this.#lines) {
      if ((this.#running.get(caller) ?? 0) >= Math.max(1, threads - 1)) continue;
      const job = line.shift()!;
      this.#lines.delete(caller);
      if (line.length > 0) this.#lines.set(caller, line);
      this.#waiting -= 1;
      return job;
    }
    return undefined;
  }

  #start(): Thread {
    const thread = new Thread(this.#entry, this.#limits, () => {
      this.#threads.delete(thread);
      this.#next();
    });
    this.#threads.add(thread);
    return thread;
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
    } else for (const each of this.#threads) each.drop(job);
  }
}

/** The source itself where a test runs from it, its JavaScript in a build. */
const ENTRY = new URL(`./thread${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** One thread and what it works on. It holds a process open while it works, and not longer. */
class Thread {
  readonly #worker: Worker;
  readonly #limits: ForeignLimits;
  #ready = false;
  #ended = false;
  #job: Job | undefined;
  #onFree: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(entry: URL, limits: ForeignLimits, onExit: () => void) {
    this.#limits = limits;
    this.#worker = new Worker(entry, {
      name: 'foreign text',
      // Foreign text and the settings of the process, its secrets among them, do not meet.
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: limits.heapMiB },
    });
    this.#worker.on('message', (answer: Answer) => this.#hear(answer));
    this.#worker.on('messageerror', (error) => this.#fail(error));
    this.#worker.on('error', (error) => this.#fail(this.#reasonOf(error)));
    this.#worker.on('exit', (code) => {
      this.#ended = true;
      clearTimeout(this.#timer);
      this.#fail(new Error(`a thread for foreign text ended with code ${code}`));
      onExit();
    });
  }

  /** False as well when it is ending: no order comes to such a thread. */
  get idle(): boolean {
    return this.#job === undefined && !this.#ended;
  }

  work(job: Job, onFree: () => void): void {
    this.#job = job;
    this.#onFree = onFree;
    this.#worker.ref();
    clearTimeout(this.#timer);
    if (this.#ready) this.#send();
    else this.#limit(this.#limits.startMs, () => new Error('a thread for foreign text did not start'));
  }

  /** Nobody waits for the answer any more. */
  drop(job: Job): void {
    if (this.#job === job) this.#kill(undefined);
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#worker.terminate();
  }

  #send(): void {
    const { what, order } = this.#job!;
    const { taskMs } = this.#limits;
    this.#limit(
      taskMs,
      () =>
        new PermanentError(`${what} takes longer than ${taskMs / 1000} s to read: it, or a path into it, is too much`),
    );
    this.#worker.postMessage(order);
  }

  #limit(ms: number, error: () => Error): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#kill(error()), ms);
  }

  #hear(answer: Answer): void {
    if ('ready' in answer) {
      this.#ready = true;
      if (this.#job && !this.#ended) this.#send();
      return;
    }
    const job = this.#job;
    if (!job || this.#ended) return;
    clearTimeout(this.#timer);
    this.#worker.unref();
    this.#timer = setTimeout(() => void this.end(), this.#limits.idleMs).unref();
    this.#settle((each) => {
      if ('value' in answer) each.resolve(answer.value);
      else if ('refused' in answer) each.reject(new PermanentError(`${each.what}: ${answer.refused}`));
      else each.reject(new Error(`${each.what} could not be worked on: ${answer.failed}`));
    });
  }

  /** The thread goes. While it does, it still counts as busy, and its caller's turn is still its own. */
  #kill(error: Error | undefined): void {
    const job = this.#job;
    if (error) {
      job?.settle();
      job?.reject(error);
    }
    void this.end();
  }

  #fail(error: unknown): void {
    this.#ended = true;
    this.#settle((job) => job.reject(error));
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

  #reasonOf(error: Error): Error {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
    const what = this.#job?.what ?? 'a text';
    return new PermanentError(
      `${what} takes more than ${this.#limits.heapMiB} MiB of memory to read: it, or a path into it, is too much`,
      { cause: error },
    );
  }
}
