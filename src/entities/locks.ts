/**
 * Every advisory lock that Sluice takes, so that no two are the same by accident. All but the one of migrations end with their
 * transaction. Who takes several takes them in the order of this list; a rollback alone takes its own key after its product.
 *
 * | lock | taken by | guards |
 * | --- | --- | --- |
 * | migration | each process at its start | one process at a time changes tables |
 * | definitions | saving, deleting and applying definitions; not a dry run | what a definition names cannot vanish between check and save |
 * | tokens | making a token | the first token, and how many there may be |
 * | idempotency key | a command with a key, while it makes its answer | the same request twice at once is made once |
 * | statuses | a sender that takes commit statuses | two senders never call about one commit at once |
 * | triggers, shared | a candidate that becomes a release by itself | see the next row |
 * | triggers, alone | making a pause of triggers | once the pause is answered, nothing becomes a release by itself |
 * | all products, shared | every decision that needs facts about others | see the next row |
 * | all products, alone | writing what decisions of any product read as it is now: a hold of all products, and, before their commit, windows, environments, groups and products | once the writer has its answer, nothing starts on what was before |
 * | product | every decision that needs facts about others; holds, marks and rollbacks of the product | one decision at a time on who may start |
 */
export const LOCKS = {
  migration: 7_265_031,
  definitions: 7_265_035,
  tokens: 7_265_034,
  statuses: 7_265_037,
  triggers: 7_265_038,
  allProducts: 7_265_033,
} as const;

/** Locks of two numbers, one for each thing of a kind; PostgreSQL keeps them apart from those of one number. */
export const LOCK_CLASSES = {
  idempotencyKey: 7_265_036,
  product: 7_265_032,
} as const;

/** Of the session, not of a transaction: a migration is many transactions. */
export const LOCK_MIGRATION = `SELECT pg_advisory_lock(${LOCKS.migration})`;

/** One writer at a time. Stops no decision about a release. */
export const LOCK_DEFINITIONS = `SELECT pg_advisory_xact_lock(${LOCKS.definitions})`;

export const LOCK_TOKENS = `SELECT pg_advisory_xact_lock(${LOCKS.tokens})`;

export const LOCK_STATUSES = `SELECT pg_advisory_xact_lock(${LOCKS.statuses})`;

/** Waits for every candidate that is becoming a release by itself, and keeps others from it until the transaction ends. */
export const LOCK_TRIGGERS = `SELECT pg_advisory_xact_lock(${LOCKS.triggers})`;

/** Until the transaction ends no pause of triggers is made. */
export const LOCK_TRIGGERS_SHARED = `SELECT pg_advisory_xact_lock_shared(${LOCKS.triggers})`;

/** Of the key $1: two that share a number merely take turns. */
export const LOCK_IDEMPOTENCY_KEY = `SELECT pg_advisory_xact_lock(${LOCK_CLASSES.idempotencyKey}, hashtext($1))`;

/**
 * Waits for every decision that is being made, of whatever product, and keeps new ones waiting until the transaction ends: to be
 * taken last, and not for long.
 */
export const LOCK_ALL_PRODUCTS = `SELECT pg_advisory_xact_lock(${LOCKS.allProducts})`;

/**
 * Locks the products' order of releases, and what is decided on it, until the transaction ends; in one order, so that no
 * two transactions wait for each other.
 */
export function lockProductsStatement(products: Iterable<string>): string {
  return LOCK_PRODUCTS.replace('$1', `ARRAY[${productKeys(products).join(',')}]`);
}

/** The same, prepared: $1 are the keys of the products. */
export const LOCK_PRODUCTS = `SELECT pg_advisory_xact_lock_shared(${LOCKS.allProducts}), pg_advisory_xact_lock(${LOCK_CLASSES.product}, key) FROM unnest($1::integer[]) AS key`;

export function productKeys(products: Iterable<string>): number[] {
  return [...new Set([...products].map(productKey))].sort((one, other) => one - other);
}

/** FNV-1a, 32 bits, signed: two products that share a key merely take turns. */
function productKey(product: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < product.length; index += 1) {
    hash = Math.imul(hash ^ product.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}
