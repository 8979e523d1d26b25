import type { ReleaseKind } from './release.ts';

/** What became of a version that was brought to an application. */
export type DeploymentEnd = 'LIVE' | 'REPLACED' | 'ROLLED_BACK';

/** @param next of which kind the release is that brought what came after it; null: nothing did */
export function endOf(next: ReleaseKind | null): DeploymentEnd {
  if (next === null) return 'LIVE';
  return next === 'ROLLBACK' ? 'ROLLED_BACK' : 'REPLACED';
}
