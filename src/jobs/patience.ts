import type { Clock } from '../clock.ts';

const PAUSES = [50, 100, 200, 500, 1_000, 1_000, 2_000, 2_000, 3_000, 5_000];

/** Tries again for about 15 seconds; then the error is the caller's. */
export async function withPatience<T>(
  clock: Clock,
  attempt: () => Promise<T>,
  onError: (error: unknown) => void,
): Promise<T> {
  for (const pause of PAUSES) {
    try {
      return await attempt();
    } catch (error) {
      onError(error);
      await clock.sleep('patience', pause);
    }
  }
  return attempt();
}
