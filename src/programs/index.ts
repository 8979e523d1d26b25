import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { signal } from './signal.ts';
import type { Order, Program, Told } from './wire.ts';

export type { Program } from './wire.ts';

/** Hears what a program writes, as it comes. */
export interface Listener {
  out(chunk: Buffer): void;
  said(chunk: Buffer): void;
  /** It has ended, and what it started may not have; for a program that `tellsExit`. */
  exited?(): void;
}

/** A program that was started, in a process group of its own. */
export interface Started {
  write(data: string | Uint8Array): void;
  closeInput(): void;
  /** To its whole group; nothing where it has ended. */
  kill(name: NodeJS.Signals): void;
  /** Whether this process waits for its end before it ends itself; it does at first. */
  hold(open: boolean): void;
  /** Its exit code, null where a signal ended it, once all that it wrote was heard. @throws NotStarted, StarterGone */
  ended: Promise<number | null>;
}

/** `code` of the system: `ENOENT` where there is no such program. */
export class NotStarted extends Error {
  override name = 'NotStarted';
  readonly code: string;

  constructor(program: string, code: string) {
    super(`${program} could not be started: ${code}`);
    this.code = code;
  }
}

/** How it ended is not known. */
export class StarterGone extends Error {
  override name = 'StarterGone';
}

interface Running {
  program: string;
  listener: Listener;
  held: boolean;
  pid?: number;
  resolve: (code: number | null) => void;
  reject: (error: Error) => void;
}

/**
 * Starts programs by way of a small process, the starter. Node forks to start a program, and a fork copies the page tables of the whole
 * process while nothing else in it goes on: 8 ms at 200 MB of memory and 15 ms at 500 MB, against 1 ms in a process that holds nothing.
 * A worker starts several programs for a promotion by git.
 *
 * The starter is made with the first program, and stays. It ends with this process, however that ends, and ends what it has started. Should
 * it end before, what runs is given up, and the next program gets another one.
 */
export class Programs {
  readonly #running = new Map<number, Running>();
  #starter: ChildProcess | null = null;
  #ids = 0;

  start(program: Program, listener: Listener): Started {
    this.#ids += 1;
    const id = this.#ids;
    const starter = (this.#starter ??= this.#open());
    const ended = new Promise<number | null>((resolve, reject) => {
      this.#running.set(id, { program: program.program, listener, held: true, resolve, reject });
    });
    const order = (what: Order): void => {
      // Where it cannot be sent, the starter is gone, and its end is told by itself.
      if (this.#running.has(id)) starter.send(what, () => undefined);
    };
    order({ id, do: 'START', ...program });
    this.#hold();
    return {
      write: (data) => order({ id, do: 'WRITE', data }),
      closeInput: () => order({ id, do: 'CLOSE_INPUT' }),
      kill: (name) => order({ id, do: 'SIGNAL', signal: name }),
      hold: (open) => {
        const running = this.#running.get(id);
        if (running) running.held = open;
        this.#hold();
      },
      ended,
    };
  }

  #open(): ChildProcess {
    const starter = fork(ENTRY, [], {
      execArgv: [...process.execArgv.filter((each) => !/^--(inspect|max-old)/.test(each)), '--max-old-space-size=128'],
      env: {},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    starter.on('message', (told: Told) => this.#hear(told));
    const gone = (): void => {
      if (this.#starter !== starter) return;
      this.#starter = null;
      starter.kill('SIGKILL');
      for (const [id, { program, pid, reject }] of this.#running) {
        this.#running.delete(id);
        signal(pid, 'SIGKILL');
        reject(new StarterGone(`the process that had started ${program} is gone`));
      }
    };
    starter.on('error', gone);
    starter.on('exit', gone);
    return starter;
  }

  #hear(told: Told): void {
    const running = this.#running.get(told.id);
    if (!running) return;
    if ('pid' in told) running.pid = told.pid;
    else if ('out' in told) running.listener.out(bufferOf(told.out));
    else if ('said' in told) running.listener.said(bufferOf(told.said));
    else if ('exited' in told) running.listener.exited?.();
    else this.#end(told, running);
  }

  #end(told: Extract<Told, { code: unknown } | { error: unknown }>, { program, resolve, reject }: Running): void {
    this.#running.delete(told.id);
    this.#hold();
    if ('code' in told) resolve(told.code);
    else reject(new NotStarted(program, told.error));
  }

  #hold(): void {
    const starter = this.#starter;
    const held = [...this.#running.values()].some((each) => each.held);
    if (held) {
      starter?.ref();
      starter?.channel?.ref();
    } else {
      starter?.unref();
      starter?.channel?.unref();
    }
  }
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** The source itself where a test runs from it, its JavaScript in a build. */
const ENTRY = new URL(`./starter${extname(new URL(import.meta.url).pathname)}`, import.meta.url);

/** One for the process. */
export const programs = new Programs();
