import type { Parts } from '../parts.ts';
import type { Kind } from '../core/definitions.ts';
import { pages } from '../store/pages.ts';
import { openReleases, releasesAhead } from '../store/unfinished.ts';
import type { Numbered } from '../store/unfinished.ts';

/** Definitions that running releases look at as they are now; everything else they froze. */
const LIVE: ReadonlySet<Kind> = new Set<Kind>(['ReleaseWindow', 'Environment', 'EnvironmentGroup', 'Product']);

/**
 * A window that was edited or deleted may let something start: every open release looks again, at once. Not awaited; what a
 * crash leaves out, the sweep does.
 */
export function reconsiderReleases(app: Parts, changed: Kind[]): void {
  if (!changed.some((kind) => LIVE.has(kind))) return;
  tickAll(app, (size, after) => openReleases(app.pool, 0, size, after));
}

/** Something holds them, or does no longer: releases that are to start in the environment, or merge, look again, at once. Not awaited. */
export function wakeWaiting(app: Parts, where: { product?: string; environment?: string }): void {
  tickAll(app, (size, after) => releasesAhead(app.pool, where, size, after));
}

function tickAll(
  { releaseEngine, log, limits }: Parts,
  find: (size: number, after?: number) => Promise<Numbered[]>,
): void {
  const size = limits.releasesTicked;
  const look = async (): Promise<void> => {
    // Several at once: their decisions share transactions.
    for await (const page of pages<Numbered>(size, (after) => find(size, after?.number)))
      await Promise.all(page.map(({ id }) => releaseEngine.tell(id, { kind: 'tick' })));
  };
  look().catch((error: unknown) => log.warn({ error }, 'open releases will look at the change with the next sweep'));
}
