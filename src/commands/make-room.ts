import type { Parts } from '../parts.ts';
import type { StoredDefinition } from '../core/definitions.ts';
import { shortIdOf } from '../core/short-id.ts';
import { overfullQueues, queuedReleases } from '../store/unfinished.ts';

/** A queue that is longer than its product allows loses its oldest. Whose turn came meanwhile is not ended: it is looked at again. */
export async function makeRoom(app: Parts, product: StoredDefinition<'Product'>): Promise<void> {
  const { concurrency, queueLimit } = product.spec;
  const queued = await queuedReleases(app.pool, product.metadata.name);
  const keep = concurrency === 'SUPERSEDE' ? 1 : queueLimit;
  const newest = queued.at(-1);
  for (const { id } of queued.slice(0, Math.max(0, queued.length - keep))) {
    const reason =
      concurrency === 'SUPERSEDE' && newest
        ? `superseded by release ${shortIdOf(product.metadata.name, newest.number)}`
        : `more than ${keep} releases were waiting`;
    await app.releaseEngine.tell(id, { kind: 'terminate', reason, by: null, onlyIf: 'QUEUED' });
  }
}

/** Makes the room that a process which died right after its trigger did not make. */
export async function makeRoomEverywhere(app: Parts): Promise<void> {
  const waiting = await overfullQueues(app.pool, QUIET);
  if (waiting.length === 0) return;
  const { products } = await app.definitions.current();
  for (const name of waiting) {
    const product = products.get(name);
    if (product) await makeRoom(app, product);
  }
}

/** How long a queue has not grown before the sweep makes room in it, in milliseconds: a trigger makes its own room right then. */
const QUIET = 2_000;
