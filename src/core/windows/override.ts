/** A person lets a release into an environment although these windows are closed; these alone, and for a while. */
export interface WindowOverride {
  /** Exact names. */
  windows: string[];
  reason: string;
  by: string | null;
  /** Milliseconds since the epoch, UTC. */
  at: number;
  expiresAt: number;
}

/** Those that count at `now`. */
export function standing(overrides: readonly WindowOverride[], now: number): WindowOverride[] {
  return overrides.filter(({ expiresAt }) => expiresAt > now);
}

/** `ada overrides christmas until 2026-12-24T20:00:00.000Z: hotfix`. */
export function inWords({ windows, by, reason, expiresAt }: WindowOverride): string {
  return `${by ?? 'a person'} overrides ${windows.join(', ')} until ${new Date(expiresAt).toISOString()}: ${reason}`;
}
