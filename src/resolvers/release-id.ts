import { parseShortId } from '../core/short-id.ts';
import { loaderOf } from '../schema/context.ts';
import type { ApiContext } from '../schema/context.ts';
import { fromNodeId } from '../schema/node-id.ts';
import { readReleaseId, UUID } from '../schema/node.ts';
import { listReleases, releaseOfNumber } from '../store/release-reads.ts';
import { seesPlace, visibilityOf } from './access/visible.ts';
import { readsOf } from './reads.ts';

const PRODUCT = /^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$/;

/**
 * The bare id of the release that a caller named: by its id, the bare id, `billing#42`, a product (its newest release), or `latest`.
 * Text that names no release that the caller sees comes back as it is. A name is looked up once in a request: a rule and its command mean the same
 * release, whatever is created between the two.
 */
export function releaseIdOf(context: ApiContext, name: string): Promise<string> {
  const id = readReleaseId(name);
  if (UUID.test(id)) return Promise.resolve(id);
  const short = parseShortId(name);
  if (short === null && !PRODUCT.test(name)) return Promise.resolve(name);
  return loaderOf(context, `release-id/${name}`, async ({ pool }) => {
    if (short !== null) {
      const found = (await seesPlace(context, short.product, null)) && (await releaseOfNumber(pool, short));
      return found || name;
    }
    const filter = { visible: await visibilityOf(context), ...(name !== 'latest' && { product: name }) };
    const { rows } = await listReleases(readsOf(context), {
      limit: 1,
      entries: context.app.limits.entriesPerPage,
      filter,
    });
    return rows[0]?.id ?? name;
  });
}

/** A rollback has the bare id of the release that does its work: what names that release names the rollback. */
export function rollbackIdOf(context: ApiContext, name: string): Promise<string> {
  const node = fromNodeId(name);
  return node?.type === 'Rollback' ? Promise.resolve(node.what) : releaseIdOf(context, name);
}
