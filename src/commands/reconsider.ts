import type { App } from '../app.ts';
import type { Kind } from '../core/definitions.ts';
import { openReleases } from '../store/unfinished.ts';

/** Definitions that running releases look at as they are now; everything else they froze. */
const LIVE: ReadonlySet<Kind> = new Set<Kind>(['ReleaseWindow', 'Environment', 'EnvironmentGroup', 'Product']);

/**
 * A window that was edited or deleted may let something start: every open release looks again, at once. Not awaited; what a
 * crash leaves out, the sweep does.
 */
export function reconsiderReleases({ pool, mover, log }: Pick<App, 'pool' | 'mover' | 'log'>, changed: Kind[]): void {
  if (!changed.some((kind) => LIVE.has(kind))) return;
  const look = async (): Promise<void> => {
    for (const id of await openReleases(pool, 0)) await mover.move(id, { kind: 'tick' });
  };
  void look().catch((error: unknown) =>
    log.warn({ error }, 'open releases will look at the change with the next sweep'),
  );
}
