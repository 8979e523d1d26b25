/** What one process grants to text that it did not write itself. Times in milliseconds. */
export interface ForeignLimits {
  /** How many texts are read side by side. One caller never has all of them, unless there is one only. */
  readers: number;
  /** How long one text may be worked on, from when a reader takes it. Generous: a busy machine is not the text's fault. */
  taskMs: number;
  /** How much one text may grow to in memory, in MiB. The file is the smallest part: a syntax tree is 30 to 60 times as large. */
  heapMiB: number;
  /** What a reader hands back at most, in bytes of JSON: the process has to take it in at once. */
  resultBytes: number;
  /** How many texts of one caller, and of all callers, wait for a reader; more are told to come again. */
  waitingPerCaller: number;
  waiting: number;
  /** How long a reader may take to start. */
  startMs: number;
  /** After how long without work a reader ends. */
  idleMs: number;
}

export const FOREIGN_LIMITS: ForeignLimits = {
  readers: 2,
  taskMs: 30_000,
  heapMiB: 768,
  resultBytes: 24 * 1024 * 1024,
  waitingPerCaller: 64,
  waiting: 512,
  startMs: 60_000,
  idleMs: 30_000,
};
