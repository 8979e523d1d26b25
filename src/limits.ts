/**
 * How far each part looks and how much it keeps. Behind none of them may anything be lost: a test with a small world gives
 * small ones, and reaches them all.
 */
export interface Limits {
  /** Releases whose plan and content a process remembers. */
  releasesRemembered: number;
  /** Their plans and contents, in characters. */
  contentRemembered: number;
  /** Releases whose state a process remembers. */
  statesRemembered: number;
  /** Their states, in characters. */
  stateRemembered: number;
  /** Transactions of the mover under way at once in one process: one is being decided while the other one commits. */
  transactions: number;
  /** Releases that share a transaction. */
  releasesPerTransaction: number;
  /** Outbox rows that one save deletes. */
  rowsPerSave: number;
  /** Wake-ups of the next seconds that one round of the sweep sets timers for. */
  wakeUps: number;
  /** Open releases that one round of the sweep lists. */
  openReleases: number;
  /** Of these, how many it looks at. */
  releasesPerRound: number;
  /** Rows that the sweep hands over at once. */
  outboxRows: number;
  /** Releases that are told of a report or that something was lifted. */
  releasesTold: number;
  releasesTicked: number;
  /** Environments that the observer looks at in one round, and deployments that the drift watch does. */
  observations: number;
  looks: number;
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
  releasesTold: 200,
  releasesTicked: 5_000,
  observations: 32,
  looks: 200,
};
