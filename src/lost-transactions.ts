/** Of PostgreSQL: of transactions that wait for each other one was undone, or one read what another has changed since. */
const LOST: ReadonlySet<unknown> = new Set(['40P01', '40001']);

/**
 * Makes a transaction, anew where it lost to another one: nothing of it was done, and the winner goes on meanwhile. Every way to hold a
 * transaction passes here, so no caller hears of it. `make` begins from the beginning each time, and leaves nothing behind when it fails.
 */
export async function untilWon<T>(make: () => Promise<T>): Promise<T> {
  for (let left = TRIES - 1; ; left -= 1) {
    try {
      return await make();
    } catch (error) {
      if (left <= 0 || !LOST.has((error as { code?: unknown } | null)?.code)) throw error;
    }
  }
}

/** Whoever wins is done: that many losses in a row are no chance. */
const TRIES = 5;
