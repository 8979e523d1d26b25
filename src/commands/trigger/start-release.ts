import type { Parts } from '../../parts.ts';
import { makeRoom } from '../make-room.ts';

/**
 * Lets a release that has just been written start if it is its turn; a queue that is longer than the product allows loses its oldest.
 * It exists already: the sweep starts it if this process dies right here.
 */
export async function startRelease(app: Parts, product: string, releaseId: string): Promise<void> {
  const started = await app.releaseEngine.tellKnown(releaseId, { kind: 'tick' });
  if (started.state.status !== 'QUEUED') return;
  const found = (await app.definitions.current()).products.get(product);
  if (found) await makeRoom(app, found);
}
