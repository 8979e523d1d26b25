/**
 * How far each part looks and how much it keeps. Behind none of them may anything be lost: a test with a small world gives
 * small ones, and reaches them all.
 */
export interface Limits {
  /** Releases whose plan a process remembers, and contents whose files it does. */
  releasesRemembered: number;
  /** The plans together, and the files together, in characters. */
  contentRemembered: number;
  /** Releases whose state a process remembers. */
  statesRemembered: number;
  /** Their states, in characters. */
  stateRemembered: number;
  /** Transactions of the release engine under way at once in one process: one is being decided while the other one commits. */
  transactions: number;
  /** Releases that share a transaction. */
  releasesPerTransaction: number;
  /** Outbox rows that one save deletes. */
  rowsPerSave: number;
  /** Sizes of pages, of what is gone through to its end: wake-ups of the next seconds, */
  wakeUps: number;
  /** open releases (the sweep goes on with the next page in its next round), */
  openReleases: number;
  /** Of the page of a round, how many are looked at, the longest waiting first. */
  releasesPerRound: number;
  /** rows of the outbox, */
  outboxRows: number;
  /** (Errands that one process runs at once; others wait.) */
  errands: number;
  /** releases that are told of a report or that something was lifted, */
  releasesTold: number;
  releasesTicked: number;
  /** rollbacks whose end may not have reached every release, holds and marks that are lifted together. */
  rollbacksSettled: number;
  lifted: number;
  /** Entries of an index that one page of a list looks at, where a filter has no index of its own. */
  entriesPerPage: number;
  /** Reads of lists and the log that wait for others of the same caller. */
  readsWaiting: number;
  /** Environments that the observer looks at in one round, and deployments that the drift watch does. */
  observations: number;
  looks: number;
  /** Milliseconds between two rounds of the observer, and between two looks at what should stop. */
  observeEvery: number;
  /** Commit statuses that one process sends at once, and milliseconds between two looks at what is to be sent. */
  statuses: number;
  statusesEvery: number;
  /** Between two looks at which candidates are due; and how many of them are looked at in one round. */
  candidatesEvery: number;
  candidates: number;
  stopsEvery: number;
}

export const LIMITS: Limits = {
  releasesRemembered: 5_000,
  contentRemembered: 100_000_000,
  statesRemembered: 5_000,
  stateRemembered: 50_000_000,
  transactions: 2,
  releasesPerTransaction: 64,
  rowsPerSave: 1_000,
  wakeUps: 1_000,
  openReleases: 5_000,
  releasesPerRound: 500,
  outboxRows: 500,
  errands: 8,
  releasesTold: 200,
  releasesTicked: 500,
  rollbacksSettled: 100,
  lifted: 1_000,
  entriesPerPage: 4_000,
  readsWaiting: 200,
  observations: 32,
  looks: 200,
  observeEvery: 1_000,
  statuses: 16,
  statusesEvery: 1_000,
  candidatesEvery: 500,
  candidates: 16,
  stopsEvery: 1_000,
};
