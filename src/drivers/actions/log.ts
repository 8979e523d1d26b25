/** Where an action writes what people can read of it. Whatever becomes of that fails no action. */
export interface ActionLog {
  /** A line of Sluice itself, marked as one: before a program begins, or after it has ended. */
  say(line: string): void;
  /** What a program writes, as it comes. Of each of its two streams lines are kept whole. */
  heard(chunk: Uint8Array, from: 'OUT' | 'ERR'): void;
}

/** For callers that keep none. */
export const NO_LOG: ActionLog = { say: () => undefined, heard: () => undefined };
