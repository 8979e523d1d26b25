/** What a process and its starter say to each other: plain data and bytes. */

export interface Program {
  /** Found by the PATH in `env`. */
  program: string;
  args: readonly string[];
  /** All that it gets; nothing of the process that asks is handed on. */
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** That it has ended is told at once, and not only when all that it wrote was heard: others may hold its streams. */
  tellsExit?: true;
}

/** `id` is given by the process that asks, and is never given again. */
export type Order = { id: number } & (
  | ({ do: 'START' } & Program)
  | { do: 'WRITE'; data: string | Uint8Array }
  | { do: 'CLOSE_INPUT' }
  | { do: 'SIGNAL'; signal: NodeJS.Signals }
);

/**
 * `exited`: it has ended itself, for one that `tellsExit`. `pid` leads the group of what was started; `code` is null where a signal ended it; `error` is the code of the system where it could not be
 * started, `ENOENT` for one.
 */
export type Told = { id: number } & (
  | { pid: number }
  | { out: Uint8Array }
  | { said: Uint8Array }
  | { exited: true }
  | { code: number | null }
  | { error: string }
);
