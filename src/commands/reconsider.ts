import type { App } from '../app.ts';
import type { Kind } from '../core/definitions.ts';
import { openReleases, releasesAhead } from '../store/unfinished.ts';

type Parts = Pick<App, 'pool' | 'mover' | 'log' | 'limits'>;

/** Definitions that running releases look at as they are now; everything else they froze. */
const LIVE: ReadonlySet<Kind> = new Set<Kind>(['ReleaseWindow', 'Environment', 'EnvironmentGroup', 'Product']);

/**
 * A window that was edited or deleted may let something start: every open release looks again, at once. Not awaited; what a
 * crash leaves out, the sweep does.
 */
export function reconsiderReleases(app: Parts, changed: Kind[]): void {
  if (!changed.some((kind) => LIVE.has(kind))) return;
  tickAll(app, () => openReleases(app.pool, 0, app.limits.releasesTicked));
}

/** Something no longer holds them: releases that have not started in the environment yet look again, at once. Not awaited. */
export function wakeWaiting(app: Parts, where: { product?: string; environment?: string }): void {
  tickAll(app, () => releasesAhead(app.pool, where, app.limits.releasesTicked));
}

function tickAll({ mover, log }: Parts, find: () => Promise<string[]>): void {
  const look = async (): Promise<void> => {
    const ids = await find();
    // Several at once: their decisions share transactions.
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      await Promise.all(ids.slice(from, from + AT_ONCE).map((id) => mover.move(id, { kind: 'tick' })));
    }
  };
  void look().catch((error: unknown) =>
    log.warn({ error }, 'open releases will look at the change with the next sweep'),
  );
}

const AT_ONCE = 64;
