/**
 * Locks the products' order of releases, and what is decided on it, until the transaction ends; in one order, so that nobody
 * waits in a circle.
 */
export function lockProductsStatement(products: Iterable<string>): string {
  const keys = [...new Set(products)].sort().map(productLock);
  return `SELECT pg_advisory_xact_lock_shared(${ALL_PRODUCTS}), pg_advisory_xact_lock(${PRODUCT_LOCKS}, key) FROM unnest(ARRAY[${keys.join(',')}]::integer[]) AS key ORDER BY key`;
}

/** Waits for every decision that is being made, of whatever product, and keeps new ones waiting until the transaction ends. */
export function lockAllProductsStatement(): string {
  return `SELECT pg_advisory_xact_lock(${ALL_PRODUCTS})`;
}

const PRODUCT_LOCKS = 7_265_032;
const ALL_PRODUCTS = 7_265_033;

/** FNV-1a, 32 bits, signed: two products that share a key merely take turns. */
function productLock(product: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < product.length; index += 1) {
    hash = Math.imul(hash ^ product.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}
