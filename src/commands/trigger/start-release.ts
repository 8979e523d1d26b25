import type { Parts } from '../../parts.ts';
import { makeRoom } from '../make-room.ts';
import type { ReleaseNow } from '../release-engine.ts';

/**
 * Lets a release that has just been written start if it is its turn; a queue that is longer than the product allows loses its oldest.
 * It exists already: the sweep starts it if this process dies right here.
 */
export async function startRelease(app: Parts, releaseId: string): Promise<void> {
  await makeRoomBehind(app, await app.releaseEngine.tellKnown(releaseId, { kind: 'tick' }));
}

/** Where a release waits that has just come. */
export async function makeRoomBehind(app: Parts, { release, state }: ReleaseNow): Promise<void> {
  if (state.status !== 'QUEUED') return;
  const found = (await app.definitions.current()).products.get(release.product);
  if (found) await makeRoom(app, found);
}
