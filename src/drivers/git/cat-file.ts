import type { Started } from '../../programs/index.ts';
import { TransientError } from '../driver.ts';
import { abortable } from './mutex.ts';
import { keepGit } from './run.ts';

/** What git says of an object; `bytes` where contents were asked for. */
export interface GitObject {
  id: string;
  type: string;
  size: number;
  bytes: Buffer;
}

/** A process without a question ends after so long, in milliseconds. */
const IDLE = 5_000;
const NOTHING: Buffer = Buffer.alloc(0);

interface Question {
  left: number;
  found: (GitObject | null)[];
  resolve(found: (GitObject | null)[]): void;
  reject(error: Error): void;
}

/**
 * `git cat-file`, kept open for the next question: a promotion asks for a handful of objects, and a process for each question costs more
 * than its answer. What was written or fetched since it began is seen, too.
 */
export class CatFile {
  readonly #gitDir: string;
  readonly #contents: boolean;
  readonly #timeoutMs: number;
  #git: Started | null = null;
  #questions: Question[] = [];
  #buffer: Buffer = NOTHING;
  /** Of the object whose contents are arriving. */
  #head: Omit<GitObject, 'bytes'> | null = null;
  #said = '';
  #idle: NodeJS.Timeout | undefined;

  /** @param contents false: sizes and types only */
  constructor(gitDir: string, contents: boolean, timeoutMs: number) {
    this.#gitDir = gitDir;
    this.#contents = contents;
    this.#timeoutMs = timeoutMs;
  }

  /** In the order of the names; null for an object that is not there. No name has a line break in it. */
  async ask(names: readonly string[], signal: AbortSignal): Promise<(GitObject | null)[]> {
    signal.throwIfAborted();
    if (names.length === 0) return [];
    const git = this.#open();
    const answer = new Promise<(GitObject | null)[]>((resolve, reject) =>
      this.#questions.push({ left: names.length, found: [], resolve, reject }),
    );
    git.write(names.map((each) => `${each}\n`).join(''));
    const limit = setTimeout(() => git.kill('SIGKILL'), this.#timeoutMs);
    try {
      return await abortable(answer, signal);
    } finally {
      clearTimeout(limit);
    }
  }

  /** The next question begins a new process. */
  close(): void {
    clearTimeout(this.#idle);
    const git = this.#git;
    git?.closeInput();
    if (git) this.#ended(git);
  }

  #open(): Started {
    clearTimeout(this.#idle);
    if (this.#git) {
      this.#git.hold(true);
      return this.#git;
    }
    const git = keepGit(this.#gitDir, ['cat-file', this.#contents ? '--batch' : '--batch-check'], {
      out: (chunk) => {
        if (this.#git === git) this.#read(chunk);
      },
      said: (chunk) => (this.#said = (this.#said + chunk.toString('utf8')).slice(-4_096)),
    });
    this.#git = git;
    this.#said = '';
    this.#buffer = NOTHING;
    this.#head = null;
    const ended = (): void => this.#ended(git);
    git.ended.then(ended).catch(ended);
    return git;
  }

  #ended(git: Started): void {
    if (this.#git !== git) return;
    this.#git = null;
    const error = new TransientError(`git cat-file ended without an answer: ${this.#said.trim().slice(0, 300)}`);
    for (const each of this.#questions.splice(0)) each.reject(error);
  }

  #read(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    for (let found = this.#next(); found !== undefined; found = this.#next()) this.#answer(found);
    if (this.#questions.length > 0 || !this.#git) return;
    this.#git.hold(false);
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE).unref();
  }

  /** Undefined: it has not arrived whole. */
  #next(): GitObject | null | undefined {
    if (!this.#head) {
      const end = this.#buffer.indexOf(10);
      if (end < 0) return undefined;
      const line = this.#buffer.toString('latin1', 0, end);
      this.#buffer = this.#buffer.subarray(end + 1);
      const [, id, type, size] = /^([0-9a-f]+) (\w+) (\d+)$/.exec(line) ?? [];
      if (id === undefined || type === undefined) return null;
      this.#head = { id, type, size: Number(size) };
    }
    const head = this.#head;
    const length = this.#contents ? head.size + 1 : 0;
    if (this.#buffer.length < length) return undefined;
    const bytes = this.#contents ? Buffer.from(this.#buffer.subarray(0, head.size)) : NOTHING;
    this.#buffer = this.#buffer.subarray(length);
    this.#head = null;
    return { ...head, bytes };
  }

  #answer(found: GitObject | null): void {
    const [question] = this.#questions;
    if (!question) return;
    question.found.push(found);
    question.left -= 1;
    if (question.left > 0) return;
    this.#questions.shift();
    question.resolve(question.found);
  }
}
