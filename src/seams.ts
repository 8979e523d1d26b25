/**
 * Where Sluice's own code meets what it cannot rely on. Each connection, statement, queue call and notice passes a seam, and
 * each timer is one of a `Clock`; nothing passes in between. In production nothing stands at the seams (null), which costs one
 * comparison. The second ring of the simulation stands there (test/shell): it decides when what passes goes on, and whether
 * it fails, is lost, or is the last thing that the process does.
 *
 * Seams are at the edges alone: `connections.ts` makes every client and pool, `clock.ts` every timer, `jobs/queue.ts` the
 * queue, `store/listener.ts` hears the notices. test/house/seams.test.ts finds what does not pass one.
 */
export interface Seams {
  /** Answers with what `go` answers, once it was let through. */
  pass<T>(seam: Seam, go: () => Promise<T>): Promise<T>;
}

export type Seam =
  /** A new connection to PostgreSQL, and the end of one. */
  | { kind: 'connection'; client: SeamClient; ends: boolean }
  /** `name` is that of a prepared statement; `caller` the stack of the code that asked, where it would be lost on the way. */
  | { kind: 'statement'; client: SeamClient; text: string; name: string | undefined; caller: string | undefined }
  /** A call of the queue, or a job that it gives away. */
  | { kind: 'queue'; name: string }
  /** A notice that arrived, before anybody is told. */
  | { kind: 'notice'; name: string };

export type SeamKind = Seam['kind'] | 'timer';

/** What a seam needs to know of a client: whose it is, and how to cut it off. */
export interface SeamClient {
  /** Of the server's process, as pg_locks names it; null until it is connected. */
  readonly processID: number | null;
  /** As if the network broke: nothing that is under way gets an answer. */
  cut(): void;
}
